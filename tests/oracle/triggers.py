"""Which occurrences each trigger yields, contact by contact (LANGUAGE 3, rulings 22 to 34)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from .conditions import opened
from .model import EventFilter, Trigger, crossing
from .values import Plain, instant, same_value
from .world import Change, Contact, Event, Occurrence, Order, World


def outside(
    world: World, owner: str, position: int, trigger: Trigger, contact: Contact, before: datetime
) -> Iterator[Occurrence]:
    """What events, deadlines and the clock bring: noticed in round 1 of the tick (ruling 14)."""
    place = (owner, position)
    if trigger.kind == "event" and trigger.events is not None:
        for event in completions(world, place, trigger.events, contact):
            yield Occurrence(event.at, position, event.message_id, event)
    elif trigger.kind == "no_event":
        yield from missed(world, place, trigger, contact)
    elif trigger.kind == "email_not_opened":
        yield from unopened(world, place, trigger, contact)
    elif trigger.kind == "inactive":
        yield from gone_quiet(world, place, trigger, contact)
    elif trigger.kind == "contact_created":
        if contact.email is not None and not contact.announced:
            yield Occurrence(contact.created_at, position, "created")
    elif trigger.kind == "schedule":
        for moment in scheduled(world, trigger, contact, before):
            yield Occurrence(moment, position, f"schedule:{moment}", silent=True)


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


def completions(
    world: World, place: tuple[str, int], events: EventFilter, contact: Contact
) -> list[Event]:
    """The events that complete the count, not yielded before (rulings 22, 116 and 127)."""
    amount = needed(events)
    matching = sorted(
        (event for event in contact.events if world.fits(events, event)), key=lambda e: e.order
    )
    if amount <= 1:
        taken = contact.anchors.setdefault(place, {})
        fresh = [event for event in matching if event.message_id not in taken]
        taken.update((event.message_id, event) for event in fresh)
        return fresh
    found: list[Event] = []
    window: list[Event] = []
    mark: Order | None = contact.marks.get(place)
    for event in matching:
        if mark is not None and event.order <= mark:
            continue
        window.append(event)
        if events.within is not None:
            window = [one for one in window if one.at > event.at - events.within]
        if len(window) >= amount:
            found.append(event)
            mark = contact.marks[place] = event.order
            window = []
    return found


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
            for event in contact.events
        ):
            key = f"no_event:{anchor.message_id}:{deadline}"
            yield Occurrence(deadline, place[1], key, anchor)


def unopened(
    world: World, place: tuple[str, int], trigger: Trigger, contact: Contact
) -> Iterator[Occurrence]:
    """Sent mails that no person opened in (s, s + within] (ruling 30)."""
    assert trigger.events and trigger.within
    for sent in contact.events:
        if not world.fits(trigger.events, sent):
            continue
        deadline = sent.at + trigger.within
        if deadline > world.now or not due_once(contact, place, sent.message_id):
            continue
        if not opened(contact, sent, trigger.within):
            key = f"email_not_opened:{sent.message_id}:{deadline}"
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


def scheduled(world: World, trigger: Trigger, contact: Contact, before: datetime) -> list[datetime]:
    """The schedule's instants in (previous tick, T] (rulings 12, 32 and 33)."""
    where = world.contact_zone(contact, trigger.options.get("timezone"))
    if "at" in trigger.options:
        moment = instant(trigger.options["at"], where)
        return [moment] if moment is not None and before < moment <= world.now else []
    found: list[datetime] = []
    start = (before - timedelta(hours=3)).astimezone(where)
    for local in CronSim(trigger.options["cron"], start):
        moment = local.astimezone(UTC)
        if moment > world.now:
            break
        if moment > before:
            found.append(moment)
    return found


def noticed(
    world: World, position: int, trigger: Trigger, changes: list[Change]
) -> Iterator[tuple[Contact, Occurrence]]:
    """What changes of state bring, in phase 3 of the round that looks at them."""
    for change in changes:
        if change_fits(world, trigger, change):
            yield change.contact, Occurrence(change.at, position, key_of(world, trigger, change))


def key_of(world: World, trigger: Trigger, change: Change) -> str:
    """The change's own key; a crossing is told apart by its threshold (ruling 19b)."""
    if trigger.kind != "score":
        return change.key
    _, direction, bound = crossing(world.project, trigger)
    return f"{change.key}:{direction}:{bound}"


def change_fits(world: World, trigger: Trigger, change: Change) -> bool:
    """Whether the trigger asks for this change."""
    if trigger.kind == "score" and change.kind == "score":
        score, direction, bound = crossing(world.project, trigger)
        if score != change.name:
            return False
        if direction == "reaches":
            return bool(change.old < bound <= change.new)
        return bool(change.old > bound >= change.new)
    if trigger.kind == "attribute" and change.kind == "attribute":
        return change.name == trigger.options["name"] and all(
            key not in trigger.options or value_is(seen, trigger.options[key])
            for key, seen in (("from", change.old), ("to", change.new))
        )
    return trigger.kind == change.kind and change.name in trigger.options["lists"]


def value_is(value: Plain, wanted: Plain) -> bool:
    """The operator `is`; a list of wanted values means any of them (ruling 93)."""
    values = value if isinstance(value, list) else [value]
    wants = wanted if isinstance(wanted, list) else [wanted]
    return any(same_value(one, want) for one in values for want in wants)
