"""plan: what apply would change, in words and counts, on a real store; and nothing is changed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowscore.engine import recompute
from flowscore.workspace import Workspace

if TYPE_CHECKING:
    from .conftest import Run, Said

Write = Callable[[dict[str, str]], Path]

POLICY = "policy: default\ntimezone: UTC\ntopics: [news]\nconsent: implied\n"
SCORE = """
score: engagement
rules:
  - {name: cart, points: 10, on: {event: cart_updated}}
bands: {hot: 20}
"""
LISTS = """
list: cold
---
list: buyers
members: [{event: {name: order_completed, times: 2}}]
---
list: hot-leads
members: [{score: {engagement: {at_least: hot}}}]
"""
WIN_BACK = """
scenario: win-back
trigger: {event: left}
actions:
  - wait: 7 days
  - add_to_list: cold
"""
FILES = {
    "scenarios/policy.yaml": POLICY,
    "scenarios/scores.yaml": SCORE,
    "scenarios/lists.yaml": LISTS,
    "scenarios/win-back.yaml": WIN_BACK,
}
NAMES = ("ana", "ben", "eva")


class Folder:
    """A project folder in which three people have done things and are inside win-back."""

    def __init__(self, run: Run, write: Write) -> None:
        self.run_, self.write = run, write
        self.root = write(FILES)

    def run(self, *words: str) -> Said:
        return self.run_("--project", self.root, *words)

    def ok(self, *words: str) -> str:
        said = self.run(*words)
        assert said.code == 0, said.err + said.out
        return said.out

    def live(self) -> Folder:
        self.ok("apply")
        calls = [
            {
                "type": "track",
                "userId": f"{name}@x.example",
                "event": event,
                "messageId": f"{name}-{n}",
                "timestamp": f"2026-01-0{n + 1}T10:00:00Z",
            }
            for at, name in enumerate(NAMES)
            for n, event in enumerate(("left", *("cart_updated", "order_completed") * (at + 1)))
        ]
        file = self.root / "events.jsonl"
        file.write_text("".join(json.dumps(call) + "\n" for call in calls))
        self.ok("import", "events", str(file), "--as-live")
        self.ok("tick", "--from", "2026-01-01", "--until", "2026-01-08", "--every", "1d")
        return self

    def edit(self, name: str, *swaps: tuple[str, str]) -> Folder:
        text = FILES[f"scenarios/{name}.yaml"]
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new)
        self.write({f"scenarios/{name}.yaml": text})
        return self

    def plan(self) -> str:
        return self.ok("plan")


@pytest.fixture
def folder(run: Run, write_project: Write) -> Folder:
    return Folder(run, write_project)


def test_before_the_first_apply_everything_is_new(folder: Folder) -> None:
    said = folder.plan()
    assert "There is no store yet" in said
    assert "added scenario win-back (scenarios/win-back.yaml:1)\n  trigger: left; 2 steps" in said
    assert not (folder.root / "flowscore.db").exists()


def test_an_unchanged_folder_changes_nothing(folder: Folder) -> None:
    folder.live()
    assert folder.plan() == "Nothing would change: 6 definitions stand as they are live.\n"


def test_a_changed_step_is_told_with_who_is_inside(folder: Folder) -> None:
    """Ruling 129, in the words of a marketer."""
    said = folder.live().edit("win-back", ("7 days", "5 days")).plan()
    assert "changed scenario win-back, version 1 → 2 (scenarios/win-back.yaml:1)" in said
    assert "  actions/0: wait 7 days → 5 days\n" in said
    assert "  → 3 contacts are inside and finish on the old version\n" in said


def test_steps_that_came_went_and_moved_are_told_as_such(folder: Folder) -> None:
    """An insertion in front does not make every step behind it another one."""
    more = "  - wait: 7 days\n  - subtract_points: {score: engagement, points: 5, reason: gone}\n"
    said = folder.live().edit(
        "win-back", ("  - wait: 7 days\n", "  - set_attribute: {a: 1}\n" + more)
    )
    told = said.plan()
    assert "  actions/0: step added: set a to 1\n" in told
    assert "  actions/2: step added: subtract 5 points from engagement (gone)\n" in told
    assert "removed" not in told
    assert "wait" not in told


def test_conditions_and_settings_are_told_in_words(folder: Folder) -> None:
    more = """
    trigger: [{event: left}, {event: quit}]
    conditions: [{not: {in_list: cold}}]
    reenroll: {after: 30 days}
    priority: 5
    """
    swap = ("trigger: {event: left}", more.replace("\n    ", "\n"))
    told = folder.live().edit("win-back", swap).plan()
    assert "  trigger added: quit\n" in told
    assert "  condition added: not: in list cold\n" in told
    assert "  reenroll never → after 30 days\n" in told
    assert "  priority 0 → 5\n" in told
    assert "  → 3 contacts are inside; their steps stay the same\n" in told


def test_e06_a_changed_rule_says_how_much_is_counted_anew(folder: Folder) -> None:
    """Ruling 128: silently, and which lists read the score."""
    told = folder.live().edit("scores", ("points: 10", "points: 12")).plan()
    assert "changed score engagement, version 1 → 2" in told
    assert "  rule cart: points 10 → 12\n" in told
    assert "6 ledger lines of 3 contacts judged anew from the log; nothing fires" in told
    assert "asked again, since they read it: list hot-leads; nothing fires" in told


def test_a_changed_list_says_how_many_it_holds_then(folder: Folder) -> None:
    told = folder.live().edit("lists", ("times: 2", "times: 3")).plan()
    assert "changed list buyers, version 1 → 2" in told
    assert "times at least 2 → 3" in told or "at least 2 times → 3 times" in told
    assert "  → filled silently: 2 members → 1; nothing fires\n" in told
    folder.ok("apply")
    rows = folder.run("lists", "--json").json
    assert {row["list"]: row["members"] for row in rows}["buyers"] == 1


def test_what_a_list_holds_is_tried_where_what_it_reads_changes_too(folder: Folder) -> None:
    folder.live().edit("scores", ("points: 10", "points: 12"))
    told = folder.edit("lists", ("at_least: hot", "at_least: 30")).plan()
    assert "filled silently: 2 members → 1; nothing fires" in told
    folder.ok("apply")
    rows = folder.run("lists", "--json").json
    assert {row["list"]: row["members"] for row in rows}["hot-leads"] == 1


MODEL = """
score: fit
rules: [{name: phone, points: 30, when: {attribute: {phone: {exists: true}}}}]
---
grade: lead-grade
fit: {score: fit, A: 20, B: below}
engagement: {score: engagement, 3: 30, 2: 20, 1: below}
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {grade: [B3]}, retreat: true}
  - customer
