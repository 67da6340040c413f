"""`subscribe` and `unsubscribe`: consent written by steps; each real change is an event (81)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Insert, Select, Text, bindparam, cast, false, insert, literal, select, true

from flowscore.engine.scratch import speaking, walking
from flowscore.store import consents
from flowscore.store.tables import changes

if TYPE_CHECKING:
    from flowscore.engine.path import Path, Verb
    from flowscore.engine.work import Work
    from flowscore.language.actions import ChangeConsent


def change(action: ChangeConsent, path: Path) -> Verb:
    """The effect: each topic in order; `all` refuses general and every topic at once."""
    hear, topics = _hear(action, path), path.book.policy.topics

    def effect(work: Work) -> None:
        work.clear(speaking)
        if not work.fill(speaking, hear, this_turn=work.turn, at=str(work.now)):
            return
        before, dialect = work.last(changes), path.book.dialect
        consents.change(work.connection, dialect, topics, work.now, SPOKEN)
        work.stir()
        work.changed += work.last(changes) - before

    return effect


def _hear(action: ChangeConsent, path: Path) -> Insert:
    """Statement: what the step says, of each whom it touches."""
    source = f"scenario/{path.scenario.name}#{action.path}"
    name = "subscribed" if action.granted else "unsubscribed"
    columns = ["contact_id", "topic", "granted", "ord", "source", "message_id"]
    rows: Any = None
    for place, topic in enumerate(action.topics, start=1):
        key = (
            literal(f"{name}:{topic}:")
            + cast(walking.c.enrollment_id, Text)
            + literal(f"/{action.path}/")
            + bindparam("at", type_=Text)
        )
        said = select(
            walking.c.contact_id,
            literal(topic),
            true() if action.granted else false(),
            literal(place),
            literal(source),
            key,
        ).where(path.touched())
        rows = said if rows is None else rows.union_all(said)
    return insert(speaking).from_select(columns, rows)


SPOKEN: Select[Any] = select(*speaking.c)
