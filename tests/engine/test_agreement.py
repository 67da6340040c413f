"""The engine against the oracle, and against itself: full, cut, killed, on the other database."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from engine.running import moment, outcome, outcome_through_kills, step_of
from flowscore.engine import grades, lists, scoring, stages
from flowscore.engine.scratch import asked
from flowscore.store.tables import contacts
from oracle.cases import comparable, expected
from oracle.features import Features
from oracle.generate import seeded

if TYPE_CHECKING:
    from conftest import Postgres
    from flowscore.engine.work import Work
    from oracle.cases import Tables

# A case is drawn by its seed, so that a failure is named by a number and tried again at once;
# to shrink it, draw from `oracle.generate.cases()` by hand.
# CI draws the same seeds every time; new ones are for whoever works on the engine.
patient = settings(
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=25,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
few = settings(patient, max_examples=6)
SEEDS = st.integers(0, 2**32)
EVERYBODY = insert(asked).from_select(["contact_id"], select(contacts.c.id))


def differences(one: Tables, other: Tables) -> list[str]:
    """Rows that only one of the two has, as text."""
    return [
        f"{sign} {name} {row}"
        for name in one
        for sign, mine, theirs in (("-", one, other), ("+", other, one))
        for row in mine[name]
        if mine[name].count(row) > theirs[name].count(row)
    ]


@patient
@given(SEEDS)
def test_engine_agrees_with_the_oracle(seed: int) -> None:
    """An independent, naive reading of the language comes to the same tables."""
    case = seeded(seed)
    assert not differences(comparable(expected(case)), outcome(case))


@few
@given(SEEDS)
def test_sqlite_equals_postgresql(postgres: Postgres, migrated_postgres: str, seed: int) -> None:
    """The same input gives the same tables on both databases."""
    case = seeded(seed)
    name = postgres.create(migrated_postgres)
    there = outcome(case, postgres.url(name))
    postgres.drop(name)
    assert not differences(outcome(case), there)


@few
@given(SEEDS, st.data())
def test_a_run_cut_anywhere_equals_one_long_run(seed: int, data: st.DataObject) -> None:
    """What happened depends on the events and the grid, never on when the program ran."""
    case = seeded(seed)
    span = (moment(case.until) - moment(case.since)) // step_of(case)
    places = data.draw(st.sets(st.integers(0, span), max_size=4), label="cuts")
    cuts = tuple(moment(case.since) + place * step_of(case) for place in sorted(places))
    assert not differences(outcome(case), outcome(case, cuts=cuts))


@few
@given(SEEDS)
def test_jumping_over_empty_instants_equals_walking_them(seed: int) -> None:
    """No instant at which something is due is passed over."""
    case = seeded(seed)
    assert not differences(outcome(case), outcome(case, every=True))


@few
@given(SEEDS)
def test_asking_who_changed_equals_asking_everybody(seed: int) -> None:
    """T20: what is kept true is asked again only of those whose answer may have changed."""

    def everybody(work: Work, *_: object) -> bool:
        work.clear(asked)
        return bool(work.fill(asked, EVERYBODY, kept=False))

    case = seeded(seed)
    incremental = outcome(case)
    with pytest.MonkeyPatch.context() as patch:
        for room in (grades, lists, scoring, stages):
            patch.setattr(room, "gather", everybody)
        full = outcome(case)
    assert not differences(incremental, full)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 29, 53])
def test_t15_killed_anywhere_equals_one_long_run(seed: int) -> None:
    """kill -9 at any point of tick and delivery, run again: the same tables, every mail once."""
    case = seeded(seed, Features(versions=False))
    survived, kills = outcome_through_kills(case, seed)
    assert kills, "the run was too short to be killed; give the first kill less time"
    assert not differences(outcome(case), survived)
