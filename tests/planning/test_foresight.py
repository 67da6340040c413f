"""What a plan says of random projects is what the apply then does."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text
from sqlmodel import SQLModel

from engine.running import prepared, tick
from flowscore.engine import recompute
from flowscore.errors import FlowscoreError
from flowscore.workspace import Workspace
from oracle.cases import write
from oracle.features import whole
from oracle.generate import seeded

if TYPE_CHECKING:
    from pathlib import Path

    from flowscore.engine.registry import ApplyReport
    from flowscore.planning.plan import Plan

BALANCES = """
    SELECT c.email, b.score, b.balance FROM balances b JOIN contacts c ON c.id = b.contact_id
    WHERE c.email IS NOT NULL
"""
OF_COMPANIES = """
    SELECT c.email, b.score, b.balance
    FROM company_balances b JOIN contacts c ON c.company_id = b.company_id
    WHERE c.email IS NOT NULL
"""
CELLS = """
    SELECT c.email, x.grade, x.cell FROM cells x JOIN contacts c ON c.id = x.contact_id
    WHERE c.email IS NOT NULL
"""
STAGES = """
    SELECT c.email, s.stage FROM stages s JOIN contacts c ON c.id = s.contact_id
    WHERE c.email IS NOT NULL AND s.left_at IS NULL
"""
MEMBERS = """
    SELECT c.email, m.list FROM members m JOIN contacts c ON c.id = m.contact_id
    WHERE c.email IS NOT NULL AND m.left_at IS NULL
"""


@dataclass
class Picture:
    """Where everybody stands, read from the tables by hand."""

    balances: dict[tuple[str, str], int] = field(default_factory=dict)
    cells: dict[tuple[str, str], str] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    members: set[tuple[str, str]] = field(default_factory=set)


def picture(workspace: Workspace) -> Picture:
    """Of this moment; a company's score is read by its members."""
    found = Picture()
    with workspace.reading() as (connection, project):
        theirs = {name for name, one in project.scores.items() if one.of == "company"}
        for query, companys in ((BALANCES, False), (OF_COMPANIES, True)):
            for email, score, balance in connection.execute(text(query)):
                if (score in theirs) == companys:
                    found.balances[email, score] = balance
        for email, grade, cell in connection.execute(text(CELLS)):
            found.cells[email, grade] = cell
        found.stages = {row[0]: row[1] for row in connection.execute(text(STAGES))}
        found.members = {(row[0], row[1]) for row in connection.execute(text(MEMBERS))}
    return found


def everything(workspace: Workspace) -> dict[str, list[str]]:
    """Every row of every table."""
    with workspace.store.read() as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for table in SQLModel.metadata.sorted_tables
        }


@dataclass(frozen=True)
class Outcome:
    """A plan, what apply said, and where everybody stood before and after."""

    plan: Plan
    said: ApplyReport | str
    before: Picture
    after: Picture


def planned_and_applied(seed: int, folder: Path, url: str | None = None) -> Outcome:
    """A random project with people in it is given another one's definitions."""
    case = seeded(seed, whole())
    with prepared(case, url) as start:
        tick(start, case)
        write(seeded(seed + 5000, whole()), folder)
        shutil.rmtree(start.root / "scenarios")
        shutil.copytree(folder / "scenarios", start.root / "scenarios")
        workspace = Workspace(start.root)
        before = picture(workspace)
        rows = everything(workspace)
        plan = workspace.plan(whole=True)
        assert everything(workspace) == rows, "a plan leaves no trace"
        said: ApplyReport | str
        try:
            said = workspace.apply()
        except FlowscoreError as error:
            said = str(error)
        after = picture(workspace)
        workspace.close()
        return Outcome(plan, said, before, after)


def hold_together(one: Outcome) -> None:
    plan, said = one.plan, one.said
    assert "\n".join(plan.refused) == (said if isinstance(said, str) else "")
    if isinstance(said, str):
        assert (plan.moves, one.before) == (None, one.after)
        return
    changes = [change for change in plan.changes if change.kind != "template"]
    for what in ("added", "changed", "removed"):
        foreseen = sorted((change.kind, change.name) for change in changes if change.change == what)
        assert foreseen == sorted(getattr(said, what))
    assert plan.unchanged == said.unchanged
    members = Counter(name for _, name in one.after.members)
    for change in changes:
        for found in change.consequences:
            if found.what == "members":
                assert found.count == members[change.name], (change, found)
    if plan.moves is not None:
        _balances_move(plan.moves, one)
        _places_move(plan.moves, one)


def _balances_move(moves: dict[str, Any], one: Outcome) -> None:
    changed: dict[str, list[tuple[int, int]]] = {}
    for email, score in one.after.balances:
        pair = one.before.balances.get((email, score), 0), one.after.balances[email, score]
        if pair[0] != pair[1]:
            changed.setdefault(score, []).append(pair)
    assert {name: row["contacts"] for name, row in moves["scores"].items()} == {
        name: len(pairs) for name, pairs in changed.items()
    }
    for name, row in moves["scores"].items():
        gains = [after - before for before, after in changed[name]]
        assert row["more"] == sum(gain > 0 for gain in gains)
        assert row["mean"] == pytest.approx(sum(gains) / len(gains) / 10_000, abs=1e-4)
        for far, whose in (("most", max(gains)), ("least", min(gains))):
            if row[far] is not None:
                assert row[far]["points"] == whose / 10_000
        for line in row["thresholds"]:
            at = round(line["number"] * 10_000)
            assert line["passed"] == sum(a < at <= b for a, b in changed[name])
            assert line["fell"] == sum(b < at <= a for a, b in changed[name])


def _places_move(moves: dict[str, Any], one: Outcome) -> None:
    for grade, row in moves["grades"].items():
        now = Counter(cell for (_, name), cell in one.after.cells.items() if name == grade)
        assert {cell: number for cell, number in row["after"].items() if number} == now
        walked = Counter(
            (one.before.cells.get((email, grade), ""), cell)
            for (email, name), cell in one.after.cells.items()
            if name == grade and one.before.cells.get((email, grade), "") != cell
        )
        assert {(way["from"], way["to"]): way["contacts"] for way in row["moves"]} == walked
    entered = Counter(stage for who, stage in one.after.stages.items())
    before = Counter(stage for who, stage in one.before.stages.items())
    for stage in {way["to"] for way in moves["stages"]} & entered.keys():
        came = sum(way["contacts"] for way in moves["stages"] if way["to"] == stage)
        went = sum(way["contacts"] for way in moves["stages"] if way["from"] == stage)
        if stage in before:
            assert entered[stage] - before[stage] == came - went
    for name, row in moves["lists"].items():
        then, now = (
            {email for email, joined in state.members if joined == name}
            for state in (one.before, one.after)
        )
        assert (row["joined"], row["left"]) == (len(now - then), len(then - now)), name
        assert (row["before"], row["after"]) == (len(then), len(now))


@pytest.mark.parametrize("seed", [1, 3, 5, 6, 7, 12])
def test_apply_does_what_the_plan_said(tmp_path: Path, seed: int) -> None:
    hold_together(planned_and_applied(seed, tmp_path))


@pytest.mark.parametrize("seed", [21, 22])
def test_tried_part_for_part_it_says_the_same(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a store with more contacts than one transaction takes."""
    monkeypatch.setattr(recompute, "BATCH", 3)
    hold_together(planned_and_applied(seed, tmp_path))


def test_on_postgresql_too(tmp_path: Path, postgres_url: str) -> None:
    hold_together(planned_and_applied(13, tmp_path, postgres_url))
