"""Expressions in steps: what `{{ }}` may read of a contact and its event, and what it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, Undefined
from jinja2.sandbox import SandboxedEnvironment
from sqlalchemy import select

from flowscore.store.companies import companies_of
from flowscore.store.tables import SHOWN, attributes, contacts, events, members
from flowscore.store.whereabouts import balances_of, cells_of, stages_of

if TYPE_CHECKING:
    from flowscore.engine.work import Work

UNCHANGED = object()  # an undefined value leaves the attribute as it is (ruling 95)
SANDBOX = SandboxedEnvironment(undefined=StrictUndefined)


def scopes_of(work: Work, rows: list[Any]) -> dict[int, dict[str, Any]]:
    """By enrollment what its expressions may read; rows are (enrollment_id, contact_id, event_id).

    `event` is empty where the occurrence carried none (ruling 86).
    """
    known = people_of(work, [row.contact_id for row in rows])
    with_company = _companies(work, [row.contact_id for row in rows])
    happened = events_of(work, [row.event_id for row in rows if row.event_id is not None])
    return {
        row.enrollment_id: {
            "contact": known[row.contact_id],
            "company": with_company.get(row.contact_id, {}),
            "event": happened.get(row.event_id, {}),
        }
        for row in rows
    }


def _companies(work: Work, ids: list[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for some in in_chunks(ids):
        found |= companies_of(work.connection, some)
    return found


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


def people_of(work: Work, ids: list[int]) -> dict[int, dict[str, Any]]:
    """What expressions may read of each contact: attributes, e-mail, scores, grades, lists."""
    people: dict[int, dict[str, Any]] = {}
    for some in in_chunks(ids):
        for row in work.connection.execute(select(contacts).where(contacts.c.id.in_(some))):
            people[row.id] = {"email": row.email, "score": {}, "grade": {}, "lists": []}
        own = select(attributes).where(attributes.c.contact_id.in_(some), attributes.c.element == 0)
        for row in work.connection.execute(own):
            people[row.contact_id].setdefault(row.name, row.value)
        _add_standing(work, some, people)
        stays = select(members).where(members.c.contact_id.in_(some), members.c.left_at.is_(None))
        for row in work.connection.execute(stays):
            people[row.contact_id]["lists"].append(row.list)
    return people


def _add_standing(work: Work, ids: list[int], people: dict[int, dict[str, Any]]) -> None:
    """Balances, cells, and the stage where there is a lifecycle."""
    book = work.book
    read = balances_of(work.connection, ids, book.company_scores)
    graded = cells_of(work.connection, ids) if book.graded else {}
    staged = stages_of(work.connection, ids) if book.first_stage else {}
    for number in ids:
        person = people[number]
        person["score"] = {score: balance / SHOWN for score, balance in read[number].items()}
        person["grade"] = graded.get(number, {})
        if book.first_stage:
            person["stage"] = staged.get(number, book.first_stage)


def events_of(work: Work, ids: list[int]) -> dict[int | None, Any]:
    """The properties of the enrolling events, by id."""
    found: dict[int | None, Any] = {}
    for some in in_chunks(ids):
        rows = select(events.c.id, events.c.properties).where(events.c.id.in_(some))
        found.update({row.id: row.properties or {} for row in work.connection.execute(rows)})
    return found


def values_of(work: Work, name: str, ids: Iterable[int]) -> dict[int, Any]:
    """What these contacts' attribute holds, as it came; who has none is left out."""
    found = {}
    for some in in_chunks(ids):
        rows = select(attributes.c.contact_id, attributes.c.value).where(
            attributes.c.name == name, attributes.c.contact_id.in_(some), attributes.c.element == 0
        )
        found.update({row.contact_id: row.value for row in work.connection.execute(rows)})
    return found


def in_chunks(ids: Iterable[int], size: int = 500) -> Iterator[list[int]]:
    every = sorted(set(ids))
    return (every[start : start + size] for start in range(0, len(every), size))
