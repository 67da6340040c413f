"""One tick: the order of the verbs, round for round.

A tick at T is one transaction that sees what was received up to T. Inside it, rounds of
award, refresh, notice, act until nothing new happens (LANGUAGE 9, rulings 13 to 21).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Connection, bindparam, delete, select

from flowscore.engine import (
    balances,
    companies,
    decay,
    enrollment,
    goals,
    grades,
    idle,
    lists,
    pending,
    recompute,
    resets,
    scoring,
    stages,
    steps,
)
from flowscore.engine.scratch import prepare_scratch, requested
from flowscore.engine.states import read_state, write_state
from flowscore.engine.work import MOST_ROUNDS, Counts, Work
from flowscore.rules.sight import batch
from flowscore.store.dialects import insert_from
from flowscore.store.intake import take_in
from flowscore.store.tables import changes, contacts, events, ledger

if TYPE_CHECKING:
    from flowscore.engine.program import Program


@dataclass
class Seen:
    """Up to which event and change each phase has looked."""

    awarded: int = 0
    staged: int = 0
    listed: int = 0
    enrolled: int = 0
    left: int = 0
    left_changes: int = 0
    stood_changes: int = 0
    company_changes: int = 0
    staged_changes: int = 0
    listed_changes: int = 0
    noticed_changes: int = 0
    noticed_lines: int = 0


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
    if not recompute.fired(connection):
        seen.noticed_changes = work.last(changes)  # what a stopped tick left behind is known
    before = work.first_id - 1
    seen.awarded = seen.staged = seen.listed = seen.enrolled = seen.left = before
    decay.fade(work, program.scoring.fading)
    faded = work.last(changes)
    _take_in(work, program, historical=True)
    if work.last(events) > before:
        _take_history(work, program, seen, faded)
    _take_in(work, program, historical=False)
    work.counts.events = work.last(events) - before
    work.look_from(seen.awarded)
    work.patterns.learn(work)
    idle.lose(work, program.scoring, step)
    _bring_companies_up_to_date(work, program, seen)
    _rounds(work, program, seen)
    work.tidy()
    return work.counts


def _take_in(work: Work, program: Program, *, historical: bool) -> None:
    """Move the due lines into the log; what merges did to points is made good."""
    dialect, project = work.book.dialect, program.applied.project
    take_in(work.connection, dialect, project, work.now, historical=historical)
    work.stir()
    if work.told_of({resets.MERGED}, 0):
        _account_for_merged(work, program)


def _account_for_merged(work: Work, program: Program) -> None:
    """Intake moved the lines of who was merged; what they are worth together is found anew."""
    scores = program.scoring.scores
    work.clear(batch)
    work.fill(batch, WHO_MERGED)
    resets.reckon_merged(work, scores)
    decay.enter_anew(work, program.scoring.fading)
    balances.add_up(work, scores)
    stages.keep_furthest(work, program.stages)


WHO_MERGED = insert_from(
    batch, ["contact_id"], select(changes.c.contact_id).where(changes.c.kind == resets.MERGED[0])
)


def _take_history(work: Work, program: Program, seen: Seen, faded: int) -> None:
    """History scores, fills lists and counts, and nothing of it is noticed (ruling 88).

    What stood in the change set up to `faded` is no history, and left to the rounds to come.
    """
    past = replace(seen, **dict.fromkeys(CHANGES_LOOKED_AT, faded))
    work.silent = True
    work.look_from(past.awarded)
    work.patterns.learn(work)
    for work.round in range(-MOST_ROUNDS, 0):
        work.changed = 0
        _award(work, program, past, scoring.HISTORY)
        _refresh(work, program, past, by_clock=False)
        if not work.changed:
            break
    if idle.judge_history(work, program.scoring):
        _refresh(work, program, past, by_clock=False)
    _remember_looked(work, program, past)
    work.silent, work.changed = False, 0
    seen.awarded, seen.staged, seen.listed = past.awarded, past.staged, past.listed
    seen.enrolled, seen.noticed_lines = work.last(events), work.last(ledger)


CHANGES_LOOKED_AT = [one.name for one in fields(Seen) if one.name.endswith("_changes")]


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
    _bring_companies_up_to_date(work, program, seen)
    upto = work.last(changes)
    scoring.stand(work, program.scoring, seen.stood_changes, by_clock)
    seen.stood_changes = upto


def _bring_companies_up_to_date(work: Work, program: Program, seen: Seen) -> None:
    """What their members' points add up to, before anything reads it (rulings 96 and 130)."""
    if program.companies is not None:
        upto = work.last(changes)
        companies.refresh(work, program.companies, seen.company_changes)
        seen.company_changes = upto


def _refresh(work: Work, program: Program, seen: Seen, by_clock: bool) -> None:
    """Phase 2: grades, then stages, then dynamic lists (ruling 13)."""
    _bring_companies_up_to_date(work, program, seen)
    if program.grades or program.stages is not None:
        _place(work, program, seen, by_clock)
    seen.listed = work.look_from(seen.listed)
    lists.refresh(work, program.lists, seen.listed_changes, by_clock)
    seen.listed_changes = work.last(changes)


def _place(work: Work, program: Program, seen: Seen, by_clock: bool) -> None:
    """Cells, then stages; those see the lists as of the round before (ruling 68)."""
    grades.refresh(work, program.grades, seen.staged_changes, by_clock)
    if program.stages is not None:
        seen.staged = work.look_from(seen.staged)
        stages.refresh(work, program.stages, seen.staged_changes, by_clock)
    seen.staged_changes = work.last(changes)


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
    _remember_looked(work, program, seen)
    seen.noticed_changes, seen.noticed_lines = work.last(changes), work.last(ledger)
    return entered


def _remember_looked(work: Work, program: Program, seen: Seen) -> None:
    """The balances and cells of this phase 3 are what the next is held against (15, 21)."""
    balances.remember_looked(work, seen.noticed_changes)
    companies.remember_looked(work, program.companies, seen.noticed_changes)
    if program.grades:
        grades.remember_looked(work, program.grades, seen.noticed_changes)


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
