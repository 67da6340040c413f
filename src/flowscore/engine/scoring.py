"""Points: rules award them, caps bound them, balances add them up (phase 1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    false,
    func,
    insert,
    literal,
    null,
    select,
    union_all,
)

from flowscore.engine import anchors, caps, counting, dates, idle, resets, schedule
from flowscore.engine import booking as accounts
from flowscore.engine.audience import Asking, ask_everybody, asking, compare, gather
from flowscore.engine.balances import LINE_COLUMNS
from flowscore.engine.booking import Booking, book_lines
from flowscore.engine.idle import Losing
from flowscore.engine.scratch import asked, awards, happened, noticed, turned
from flowscore.engine.work import Work, rows_of
from flowscore.language.scoring import Rule, Score
from flowscore.language.triggers import (
    DateComes,
    GradeEnters,
    ListJoined,
    ListLeft,
    NoEvent,
    OnEvent,
    Schedule,
    ScoreCrosses,
    ScoreGains,
    StageEnters,
)
from flowscore.rules.conditions import holds
from flowscore.rules.sight import Sight
from flowscore.rules.triggers import is_walked, listens_to, occurrences
from flowscore.rules.watch import watch
from flowscore.rules.who import Who
from flowscore.store.dialects import insert_from
from flowscore.store.tables import POINT, contacts, ledger

if TYPE_CHECKING:
    from flowscore.engine.decay import Fading
    from flowscore.rules.book import Book

AWARD_COLUMNS = ["score", "rule", "position", "contact_id", "own_at", "key", "event_id"]


@dataclass(frozen=True)
class OnRule:
    """A rule that gives points at occurrences, with its statement for each way of looking."""

    score: Score
    rule: Rule
    position: int
    definition_id: int | None
    counted: tuple[tuple[str, OnEvent | NoEvent], ...]  # (mark, trigger)
    plain: dict[Sight, Insert | None]
    from_counted: Insert
    from_noticed: Insert | None
    names: frozenset[str]


@dataclass(frozen=True)
class WhenRule:
    """A rule whose points stand while its condition holds."""

    score: Score
    rule: Rule
    asking: Asking
    compare: Insert
    write: Insert


@dataclass(frozen=True)
class Scoring:
    """All statements of phase 1, in the order of scores and rules."""

    on: tuple[OnRule, ...]
    when: tuple[WhenRule, ...]
    scores: tuple[Score, ...]
    write: dict[str, Insert]
    booking: Booking | None
    losing: tuple[Losing, ...]

    @property
    def fading(self) -> Fading | None:
        """The statements of what fades."""
        return self.booking.fading if self.booking is not None else None

    def only(self, name: str) -> Scoring:
        """The statements of one score."""
        return replace(
            self,
            on=tuple(one for one in self.on if one.score.name == name),
            when=tuple(one for one in self.when if one.score.name == name),
            scores=tuple(one for one in self.scores if one.name == name),
            losing=tuple(one for one in self.losing if one.score.name == name),
        )


# Triggers of states (ruling 58).
NOTICED_LATER = (ScoreCrosses, ScoreGains, GradeEnters, StageEnters, ListJoined, ListLeft)
LIVE, HISTORY, ALL = Sight(for_points=True), Sight(historical=True), Sight(everything=True)


def points(value: float) -> int:
    """Points as the ledger's integer of 10⁻⁸ points (ruling 126)."""
    return round(float(f"{value:.15g}") * POINT)


def build(scores: Iterable[Score], ids: dict[str, int], book: Book) -> Scoring:
    """The statements for these scores; `ids` are their definitions' ids by name."""
    ordered = sorted(scores, key=lambda one: one.name)
    numbered = [(score, rule, place) for score in ordered for place, rule in enumerate(score.rules)]
    return Scoring(
        on=tuple(_on_rule(s, r, i, ids.get(s.name), book) for s, r, i in numbered if r.on),
        when=_in_reading_order(
            [_when_rule(s, r, ids.get(s.name), book) for s, r, _ in numbered if r.when]
        ),
        scores=tuple(ordered),
        write={score.name: write_uncapped(score, ids.get(score.name)) for score in ordered},
        booking=accounts.build(ordered, book),
        losing=idle.build(ordered, ids),
    )


