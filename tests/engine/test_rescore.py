"""Judging scores anew: silent unless asked, the same as ticks had it, and never half done."""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from engine.small import ANA, BEN
from engine.world import POLICY, START
from flowscore.cli import main
from flowscore.clock import DAY, HOUR, clock_now, rfc3339
from flowscore.engine import recompute
from flowscore.engine.registry import apply_project
from flowscore.engine.rescoring import rescore
from flowscore.errors import FlowscoreError
from flowscore.language.project import load_project
from flowscore.orders import Grid, Reading
from flowscore.store.imports import Source, import_events
from flowscore.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.world import World
    from flowscore.engine.registry import ApplyReport

MODEL = """
    score: engagement
    bands: {hot: 50}
    rules:
      - {name: order, points: POINTS, on: {event: order}}
    ---
    list: called
    ---
    list: hot
    members: [{score: {engagement: {at_least: hot}}}]
    ---
    scenario: call
    trigger: {score: {engagement: {reaches: 50}}}
    reenroll: every_time
    actions: [{add_to_list: called}]
"""


def apply(world: World, yaml: str, *, fires: bool = False) -> ApplyReport:
    """Make these definitions live."""
    whole = POLICY + "---\n" + textwrap.dedent(yaml)
    (world.root / "scenarios/all.yaml").write_text(whole)
    project, problems = load_project(world.root)
    assert not [one for one in problems if one.severity == "error"], problems
    return apply_project(world.store, project, START, fires=fires)


def bring(world: World, calls: Iterable[dict[str, Any]]) -> None:
    """Calls, received when they happened."""
    file = world.root / f"bulk-{next(world.numbers)}.jsonl"
    lines = [{"messageId": f"{file.stem}-{n}", **one} for n, one in enumerate(calls)]
    file.write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert not import_events(world.store, Source(file), START, as_live=True).rejected


def order(who: str, at: int) -> dict[str, Any]:
    return {"type": "track", "event": "order", "userId": who, "timestamp": rfc3339(at)}


def people(count: int) -> list[str]:
    return [f"p{n:03}@x.example" for n in range(count)]


def hundred(world: World) -> list[str]:
    """A hundred people with 30 points of the old model."""
    apply(world, MODEL.replace("POINTS", "10"))
    crowd = people(100)
    bring(world, [order(who, START + n * HOUR) for who in crowd for n in range(3)])
    world.tick(START + 4 * HOUR)
    return crowd


# ---------------------------------------------------------------- silent, unless asked


def test_t04_changing_the_model_fires_nothing(world: World) -> None:
    """A hundred people pass 50 by it; nobody is called, now or at the next order."""
    crowd = hundred(world)
    report = apply(world, MODEL.replace("POINTS", "20"))
    assert report.moved.scores["engagement"].passed == {"50": 100}
    assert report.moved.lists["hot"].joined == 100
    assert world.balance(crowd[0]) == 60
    bring(world, [order(who, START + 5 * HOUR) for who in crowd])
    world.tick(START + 6 * HOUR)
    assert (world.members("called"), len(world.members("hot"))) == ([], 100)
    assert world.rows("SELECT 1 FROM events WHERE name = 'list_joined'") == []


def test_t04_asked_to_it_fires_once(world: World) -> None:
    crowd = hundred(world)
    apply(world, MODEL.replace("POINTS", "20"), fires=True)
    assert world.members("called") == []
    for hour in (5, 6, 7):
        world.tick(START + hour * HOUR)
        assert sorted(world.entered("call")) == crowd
    assert world.members("hot") == crowd
    joined = "SELECT count(*) FROM events WHERE name = 'list_joined' AND subject = 'hot'"
    assert world.rows(joined) == [(100,)]


def test_rescoring_on_purpose_fires_what_came_late(world: World) -> None:
    """A late line was counted by its tick already; a deadline that came late was not."""
    hundred(world)
    assert rescore(world.store, fires=True) is not None
    world.tick(START + 6 * HOUR)
    assert world.entered("call") == []


