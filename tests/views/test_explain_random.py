"""Random projects, run by the engine: what explain prints adds up, and its trees say what happened.

Every kind of decay, caps, resets, cuts, merges, companies, grades and stages are drawn.
"""

from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from engine.running import prepared, tick
from flowscore.language.scoring import cell_name
from flowscore.store.tables import contacts
from flowscore.views.explain import explain, explain_list, explain_scenario
from flowscore.views.explain_lines import parts_in_hundredths, sheet
from oracle.features import whole
from oracle.generate import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from conftest import Postgres
    from flowscore.language.project import Project
    from flowscore.workspace import Workspace

Row = dict[str, Any]
patient = settings(
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=8,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEEDS = st.integers(0, 2**32)


def exact(values: Iterator[float]) -> Decimal:
    return sum((Decimal(repr(value)) for value in values), Decimal(0))


def hold(workspace: Workspace) -> None:
    """Everything that must be true of every contact."""
    with workspace.reading() as (connection, project):
        known = select(contacts.c.email).where(contacts.c.email.is_not(None))
        for email in connection.scalars(known).all():
            told = explain(connection, project, email)
            for score in told["scores"]:
                lines_add_up(score)
            for grade in told["grades"]:
                cell_is_what_the_balances_give(grade)
            if told["journey"]:
                journey_is_where_the_conditions_say(told["journey"])
            lists_are_as_their_trees_say(connection, project, email)
            scenarios_can_be_asked(connection, project, email)


def lines_add_up(score: Row) -> None:
    lines, balance = score["lines"], Decimal(repr(score["balance"]))
    assert exact(line["points"] for line in lines) == balance, score
    assert exact(line["worth"] for line in lines if line["worth"] is not None) == balance, score
    assert exact(iter(score["parts"].values())) == balance
    assert not [line for line in lines if line["kind"] == "behind"], score
    assert sum(parts_in_hundredths(score).values()) == sheet(score).total
    for newest in (None, 3, 0):
        shown = sheet(score, newest)
        assert shown.total == round(balance * 100, 0) or abs(shown.total - balance * 100) <= 1
        assert sum(line.points or 0 for line in shown.lines) == shown.total
        assert sum(line.worth or 0 for line in shown.lines) == shown.total


def cell_is_what_the_balances_give(grade: Row) -> None:
    if grade["cell"] is not None:
        expected = cell_name(grade["fit"]["label"], grade["engagement"]["label"])
        assert grade["cell"] == expected, grade
    assert all(step["points"] > 0 for step in grade["missing"])


def journey_is_where_the_conditions_say(journey: Row) -> None:
    """What the next stage asks does not hold yet; what this one asks does, if one may fall back."""
    for stage in journey["next"]:
        assert stage["condition"] is None or not stage["condition"]["holds"], journey
    assert journey["stays_while"] is None or journey["stays_while"]["holds"], journey
    assert [stay["left_at"] for stay in journey["history"] if not stay["skipped"]][-1] is None


def lists_are_as_their_trees_say(connection: Connection, project: Project, email: str) -> None:
    for name, one in project.lists.items():
        told = explain_list(connection, project, email, name)
        if one.members is not None:
            assert told["members"]["holds"] == told["member"], told


def scenarios_can_be_asked(connection: Connection, project: Project, email: str) -> None:
    for name in project.scenarios:
        told = explain_scenario(connection, project, email, name)
        assert told["would_enter"]["holds"] == (not told["would_enter"]["because"])


@patient
@given(SEEDS)
def test_d07_every_printed_line_adds_up_whatever_the_project(seed: int) -> None:
    case = seeded(seed, whole())
    with prepared(case) as workspace:
        tick(workspace, case)
        hold(workspace)


@pytest.mark.slow
@settings(patient, max_examples=3)
@given(SEEDS)
def test_d07_and_on_postgresql(postgres: Postgres, migrated_postgres: str, seed: int) -> None:
    case = seeded(seed, whole())
    name = postgres.create(migrated_postgres)
    with prepared(case, postgres.url(name)) as workspace:
        tick(workspace, case)
        hold(workspace)
        workspace.close()
    postgres.drop(name)
