"""Every point of a contact: the lines of each score, which add up to its balance, always.

Beside the ledger's lines stand those that it need not hold: what faded (`decay`), what a reset
voided (`void`), what `range` cuts (`cut`) and what is lost in rounding a balance (`rounding`).
All sums are integers of 10⁻⁸ points until they are shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlalchemy import case as when
from sqlalchemy import func, literal, select

from flowscore.language.scoring import Rule
from flowscore.rules.explain import sentence
from flowscore.rules.scoring_words import fading_text, is_explicit, rule_text
from flowscore.rules.worth import is_void, present
from flowscore.store.tables import (
    POINT,
    SHOWN,
    balances,
    companies,
    company_balances,
    contacts,
    ledger,
)
from flowscore.views.columns import rounded, shown_at, shown_balance, shown_points

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select

    from flowscore.language.scoring import Score
    from flowscore.views.explain_case import Case

Row = dict[str, Any]
UNIT = POINT // SHOWN  # 10⁻⁸ points in the unit of a balance
FIRST = 1000
"""Ranks are counted so far, so that the last of a million is no dearer than the first."""
PARTS = ("explicit", "implicit", "given", "cut")
REASONS_TOLD = 3


def scores_of(case: Case) -> list[Row]:
    """Every live score, and every other of which the contact has lines."""
    lines = _lines(case)
    kept = {**_own_balances(case), **_company_balances(case)}
    names = [*case.project.scores, *(name for name in lines if name not in case.project.scores)]
    ranks = _ranks(case, kept)
    case.learn_events(case.event_of_line(row) for rows in lines.values() for row in rows)
    return [_score(case, name, lines.get(name, []), kept.get(name), ranks) for name in names]


# ---------------------------------------------------------------- what is read


def _lines(case: Case) -> dict[str, list[Any]]:
    """Ledger lines by score, oldest first; those of a company's score are its members'."""
    found: dict[str, list[Any]] = {}
    for query in _queries(case):
        for row in case.connection.execute(query):
            found.setdefault(row.score, []).append(row)
    return found


def _queries(case: Case) -> Iterable[Select[Any]]:
    shared = case.project.company_scores
    void = when((is_void(ledger), 1), else_=0).label("void")
    rows = present(case.project, case.book, case.at).add_columns(void)
    ordered = rows.order_by(ledger.c.own_at, ledger.c.tick_at, ledger.c.id)
    own = ordered.where(ledger.c.contact_id == case.contact.id)
    yield own.where(ledger.c.score.not_in(shared)) if shared else own
    if shared and case.contact.company_id is not None:
        members = select(contacts.c.id).where(contacts.c.company_id == case.contact.company_id)
        theirs = ordered.where(ledger.c.contact_id.in_(members), ledger.c.score.in_(shared))
        person = select(contacts.c.email).where(contacts.c.id == ledger.c.contact_id)
        yield theirs.add_columns(person.correlate(ledger).scalar_subquery().label("member"))


def _own_balances(case: Case) -> dict[str, Any]:
    shared = case.project.company_scores
    return {row.score: row for row in case.rows(balances) if row.score not in shared}


def _company_balances(case: Case) -> dict[str, Any]:
    if not case.project.company_scores or case.contact.company_id is None:
        return {}
    query = select(company_balances).where(company_balances.c.company_id == case.contact.company_id)
    return {row.score: row for row in case.connection.execute(query)}


def _ranks(case: Case, kept: dict[str, Any]) -> dict[str, int]:
    """The contact's place among all by balance, where it is one of the first."""
    shared = case.project.company_scores
    asked = [row for name, row in kept.items() if name in case.project.scores]
    own = [row for row in asked if row.score not in shared]
    if not own:
        return {}
    above = [
        select(func.count())
        .select_from(
            select(literal(1))
            .where(balances.c.score == row.score, balances.c.balance > row.balance)
            .limit(FIRST)
            .subquery()
        )
        .scalar_subquery()
        for row in own
    ]
    counts = case.connection.execute(select(*above)).one()
    return {row.score: n + 1 for row, n in zip(own, counts, strict=True) if n < FIRST}