def test_a_silent_recompute_leaves_what_another_is_to_fire(world: World) -> None:
    """Two applies between two ticks: the first one's crossings are still noticed."""
    crowd = hundred(world)
    apply(world, MODEL.replace("POINTS", "20"), fires=True)
    other = "\n---\nscore: other\nrules: [{name: a, points: 5, on: {event: order}}]\n"
    apply(world, textwrap.dedent(MODEL).replace("POINTS", "20") + other)
    world.tick(START + 6 * HOUR)
    assert sorted(world.entered("call")) == crowd


def test_before_the_first_tick_there_is_nothing_to_judge(world: World) -> None:
    apply(world, MODEL.replace("POINTS", "10"))
    assert rescore(world.store) is None


# ---------------------------------------------------------------- resets


FADING = MODEL.replace("bands: {hot: 50}", "bands: {hot: 50}\n    decay: {half_life: 2 days}")
RESETS = """
    ---
    scenario: lost
    trigger: {event: lost}
    actions: [{reset_score: engagement}]
"""


@pytest.mark.parametrize("model", [MODEL, FADING], ids=["lasting", "fading"])
def test_t05_a_reset_survives_every_recompute(world: World, model: str) -> None:
    world.apply(model.replace("POINTS", "10") + RESETS)
    for hour in (1, 2, 30):
        world.track(ANA, "order", START + hour * HOUR)
    world.track(ANA, "lost", START + 40 * HOUR)
    world.track(BEN, "order", START + 50 * HOUR)
    world.tick(START + 60 * HOUR)
    assert world.balance(ANA) == 0
    world.track(ANA, "order", START + 61 * HOUR)
    world.tick(START + 80 * HOUR)
    after = world.balance(ANA)
    assert 0 < after <= 10
    assert rescore(world.store) is not None
    assert world.balance(ANA) == after
    apply(world, textwrap.dedent(model.replace("POINTS", "20") + RESETS))
    assert world.balance(ANA) == pytest.approx(2 * after, abs=1e-4)
    world.tick(START + 200 * HOUR)
    standing = world.balance(ANA)
    rescore(world.store)
    assert world.balance(ANA) == standing


# ---------------------------------------------------------------- the same as ticks had it


DECAYS = (
    "",
    "decay: {expire: 2 days}",
    "decay: {linear: 5 days}",
    "decay: {half_life: 36 hours}",
    "decay: {step: {lose: 15%, every: 2 days}}",
    "decay: {idle: {after: 2 days, lose: 3, every: 1 day}}",
    "decay: {idle: {after: 3 days, reset: true}}",
)
RULES = (
    "{name: a, points: 7, on: {event: order}}",
    "{name: b, points: 3, on: {event: order}, cap: {times: 2, per: 1 day}}",
    "{name: c, points: 4, on: {event: look}, cap: {points: 10}}",
    "{name: d, points: -2, on: {event: look}, decay: {linear: 3 days}}",
    "{name: e, points: 5, on: {event: {name: look, times: 3}}}",
    "{name: f, points: 6, on: {no_event: {name: order, within: 1 day, after: {event: look}}}}",
)
WHENS = (
    "{name: g, points: 9, when: {event: {name: order, within: 2 days}}}",
    "{name: h, points: 8, when: {attribute: {country: ES}}}",
)


def drawn(chance: random.Random) -> str:
    """A project with scores of all kinds, a grade, stages and lists that read them."""
    fading = chance.choice(DECAYS)
    fit_in = [rule for rule in RULES if "idle" not in fading or "decay" not in rule]
    rules = chance.sample(fit_in, chance.randint(1, len(fit_in)))
    whens = chance.sample(WHENS, chance.randint(0, len(WHENS)))
    own = "\n".join(f"  - {rule}" for rule in (*rules, *whens))
    capped = chance.choice(("", "cap: {points: 30, per: 3 days}", "range: {min: 0, max: 40}"))
    company = "\n".join(f"  - {rule}" for rule in chance.sample(RULES, 2))
    return f"""\
score: engagement
{fading}
{capped}
rules:
{own}
---
score: account
of: company
{chance.choice(DECAYS[:5])}
rules:
{company}
---
grade: lead-grade
fit: {{score: account, A: 30, B: 10, C: below}}
engagement: {{score: engagement, 3: 20, 2: 5, 1: below}}
---
lifecycle: buyer
stages:
  - lead
  - {{stage: mql, when: {{score: {{engagement: {{at_least: 10}}}}}}, retreat: true}}
  - {{stage: sql, when: {{grade: [A3, A2]}}}}
---
list: warm
members: [{{score: {{engagement: {{at_least: 8}}}}}}, {{not: {{grade: [C1]}}}}]
"""