---
scenario: call
trigger: {grade: {enters: [B3]}}
actions: [{add_to_list: cold}]
---
scenario: greet
trigger: [{score: {engagement: {reaches: 25}}}, {stage: {enters: mql}}, {list_joined: hot-leads}]
actions: [{add_to_list: cold}]
"""


def test_e05_a_plan_tries_what_a_changed_score_would_move(folder: Folder) -> None:
    """Several numbers at once: who would pass which, before one is fixed."""
    folder.write({"scenarios/model.yaml": MODEL})
    folder.live().edit("scores", ("points: 10", "points: 15"), ("hot: 20", "hot: 20, warm: 12"))
    told = folder.plan()
    balances = "would have another balance, +10 on average (3 more, 0 less)"
    moving = told.partition("tried on 3 contacts and taken back:\n")[2]
    assert moving.split("\n")[:10] == [
        f"  engagement: 3 contacts {balances}; most: +15 eva@x.example",
        "    1 would pass 30",
        "    1 would pass 25",
        "    1 would pass 12 (warm)",
        "  lead-grade: 1 contact would change cell",
        "           3      2  1",
        "    A      0      0  0",
        "    B  1 → 2  1 → 0  1",
        "  buyer: 1 contact would go from lead to mql",
        "With apply --fire the next tick would notice it:",
    ]
    assert "  scenario call: 1 occurrence (grade lead-grade enters B3)\n" in told
    assert "  scenario greet: 1 occurrence (score engagement reaches 25)\n" in told
    assert "  scenario greet: 1 occurrence (enters stage mql)\n" in told
    assert "nothing was done yet" in told


def test_e05_several_numbers_are_tried_before_one_is_fixed(folder: Folder) -> None:
    """Who is at a number now is told for the new one and the old one; nothing is judged anew."""
    folder.live()
    for number, people in ((10, "3 contacts are"), (25, "1 contact is"), (31, "0 contacts are")):
        told = folder.edit("scores", ("hot: 20", f"hot: {number}")).plan()
        assert f"  → hot: {people} at {number} or more now, 2 at 20 or more\n" in told
        assert "What would move" not in told


def test_b_plan_says_of_grades_and_stages_what_changed_and_whom_it_moves(folder: Folder) -> None:
    folder.write({"scenarios/model.yaml": MODEL})
    folder.live()
    changed = MODEL.replace("2: 20", "2: 10").replace("grade: [B3]", "grade: [B2, B3]")
    folder.write({"scenarios/model.yaml": changed})
    told = folder.plan()
    assert "changed grade lead-grade, version 1 → 2 (scenarios/model.yaml:4)\n" in told
    assert "  engagement: 2 from 20 → 10\n" in told
    graded, placed = "1 contact changes cell", "2 contacts change stage"
    assert f"  → everybody is graded anew, silently: {graded}; nothing fires\n" in told
    assert "  stage mql: when grade lead-grade is B3 → B2 or B3\n" in told
    assert f"  → everybody is placed anew, silently: {placed}; nothing fires\n" in told
    assert "enters stage mql" not in told  # who is placed by another lifecycle is not noticed
    folder.ok("apply")
    history = folder.ok("scenarios", "history", "lead-grade")
    assert "version 2" in history
    assert "  engagement: 2 from 20 → 10\n" in history
    folder.ok("scenarios", "restore", "lead-grade", "--version", "1")
    assert "2: 20" in (folder.root / "scenarios/model.yaml").read_text()
    assert folder.ok("scenarios", "show", "buyer", "--version", "1").startswith("lifecycle: buyer")


def test_a_plan_leaves_no_trace(folder: Folder) -> None:
    """Every table is as it was, whatever was tried."""
    folder.write({"scenarios/model.yaml": MODEL})
    folder.live().edit("scores", ("points: 10", "points: 15"))
    before = dumped(folder)
    assert folder.plan() == folder.plan()
    assert dumped(folder) == before
    folder.ok("apply")
    assert dumped(folder) != before
    assert "Nothing would change" in folder.plan()


def dumped(folder: Folder) -> list[str]:
    with closing(sqlite3.connect(folder.root / "flowscore.db")) as store:
        return list(store.iterdump())


def test_of_many_contacts_a_sample_is_tried(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts are reckoned up and say so; --whole tries it on everybody, part for part."""
    folder.live().edit("scores", ("points: 10", "points: 15"))
    exact = folder.run("plan", "--json").json["moves"]
    monkeypatch.setattr(recompute, "BATCH", 1)
    before = dumped(folder)
    whole = folder.run("plan", "--whole", "--json").json["moves"]
    sampled = folder.run("plan", "--json").json["moves"]
    assert whole == exact
    assert sampled["judged"] < sampled["of"] == 3
    assert "(--whole: on all)" in folder.plan()
    assert dumped(folder) == before