# ---------------------------------------------------------------- one score


def _score(case: Case, name: str, lines: list[Any], kept: Any, ranks: dict[str, int]) -> Row:
    score = case.project.scores.get(name)
    balance = kept.balance if kept else 0
    raw = kept.raw if kept else 0
    hidden = max(0, balance - rounded(raw))  # below where the range begins
    behind = _behind(score, lines)
    idle = fading_text(score.idle) if score and score.idle else ""
    told = [_line(case, line, behind.get(line.rule), idle) for line in lines]
    return {
        "score": name,
        "balance": shown_balance(balance),
        "of": score.of if score else "contact",
        "company": _company(case) if score and score.of == "company" else None,
        "objective": score.objective if score else "",
        "description": score.description if score else "no longer in the project",
        "band": _band(score, balance),
        "next_band": _next_band(score, balance, hidden),
        "below_range": shown_balance(hidden),
        "scale": _scale(score, balance),
        "rank": ranks.get(name),
        "parts": _parts(told, lines, balance),
        "strongest": _strongest(lines),
        "lines": told + _adjustments(score, lines, raw, balance),
    }


def _company(case: Case) -> str | None:
    """The `groupId` of the contact's company."""
    found = select(companies.c.key).where(companies.c.id == case.contact.company_id)
    return case.connection.scalar(found)


@dataclass(frozen=True, slots=True)
class Behind:
    """A rule of the file behind lines, with what is said of it; made once for all its lines."""

    rule: Rule
    means: str
    part: str


def _behind(score: Score | None, lines: Iterable[Any]) -> dict[str, Behind]:
    """The rules behind these lines, by name, if they still stand in the file."""
    names = {row.rule for row in lines if row.kind in ("rule", "when")}
    rules = [rule for rule in score.rules if rule.name in names] if score else []
    return {
        rule.name: Behind(
            rule,
            rule_text(rule, score) if score else "",
            "explicit" if is_explicit(rule) else "implicit",
        )
        for rule in rules
    }


def _line(case: Case, row: Any, behind: Behind | None, idle: str) -> Row:
    place = case.places.of_line(row)
    if row.kind not in ("rule", "when"):
        behind = None  # a scenario may have the name of a rule
    quiet = row.rule == "decay" and row.kind in ("decay", "reset")
    told = {
        "at": shown_at(row.own_at),
        "noticed_at": shown_at(row.tick_at),
        "points": shown_points(row.points),
        "worth": shown_points(row.worth),
        "kind": KINDS.get(row.kind, row.kind),
        "part": _part(row, behind),
        "rule": row.rule,
        "means": behind.means if behind else idle if quiet else "",
        "reason": _reason(row, behind.rule if behind else None),
        "where": place.where,
        "version": place.version,
        "event": case.event(case.event_of_line(row)),
    }
    return {**told, "member": row.member} if hasattr(row, "member") else told


def _reason(row: Any, rule: Rule | None) -> str:
    """Why, where no event tells: the condition of a `when`, a step's reason."""
    if row.kind == "when" and rule is not None and rule.when is not None:
        no_more = "no longer: " if row.points * rule.points < 0 else ""
        return no_more + sentence(rule.when)
    return row.reason or REASONS.get(row.kind, "")


KINDS = {"when": "rule", "decay": "idle"}
REASONS = {"decay": "no activity", "reset": "the score begins again at 0"}


def _part(row: Any, behind: Behind | None) -> str:
    """What the lead told us, what they did (or left undone), what scenarios gave."""
    if row.kind == "scenario":
        return "given"
    if behind is not None:
        return behind.part
    return "explicit" if row.kind == "when" else "implicit"