def lived(chance: random.Random) -> list[dict[str, Any]]:
    """Ten days of fifteen people in four companies, received as it happened."""
    calls: list[dict[str, Any]] = []
    for number, who in enumerate(people(15)):
        country = chance.choice(("ES", "FR"))
        start = rfc3339(START)
        calls.append(
            {"type": "identify", "userId": who, "timestamp": start, "traits": {"country": country}}
        )
        if number % 5:
            company = f"c{number % 4}"
            calls.append({"type": "group", "userId": who, "timestamp": start, "groupId": company})
        for _ in range(chance.randint(0, 14)):
            at = START + chance.randrange(10 * 24 * 60) * (HOUR // 60)
            call = {"type": "track", "event": chance.choice(("order", "look")), "userId": who}
            calls.append({**call, "timestamp": rfc3339(at)})
    return calls


KEPT = {
    "ledger": "contact_id, score, rule, kind, key, points, own_at, event_id",
    "balances": "contact_id, score, raw, balance, looked",
    "company_balances": "company_id, score, raw, balance, looked",
    "fading": "contact_id, score, rule, points, own_at, next_at, settled_at",
    "cells": "contact_id, grade, cell, looked, since",
    "stages": "contact_id, stage, entered_at, left_at, cause, skipped",
    "members": "contact_id, list, joined_at, left_at, cause",
    "marks": "trigger, contact_id, same, own_at, received_at, message_id",
    "changes": "kind, name, contact_id",
}


def kept(rows: Callable[[str], list[tuple[Any, ...]]]) -> dict[str, list[Any]]:
    """All that is kept true, whatever its rows are numbered."""
    return {
        table: sorted(repr(_plain(row)) for row in rows(f"SELECT {columns} FROM {table}"))
        for table, columns in KEPT.items()
    }


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """SQLite's true is 1."""
    return tuple(int(one) if isinstance(one, bool) else one for one in row)


@pytest.mark.parametrize("seed", range(6))
def test_judging_anew_moves_nothing_where_nothing_came_late(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decay, idleness, caps, companies, `when`: what ticks added up is what the log says."""
    chance = random.Random(seed)
    apply(world, drawn(chance))
    bring(world, lived(chance))
    world.tick(START + 11 * DAY, step=6 * HOUR)
    before = kept(world.rows)
    monkeypatch.setattr(recompute, "BATCH", 4)
    found = rescore(world.store)
    after = kept(world.rows)
    assert found is not None
    assert found.moved.scores == {}
    for table in KEPT:
        assert after[table] == before[table], table


# ---------------------------------------------------------------- companies come whole


CAPPED = """
    score: account
    of: company
    rules: [{name: r, points: POINTS, on: {event: order}, cap: {times: 3}}]
"""


def test_a_companys_cap_is_judged_over_all_its_members(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members in several batches would be capped by each other's old lines."""
    apply(world, CAPPED.replace("POINTS", "10"))
    crowd = people(6)
    for who in crowd:
        world.group(who, "acme", START)
    bring(world, [order(who, START + n * HOUR) for n, who in enumerate(reversed(crowd), 1)])
    world.tick(START + 8 * HOUR)
    lines = "SELECT contact_id, points, own_at FROM ledger ORDER BY 1, 3"
    before = world.rows(lines)
    monkeypatch.setattr(recompute, "BATCH", 2)
    rescore(world.store)
    assert world.rows(lines) == before
    report = apply(world, CAPPED.replace("POINTS", "20"))
    assert [(row[0], row[2]) for row in world.rows(lines)] == [(row[0], row[2]) for row in before]
    assert world.rows("SELECT balance FROM company_balances") == [(60 * 10_000,)]
    assert report.moved.contacts == 6


# ---------------------------------------------------------------- stopped, and gone on with


TICK = ("tick", "--every", "6h")
LAST = (*TICK, "--until", rfc3339(START + 12 * DAY))


@dataclass(frozen=True)
class Folder:
    """A project folder with people in it; commands run in it, here or in a process of their own."""

    root: Path

    def fill(self, url: str | None = None) -> Folder:
        """Fifteen people, and ten days of what they did."""
        chance = random.Random(4)
        (self.root / "scenarios").mkdir(parents=True)
        (self.root / "scenarios/all.yaml").write_text(POLICY + "---\n" + drawn(chance))
        if url is not None:
            (self.root / ".env").write_text(f"FLOWSCORE_DATABASE_URL={url}\n")
        lines = [{"messageId": f"m{n}", **one} for n, one in enumerate(lived(chance))]
        file = self.root / "e.jsonl"
        file.write_text("".join(json.dumps(one) + "\n" for one in lines))
        self.run("apply")
        self.run("import", "events", str(file), "--as-live")
        self.run(*TICK, "--from", rfc3339(START), "--until", rfc3339(START + 11 * DAY))
        return self

    def change(self) -> None:
        """Rules are worth more than they were."""
        file = self.root / "scenarios/all.yaml"
        file.write_text(file.read_text().replace("points: 7", "points: 17").replace("4,", "14,"))

    def run(self, *words: str) -> str:
        """A command, here; what it says."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            assert main(["--project", str(self.root), *words]) == 0
        return said.getvalue()

    def kill(self, *words: str, where: str) -> None:
        """A command in a process of its own that judges four contacts at a time, and is killed."""
        command = [sys.executable, "-c", DYING, where, "--project", str(self.root), *words]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()

    def kept(self) -> dict[str, list[Any]]:
        """All that is kept true."""
        workspace = Workspace(self.root)
        with workspace.store.read() as connection:
            found = kept(lambda query: [tuple(row) for row in connection.execute(text(query))])
        workspace.close()
        return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to copy."""
    return Folder(tmp_path_factory.mktemp("filled") / "p").fill().root


DYING = """
import os, signal, sys
from flowscore.cli import main
from flowscore.engine import recompute
recompute.BATCH = 4
judge, die = recompute.do_batch, sys.argv[1]
where, left = die[:6], int(die[6:] or 0)
def dying(*words):
    global left
    left -= 1
    if where == "before" and not left:
        os.kill(os.getpid(), signal.SIGKILL)
    done = judge(*words)
    if where == "inside" and not left:
        os.kill(os.getpid(), signal.SIGKILL)  # all is written, nothing is committed
    return done
recompute.do_batch = dying
sys.exit(main(sys.argv[2:]))
"""
DEATHS = (
    (("rescore",), "inside2", ("rescore",)),
    (("rescore", "--fire"), "before3", LAST),
    (("apply",), "before1", LAST),
    (("apply",), "inside3", ("apply",)),
    (("apply", "--fire"), "inside2", ("rescore",)),
)


@pytest.mark.parametrize(
    ("first", "death", "then"), DEATHS, ids=[f"{one[0]}-{d}-{two[0]}" for one, d, two in DEATHS]
)
def test_who_is_killed_is_gone_on_with(
    tmp_path: Path, filled: Path, first: tuple[str, ...], death: str, then: tuple[str, ...]
) -> None:
    """`kill -9` at any batch: the end is that of a run that nobody stopped."""
    whole, killed = (Folder(shutil.copytree(filled, tmp_path / name)) for name in ("a", "b"))
    if first[0] == "apply":
        whole.change()
        killed.change()
    whole.run(*first)
    killed.kill(*first, where=death)
    whole.run(*then)
    said = killed.run(*then)
    if then[0] == first[0]:
        assert "Went on where an earlier one was stopped." in said
    for folder in (whole, killed):
        folder.run(*LAST)
    wanted, found = whole.kept(), killed.kept()
    for table in KEPT:
        assert found[table] == wanted[table], table


def test_on_postgresql_too(tmp_path: Path, filled: Path, postgres_url: str) -> None:
    whole = Folder(shutil.copytree(filled, tmp_path / "a"))
    killed = Folder(tmp_path / "b").fill(postgres_url)
    for folder in (whole, killed):
        folder.change()
    whole.run("apply")
    killed.kill("apply", where="inside2")
    for folder in (whole, killed):
        folder.run(*LAST)
    wanted, found = whole.kept(), killed.kept()
    for table in KEPT:
        assert found[table] == wanted[table], table


# ---------------------------------------------------------------- others go on meanwhile


SLOW = """
import pathlib, sys, time
from flowscore.engine import recompute
from flowscore.workspace import Workspace
recompute.BATCH = 4
here = pathlib.Path(sys.argv[1])
def wait(judged):
    (here / "judging").touch()
    while not (here / "go").exists():
        time.sleep(0.02)
print(Workspace(here).rescore(watch=wait)["contacts"])
"""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_imports_and_deliveries_go_on_between_batches(
    tmp_path: Path, filled: Path, database: str, request: pytest.FixtureRequest
) -> None:
    if database == "postgresql":
        folder = Folder(tmp_path / "p").fill(request.getfixturevalue("postgres_url"))
    else:
        folder = Folder(shutil.copytree(filled, tmp_path / "p"))
    child = subprocess.Popen([sys.executable, "-c", SLOW, str(folder.root)], stdout=-1, stderr=-1)
    try:
        deadline = time.monotonic() + 60
        while not (folder.root / "judging").exists() and time.monotonic() < deadline:
            assert child.poll() is None, child.communicate()
            time.sleep(0.02)
        workspace = Workspace(folder.root)
        line = {"messageId": "late", **order(people(1)[0], START + 11 * DAY + HOUR)}
        (folder.root / "more.jsonl").write_text(json.dumps(line) + "\n")
        more = folder.root / "more.jsonl"
        report = workspace.import_events(more, Reading({}), as_live=True, historical=False)
        assert report.taken == 1
        assert workspace.deliver(clock_now()).failed == 0
        with pytest.raises(FlowscoreError, match="is being run by"):
            workspace.tick(START + 12 * DAY, Grid(None, START + 12 * DAY, 6 * HOUR))
        assert child.poll() is None
        folder.change()
        assert "a tick is being run by" in Workspace(folder.root).plan().unforeseen
    finally:
        (folder.root / "go").touch()
        out, err = child.communicate(timeout=120)
    assert (child.returncode, int(out)) == (0, 15), err.decode()
    folder.run(*LAST)
    with workspace.store.read() as connection:
        found = connection.execute(text("SELECT 1 FROM events WHERE message_id = 'late'")).all()
    workspace.close()
    assert len(found) == 1


def test_conditions_read_the_scores_judged_before_theirs(world: World) -> None:
    """Ruling 128: of two scores that change in one apply, the second asks the new first."""
    two = """
    score: first
    rules: [{{name: r, points: {points}, on: {{event: order}}}}]
    ---
    score: second
    {decay}
    rules:
      - name: r
        points: 5
        on: {{event: order}}
        conditions: [{{score: {{first: {{above: 0}}}}}}]
    """
    world.apply(two.format(points=20, decay=""))
    world.track(ANA, "order", START)
    world.track(ANA, "order", START + HOUR)
    world.tick(START + 2 * HOUR)
    assert world.balance(ANA, "second") == 5  # the first order found `first` at 0
    world.apply(two.format(points=-3, decay="decay: none"))
    assert (world.balance(ANA, "first"), world.balance(ANA, "second")) == (-6, 0)
