"""Which occurrences each trigger yields, contact by contact (LANGUAGE 3, rulings 22 to 34)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from .conditions import MAIL_LEFT, answered, total_of
from .dates import reminded, scheduled
from .model import EventFilter, Trigger, crossing, gains, score_and_options
from .records import Change, Contact, Event, Occurrence, Order
from .values import BOUNDS, Plain, absent, duration, number, same_value, text
from .world import World


def outside(
    world: World, owner: str, position: int, trigger: Trigger, contact: Contact, before: datetime
) -> Iterator[Occurrence]:
    """What events, deadlines and the clock bring: noticed in round 1 of the tick (ruling 14)."""
    place = (owner, position)
    if trigger.kind == "event" and trigger.events is not None:
        for event in completions(world, place, trigger.events, contact):
            yield Occurrence(event.at, position, event.message_id, event)
    elif trigger.kind in MAIL_LEFT:
        yield from unanswered(world, place, trigger, contact)
    elif trigger.kind in DEADLINES:
        yield from DEADLINES[trigger.kind](world, place, trigger, contact)
    elif trigger.kind == "contact_created":
        if contact.email is not None and not contact.announced:
            born = Event("contact_created", contact.created_at, contact.created_at, "created", {})
            yield Occurrence(contact.created_at, position, "created", born)
    else:
        yield from clocked(world, position, trigger, contact, before)


def clocked(
    world: World, position: int, trigger: Trigger, contact: Contact, before: datetime
) -> Iterator[Occurrence]:
    """What schedules and dates bring."""
    if trigger.kind == "schedule":
        for moment in scheduled(world, trigger, contact, before):
            yield Occurrence(moment, position, f"schedule:{moment}", silent=True)
    elif trigger.kind == "date":
        for moment in reminded(world, trigger, contact, None, before):
            yield Occurrence(moment, position, f"date:{trigger.options.get('attribute')}:{moment}")


def needed(events: EventFilter) -> int:
    """How many events complete an occurrence."""
    times = events.times
    if times is None:
        return 1
    if not isinstance(times, dict):
        return int(times)
    ((key, amount),) = times.items()
    if key not in ("at_least", "above"):
        raise NotImplementedError(f"times: {key} in a trigger")
    return int(amount) + (1 if key == "above" else 0)


def counted(events: EventFilter) -> bool:
    """Whether more than one event may be needed, so that a mark is kept (ruling 127)."""
    return needed(events) > 1 or bool(events.sums)


def completions(
    world: World, place: tuple[str, int], events: EventFilter, contact: Contact
) -> list[Event]:
    """The events that complete the count, not yielded before (rulings 22, 116 and 127)."""
    matching = sorted(
        (event for event in contact.events if world.fits(events, event)), key=lambda e: e.order
    )
    if not counted(events):
        taken = contact.anchors.setdefault(place, {})
        fresh = [event for event in matching if event.message_id not in taken]
        taken.update((event.message_id, event) for event in fresh)
        return fresh
    groups: dict[Plain, list[Event]] = {}
    for event in matching:
        if (group := agreeing(event, events.same)) is not None:
            groups.setdefault(group, []).append(event)
    found: list[Event] = []
    for group, members in groups.items():
        marked = (*place, group)
        mark: Order | None = contact.marks.get(marked)
        completing = walked(events, [e for e in members if mark is None or e.order > mark])
        if completing:
            contact.marks[marked] = completing[-1].order
        found += completing
    return found


def agreeing(event: Event, names: tuple[str, ...]) -> tuple[Plain, ...] | None:
    """The event's values of the properties that have to be the same; None where one is missing."""
    values = [next(iter(event.property(name)), None) for name in names]
    if any(absent(value) for value in values):
        return None
    numbers = [number(value) for value in values]
    return tuple(
        text(value).casefold() if as_number is None else as_number.normalize()
        for value, as_number in zip(values, numbers, strict=True)
    )


def walked(events: EventFilter, matching: list[Event]) -> list[Event]:
    """The walk of ruling 22: each completing event uses up everything before it."""
    found: list[Event] = []
    window: list[Event] = []
    for event in matching:
        window.append(event)
        if events.within is not None:
            window = [one for one in window if one.at > event.at - events.within]
        if complete(events, window):
            found.append(event)
            window = []
    return found


def complete(events: EventFilter, window: list[Event]) -> bool:
    """Whether these events are enough, by number and by sum (ruling 94)."""
    if not (events.sums and events.times is None) and len(window) < needed(events):
        return False
    return all(
        total_of(window, name) >= Decimal(str(bound))
        if key == "at_least"
        else total_of(window, name) > Decimal(str(bound))
        for name, bounds in events.sums.items()
        for key, bound in bounds.items()
        if key in BOUNDS
    )


def due_once(contact: Contact, place: tuple[str, int], key: str) -> bool:
    """Whether this deadline is judged for the first time; it never is again (ruling 8)."""
    if (f"{place}", key) in contact.used:
        return False
    contact.used.add((f"{place}", key))
    return True


