"""One tick: the order of the verbs, the rounds, the watermark; and many ticks in a row.

A tick at T is one transaction that sees what was received up to T. Inside it, rounds of
award, refresh, notice, act until nothing new happens (LANGUAGE 9, rulings 13 to 21).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Connection, bindparam, delete

from flowscore.clock import first_tick_at_or_after, last_tick_at_or_before, rfc3339
from flowscore.engine import (
    balances,
    enrollment,
    goals,
    horizon,
    lists,
    pending,
    registry,
    resets,
    scoring,
    steps,
)
from flowscore.engine.enrollment import MOST_ROUNDS
from flowscore.engine.scratch import prepare_scratch, requested
from flowscore.engine.states import read_state, take_note, write_state
from flowscore.engine.work import Counts, Work
from flowscore.errors import FlowscoreError
from flowscore.rules.book import NEVER
from flowscore.store.intake import forget_taken, take_in
from flowscore.store.tables import changes, contacts, events, ledger

if TYPE_CHECKING:
    from flowscore.engine.program import Program
    from flowscore.store.database import Store


@dataclass
class TickReport:
    """What a run of ticks did; `ticks` counts grid instants, `worked` those with something due."""

    ticks: int = 0
    worked: int = 0
    upto: int | None = None
    counts: Counts = field(default_factory=Counts)


# The inbox is a file of its own, emptied by transactions of its own that wait for the disk; what
# was taken is known without that, so many ticks share one cleaning.
TICKS_BETWEEN_CLEANINGS = 16


@dataclass
class Seen:
    """Up to which event and change each phase has looked."""

    awarded: int = 0
    listed: int = 0
    enrolled: int = 0
    left: int = 0
    left_changes: int = 0
    stood_changes: int = 0
    listed_changes: int = 0
    noticed_changes: int = 0
    noticed_lines: int = 0


def run_ticks(
    store: Store,
    *,
    from_: int | None = None,
    until: int,
    step: int,
    after_tick: Callable[[int], None] | None = None,
    before_tick: Callable[[], None] = lambda: None,
    every_instant: bool = False,
) -> TickReport:
    """Work off the grid instants in [from_, until] after the watermark, in order (ruling 2).

    Without `from_` those that are owed: all after the watermark, at first only the last one.
    Instants at which nothing is due are passed over (`every_instant`: they are walked, for the
    test that holds both equal). `after_tick(T)` runs after each tick that did something, outside
    its transaction; it delivers mail. What `before_tick` raises ends the run between two ticks.
    """
    report = TickReport()
    last = last_tick_at_or_before(until, step)
    with store.lock_tick():
        report.ticks = _wanted(store, from_, last, step)
        if after_tick is not None:
            _make_up(store, after_tick)
        delivers = after_tick is not None
        for now, passed in _instants(store, from_, last, step, delivers, every_instant):
            before_tick()
            report.counts.add(_one_tick(store, now, step, passed, delivers))
            report.worked += 1
            report.upto = now
            if report.worked % TICKS_BETWEEN_CLEANINGS == 0:
                forget_taken(store)
            if after_tick is not None:
                after_tick(now)
        forget_taken(store)
        if report.ticks:
            _settle_watermark(store, last)
    return report


def _wanted(store: Store, from_: int | None, last: int, step: int) -> int:
    """How many grid instants are asked for and not done."""
    with store.read() as connection:
        earliest = _earliest(registry.watermark(connection), from_, last, step)
    return max(0, (last - earliest) // step + 1)


def _instants(
    store: Store, from_: int | None, last: int, step: int, delivers: bool, every: bool
) -> Iterator[tuple[int, bool]]:
    """The grid instants at which something may be due; asked anew after each tick.

    With each, whether others before it were passed over.
    """
    while True:
        with store.read() as connection:
            mark = registry.watermark(connection)
            earliest = _earliest(mark, from_, last, step)
            if earliest > last:
                return
            program = registry.program(connection, store.dialect)
            due = None if every else horizon.next_due(connection, program, mark, step, delivers)
        now = earliest if every else _first_due(due, earliest, step)
        if now is None or now > last:
            return
        yield now, now > earliest


def _earliest(mark: int | None, from_: int | None, last: int, step: int) -> int:
    """The first grid instant that is asked for and not done."""
    wanted = None if from_ is None else first_tick_at_or_after(from_, step)
    if mark is None:
        return last if wanted is None else wanted
    after = last_tick_at_or_before(mark, step) + step
    return after if wanted is None else max(wanted, after)


def _first_due(due: int | None, earliest: int, step: int) -> int | None:
    return None if due is None else max(earliest, first_tick_at_or_after(due, step))


def _make_up(store: Store, after_tick: Callable[[int], None]) -> None:
    """A run that died between a tick and what comes after it is made good at that tick's T."""
    with store.read() as connection:
        missed = read_state(connection, MISSED)
    if missed is not None:
        after_tick(missed)


