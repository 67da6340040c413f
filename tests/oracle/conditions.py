"""The condition vocabulary, asked of one contact at the tick's instant (LANGUAGE 2, ruling 5)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from .model import EventFilter
from .reading import EVENT_KEYS, known, mail_options, read_filter
from .records import Contact, Event, Who
from .values import (
    BOUNDS,
    Plain,
    as_list,
    counts,
    duration,
    number,
    passes,
    rounded,
    share,
    within_bound,
)
from .world import World


def holds(world: World, who: Who, condition: Plain, place: str) -> bool:
    """Whether the condition is true; a list means all, nothing is true.

    `place` is the definition and the path in it, for the shares of `random` (ruling 44).
    """
    if condition is None:
        return True
    if isinstance(condition, list):
        return all(holds(world, who, one, f"{place}/{i}") for i, one in enumerate(condition))
    ((key, value),) = condition.items()
    here = f"{place}/{key}"
    if key == "all":
        return holds(world, who, value, here)
    if key == "any":
        return any(holds(world, who, one, f"{here}/{i}") for i, one in enumerate(value))
    if key == "not":
        return not holds(world, who, value, here)
    if key == "random":
        return world.drawn(who.contact, place, share(value))
    return leaf(world, who, key, value)


def leaf(world: World, who: Who, key: str, value: Plain) -> bool:
    """A condition that holds no others."""
    if key in EVENT_KEYS:
        return enough_events(world, who, filter_of(key, value))
    if key in MAIL_LEFT:
        return left_alone(world, who.contact, value, MAIL_LEFT[key])
    if key == "this_event":
        return who.event is not None and event_passes(world, who.event, value)
    if key in LEAVES:
        return LEAVES[key](world, who.contact, value)
    raise NotImplementedError(key)


FILTERS: dict[tuple[str, int], tuple[Plain, EventFilter]] = {}


def filter_of(key: str, value: Plain) -> EventFilter:
    """The filter of a condition, read once for each place in a project."""
    place = (key, id(value))
    if place not in FILTERS or FILTERS[place][0] is not value:
        FILTERS[place] = (value, read_filter(key, value))
    return FILTERS[place][1]


def enough_events(world: World, who: Who, events: EventFilter) -> bool:
    """Whether so many events count, and the sums over them are enough (rulings 66, 69, 85, 94)."""
    counted = [
        event
        for event in who.contact.events
        if in_window(world, who, events, event)
        and world.fits(events, event)
        and event.agrees(who.event, events.same)
    ]
    if not (events.sums and events.times is None) and not counts(len(counted), events.times):
        return False
    return all(sum_holds(counted, name, bounds) for name, bounds in events.sums.items())


def in_window(world: World, who: Who, events: EventFilter, event: Event) -> bool:
    """Whether it happened in (T - within, T - older_than], and after the entry if asked."""
    if events.within is not None and event.at <= world.now - events.within:
        return False
    if events.older_than is not None and event.at > world.now - events.older_than:
        return False
    return not events.since_entry or (who.since is not None and event.at > who.since)


def sum_holds(events: list[Event], name: str, bounds: Plain) -> bool:
    """Whether the numbers in a property add up to enough; what is no number counts 0."""
    total = total_of(events, name)
    return all(within_bound(total, key, Decimal(str(n))) for key, n in bounds.items())


def total_of(events: list[Event], name: str) -> Decimal:
    """The sum of the numbers in a property, to 4 decimals (ruling 94)."""
    values = [number(value) for event in events for value in event.property(name)]
    return rounded(sum((value for value in values if value is not None), Decimal(0)))


def event_passes(world: World, event: Event, value: Plain) -> bool:
    """Every named property of the enrolling event passes (ruling 86)."""
    return all(
        passes(event.property(name), wanted, world.now, world.zone)
        for name, wanted in value.items()
    )


def scores_hold(world: World, contact: Contact, value: Plain) -> bool:
    """Every named score is within its bounds."""
    if set(value) <= set(BOUNDS):
        value = {world.project.only_score(): value}
    return all(score_holds(world, contact, name, bounds) for name, bounds in value.items())


def score_holds(world: World, contact: Contact, name: str, bounds: Plain) -> bool:
    """One score is within its bounds; a band's name stands for its number."""
    if not isinstance(bounds, dict):
        raise NotImplementedError(f"score: {{{name}: {bounds!r}}}")
    known(bounds, *BOUNDS)
    balance: Decimal = world.balance(contact, name)
    return all(
        within_bound(balance, key, world.project.threshold(name, bound))
        for key, bound in bounds.items()
    )


