"""Instants that the clock brings: schedules, and dates of a contact or of an event (31 to 33)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from cronsim import CronSim

from .model import Trigger
from .records import Contact, Event
from .values import Plain, duration, instant, localised
from .world import World

BARE = re.compile(r"\d{4}-\d{2}-\d{2}")


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


def reminded(
    world: World, trigger: Trigger, contact: Contact, event: Event | None, before: datetime
) -> list[datetime]:
    """The date's instants in (previous tick, T], if it was set before them (ruling 31)."""
    value, known_since = dated_value(world, trigger, contact, event)
    if known_since is None:
        return []
    return [
        moment
        for moment in moments(world, trigger, contact, value)
        if before < moment <= world.now and known_since < moment
    ]


def dated_value(
    world: World, trigger: Trigger, contact: Contact, event: Event | None
) -> tuple[Plain, datetime | None]:
    """The value that the trigger looks at, and since when it is so; None where there is none."""
    if "property" in trigger.options:
        if event is None:
            return None, None
        return next(iter(event.property(trigger.options["property"])), None), event.at
    name = trigger.options["attribute"]
    if name == "created_at":
        return contact.created_at, contact.created_at
    if contact.attributes.get(name) is None:
        return None, None
    return contact.attributes[name], contact.attribute_orders[name][0]


def moments(world: World, trigger: Trigger, contact: Contact, value: Plain) -> Iterator[datetime]:
    """The instants around a date: one, or one in each year from its own on, up to next year's."""
    where = world.contact_zone(contact, trigger.options.get("timezone"))
    span, calendar = offset_of(trigger.options.get("offset"))
    moment = instant(value, where if BARE.fullmatch(str(value).strip()) else world.zone)
    if moment is None:
        return
    local = moment.astimezone(where).replace(tzinfo=None)
    last = world.now.year + 2 if trigger.options.get("every") == "year" else local.year
    for year in range(local.year, max(last, local.year) + 1):
        day = in_year(local.date(), year)
        if calendar:
            clock = time.fromisoformat(trigger.options.get("at", "09:00"))
            yield localised(datetime.combine(day + span, clock), where).astimezone(UTC)
        elif year == local.year:
            yield moment + span
        else:
            again = localised(datetime.combine(day, local.time()), where)
            yield again.astimezone(UTC) + span


def in_year(day: date, year: int) -> date:
    """The same day in another year; 29 February is the 28th where there is none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def offset_of(text: Plain) -> tuple[timedelta, bool]:
    """`-14 days` as a span, and whether it counts calendar days (ruling 31)."""
    if text is None:
        return timedelta(0), True
    words = str(text).lstrip("+-")
    span = duration(words)
    calendar = bool(re.search(r"(day|week)s?$", words))
    return (-span if str(text).startswith("-") else span), calendar
