"""What state triggers of rules notice: kept from phase 3 for phase 1 of the next round (58)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Insert, Select, insert, literal, select

from flowscore.engine import gains
from flowscore.engine.scoring import AWARD_COLUMNS, LIVE, NOTICED_LATER, OnRule, Scoring
from flowscore.engine.scratch import noticed
from flowscore.language.triggers import ScoreCrosses, ScoreGains, Trigger
from flowscore.rules.triggers import listens_to, occurrences

if TYPE_CHECKING:
    from flowscore.engine.work import Work


def notice(work: Work, scoring: Scoring) -> None:
    """Phase 3 for rules: what states do is kept for phase 1 of the next round (ruling 58)."""
    for one in scoring.on:
        for trigger in one.rule.on:
            if isinstance(trigger, (ScoreCrosses, ScoreGains)):
                _notice_points(work, one, trigger)
            elif isinstance(trigger, NOTICED_LATER) and listens_to(trigger) & work.names:
                _notice_moves(work, one, trigger)


def _notice_points(work: Work, one: OnRule, trigger: ScoreCrosses | ScoreGains) -> None:
    if not work.told_of({("score", trigger.score)}, work.crossings_from):
        return
    if isinstance(trigger, ScoreGains):
        found: Select[Any] | None = gains.gained(trigger)
    else:
        found = occurrences(trigger, work.book, LIVE)
    assert found is not None
    keep = _kept(one, found.subquery())
    seen = {"changes_seen": work.crossings_from, "lines_seen": work.lines_from}
    work.changed += work.fill(noticed, keep, kept=False, **seen)


def _notice_moves(work: Work, one: OnRule, trigger: Trigger) -> None:
    found = occurrences(trigger, work.book, LIVE)
    assert found is not None
    work.changed += work.fill(noticed, _kept(one, found.subquery()), kept=False)


def _kept(one: OnRule, rows: Any) -> Insert:
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