def missed(
    world: World, place: tuple[str, int], trigger: Trigger, contact: Contact
) -> Iterator[Occurrence]:
    """Anchors after which no awaited event came in (a, a + within] (ruling 24)."""
    assert trigger.events and trigger.awaited and trigger.within
    anchors = contact.anchors.setdefault((f"anchors of {place[0]}", place[1]), {})
    for anchor in completions(world, place, trigger.events, contact):
        anchors[anchor.message_id] = anchor
    for anchor in anchors.values():
        deadline = anchor.at + trigger.within
        if deadline > world.now or not due_once(contact, place, anchor.message_id):
            continue
        if not any(
            anchor.at < event.at <= deadline
            and event.message_id != anchor.message_id
            and world.fits(trigger.awaited, event)
            and event.agrees(anchor, trigger.same)
            for event in contact.events
        ):
            key = f"no_event:{anchor.message_id}:{deadline}"
            yield Occurrence(deadline, place[1], key, anchor)


def unanswered(
    world: World, place: tuple[str, int], trigger: Trigger, contact: Contact
) -> Iterator[Occurrence]:
    """Sent mails that no person opened, or clicked, in (s, s + within] (ruling 30)."""
    assert trigger.events and trigger.within
    for sent in contact.events:
        if not world.fits(trigger.events, sent):
            continue
        deadline = sent.at + trigger.within
        if deadline > world.now or not due_once(contact, place, sent.message_id):
            continue
        if not answered(contact, sent, trigger.within, MAIL_LEFT[trigger.kind]):
            key = f"{trigger.kind}:{sent.message_id}:{deadline}"
            yield Occurrence(deadline, place[1], key, sent)


def gone_quiet(
    world: World, place: tuple[str, int], trigger: Trigger, contact: Contact
) -> Iterator[Occurrence]:
    """Ends of stretches in which nothing was done (ruling 25), one for each last instant."""
    assert trigger.within
    active = sorted({event.at for event in contact.events if event.behaviour})
    starts = list(active)
    if not active or active[0] > contact.created_at:
        starts.insert(0, contact.created_at)
    for start in starts:
        deadline = start + trigger.within
        if deadline > world.now or not due_once(contact, place, f"{start}"):
            continue
        history = start not in active and deadline <= (contact.quiet_until or start)
        if history and place[0].startswith("scenario"):
            continue
        if not any(start < moment <= deadline for moment in active):
            yield Occurrence(deadline, place[1], f"inactive:{start}:{deadline}")


DEADLINES = {"no_event": missed, "inactive": gone_quiet}


def noticed(
    world: World, position: int, trigger: Trigger, changes: list[Change]
) -> Iterator[tuple[Contact, Occurrence]]:
    """What changes of state bring, in phase 3 of the round that looks at them."""
    if gains(trigger):
        for contact in world.contacts:
            for one in won(world, position, trigger, contact):
                yield contact, one
        return
    for change in changes:
        if change_fits(world, trigger, change):
            key = key_of(world, trigger, change)
            yield change.contact, Occurrence(change.at, position, key, change.event)


def won(world: World, position: int, trigger: Trigger, contact: Contact) -> Iterator[Occurrence]:
    """Newly written lines with which the points won in the window first are enough (23)."""
    score, options = score_and_options(world.project, trigger)
    bound, span = Decimal(str(options["gains"])), duration(options["within"])
    lines = sorted(
        (
            line
            for one in world.colleagues(contact, score)
            for line in one.lines
            if line.score == score and line.points > 0 and line.kind != "reset"
        ),
        key=lambda line: (line.at, line.serial),
    )
    own = {line.serial for line in contact.lines}
    for place, line in enumerate(lines):
        before = sum((one.points for one in lines[:place] if one.at > line.at - span), Decimal(0))
        if line.serial <= world.looked or line.serial not in own:
            continue
        if before < bound <= before + line.points:
            yield Occurrence(line.at, position, f"gains:{score}:{bound}:{span}:{line.serial}")


def key_of(world: World, trigger: Trigger, change: Change) -> str:
    """The change's own key; a crossing is told apart by its threshold (ruling 19b)."""
    if trigger.kind != "score":
        return change.key
    _, direction, bound = crossing(world.project, trigger)
    return f"{change.key}:{direction}:{bound}"


def change_fits(world: World, trigger: Trigger, change: Change) -> bool:
    """Whether the trigger asks for this change."""
    if trigger.kind != change.kind:
        return False
    if trigger.kind == "score":
        score, direction, bound = crossing(world.project, trigger)
        if score != change.name:
            return False
        if direction == "reaches":
            return bool(change.old < bound <= change.new)
        return bool(change.old > bound >= change.new)
    if trigger.kind == "attribute":
        return change.name == trigger.options["name"] and all(
            key not in trigger.options or value_is(seen, trigger.options[key])
            for key, seen in (("from", change.old), ("to", change.new))
        )
    if trigger.kind == "grade":
        return entered(world, trigger, change)
    if trigger.kind == "stage":
        return change.new in trigger.options["stages"]
    if trigger.kind in ("subscribed", "unsubscribed"):
        return any(
            change.name == "all" if topic == "all" else topic in change.new
            for topic in trigger.options["topics"]
        )
    return change.name in trigger.options["lists"]


def entered(world: World, trigger: Trigger, change: Change) -> bool:
    """Into the cells from outside them, or from none (ruling 29)."""
    cells = trigger.options["cells"]
    grade = trigger.options["grade"] or world.project.only_grade()
    return change.name == grade and change.new in cells and change.old not in cells


def value_is(value: Plain, wanted: Plain) -> bool:
    """The operator `is`; a list of wanted values means any of them (ruling 93)."""
    values = value if isinstance(value, list) else [value]
    wants = wanted if isinstance(wanted, list) else [wanted]
    return any(same_value(one, want) for one in values for want in wants)
