"""Idle decay: a score as a whole loses when nothing was done for a while (ruling 56).

Losses are lasting lines, taken at decay instants before the first round of a tick. When each
contact last did something stands in `activity`, kept only where a score has such a decay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from flowscore.engine.balances import LINE_COLUMNS
from flowscore.engine.booking import book_resets
from flowscore.engine.work import Work, rows_of
from flowscore.language.scoring import Idle, Score
from flowscore.rules.book import NEVER
from flowscore.rules.instants import decays_between, last_decay, next_decay
from flowscore.rules.sight import batch
from flowscore.store.dialects import insert_from, insert_or_update
from flowscore.store.tables import POINT, activity, balances, contacts, events, ledger

if TYPE_CHECKING:
    from flowscore.engine.booking import Booking
    from flowscore.engine.scoring import Scoring

DECAY = "decay"  # the kind of a loss, and the rule's name of whatever idle decay writes
TAKEN = "idle@"  # how the key begins of whatever idle decay writes; a rule may be called decay too
IS_LOSS = and_(ledger.c.kind.in_((DECAY, "reset")), ledger.c.key.startswith(TAKEN))
INSTANT = bindparam("instant", type_=BigInteger)  # the decay instant, and the one before it
BEFORE = bindparam("before", type_=BigInteger)


@dataclass(frozen=True)
class Losing:
    """A score that loses, with its statement for one decay instant."""

    score: Score
    idle: Idle
    definition_id: int | None
    lose: Insert


def build(scores: Iterable[Score], ids: dict[str, int]) -> tuple[Losing, ...]:
    """The statements of the scores with idle decay."""
    return tuple(
        Losing(score, idle, ids.get(score.name), _lose(score, idle, ids.get(score.name)))
        for score in scores
        if (idle := score.idle) is not None
    )


def _lose(score: Score, idle: Idle, id_: int | None) -> Insert:
    """Statement: at the instant, a line for each whose deadlines lie since the one before it."""
    times = _deadlines_by(INSTANT, idle) - _deadlines_by(BEFORE, idle)
    points = _points_lost(idle, times)
    of = [balances.c.score == score.name, times > 0]
    of.append(balances.c.raw != 0 if idle.reset else balances.c.raw > 0)
    if idle.every is None:  # it follows from `times`, but this way the index knows whom
        of.append(activity.c.active_at.between(BEFORE - idle.after, INSTANT - idle.after))
    now = bindparam("now", type_=BigInteger)
    rows = (
        select(
            balances.c.contact_id,
            literal(score.name),
            literal(DECAY),
            literal("reset" if idle.reset else DECAY),
            literal(TAKEN) + cast(INSTANT, Text),
            cast(points, BigInteger),
            INSTANT,
            now,
            cast(null(), BigInteger),
            cast(literal(id_), BigInteger),
            literal("nothing done for so long"),
        )
        .select_from(balances.join(activity, activity.c.contact_id == balances.c.contact_id))
        .where(*of)
        .order_by(activity.c.contact_id)
    )
    return insert_from(ledger, LINE_COLUMNS, rows)


def _deadlines_by(instant: Any, idle: Idle) -> Any:
    """How many deadlines of the present stretch lie at or before the instant."""
    over = instant - idle.after - activity.c.active_at
    reached = literal(1) if idle.every is None else over // idle.every + 1
    return case((over >= 0, reached), else_=0)


def _points_lost(idle: Idle, times: Any) -> Any:
    if idle.reset:
        return -balances.c.raw
    wanted = times * round((idle.lose or 0) * POINT)
    return -case((wanted < balances.c.raw, wanted), else_=balances.c.raw)


# ---------------------------------------------------------------- a tick


def lose(work: Work, scoring: Scoring, step: int) -> None:
    """Before the rounds: what each decay instant since the last tick took (ruling 97).

    What people did is known up to each instant; what came in with this tick counts.
    """
    if not scoring.losing:
        return
    prev = work.now - step if work.prev <= NEVER else work.prev
    before = last_decay(work.book.policy, prev)
    for instant in decays_between(work.book.policy, prev, work.now):
        _note_activity(work, instant)
        for one in scoring.losing:
            _take(work, one, scoring.booking, instant, before)
        before = instant
    _note_activity(work, work.now)


def _take(work: Work, one: Losing, booking: Booking | None, instant: int, before: int) -> None:
    last = work.last(ledger)
    written = rows_of(work.run(one.lose, instant=instant, before=before))
    work.counts.lines += written
    book_resets(work, booking, last)


def _note_activity(work: Work, upto: int) -> None:
    """What came in with this tick and happened by then."""
    work.run(NOTE_NEW, upto=upto)


UPTO = bindparam("upto", type_=BigInteger)


def _note(who: Select[Any]) -> Insert:
    def newest(row: Any) -> dict[str, Any]:
        newer = row.active_at > activity.c.active_at
        return {"active_at": case((newer, row.active_at), else_=activity.c.active_at)}

    columns = ["contact_id", "active_at"]
    return insert_or_update(activity, ["contact_id"], columns, who, newest)


def _latest(rows: Any) -> Select[Any]:
    return select(rows.c.contact_id, func.max(rows.c.at)).group_by(rows.c.contact_id)


def _new() -> Insert:
    """Statement: contacts and behaviour that this tick brought, up to an instant."""
    born = select(contacts.c.id.label("contact_id"), contacts.c.created_at.label("at"))
    since = bindparam("prev", type_=BigInteger)
    came = born.where(contacts.c.created_at > since, contacts.c.created_at <= UPTO)
    # Plus nothing, here and below: what is new is few, and found by its id.
    arrived = born.where(
        contacts.c.id > bindparam("last_contact", type_=BigInteger),
        contacts.c.created_at + 0 <= UPTO,
    )
    active = select((events.c.contact_id + 0).label("contact_id"), events.c.own_at).where(
        events.c.id >= bindparam("first_id", type_=BigInteger),
        events.c.behaviour,
        events.c.own_at + 0 <= UPTO,
    )
    return _note(_latest(union_all(arrived, came, active).subquery()))


NOTE_NEW = _new()


# ---------------------------------------------------------------- as if it had run


def judge(work: Work, one: Losing) -> None:
    """What the score would have lost by now, had it always been so, of the contacts in `batch`."""
    remember(work)
    deeds = _deeds(work, one.idle)
    found = [
        _line(work, one, contact_id, instant, points)
        for contact_id, lines in _lines(work, one.score)
        for instant, points in _losses(work, one.idle, deeds.get(contact_id, []), lines)
    ]
    if found:
        work.add(ledger, found, new_only=True)


def judge_history(work: Work, scoring: Scoring) -> bool:
    """What history that was just taken in has lost since; nobody notices it (ruling 88)."""
    if not scoring.losing:
        return False
    work.clear(batch)
    if work.fill(batch, TOUCHED):
        for one in scoring.losing:
            before = work.last(ledger)
            judge(work, one)
            book_resets(work, scoring.booking, before)
    return work.filled(batch)


TOUCHED = insert_from(
    batch,
    ["contact_id"],
    # Plus nothing: what is new is few, and found by its id.
    select((events.c.contact_id + 0).label("contact_id"))
    .where(events.c.id >= bindparam("first_id", type_=BigInteger), events.c.historical)
    .distinct(),
)


def remember(work: Work) -> None:
    """When the contacts in `batch` last did something, from the whole log."""
    work.once(_note(_latest(_all_deeds())))


def _all_deeds() -> Any:
    """(contact_id, at) of the creation and of all behaviour of the contacts in `batch`."""
    born = select(contacts.c.id.label("contact_id"), contacts.c.created_at.label("at")).join(
        batch, batch.c.contact_id == contacts.c.id
    )
    active = select(events.c.contact_id, events.c.own_at).join(
        batch, batch.c.contact_id == events.c.contact_id
    )
    return union_all(born, active.where(events.c.behaviour)).subquery()


def _deeds(work: Work, idle: Idle) -> dict[int, list[tuple[int, int]]]:
    """The creation and the behaviour of each contact in `batch` that were followed by quiet.

    In order, each with what followed it: of a busy contact's deeds those are few.
    """
    both = _all_deeds()
    following = func.lead(both.c.at, 1, work.now + 1).over(
        partition_by=both.c.contact_id, order_by=both.c.at
    )
    deeds = select(both, following.label("following")).subquery()
    quiet = select(deeds).where(deeds.c.following - deeds.c.at > idle.after)
    rows = work.once(quiet.order_by(deeds.c.contact_id, deeds.c.at))
    return {
        who: [(row.at, row.following) for row in own]
        for who, own in groupby(rows, lambda row: row.contact_id)
    }


def _lines(work: Work, score: Score) -> Iterator[tuple[int, list[Any]]]:
    mine = ledger.c.contact_id.in_(select(batch.c.contact_id))
    rows = work.once(
        select(ledger)
        .where(mine, ledger.c.score == score.name)
        .order_by(ledger.c.contact_id, ledger.c.own_at, ledger.c.id)
    )
    return ((who, list(own)) for who, own in groupby(rows, lambda row: row.contact_id))


def _losses(
    work: Work, idle: Idle, deeds: list[tuple[int, int]], lines: list[Any]
) -> Iterator[tuple[int, int]]:
    """(decay instant, points) of each loss, one after another (10⁻⁸ points, below 0)."""
    lost: list[tuple[int, int]] = []
    for instant, times in _due(work, idle, deeds):
        balance = _balance_before(instant, lines, lost)
        points = -balance if idle.reset else -_bounded(idle, times, balance)
        if points:
            lost.append((instant, points))
            yield instant, points
        if balance + points <= 0 and lines[-1].own_at < instant:
            return  # nothing is left, and nothing came later


def _balance_before(instant: int, lines: list[Any], lost: list[tuple[int, int]]) -> int:
    """What the lines dated before the instant add up to, since the last reset by a scenario."""
    dated = [line for line in lines if line.own_at < instant and not _is_loss(line)]
    resets = [place for place, line in enumerate(dated) if line.kind == "reset"]
    since = dated[resets[-1]].own_at if resets else NEVER
    counted = dated[resets[-1] + 1 :] if resets else dated
    return sum(line.points for line in counted) + sum(p for at, p in lost if at > since)


def _is_loss(line: Any) -> bool:
    return line.kind in (DECAY, "reset") and line.key.startswith(TAKEN)


def _bounded(idle: Idle, times: int, balance: int) -> int:
    return max(0, min(times * round((idle.lose or 0) * POINT), balance))


def _due(work: Work, idle: Idle, deeds: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The decay instants at which deadlines had passed, and how many of them."""
    policy, upto = work.book.policy, last_decay(work.book.policy, work.now)
    for deed, following in deeds:
        due, times, instant = deed + idle.after, 0, None
        while due < following and due <= upto:
            at = next_decay(policy, due - 1)
            if at > upto or at >= following:  # by that instant something was done
                break
            if instant is not None and at != instant:
                yield instant, times
                times = 0
            instant, times = at, times + 1
            if idle.every is None:
                break
            due += idle.every
        if instant is not None and times:
            yield instant, times


def _line(work: Work, one: Losing, who: int, instant: int, points: int) -> dict[str, Any]:
    return {
        "contact_id": who,
        "score": one.score.name,
        "rule": DECAY,
        "kind": "reset" if one.idle.reset else DECAY,
        "key": f"{TAKEN}{instant}",
        "points": points,
        "own_at": instant,
        "tick_at": work.now,
        "event_id": None,
        "definition_id": one.definition_id,
        "reason": "nothing done for so long",
    }
