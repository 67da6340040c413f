"""`set_attribute`: values written by steps; a text with `{{ }}` is a sandboxed expression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, Undefined
from jinja2.sandbox import SandboxedEnvironment
from sqlalchemy import and_, bindparam, delete, select, update

from flowscore.store.forms import forms_of
from flowscore.store.tables import (
    SHOWN,
    attributes,
    balances,
    changes,
    contacts,
    events,
    members,
    steps,
)

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.language.actions import SetAttribute

UNCHANGED = object()  # an undefined value leaves the attribute as it is (ruling 95)
SANDBOX = SandboxedEnvironment(undefined=StrictUndefined)


def set_attributes(work: Work, action: SetAttribute, rows: list[Any]) -> dict[int, list[str]]:
    """Write the step's values for these (enrollment_id, contact_id, event_id) rows.

    Returns, by enrollment, the attributes left as they were: something in their text is unknown.
    """
    left: dict[int, list[str]] = {}
    known = _people(work, [row.contact_id for row in rows])
    happened = _events(work, [row.event_id for row in rows if row.event_id is not None])
    for name, value in action.values:
        wanted = {}
        for row in rows:
            scope = {"contact": known[row.contact_id], "event": happened.get(row.event_id, {})}
            result = evaluate(value, scope)
            if result is UNCHANGED:
                left.setdefault(row.enrollment_id, []).append(name)
            else:
                wanted[row.contact_id] = (row.enrollment_id, result)
        _write(work, name, action.path, wanted)
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


def evaluate(value: Any, scope: dict[str, Any]) -> Any:
    """The value, or what its expression gives; UNCHANGED where something in it is undefined."""
    if not isinstance(value, str) or ("{{" not in value and "{%" not in value):
        return list(value) if isinstance(value, tuple) else value
    try:
        alone = _lone_expression(value)
        if alone is None:
            return SANDBOX.from_string(value).render(scope)
        result = alone(**scope)
    except (TemplateError, TypeError, ValueError, ArithmeticError):
        return UNCHANGED
    return UNCHANGED if result is None or isinstance(result, Undefined) else _plain(result)


@lru_cache(maxsize=512)
def _lone_expression(text: str) -> Any:
    """The compiled expression of `{{ … }}` standing alone, which keeps its type; else None."""
    stripped = text.strip()
    inner = stripped[2:-2]
    if (
        not (stripped.startswith("{{") and stripped.endswith("}}"))
        or "{{" in inner
        or "}}" in inner
    ):
        return None
    return SANDBOX.compile_expression(inner, undefined_to_none=False)


def _plain(result: Any) -> Any:
    """A value that an attribute can hold; anything else as its text."""
    if isinstance(result, (str, int, float, bool)):
        return result
    return [_plain(one) for one in result] if isinstance(result, (list, tuple)) else str(result)


def _people(work: Work, ids: list[int]) -> dict[int, dict[str, Any]]:
    """What expressions may read of each contact: attributes, e-mail, scores, lists."""
    people: dict[int, dict[str, Any]] = {}
    for some in _chunks(ids):
        for row in work.connection.execute(select(contacts).where(contacts.c.id.in_(some))):
            people[row.id] = {"email": row.email, "score": {}, "lists": []}
        own = select(attributes).where(attributes.c.contact_id.in_(some), attributes.c.element == 0)
        for row in work.connection.execute(own):
            people[row.contact_id].setdefault(row.name, row.value)
        for row in work.connection.execute(select(balances).where(balances.c.contact_id.in_(some))):
            people[row.contact_id]["score"][row.score] = row.balance / SHOWN
        stays = select(members).where(members.c.contact_id.in_(some), members.c.left_at.is_(None))
        for row in work.connection.execute(stays):
            people[row.contact_id]["lists"].append(row.list)
    return people


def _events(work: Work, ids: list[int]) -> dict[int | None, Any]:
    """The properties of the enrolling events, by id."""
    found: dict[int | None, Any] = {}
    for some in _chunks(ids):
        rows = select(events.c.id, events.c.properties).where(events.c.id.in_(some))
        found.update({row.id: row.properties or {} for row in work.connection.execute(rows)})
    return found


def _chunks(ids: Iterable[int], size: int = 500) -> Iterator[list[int]]:
    every = sorted(set(ids))
    return (every[start : start + size] for start in range(0, len(every), size))


def _write(work: Work, name: str, step: str, wanted: dict[int, tuple[int, Any]]) -> None:
    """Set the attribute where the value is another than before; each change is an event."""
    before = _values(work, name, list(wanted))
    changed = [
        (contact_id, enrollment_id, value, before.get(contact_id))
        for contact_id, (enrollment_id, value) in sorted(wanted.items())
        if forms_of(value) != forms_of(before.get(contact_id))
    ]
    for some in _chunks(wanted):  # the newest own time wins, also of what says the same
        here = and_(attributes.c.name == name, attributes.c.contact_id.in_(some))
        work.connection.execute(update(attributes).where(here).values(set_at=work.now))
    if not changed:
        return
    for some in _chunks(contact_id for contact_id, *_ in changed):
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


def _values(work: Work, name: str, ids: list[int]) -> dict[int, Any]:
    found = {}
    for some in _chunks(ids):
        rows = select(attributes.c.contact_id, attributes.c.value).where(
            attributes.c.name == name, attributes.c.contact_id.in_(some), attributes.c.element == 0
        )
        found.update({row.contact_id: row.value for row in work.connection.execute(rows)})
    return found


def _attribute_rows(work: Work, name: str, change: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    contact_id, _, value, _ = change
    for element, form in list(enumerate(forms_of(value))) or [(-1, [])]:  # -1: there is none
        text, number, instant, local = [*form, None, None, None, None][:4]
        yield {
            "contact_id": contact_id,
            "name": name,
            "element": element,
            "value": value,
            "forms": forms_of(value),
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