def attributes_hold(world: World, contact: Contact, value: Plain) -> bool:
    """Every named attribute passes."""
    return all(
        passes(world.attribute(contact, name), wanted, world.now, world.zone)
        for name, wanted in value.items()
    )


def company_holds(world: World, contact: Contact, value: Plain) -> bool:
    """Every named attribute of the contact's company passes; without company none has a value."""
    return all(
        passes(world.company(contact, name), wanted, world.now, world.zone)
        for name, wanted in value.items()
    )


def is_graded(world: World, contact: Contact, value: Plain) -> bool:
    """In any of the cells, as phase 2 found it last; with several grades by their names."""
    if not isinstance(value, dict):
        value = {world.project.only_grade(): value}
    return all(contact.cells.get(grade) in as_list(cells) for grade, cells in value.items())


def is_in_stage(world: World, contact: Contact, value: Plain) -> bool:
    """In any of the stages, or in one or behind it."""
    lifecycle = world.project.lifecycle
    if lifecycle is None:
        return False
    here = 0 if contact.stage is None else lifecycle.place(contact.stage)
    if isinstance(value, dict):
        known(value, "at_least")
        return here >= lifecycle.place(value["at_least"])
    return here in map(lifecycle.place, as_list(value))


def is_listed(world: World, contact: Contact, value: Plain) -> bool:
    """A member now of any of the lists."""
    return any(contact.member(name) for name in as_list(value))


def is_inactive(world: World, contact: Contact, value: Plain) -> bool:
    """No behaviour in (T - d, T], and created at or before T - d (ruling 25)."""
    since = world.now - duration(value)
    if contact.created_at > since:
        return False
    return not any(event.behaviour and event.at > since for event in contact.events)


def may_be_mailed(world: World, contact: Contact, value: Plain) -> bool:
    """Consent on any of the topics, and the address neither bounced nor complained (ruling 82)."""
    if world.suppressed(contact):
        return False
    return any(world.consents(contact, topic) for topic in as_list(value))


MAIL_LEFT = {"email_not_opened": "email_opened", "email_not_clicked": "email_clicked"}


def left_alone(world: World, contact: Contact, value: Plain, awaited: str) -> bool:
    """The latest such mail sent at or before T - within was not answered in time (ruling 65)."""
    value = mail_options(value)
    known(value, "template", "topic", "within")
    within = duration(value["within"])
    wanted = read_filter("email_sent", {k: v for k, v in value.items() if k != "within"})
    sent = [
        event
        for event in contact.events
        if event.at <= world.now - within and world.fits(wanted, event)
    ]
    latest = max(sent, key=lambda e: e.order, default=None)
    return latest is not None and not answered(contact, latest, within, awaited)


def answered(contact: Contact, sent: Event, within: timedelta, awaited: str) -> bool:
    """Whether a person opened or clicked that mail in (s, s + within] (ruling 30)."""
    return any(
        event.name == awaited
        and event.human
        and sent.at < event.at <= sent.at + within
        and same_mail(sent, event)
        for event in contact.events
    )


def same_mail(sent: Event, event: Event) -> bool:
    """The same message id where both have one, else the same template."""
    ours, theirs = sent.properties.get("message_id"), event.properties.get("message_id")
    if ours and theirs:
        return bool(ours == theirs)
    return bool(sent.properties.get("template") == event.properties.get("template"))


LEAVES = {
    "score": scores_hold,
    "grade": is_graded,
    "stage": is_in_stage,
    "attribute": attributes_hold,
    "company": company_holds,
    "in_list": is_listed,
    "inactive": is_inactive,
    "consent": may_be_mailed,
}
