"""What state triggers of rules notice: kept from phase 3 for phase 1 of the next round (58)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable, Insert, insert, literal, select

from flowscore.engine.gains import gained
from flowscore.engine.scoring import AWARD_COLUMNS, LIVE, NOTICED_LATER, OnRule, Scoring
from flowscore.engine.scratch import noticed
from flowscore.language.triggers import GradeEnters, ScoreCrosses, ScoreGains, Trigger
from flowscore.rules.triggers import listens_to, occurrences

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.rules.book import Book


def notice(work: Work, scoring: Scoring) -> None:
    """Phase 3 for rules: what states do is kept for phase 1 of the next round (ruling 58)."""
    seen: dict[str, Any] = {"changes_seen": work.crossings_from, "lines_seen": work.lines_from}
    for one in scoring.on:
        for trigger in one.rule.on:
            if isinstance(trigger, NOTICED_LATER) and _is_stirred(work, trigger):
                work.changed += work.fill(noticed, _keeping(work.book, one, trigger), **seen)


def _is_stirred(work: Work, trigger: Trigger) -> bool:
    if isinstance(trigger, (ScoreCrosses, ScoreGains)):
        return work.told_of({("score", trigger.score)}, work.crossings_from)
    if isinstance(trigger, GradeEnters):
        return work.told_of({("grade", trigger.grade)}, work.crossings_from)
    return bool(listens_to(trigger) & work.names)


def _keeping(book: Book, one: OnRule, trigger: Trigger) -> Executable:
    """The statement, built once for an applied project."""
    purpose = ("noticed", one.score.name, one.rule.name, trigger)
    return book.build(purpose, lambda: _keep(book, one, trigger))


def _keep(book: Book, one: OnRule, trigger: Trigger) -> Insert:
    found: Any = occurrences(trigger, book, LIVE)
    if isinstance(trigger, ScoreGains):
        found = gained(trigger, book)
    assert found is not None
    rows = found.subquery()
    keep = select(
        literal(one.score.name),
        literal(one.rule.name),
        literal(one.position),
        rows.c.contact_id,
        rows.c.own_at,
        rows.c.key,
        rows.c.event_id,
    )
    return insert(noticed).from_select(AWARD_COLUMNS, keep)
