"""`set_attribute` and whatever else writes an attribute from a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, update

from flowscore.engine.expressions import UNCHANGED, evaluate, in_chunks, scopes_of, values_of
from flowscore.store.forms import attribute_forms, forms_of
from flowscore.store.tables import attributes, changes, events, steps

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.actions import SetAttribute


def set_attributes(work: Work, action: SetAttribute, rows: list[Any]) -> dict[int, list[str]]:
    """Write the step's values for these (enrollment_id, contact_id, event_id) rows.

    Returns, by enrollment, the attributes left as they were: something in their text is unknown.
    """
    left: dict[int, list[str]] = {}
    scopes = scopes_of(work, rows)
    for name, value in action.values:
        wanted = {}
        for row in rows:
            result = evaluate(value, scopes[row.enrollment_id])
            if result is UNCHANGED:
                left.setdefault(row.enrollment_id, []).append(name)
            else:
                wanted[row.contact_id] = (row.enrollment_id, result)
        write_attribute(work, name, action.path, wanted)
    return left


def record_left(work: Work, step: str, left: dict[int, list[str]]) -> None:
    """Note beside the step which attributes it left as they were."""
    said = [
        {"enrollment": number, "said": f"left as it was: {', '.join(names)}"}
        for number, names in left.items()
    ]
    here = and_(steps.c.enrollment_id == bindparam("enrollment"), steps.c.step == step)
    if said:
        work.connection.execute(update(steps).where(here).values(outcome=bindparam("said")), said)


def write_attribute(work: Work, name: str, step: str, wanted: dict[int, tuple[int, Any]]) -> None:
    """Set the attribute where the value is another than before; each change is an event."""
    before = values_of(work, name, wanted)
    changed = [
        (contact_id, enrollment_id, value, before.get(contact_id))
        for contact_id, (enrollment_id, value) in sorted(wanted.items())
        if forms_of(value) != forms_of(before.get(contact_id))
    ]
    for some in in_chunks(wanted):  # the newest own time wins, also of what says the same
        here = and_(attributes.c.name == name, attributes.c.contact_id.in_(some))
        work.connection.execute(update(attributes).where(here).values(set_at=work.now))
    if not changed:
        return
    for some in in_chunks(contact_id for contact_id, *_ in changed):
        here = and_(attributes.c.name == name, attributes.c.contact_id.in_(some))
        work.connection.execute(delete(attributes).where(here))
    rows = [row for one in changed for row in _attribute_rows(work, name, one)]
    if rows:
        work.add(attributes, rows)
    work.add(events, [_event(work, name, step, one) for one in changed], new_only=True)
    told = [{"kind": "attribute", "name": name, "contact_id": one[0]} for one in changed]
    work.add(changes, told)
    work.patterns.learn(work, {name})
    work.changed += len(changed)


def _attribute_rows(work: Work, name: str, change: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    contact_id, _, value, _ = change
    for element, form in list(enumerate(attribute_forms(value))) or [(-1, [])]:  # -1: there is none
        text, number, instant, local = [*form, None, None, None, None][:4]
        yield {
            "contact_id": contact_id,
            "name": name,
            "element": element,
            "value": value,
            "forms": attribute_forms(value),
            "set_at": work.now,
            "text": text,
            "number": number,
            "instant": instant,
            "local": local,
        }


def _event(work: Work, name: str, step: str, change: tuple[Any, ...]) -> dict[str, Any]:
    contact_id, enrollment_id, value, before = change
    properties = {"attribute": name, "from": before, "to": value}
    return {
        "message_id": f"attribute_changed:{name}:{enrollment_id}/{step}/{work.now}",
        "contact_id": contact_id,
        "name": "attribute_changed",
        "subject": name,
        "own_at": work.now,
        "received_at": work.now,
        "seen_at": work.now,
        "properties": properties,
        "forms": {key: forms_of(one) for key, one in properties.items() if forms_of(one)},
        "machine": False,
        "behaviour": False,
        "historical": False,
    }
