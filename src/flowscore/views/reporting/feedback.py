"""What sales said of leads, counted against the model that handed them over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from flowscore.store.feedback import FEEDBACK, VERDICTS
from flowscore.store.tables import POINT, ledger
from flowscore.views.reporting.certainty import Share, too_thin
from flowscore.views.reporting.qualified import NOBODY_SAYS, Qualified, find_qualified
from flowscore.views.reporting.verdicts import BAD, GOOD, last_said, said

if TYPE_CHECKING:
    from flowscore.views.reporting.inquiry import Inquiry

Row = dict[str, Any]
SHOWN_RULES = 5
SHOWN_REASONS = 10
NO_FEEDBACK = (
    "sales has said nothing in this period: `flowscore feedback EMAIL --not-qualified REASON` "
    f"(or --qualified, --won AMOUNT, --lost), or events {FEEDBACK}, tell the model where it errs"
)


def feedback(inquiry: Inquiry) -> Row:
    """Verdicts, reasons, whether the model agreed, and the rules behind those who disappointed."""
    qualified = find_qualified(inquiry)
    verdicts = _verdicts(inquiry)
    against = _against(inquiry, qualified)
    return {
        "verdicts": verdicts,
        "reasons": _reasons(inquiry),
        "against_the_model": against,
        "rules_behind": _rules(inquiry, qualified) if against else [],
        "notes": list(_doubts(verdicts, against)),
    }


def _verdicts(inquiry: Inquiry) -> list[Row]:
    """How often each was said, and of how many contacts it is the last word."""
    every = said(inquiry, inquiry.period).subquery()
    last = func.sum(case((every.c.place == 1, 1), else_=0))
    query = select(every.c.verdict, func.count().label("times"), last.label("last_word_of"))
    found = {row.verdict: row for row in inquiry.rows(query.group_by(every.c.verdict))}
    return [
        {"verdict": name, "times": row.times, "last_word_of": int(row.last_word_of)}
        for name in VERDICTS
        if (row := found.get(name)) is not None
    ]


def _reasons(inquiry: Inquiry) -> list[Row]:
    """Why leads were not qualified or lost, the most frequent first."""
    every = said(inquiry, inquiry.period).subquery()
    times = func.count()
    query = (
        select(every.c.verdict, every.c.reason, times.label("times"))
        .where(every.c.verdict.in_(("not_qualified", "lost")))
        .group_by(every.c.verdict, every.c.reason)
        .order_by(times.desc(), every.c.verdict.desc(), every.c.reason)
        .limit(SHOWN_REASONS)
    )
    return [
        {"verdict": row.verdict, "reason": row.reason or "no reason given", "times": row.times}
        for row in inquiry.rows(query)
    ]


# --- against the model ------------------------------------------------------------------------


def _judged(inquiry: Inquiry, qualified: Qualified) -> Any:
    """The last word of the period on each contact, and whether the model had qualified them."""
    word, model = last_said(inquiry, inquiry.period).subquery(), qualified.people.subquery()
    before = and_(model.c.contact_id == word.c.contact_id, model.c.at <= word.c.at)
    return (
        select(
            word.c.contact_id,
            word.c.at,
            word.c.verdict.in_(GOOD).label("good"),
            word.c.verdict.in_(BAD).label("bad"),
            model.c.contact_id.is_not(None).label("qualified"),
        )
        .select_from(word)
        .outerjoin(model, before)
        .where(word.c.verdict.in_((*GOOD, *BAD)))
    ).subquery()


def _against(inquiry: Inquiry, qualified: Qualified) -> Row | None:
    """Of those whom the model qualified and sales judged, how many were not; and the others."""
    if qualified.who is None:
        return None
    one = _judged(inquiry, qualified)
    query = select(
        _times(one.c.qualified).label("judged"),
        _times(and_(one.c.qualified, one.c.bad)).label("not_qualified"),
        _times(~one.c.qualified).label("never_qualified"),
        _times(and_(~one.c.qualified, one.c.good)).label("missed"),
    )
    row = inquiry.rows(query)[0]
    return {
        "qualified_means": qualified.words,
        "wrongly_qualified": Share(row.not_qualified, row.judged).as_row(),
        "missed": Share(row.missed, row.never_qualified).as_row(),
    }


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _rules(inquiry: Inquiry, qualified: Qualified) -> list[Row]:
    """The rules that gave most points to qualified leads whom sales then called not qualified.

    Beside each: how many of the leads that sales liked have points of it too. Points at face
    value, up to the verdict.
    """
    one = _judged(inquiry, qualified)
    has, points = func.count(func.distinct(one.c.contact_id)), func.sum(ledger.c.points)
    query = (
        select(ledger.c.score, ledger.c.rule, one.c.bad, has.label("has"), points.label("points"))
        .join(one, one.c.contact_id == ledger.c.contact_id)
        .where(
            or_(and_(one.c.bad, one.c.qualified), one.c.good),
            ledger.c.points > 0,
            ledger.c.kind.in_(("rule", "when", "scenario")),
            ledger.c.own_at <= one.c.at,
        )
        .group_by(ledger.c.score, ledger.c.rule, one.c.bad)
    )
    found = {(row.score, row.rule, bool(row.bad)): row for row in inquiry.rows(query)}
    bad = sorted((row for row in found.values() if row.bad), key=lambda row: -row.points)
    sums = _sums(inquiry, one)
    return [
        {
            "score": row.score,
            "rule": row.rule,
            "points": round(float(row.points) / POINT, 4),
            "not_qualified": Share(row.has, sums["bad"]).as_row(),
            "good": Share(_has(found.get((row.score, row.rule, False))), sums["good"]).as_row(),
        }
        for row in bad[:SHOWN_RULES]
    ]


def _has(row: Any) -> int:
    return row.has if row is not None else 0


def _sums(inquiry: Inquiry, one: Any) -> Row:
    query = select(
        _times(and_(one.c.bad, one.c.qualified)).label("bad"), _times(one.c.good).label("good")
    )
    return dict(inquiry.rows(query)[0]._asdict())


def _doubts(verdicts: list[Row], against: Row | None) -> Iterator[str]:
    if not verdicts:
        yield NO_FEEDBACK
    elif against is None:
        yield NOBODY_SAYS
    elif Share(0, against["wrongly_qualified"]["of"]).is_thin:
        yield f"whether the model errs is {too_thin(against['wrongly_qualified']['of'], 'verdict')}"
