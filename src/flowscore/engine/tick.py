"""Ticks: which instants of the grid are due, one transaction for each, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowscore.clock import first_tick_at_or_after, last_tick_at_or_before, rfc3339
from flowscore.engine import horizon, registry
from flowscore.engine.rounds import tick
from flowscore.engine.states import read_state, take_note, write_state
from flowscore.engine.work import Counts
from flowscore.errors import FlowscoreError
from flowscore.rules.book import NEVER
from flowscore.store.intake import forget_taken

if TYPE_CHECKING:
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
        registry.catch_up(store)
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
