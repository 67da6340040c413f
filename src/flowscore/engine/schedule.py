"""Schedules: cron instants and fixed dates, read off the clock of a zone (rulings 12, 32, 33)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cronsim import CronSim
from sqlalchemy import (
    BigInteger,
    Select,
    and_,
    cast,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
)

from flowscore.clock import datetime_of, instant_of, instant_of_local, known_zone, zone_spelled
from flowscore.engine.scratch import HAPPENED, happened
from flowscore.rules.book import NEVER
from flowscore.store.tables import attributes, contacts

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.triggers import DateComes, Schedule


def notice(work: Work, trigger: Schedule, position: int, who: Any = None) -> None:
    """Put an occurrence for each instant in (prev, T] and each contact that exists.

    `who`: only for these (a SELECT of ids).
    """
    since = work.prev if work.prev != NEVER else work.now - work.step
    among = true() if who is None else contacts.c.id.in_(who)
    for zone, there in zones(work, trigger):
        for instant in instants(trigger, zone, since, work.now):
            everybody = _everybody(work, instant, position, and_(there, among))
            work.fill(happened, everybody, kept=False)


def instants(trigger: Schedule, zone: str, after: int, upto: int) -> Iterator[int]:
    """The instants of the schedule in (after, upto]."""
    if trigger.at is not None:
        at = fixed_instant(trigger.at, zone)
        if after < at <= upto:
            yield at
        return
    while (at := next_cron(trigger.cron or "", zone, after)) <= upto:
        yield at
        after = at


@lru_cache(maxsize=4096)
def next_cron(cron: str, zone: str, after: int) -> int:
    """The first cron instant after an instant, in the zone (cronsim reads DST as cron does)."""
    local = datetime_of(after).astimezone(known_zone(zone))
    return instant_of(next(CronSim(cron, local)))


def fixed_instant(at: str, zone: str) -> int:
    """The instant of a local date and time."""
    return instant_of_local(datetime.fromisoformat(at), known_zone(zone))


def next_instant(trigger: Schedule, policy_zone: str, zones: list[str], after: int) -> int | None:
    """The first instant after `after` in any zone it may be asked in; None if there is none."""
    asked = zones_asked(trigger, policy_zone, zones)
    if trigger.at is not None:
        coming = [at for at in (fixed_instant(trigger.at, one) for one in asked) if at > after]
        return min(coming, default=None)
    return min(next_cron(trigger.cron or "", one, after) for one in asked)


def zones_asked(trigger: Schedule | DateComes, policy_zone: str, zones: list[str]) -> list[str]:
    """The zones a trigger may be read in; `zones` are those that contacts name."""
    if trigger.timezone != "contact":
        return [trigger.timezone or policy_zone]
    return sorted({policy_zone, *zones})


def contact_zones(connection: Any) -> list[str]:
    """The zones that contacts name; a few more where somebody spells one in other letters."""
    said = connection.execute(SAID).scalars()
    return sorted({zone for one in said if (zone := zone_spelled(one)) is not None})


def _distinct_texts(name: str) -> Select[Any]:
    """The distinct texts of an attribute, from one to the next by index: few among very many."""
    rows = attributes.alias()
    least = select(func.min(rows.c.text).label("text")).where(rows.c.name == name)
    said = least.where(rows.c.text > "").cte("said", recursive=True)
    # One bound alone: of two SQLite would look up the first, and walk from there each time.
    following = least.where(rows.c.text > said.c.text).correlate(said).scalar_subquery()
    known = said.c.text.is_not(None)
    said = said.union_all(select(following).select_from(said).where(known))
    return select(said.c.text).where(said.c.text.is_not(None))


SAID = _distinct_texts("timezone")


def zones(work: Work, trigger: Schedule | DateComes) -> list[tuple[str, Any]]:
    """Each zone to read the trigger's clock in, and the contacts it is read for."""
    policy = work.book.policy.timezone
    if trigger.timezone != "contact":
        return [(trigger.timezone or policy, true())]
    named = contact_zones(work.connection)
    own = [(zone, has_zone([zone], contacts.c.id)) for zone in named]
    return [*own, (policy, ~has_zone(named, contacts.c.id))]


def has_zone(zones: list[str], who: Any) -> Any:
    """The contact names one of these, letter by letter: another spelling is no zone (117)."""
    rows = attributes.alias()
    said = rows.c.value
    named = or_(false(), *(said == literal(zone, said.type) for zone in zones))
    found = select(1).where(rows.c.contact_id == who, rows.c.name == "timezone", named)
    return found.correlate_except(rows).exists()


def _everybody(work: Work, instant: int, position: int, who: Any) -> Any:
    rows = select(
        contacts.c.id,
        cast(literal(instant), BigInteger),
        literal(f"schedule@{instant}"),
        cast(null(), BigInteger),
        literal(position),
        true(),
    ).where(contacts.c.created_at <= work.book.now, who)
    return insert(happened).from_select(HAPPENED, rows)