def _in_reading_order(rules: list[WhenRule]) -> tuple[WhenRule, ...]:
    """A score is settled before those whose rules read it (ruling 68); there is no circle."""
    ordered: dict[str, list[WhenRule]] = {}

    def settle(name: str) -> None:
        mine = [one for one in rules if one.score.name == name]
        if name in ordered or not mine:
            return
        ordered[name] = []
        for one in mine:
            for kind, read in sorted(one.asking.watch.changes):
                if kind == "score":
                    settle(read)
        ordered.setdefault(name, []).extend(mine)
        ordered[name] = ordered.pop(name)

    for one in rules:
        settle(one.score.name)
    return tuple(one for mine in ordered.values() for one in mine)


def _on_rule(score: Score, rule: Rule, place: int, id_: int | None, book: Book) -> OnRule:
    counted = tuple(
        (counting.mark_of(f"score/{score.name}/{rule.name}", trigger), trigger)
        for trigger in rule.on
        if isinstance(trigger, (OnEvent, NoEvent)) and is_walked(trigger)
    )
    names = frozenset().union(*(listens_to(trigger) for trigger in rule.on))
    return OnRule(
        score=score,
        rule=rule,
        position=place,
        definition_id=id_,
        counted=counted,
        plain={sight: _collect(score, rule, place, book, sight) for sight in (LIVE, HISTORY, ALL)},
        from_counted=_collect_from(select(happened), score, rule, place, book),
        from_noticed=_collect_from(_pending(score, rule), score, rule, place, book),
        names=names,
    )


def _collect(score: Score, rule: Rule, place: int, book: Book, sight: Sight) -> Insert | None:
    found = [occurrences(trigger, book, sight) for trigger in rule.on]
    parts = [
        one
        for one, trigger in zip(found, rule.on, strict=True)
        if one is not None and not (sight == LIVE and isinstance(trigger, NOTICED_LATER))
    ]
    if not parts:
        return None
    rows = parts[0] if len(parts) == 1 else union_all(*(select(p.subquery()) for p in parts))
    return _collect_from(rows, score, rule, place, book)


def _is_single(rule: Rule) -> bool:
    """Whether an occurrence comes but once: each is an event, found by one trigger alone."""
    return len(rule.on) == 1 and isinstance(rule.on[0], OnEvent) and not is_walked(rule.on[0])


def _collect_from(rows: Any, score: Score, rule: Rule, place: int, book: Book) -> Insert:
    """Each occurrence once for the rule (ruling 19b), if the rule's conditions hold."""
    found = rows.subquery()
    of_rule = (literal(score.name), literal(rule.name), literal(place), found.c.contact_id)
    if _is_single(rule):
        once = select(*of_rule, found.c.own_at, found.c.key, found.c.event_id)
    else:
        first = (func.min(found.c.own_at), found.c.key, func.min(found.c.event_id))
        once = select(*of_rule, *first).group_by(found.c.contact_id, found.c.key)
    if rule.conditions is not None:
        once = once.where(holds(rule.conditions, book, Who(found.c.contact_id)))
    return insert(awards).from_select(AWARD_COLUMNS, once)


def _pending(score: Score, rule: Rule) -> Select[Any]:
    return select(noticed).where(noticed.c.score == score.name, noticed.c.rule == rule.name)


def free_rules(score: Score) -> list[Rule]:
    """Rules whose lines depend neither on one another nor on the order of writing."""
    return _uncapped(score) if score.of == "contact" else []


def _uncapped(score: Score) -> list[Rule]:
    """Rules that one statement writes: no cap looks at them, in a company's score at none."""
    on = [rule for rule in score.rules if rule.on]
    free = [rule for rule in on if rule.cap is None]
    if score.cap is not None or (score.of == "company" and len(free) < len(on)):
        return []
    return free


def write_uncapped(score: Score, id_: int | None, *, ordered: bool = True) -> Insert:
    """Statement: every award of the score that no cap bounds becomes a line."""
    free = _uncapped(score)
    worth = {rule.name: points(rule.points) for rule in free}
    line = case(worth, value=awards.c.rule, else_=0) if worth else literal(0)
    rows = select(
        awards.c.contact_id,
        awards.c.score,
        awards.c.rule,
        literal("rule"),
        awards.c.key,
        cast(line, BigInteger),
        awards.c.own_at,
        bindparam("now", type_=BigInteger),
        awards.c.event_id,
        cast(literal(id_), BigInteger),
        literal(""),
    ).where(awards.c.score == score.name, awards.c.rule.in_(worth) if worth else false())
    order = (awards.c.own_at, awards.c.position, _who_first(score), awards.c.key)
    return insert_from(ledger, LINE_COLUMNS, rows.order_by(*order) if ordered else rows)


