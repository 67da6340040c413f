"""The condition vocabulary, asked of one contact at the tick's instant (LANGUAGE 2, ruling 5)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from .model import EVENT_KEYS, EventFilter, known, mail_options, read_filter
from .values import BOUNDS, Plain, as_list, counts, duration, passes, within_bound
from .world import Contact, Event, World


def holds(world: World, contact: Contact, condition: Plain) -> bool:
    """Whether the condition is true of the contact; a list means all, nothing is true."""
    if condition is None:
        return True
    if isinstance(condition, list):
        return all(holds(world, contact, one) for one in condition)
    ((key, value),) = condition.items()
    if key == "all":
        return all(holds(world, contact, one) for one in value)
    if key == "any":
        return any(holds(world, contact, one) for one in value)
    if key == "not":
        return not holds(world, contact, value)
    if key in EVENT_KEYS:
        return enough_events(world, contact, filter_of(key, value))
    if key in LEAVES:
        return LEAVES[key](world, contact, value)
    raise NotImplementedError(key)


FILTERS: dict[tuple[str, int], tuple[Plain, EventFilter]] = {}


def filter_of(key: str, value: Plain) -> EventFilter:
    """The filter of a condition, read once for each place in a project."""
    place = (key, id(value))
    if place not in FILTERS or FILTERS[place][0] is not value:
        FILTERS[place] = (value, read_filter(key, value))
    return FILTERS[place][1]


def enough_events(world: World, contact: Contact, events: EventFilter) -> bool:
    """Whether so many matching events are known, in (T - within, T]."""
    since = world.now - events.within if events.within else None
    amount = sum(
        (since is None or event.at > since) and world.fits(events, event)
        for event in contact.events
    )
    return counts(amount, events.times)


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


def left_unopened(world: World, contact: Contact, value: Plain) -> bool:
    """The latest such mail sent at or before T - within was not opened in time (ruling 65)."""
    value = mail_options(value)
    known(value, "template", "topic", "within")
    within = duration(value["within"])
    wanted = filter_of_sent(value)
    sent = [
        event
        for event in contact.events
        if event.at <= world.now - within and world.fits(wanted, event)
    ]
    return bool(sent) and not opened(contact, max(sent, key=lambda e: e.order), within)


def filter_of_sent(value: Plain) -> EventFilter:
    """The sent mails that an `email_not_opened` looks at."""
    return read_filter("email_sent", {k: v for k, v in value.items() if k != "within"})


def opened(contact: Contact, sent: Event, within: timedelta) -> bool:
    """Whether a person opened that mail in (s, s + within] (ruling 30)."""
    return any(
        event.name == "email_opened"
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
    "attribute": attributes_hold,
    "in_list": is_listed,
    "inactive": is_inactive,
    "consent": may_be_mailed,
    "email_not_opened": left_unopened,
}