def _settle_watermark(store: Store, last: int) -> None:
    """The instants passed over are done too: the watermark stands at the last one."""
    with store.transact() as connection:
        registry.set_watermark(connection, last)
        write_state(connection, MISSED, None)


MISSED = "missed after tick"  # the state's key for the tick whose delivery may not have been


def _one_tick(store: Store, now: int, step: int, passed: bool, goes_on: bool) -> Counts:
    """Where instants were `passed` over, the one before `now` counts as done (ruling 2)."""
    with store.transact() as connection:
        program = registry.program(connection, store.dialect)
        mark = registry.watermark(connection)
        if mark is not None and now <= mark:
            raise FlowscoreError(
                f"the tick at {rfc3339(now)} is not after the watermark {rfc3339(mark)}"
            )
        before = now - step if passed else mark
        takes_in = take_note(connection, registry.TAKES_IN) or ()
        prev = NEVER if before is None else before
        counts = tick(connection, program, now, prev, step, frozenset(takes_in))
        registry.set_watermark(connection, now)
        write_state(connection, MISSED, now if goes_on else None)
    return counts


def tick(
    connection: Connection,
    program: Program,
    now: int,
    prev: int,
    step: int,
    takes_in: frozenset[str] = frozenset(),
) -> Counts:
    """One tick at `now` in the caller's transaction; `prev` is the watermark before it."""
    work = Work(connection, program.book, program.patterns, now, prev, step, takes_in=takes_in)
    prepare_scratch(connection)
    work.stand_at(work.last(events) + 1, work.last(contacts))
    seen = Seen()
    seen.noticed_lines = work.last(ledger)
    seen.noticed_changes = work.last(changes)  # what a stopped tick left behind is known
    project = program.applied.project
    before = work.first_id - 1
    seen.awarded = seen.listed = seen.enrolled = seen.left = before
    take_in(connection, work.book.dialect, project, now, historical=True)
    work.stir()
    resets.reckon_merged(work)
    balances.recut(work, program.scoring.scores)
    if work.last(events) > before:
        _take_history(work, program, seen)
    take_in(connection, work.book.dialect, project, now, historical=False)
    work.stir()
    resets.reckon_merged(work)
    balances.recut(work, program.scoring.scores)
    work.counts.events = work.last(events) - before
    work.look_from(seen.awarded)
    work.patterns.learn(work)
    _rounds(work, program, seen)
    work.tidy()
    return work.counts


def _take_history(work: Work, program: Program, seen: Seen) -> None:
    """History scores, fills lists and counts, and nothing of it is noticed (ruling 88)."""
    work.silent = True
    work.look_from(seen.awarded)
    work.patterns.learn(work)
    for work.round in range(-MOST_ROUNDS, 0):
        work.changed = 0
        _award(work, program, seen, scoring.HISTORY)
        _refresh(work, program, seen, by_clock=False)
        if not work.changed:
            break
    balances.remember_looked(work, seen.noticed_changes)
    work.silent, work.changed = False, 0
    seen.enrolled = work.last(events)
    seen.noticed_changes, seen.noticed_lines = work.last(changes), work.last(ledger)


