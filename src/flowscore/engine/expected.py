"""The instants that `wait_for: {date: …}` expects, for those who begin to wait (ruling 92)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from flowscore.clock import find_zone
from flowscore.engine import dates
from flowscore.engine.expressions import in_chunks, values_of
from flowscore.store.forms import flatten, forms_of
from flowscore.store.tables import contacts, events

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.triggers import DateComes

Forms = list[list[Any]]


def expected_instants(work: Work, trigger: DateComes, rows: list[Any]) -> dict[int, int | None]:
    """By enrollment the date's instant; None where there is no date that can be read.

    `rows` are (enrollment_id, contact_id, event_id) of those who stand at the step.
    """
    people = sorted({row.contact_id for row in rows})
    values = (
        _of_events(work, trigger, rows) if trigger.of_event else _of_people(work, trigger, people)
    )
    policy, own = work.book.policy.timezone, trigger.timezone == "contact"
    usual = policy if own else trigger.timezone or policy
    zones = _zones_of(work, people) if own else {}
    found: dict[int, int | None] = {}
    for row in rows:
        forms = values.get(row.event_id if trigger.of_event else row.contact_id) or []
        zone = zones.get(row.contact_id, usual)
        found[row.enrollment_id] = (
            dates.instant_of_value(trigger, forms, zone, work.now) if forms else None
        )
    return found


def _of_events(work: Work, trigger: DateComes, rows: list[Any]) -> dict[int | None, Forms]:
    """What the enrolling events carry."""
    found: dict[int | None, Forms] = {}
    ids = [row.event_id for row in rows if row.event_id is not None]
    for some in in_chunks(ids):
        asked = select(events.c.id, events.c.properties).where(events.c.id.in_(some))
        for row in work.connection.execute(asked):
            found[row.id] = flatten(row.properties or {}).get(trigger.name, [])
    return found


def _of_people(work: Work, trigger: DateComes, people: list[int]) -> dict[int | None, Forms]:
    """What the contacts' attribute holds now."""
    if trigger.name != "created_at":
        return {
            who: forms_of(value) for who, value in values_of(work, trigger.name, people).items()
        }
    found: dict[int | None, Forms] = {}
    for some in in_chunks(people):
        asked = select(contacts.c.id, contacts.c.created_at).where(contacts.c.id.in_(some))
        found |= {row.id: [[None, None, row.created_at]] for row in work.connection.execute(asked)}
    return found


def _zones_of(work: Work, people: list[int]) -> dict[int, str]:
    """The zones that contacts name and that there are."""
    said = ((who, str(value)) for who, value in values_of(work, "timezone", people).items())
    return {who: zone for who, zone in said if find_zone(zone)}
