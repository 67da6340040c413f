"""Caps: how much of an award is left over what was given before it (ruling 55).

A cap looks back from each award's own time, so awards of one contact are settled in their
order. Where even all of them together stay below the cap, order cannot matter and one
statement writes them; the rest is one ordered pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, or_, select

from flowscore.engine.scratch import awards
from flowscore.language.scoring import Cap, Rule, Score
from flowscore.rules.book import NEVER
from flowscore.store.tables import POINT, contacts, ledger

if TYPE_CHECKING:
    from flowscore.engine.work import Work


@dataclass
class Room:
    """What a cap has seen of one contact: (own time, points) of each line, oldest first."""

    cap: Cap
    lines: list[tuple[int, int]] = field(default_factory=list)

    def left(self, at: int, wanted: int) -> int:
        """How much of the wanted points (in its sign's direction) an award at `at` may get."""
        since = NEVER if self.cap.per is None else at - self.cap.per
        upto = -NEVER if self.cap.per is None else at
        inside = [abs(worth) for own_at, worth in self.lines if since < own_at <= upto]
        if self.cap.times is not None and len(inside) >= self.cap.times:
            return 0
        if self.cap.points is None:
            return wanted
        room = max(0, round(self.cap.points * POINT) - sum(inside))
        return min(abs(wanted), room) * (1 if wanted > 0 else -1)


def award_capped(work: Work, score: Score, rules: tuple[Any, ...]) -> int:
    """Write the lines of the score's capped rules; returns how many."""
    mine = {one.rule.name: one for one in rules if one.score.name == score.name}
    capped = [name for name, one in mine.items() if _caps(score, one.rule)]
    if score.of == "company" and capped:
        capped = list(mine)  # all of them, so that lines come in the order of ruling 115
    if not capped:
        return 0
    written = []
    statement = work.book.build(("capped", score.name), lambda: _awards(score, capped))
    rows = work.run(statement).all()
    before = _lines_before(work, score, rows) if rows else {}
    for owner, wanted in groupby(rows, key=lambda row: row.owner):
        written += list(_settle(work, score, mine, before.get(owner, []), wanted))
    if not written:
        return 0
    written.sort(key=lambda line: line.pop("order"))
    work.add(ledger, written, new_only=True)
    return len(written)


def _awards(score: Score, capped: list[str]) -> Any:
    given = exists().where(
        ledger.c.contact_id == awards.c.contact_id,
        ledger.c.score == awards.c.score,
        ledger.c.rule == awards.c.rule,
        ledger.c.key == awards.c.key,
    )
    owner = _owner(score).label("owner")
    order = (owner, awards.c.own_at, awards.c.position, contacts.c.email_folded, awards.c.key)
    return (
        select(awards, owner, contacts.c.email_folded)
        .distinct()
        .join(contacts, contacts.c.id == awards.c.contact_id)
        .where(awards.c.score == score.name, awards.c.rule.in_(capped), ~given)
        .order_by(*order)
    )


def _owner(score: Score) -> Any:
    """Whose lines a cap looks at: the contact's, or of everybody at the company (ruling 96).

    Companies are told from contacts without one by their sign.
    """
    if score.of == "contact":
        return contacts.c.id
    return func.coalesce(-contacts.c.company_id, contacts.c.id)


def _lines_before(work: Work, score: Score, rows: list[Any]) -> dict[int, list[Any]]:
    """The rule lines of these owners that a cap may look at."""
    per = [cap.per for cap in _caps(score, *score.rules)]
    since = NEVER
    if None not in per:
        since = min(row.own_at for row in rows) - max(p for p in per if p is not None)
    found = (
        select(_owner(score).label("owner"), ledger.c.rule, ledger.c.own_at, ledger.c.points)
        .select_from(_people(score).join(ledger, ledger.c.contact_id == contacts.c.id))
        .where(and_(ledger.c.score == score.name, ledger.c.kind == "rule", ledger.c.own_at > since))
    )
    lines: dict[int, list[Any]] = {}
    for line in work.connection.execute(found):
        lines.setdefault(line.owner, []).append(line)
    return lines


def _people(score: Score) -> Any:
    """The contacts with awards, for a company's score all who are with the same companies."""
    awarded = select(awards.c.contact_id).where(awards.c.score == score.name).distinct().subquery()
    if score.of == "contact":
        return awarded.join(contacts, contacts.c.id == awarded.c.contact_id)
    me, other = contacts.alias(), contacts.alias()
    same = or_(other.c.id == me.c.id, other.c.company_id == me.c.company_id)
    all_of_them = (
        select(other.c.id)
        .select_from(awarded.join(me, me.c.id == awarded.c.contact_id).join(other, same))
        .distinct()
        .subquery()
    )
    return all_of_them.join(contacts, contacts.c.id == all_of_them.c.id)


def _caps(score: Score, *rules: Rule) -> list[Cap]:
    """What bounds these rules: their own caps and the score's."""
    return [cap for cap in (score.cap, *(rule.cap for rule in rules)) if cap is not None]


def _settle(
    work: Work, score: Score, rules: dict[str, Any], before: list[Any], wanted: Iterator[Any]
) -> Iterator[dict[str, Any]]:
    """The lines one owner gets, award by award in order."""
    rooms = {
        name: Room(one.rule.cap, [(x.own_at, x.points) for x in before if x.rule == name])
        for name, one in rules.items()
        if one.rule.cap is not None
    }
    whole = (
        Room(score.cap, [(x.own_at, x.points) for x in before if x.points > 0])
        if score.cap
        else None
    )
    for award in wanted:
        one = rules[award.rule]
        worth = round(one.rule.points * POINT)
        room = rooms.get(award.rule)
        if room is not None:
            worth = room.left(award.own_at, worth)
        if whole is not None and worth > 0:
            worth = whole.left(award.own_at, worth)
        if worth == 0:
            continue
        if room is not None:
            room.lines.append((award.own_at, worth))
        if whole is not None and worth > 0:
            whole.lines.append((award.own_at, worth))
        yield _line(work, one, award, worth)


def _line(work: Work, one: Any, award: Any, worth: int) -> dict[str, Any]:
    return {
        "contact_id": award.contact_id,
        "score": award.score,
        "rule": award.rule,
        "kind": "rule",
        "key": award.key,
        "points": worth,
        "own_at": award.own_at,
        "tick_at": work.now,
        "event_id": award.event_id,
        "definition_id": one.definition_id,
        "reason": "",
        "order": (award.own_at, award.position, award.email_folded or "", award.contact_id),
    }