def test_while_a_tick_runs_a_plan_says_what_it_cannot_tell(folder: Folder) -> None:
    folder.live().edit("scores", ("points: 10", "points: 12"))
    with Workspace(folder.root).store.lock_tick():
        said = folder.run("plan")
        planned = folder.run("plan", "--json").json
    assert said.code == 0
    assert "what would move is not told: " in said.err
    assert "a tick is being run by" in said.err
    assert "recomputed silently: 6 ledger lines of 3 contacts" in said.out
    assert (planned["moves"], "a tick" in planned["unforeseen"]) == (None, True)


def test_what_people_inside_need_is_refused_in_the_words_of_apply(folder: Folder) -> None:
    """Ruling 129."""
    folder.live().edit("lists", ("list: cold\n---\n", ""))
    folder.edit("win-back", ("  - add_to_list: cold\n", ""))
    said = folder.run("plan")
    assert said.code == 1
    [refusal] = folder.run("plan", "--json").json["refused"]
    assert f"apply would refuse: {refusal}\n" in said.out
    assert folder.run("apply").err == f"flowscore: {refusal}\n"


def test_a_scenario_that_goes_or_is_switched_off_says_who_stands_still(folder: Folder) -> None:
    told = folder.live().edit("win-back", ("trigger", "enabled: false\ntrigger")).plan()
    assert "  enabled true → false\n" in told
    assert "for these 3 contacts no step is done until the scenario is back" in told
    (folder.root / "scenarios/win-back.yaml").unlink()
    told = folder.plan()
    assert "removed scenario win-back\n  → 3 contacts are inside: no step is done" in told


