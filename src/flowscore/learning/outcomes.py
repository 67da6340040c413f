"""What counts as won: a lifecycle stage, an event, or what sales said; and when that was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, case, distinct, func, or_, select

from flowscore.errors import FlowscoreError
from flowscore.language.conditions import Condition, Happened, Not
from flowscore.language.words import EventQuery, Word
from flowscore.rules.events import log_alias, matching
from flowscore.store.feedback import FEEDBACK
from flowscore.store.tables import events, stages

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowscore.language.project import Project
    from flowscore.rules.book import Book

WON = "won"


@dataclass(frozen=True)
class Outcome:
    """Who won and when: `rows` gives `contact_id` and `won_at`; `events` are the outcome itself."""

    english: str
    rows: Select[Any]
    events: frozenset[str]


def find_outcome(connection: Connection, project: Project, book: Book, name: str | None) -> Outcome:
    """A stage of that name, else sales feedback, else an event; by default the last stage."""
    known = project.lifecycle.names if project.lifecycle else ()
    if name is None and not known:
        raise FlowscoreError(
            "which leads became customers? The project has no lifecycle to tell; name an event, "
            f"--outcome order_completed, or what sales said, --outcome {WON}"
        )
    name = name or known[-1]
    if name in known:
        return _stage(project, book, name)
    if name == WON:
        return _feedback(book)
    if not connection.execute(select(events.c.id).where(events.c.name == name).limit(1)).first():
        seen = set(connection.execute(select(distinct(events.c.name))).scalars())
        raise FlowscoreError(_unknown(name, known, seen))
    return _event(name)


def _unknown(name: str, known: tuple[str, ...], seen: set[str]) -> str:
    choices = [*known, WON, *sorted(seen)]
    near = get_close_matches(name, choices, 1)
    hint = f"did you mean {near[0]!r}?" if near else "flowscore report shows what came in"
    there = f"the stages are {', '.join(known)}" if known else "the project has no lifecycle"
    return f"--outcome {name}: no stage and no event is called so; {there}; {hint}"


def _event(name: str) -> Outcome:
    rows = (
        select(events.c.contact_id, func.min(events.c.own_at).label("won_at"))
        .where(events.c.name == name)
        .group_by(events.c.contact_id)
    )
    return Outcome(f"the event {name}", rows, frozenset({name}))


def _feedback(book: Book) -> Outcome:
    verdict = book.first_text(events.c.forms, "verdict")
    rows = (
        select(events.c.contact_id, func.min(events.c.own_at).label("won_at"))
        .where(events.c.name == FEEDBACK, verdict == WON)
        .group_by(events.c.contact_id)
    )
    return Outcome("sales said won", rows, frozenset())


def _stage(project: Project, book: Book, name: str) -> Outcome:
    """Entered at the tick that noticed it, or at the event behind it where that was earlier."""
    assert project.lifecycle is not None
    stage = next(one for one in project.lifecycle.stages if one.name == name)
    entered = (
        select(stages.c.contact_id, func.min(stages.c.entered_at).label("at"))
        .where(stages.c.stage == name)
        .group_by(stages.c.contact_id)
        .subquery()
    )
    queries = list(_asked_for(stage.when))
    if not queries:
        rows = select(entered.c.contact_id, entered.c.at.label("won_at"))
        return Outcome(f"the stage {name}", rows, frozenset())
    log = log_alias()
    behind = (
        select(log.c.contact_id, func.min(log.c.own_at).label("at"))
        .where(or_(*(matching(book, query, log) for query in queries)))
        .group_by(log.c.contact_id)
        .subquery()
    )
    earlier = case((behind.c.at < entered.c.at, behind.c.at), else_=entered.c.at)
    rows = select(entered.c.contact_id, earlier.label("won_at")).join_from(
        entered, behind, behind.c.contact_id == entered.c.contact_id, isouter=True
    )
    return Outcome(
        f"the stage {name}", rows, frozenset(name for query in queries for name in query.names)
    )


def _asked_for(condition: Condition | None) -> Iterator[EventQuery]:
    """The events that the stage's condition asks for, but those it denies."""
    if isinstance(condition, Happened):
        yield condition.query
    elif isinstance(condition, Word) and not isinstance(condition, Not):
        inner = getattr(condition, "of", ())
        for one in inner if isinstance(inner, tuple) else ():
            yield from _asked_for(one)