def _who_first(score: Score) -> Any:
    """Of a company's members by e-mail, since whose line came last matters (ruling 115)."""
    if score.of == "contact":
        return awards.c.contact_id
    email = select(contacts.c.email_folded).where(contacts.c.id == awards.c.contact_id)
    return email.scalar_subquery()


def _when_rule(score: Score, rule: Rule, id_: int | None, book: Book) -> WhenRule:
    assert rule.when is not None
    standing = (
        select(func.coalesce(func.sum(ledger.c.points), 0))
        .where(
            ledger.c.contact_id == asked.c.contact_id,
            ledger.c.score == score.name,
            ledger.c.rule == rule.name,
            ledger.c.kind == "when",
        )
        .correlate_except(ledger)
        .scalar_subquery()
    )
    return WhenRule(
        score=score,
        rule=rule,
        asking=asking(watch(rule.when), book),
        compare=compare(holds(rule.when, book, Who(asked.c.contact_id)), standing != 0, book),
        write=_write_when(score, rule, id_),
    )


def _write_when(score: Score, rule: Rule, id_: int | None) -> Insert:
    worth = points(rule.points)
    now = bindparam("now", type_=BigInteger)
    key = cast(now, Text) + "/" + cast(bindparam("round", type_=Integer), Text)
    rows = select(
        turned.c.contact_id,
        literal(score.name),
        literal(rule.name),
        literal("when"),
        key,
        cast(case((turned.c.holds == 1, worth), else_=-worth), BigInteger),
        now,
        now,
        cast(null(), BigInteger),
        cast(literal(id_), BigInteger),
        case((turned.c.holds == 1, "holds"), else_="no longer holds"),
    ).order_by(turned.c.contact_id)
    return insert_from(ledger, LINE_COLUMNS, rows)


# ---------------------------------------------------------------- verbs


def collect(work: Work, scoring: Scoring, sight: Sight) -> None:
    """Fill `awards` with what every `on` rule would give now; no line is written yet (115)."""
    work.clear(awards)
    for one in scoring.on:
        _collect_rule(work, one, sight)
    work.clear(noticed)


def _collect_rule(work: Work, one: OnRule, sight: Sight) -> None:
    by_clock = "" in one.names and (work.round <= 1 or sight.everything)
    stirred = sight.everything or bool(one.names & work.names)
    statement = one.plain[sight]
    if statement is not None and (stirred or by_clock):
        work.fill(awards, statement)
    for mark, trigger in one.counted:
        work.clear(happened)
        if isinstance(trigger, NoEvent):
            anchors.notice(work, mark, trigger, sight, live_from=None)
        elif sight.everything or counting.may_complete(work, trigger):
            counting.walk(work, mark, trigger, sight, live_from=None)
        if work.filled(happened):
            work.fill(awards, one.from_counted)
    if any(isinstance(trigger, NOTICED_LATER) for trigger in one.rule.on):
        work.fill(awards, one.from_noticed)
    if work.round == 1:
        _collect_scheduled(work, one)


def _collect_scheduled(work: Work, one: OnRule) -> None:
    for trigger in one.rule.on:
        work.clear(happened)
        if isinstance(trigger, Schedule):
            schedule.notice(work, trigger, one.position)
        elif isinstance(trigger, DateComes):
            dates.notice(work, trigger, one.position)
        if work.filled(happened):
            work.fill(awards, one.from_counted)


def award(work: Work, scoring: Scoring, sight: Sight = LIVE) -> None:
    """Phase 1, first half: the `on` rules. Points are dated by their occurrence."""
    collect(work, scoring, sight)
    before = work.last(ledger)
    for score in scoring.scores:
        written = rows_of(work.run(scoring.write[score.name]))
        written += caps.award_capped(work, score, scoring.on)
        _count(work, written)
    if work.last(ledger) > before:
        resets.void(work, before)
    book_lines(work, scoring.booking, before)


def stand(
    work: Work,
    scoring: Scoring,
    changes_seen: int,
    by_clock: bool,
    only: set[tuple[str, str]] | None = None,
) -> None:
    """Phase 1, second half: `when` rules give and take back (`only`: those, of everybody)."""
    for one in scoring.when:
        if only is not None:
            if (one.score.name, one.rule.name) not in only:
                continue
            ask_everybody(work)
        elif not gather(work, one.asking, changes_seen, by_clock):
            continue
        work.clear(turned)
        if work.fill(turned, one.compare):
            before = work.last(ledger)
            _count(work, rows_of(work.run(one.write)))
            book_lines(work, scoring.booking, before)


def _count(work: Work, written: int) -> None:
    work.counts.lines += written
    work.changed += written