def _strongest(lines: Iterable[Any]) -> list[Row]:
    """The rules and scenarios that weigh most now, whichever way; what weighs nothing is none."""
    sums: dict[tuple[str, str], list[int]] = {}
    for row in lines:
        sums.setdefault((KINDS.get(row.kind, row.kind), row.rule), []).append(row.worth)
    told: list[Row] = [
        {"kind": kind, "rule": rule, "times": len(worths), "worth": shown_points(sum(worths))}
        for (kind, rule), worths in sums.items()
        if sum(worths)
    ]
    return sorted(told, key=lambda one: (-abs(one["worth"]), one["rule"]))[:REASONS_TOLD]


def _parts(told: list[Row], lines: list[Any], balance: int) -> dict[str, int | float]:
    """What each part is worth now (ACCEPTANCE A16); together they are the balance."""
    sums = dict.fromkeys(PARTS, 0)
    for line, row in zip(told, lines, strict=True):
        sums[line["part"]] += row.worth
    sums["cut"] = balance * UNIT - sum(sums.values())
    return {name: shown_points(worth) for name, worth in sums.items()}


# ---------------------------------------------------------------- lines that no ledger holds


def _adjustments(score: Score | None, lines: list[Any], raw: int, balance: int) -> list[Row]:
    """The lines that make the sum right; only those that are not nothing."""
    faded = sum(row.worth - row.points for row in lines if not row.void)
    void = -sum(row.points for row in lines if row.void)
    behind = raw - sum(row.points for row in lines) - faded - void
    whole = rounded(raw) * UNIT
    found = [
        ("decay", faded, score.decay if score else None),
        ("void", void, None),
        ("behind", behind, None),
        ("rounding", whole - raw, None),
        ("cut", balance * UNIT - whole, score.range if score else None),
    ]
    return [_adjustment(kind, points, word) for kind, points, word in found if points]


ADJUSTMENTS = {
    "decay": ("decay", "what has faded of the points above"),
    "void": ("reset", "what is dated before a reset counts no more"),
    "behind": ("apply", "the score is still being computed anew"),
    "rounding": ("rounding", "balances are read with 4 decimals"),
    "cut": ("range", "cut to the score's range"),
}


def _adjustment(kind: str, points: int, word: Any) -> Row:
    rule, reason = ADJUSTMENTS[kind]
    return {
        "at": None,
        "noticed_at": None,
        "points": shown_points(points),
        "worth": None if kind in ("decay", "void") else shown_points(points),
        "kind": kind,
        "part": "cut",
        "rule": rule,
        "means": "",
        "reason": reason,
        "where": str(word.mark) if word is not None else None,
        "version": None,
        "event": None,
    }


# ---------------------------------------------------------------- what a balance means


def _band(score: Score | None, balance: int) -> str | None:
    """The highest band that the balance has reached (ruling 59)."""
    bands = score.bands if score else ()
    return next((name for name, number in bands if balance >= round(number * SHOWN)), None)


def _next_band(score: Score | None, balance: int, hidden: int) -> Row | None:
    """The next band above, and how many points are missing, those below the range too."""
    above = [(n, name) for name, n in (score.bands if score else ()) if balance < round(n * SHOWN)]
    if not above:
        return None
    number, name = min(above)
    return {"band": name, "missing": shown_balance(round(number * SHOWN) - balance + hidden)}


def _scale(score: Score | None, balance: int) -> Row | None:
    """The balance on the score's scale (ruling 59)."""
    if score is None or score.scale is None or score.range is None:
        return None
    least, most = score.range.min, score.range.max
    if least is None or most is None:
        return None
    low, high = score.scale
    share = (Fraction(balance, SHOWN) - Fraction(least)) / (Fraction(most) - Fraction(least))
    value = low + math.floor(share * (high - low) + Fraction(1, 2))
    return {"value": value, "from": low, "to": high}
