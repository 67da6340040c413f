"""Listening to one trigger: how its new occurrences get into `happened`, whoever asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Insert, Integer, bindparam, null, true, update

from flowscore.engine import anchors, counting, dates, gains, schedule
from flowscore.engine.scratch import happened, into_happened
from flowscore.language import triggers as words
from flowscore.rules.sight import Sight
from flowscore.rules.triggers import is_walked, listens_to, occurrences

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.rules.book import Book

LIVE = Sight()


@dataclass(frozen=True)
class Listener:
    """A trigger at its place: `mark` keeps its counts, which events after `live_from` complete.

    `who` narrows what the calendar brings to those who wait (a SELECT of contacts' ids).
    """

    trigger: words.Trigger
    position: int
    mark: str
    live_from: int
    notice: Insert | None
    who: Any = None


def listener(
    trigger: words.Trigger,
    position: int,
    place: str,
    live_from: int | None,
    book: Book,
    who: Any = None,
) -> Listener:
    """The listener of a trigger; `place` names where it stands (`scenario/NAME/0`)."""
    mark = counting.mark_of(place, trigger) if is_walked(trigger) else ""
    found = occurrences(trigger, book, LIVE)
    notice = None if found is None else into_happened(found.subquery(), position)
    return Listener(trigger, position, mark, -1 if live_from is None else live_from, notice, who)


def hear(work: Work, one: Listener) -> None:
    """Put what the trigger newly notices into `happened`."""
    trigger = one.trigger
    if one.mark:
        _hear_counted(work, one)
    elif isinstance(trigger, (words.Schedule, words.DateComes)):
        if work.round == 1:
            calendar = schedule if isinstance(trigger, words.Schedule) else dates
            calendar.notice(work, trigger, one.position, one.who)
    elif isinstance(trigger, words.ScoreGains):
        gains.notice(work, trigger, one.position)
    elif isinstance(trigger, words.ScoreCrosses):
        if work.told_of({("score", trigger.score)}, work.crossings_from):
            work.fill(happened, one.notice, changes_seen=work.crossings_from)
    elif isinstance(trigger, words.GradeEnters):
        if work.told_of({("grade", trigger.grade)}, work.crossings_from):
            work.fill(happened, one.notice, changes_seen=work.crossings_from)
    elif one.notice is not None and _is_stirred(work, trigger):
        work.fill(happened, one.notice)


def _hear_counted(work: Work, one: Listener) -> None:
    match one.trigger:
        case words.OnEvent():
            if not counting.may_complete(work, one.trigger):
                return
            counting.walk(work, one.mark, one.trigger, LIVE, one.live_from)
        case words.NoEvent():
            anchors.notice(work, one.mark, one.trigger, LIVE, one.live_from)
    work.run(PLACE, place=one.position)


def _is_stirred(work: Work, trigger: words.Trigger) -> bool:
    names = listens_to(trigger)
    return (work.round == 1 and "" in names) or bool(names & work.names)


PLACE = (
    update(happened)
    .where(happened.c.position.is_(null()))
    .values(position=bindparam("place", type_=Integer), passes=true())
)