def test_enroll_existing_says_how_many_are_in_that_state(folder: Folder) -> None:
    """Ruling 45: only where it is newly live."""
    hot = "scenario: hot\ntrigger: {score: {engagement: {reaches: 20}}}\nenroll_existing: true\n"
    folder.live().write({"scenarios/hot.yaml": hot + "actions: [{add_to_list: cold}]\n"})
    told = folder.plan()
    assert "  → enroll_existing: 2 contacts are in that state now; the next tick asks" in told
    folder.ok("apply")
    folder.ok("tick", "--until", "2026-01-09", "--every", "1d")
    [row] = [r for r in folder.run("scenarios", "--json").json if r["scenario"] == "hot"]
    assert row["finished"] == 2
    folder.write({"scenarios/hot.yaml": hot + "actions: [{remove_from_list: cold}]\n"})
    assert "enroll_existing" not in folder.plan()


def test_mistakes_come_first(folder: Folder) -> None:
    folder.live().edit("win-back", ("7 days", "4 hrs"))
    said = folder.run("plan")
    assert said.code == 1
    assert "scenarios/win-back.yaml:4:11" in said.err
    assert said.out == "1 mistake; what would change is told once they are mended.\n"
    told = folder.run("plan", "--json")
    assert (told.code, told.json["clean"], told.err) == (1, False, "")


def test_plan_as_json_has_the_counts(folder: Folder) -> None:
    folder.live().edit("win-back", ("7 days", "5 days"))
    planned = json.loads(folder.ok("plan", "--json"))
    assert (planned["store"], planned["unchanged"], planned["refused"]) == (True, 5, [])
    [change] = planned["changes"]
    assert (change["kind"], change["name"], change["change"]) == ("scenario", "win-back", "changed")
    assert (change["version"], change["differences"]) == (2, ["actions/0: wait 7 days → 5 days"])
    [inside] = change["consequences"]
    assert (inside["what"], inside["count"]) == ("inside", 3)


def test_plan_changes_nothing(folder: Folder) -> None:
    folder.live().edit("win-back", ("7 days", "5 days")).edit("lists", ("times: 2", "times: 3"))
    before = folder.run("export", str(folder.root / "before")).code
    assert (folder.plan(), before) == (folder.plan(), 0)
    folder.ok("export", str(folder.root / "after"))
    for file in (folder.root / "before").iterdir():
        assert file.read_bytes() == (folder.root / "after" / file.name).read_bytes()
    assert [one["version"] for one in folder.run("scenarios", "--json").json] == [1]


def test_both_databases_plan_the_same(
    folder: Folder, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = ("win-back", "7 days", "5 days"), ("lists", "times: 2", "times: 3")
    folder.live()
    for name, old, new in (*edits, ("scores", "points: 10", "points: 12")):
        folder.edit(name, (old, new))
    on_sqlite = folder.plan()
    history = ("scenarios", "history", "win-back")
    first = folder.ok(*history).partition("(scenarios")[2]
    (folder.root / "scenarios").rename(tmp_path / "edited")
    folder.write(FILES)
    monkeypatch.setenv("FLOWSCORE_DATABASE_URL", postgres_url)
    folder.live()
    assert folder.plan() == "Nothing would change: 6 definitions stand as they are live.\n"
    assert folder.ok(*history).partition("(scenarios")[2] == first
    (folder.root / "scenarios").rename(tmp_path / "first")
    (tmp_path / "edited").rename(folder.root / "scenarios")
    assert folder.plan() == on_sqlite
    assert "filled silently: 2 members → 1" in on_sqlite