def _rounds(work: Work, program: Program, seen: Seen) -> None:
    entered: dict[int, set[str]] = {}
    for work.round in range(1, MOST_ROUNDS + 1):
        work.changed = 0
        _award(work, program, seen, scoring.LIVE)
        _refresh(work, program, seen, by_clock=work.round == 1)
        entered[work.round] = _notice(work, program, seen, set())
        work.clear(requested)
        steps.walk(work, program.paths)
        if not work.changed:
            work.run(FORGET_CHANGES, upto=work.last(changes))
            return
    _last_round(work, program, seen, entered)


def _last_round(work: Work, program: Program, seen: Seen, entered: dict[int, set[str]]) -> None:
    """Round 21: phases 1 to 3, and who kept firing is refused and named (ruling 20)."""
    work.round = MOST_ROUNDS + 1
    looping = set().union(*(entered[round_] for round_ in range(11, MOST_ROUNDS + 1)))
    _award(work, program, seen, scoring.LIVE)
    stood = work.last(changes)
    _refresh(work, program, seen, by_clock=False)
    _notice(work, program, seen, looping)
    work.counts.looped = sorted(looping)
    work.run(FORGET_CHANGES, upto=stood)


FORGET_CHANGES = delete(changes).where(changes.c.id <= bindparam("upto", type_=BigInteger))


def _award(work: Work, program: Program, seen: Seen, sight: scoring.Sight) -> None:
    """Phase 1."""
    by_clock = work.round == 1
    seen.awarded = work.look_from(seen.awarded)
    scoring.award(work, program.scoring, sight)
    upto = work.last(changes)
    scoring.stand(work, program.scoring, seen.stood_changes, by_clock)
    seen.stood_changes = upto


def _refresh(work: Work, program: Program, seen: Seen, by_clock: bool) -> None:
    """Phase 2."""
    seen.listed = work.look_from(seen.listed)
    lists.refresh(work, program.lists, seen.listed_changes, by_clock)
    seen.listed_changes = work.last(changes)


def _notice(work: Work, program: Program, seen: Seen, looping: set[str]) -> set[str]:
    """Phase 3; returns the scenarios that enrolled somebody."""
    before = seen.enrolled
    seen.enrolled = work.noticed_upto = work.look_from(before)
    work.crossings_from, work.lines_from = seen.noticed_changes, seen.noticed_lines
    goals.convert(work, program.goals)
    goals.answer(work, program.waits)
    _let_out(work, program, seen)
    work.look_from(before)
    entered = set()
    for entry in program.entries:
        if enrollment.enroll(work, entry, entry.scenario.name in looping):
            entered.add(entry.scenario.name)
    pending.notice(work, program.scoring)
    balances.remember_looked(work, seen.noticed_changes)
    seen.noticed_changes, seen.noticed_lines = work.last(changes), work.last(ledger)
    return entered


def _let_out(work: Work, program: Program, seen: Seen) -> None:
    """Exits: history counts as well here, since it is asked what holds, not what is new (40)."""
    seen.left = work.look_from(seen.left)
    everybody = work.round == 1 and _was_applied(work)
    goals.exit_people(work, program.ways_out, seen.left_changes, everybody)
    seen.left_changes = work.last(changes)


def _was_applied(work: Work) -> bool:
    """Whether this is the first tick after an apply: what was silent then may let people out."""
    revision = read_state(work.connection, "revision")
    if read_state(work.connection, EXITS_ASKED) == revision:
        return False
    write_state(work.connection, EXITS_ASKED, revision)
    return True


EXITS_ASKED = "exits asked at revision"  # the state's key


def owed(store: Store, now: int, step: int) -> bool:
    """Whether a tick at or before `now` has something to do."""
    with store.read() as connection:
        mark = registry.watermark(connection)
        last = last_tick_at_or_before(now, step)
        if mark is not None and last <= mark:
            return False
        program = registry.program(connection, store.dialect)
        due = horizon.next_due(connection, program, mark, step, delivers=False)
        return due is not None and first_tick_at_or_after(due, step) <= last
