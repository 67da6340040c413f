"""scenarios history, show, restore; apply --enroll-existing: what was live, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Run, Said

Write = Callable[[dict[str, str]], Path]

HEAD = "# What stands before it.\n"
WELCOME = """\
# a word to my colleagues
scenario: welcome
trigger: {event: signed_up}
actions:
  - wait: 2 days   # let them look around
  - add_to_list: {list}
# the end of welcome
"""
REST = """\
---
# lists that welcome fills
list: new
---
list: old
"""


def text(name: str = "new", wait: str = "2 days") -> str:
    return HEAD + WELCOME.replace("{list}", name).replace("2 days", wait) + REST


class Folder:
    """A folder whose one file holds a scenario between comments and other definitions."""

    def __init__(self, run: Run, write: Write) -> None:
        self.run_ = run
        self.root = write({"scenarios/policy.yaml": "policy: default\n"})
        self.file = self.root / "scenarios" / "all.yaml"

    def run(self, *words: str) -> Said:
        return self.run_("--project", self.root, *words)

    def live(self, *texts: str) -> Folder:
        """Apply each of these, one after the other."""
        for one in texts:
            self.file.write_bytes(one.encode())
            assert self.run("apply").code == 0
        return self

    def signed_up(self, name: str, day: int) -> Folder:
        call = (
            f'{{"type":"track","userId":"{name}@x.example","event":"signed_up","messageId":"{name}"'
            f',"timestamp":"2026-01-0{day}T00:00:00Z"}}\n'
        )
        file = self.root / f"{name}.jsonl"
        file.write_text(call)
        assert self.run("import", "events", str(file), "--as-live").code == 0
        grid = ("--from", f"2026-01-0{day}", "--until", f"2026-01-0{day}", "--every", "1d")
        assert self.run("tick", *grid).code == 0
        return self

    def restore(self, version: int, name: str = "welcome") -> Said:
        return self.run("scenarios", "restore", name, "--version", str(version))


@pytest.fixture
def folder(run: Run, write_project: Write) -> Folder:
    return Folder(run, write_project)


def test_f06_history_says_what_changed_and_who_is_on_which(folder: Folder) -> None:
    folder.live(text()).signed_up("ana", 1).live(text(wait="5 days")).signed_up("ben", 2)
    folder.live(text("old"))
    newest, middle, first = folder.run("scenarios", "history", "welcome", "--json").json
    assert (newest["version"], newest["state"], newest["retired_at"]) == (3, "live", None)
    assert newest["changes"] == [
        "actions/0: wait 5 days → 2 days",
        "actions/1: add to list new → old",
    ]
    assert (middle["version"], middle["state"], middle["inside"]) == (2, "retired", 1)
    assert (middle["live_from"], middle["entered"]) == ("2026-01-01T00:00:00Z", 1)
    assert first["changes"] == ["trigger: signed_up; 2 steps"]
    assert (first["inside"], first["where"]) == (1, "scenarios/all.yaml:3")
    told = folder.run("scenarios", "history", "welcome").out
    assert "\n  actions/0: wait 2 days → 5 days\n  1 contact entered on it: 1 inside\n" in told


def test_who_is_inside_is_shown_with_the_version(folder: Folder) -> None:
    folder.live(text()).signed_up("ana", 1).live(text(wait="5 days")).signed_up("ben", 2)
    said = folder.run("scenarios", "--inside", "welcome").out.splitlines()
    assert [line.split() for line in said[:3]] == [
        ["contact", "entered", "on", "version", "held", "due"],
        ["ana@x.example", "2026-01-01", "00:00", "1", "2026-01-03", "00:00"],
        ["ben@x.example", "2026-01-02", "00:00", "2", "2026-01-07", "00:00"],
    ]


def test_history_survives_what_old_versions_name(folder: Folder) -> None:
    """A list that is long gone is no reason to be silent."""
    folder.live(text("old"), text().replace("---\nlist: old\n", ""))
    newest, _ = folder.run("scenarios", "history", "welcome", "--json").json
    assert newest["changes"] == ["actions/1: add to list old → new"]


def test_history_knows_what_was_there_before(folder: Folder) -> None:
    folder.live(text(), text("old"), text(), HEAD + REST.removeprefix("---\n"), text())
    versions = folder.run("scenarios", "history", "welcome", "--json").json
    assert versions[1]["changes"][0] == "the same as version 1"
    assert versions[0]["changes"][0].startswith("it was gone since 20")


def test_history_of_a_name_that_never_was(folder: Folder) -> None:
    said = folder.live(text()).run("scenarios", "history", "welcom")
    assert (said.code, said.out) == (1, "")
    assert "did you mean 'welcome'?" in said.err


def test_show_prints_a_version_as_it_was_written(folder: Folder) -> None:
    folder.live(text(), text("old"))
    said = folder.run("scenarios", "show", "welcome", "--version", "1")
    written = text()[len(HEAD) :].partition("scenario")
    assert said.out == written[1] + written[2].removesuffix(REST)
    assert "add_to_list: old" in folder.run("scenarios", "show", "welcome").out
    wrong = folder.run("scenarios", "show", "welcome", "--version", "9")
    assert wrong.err == "flowscore: scenario 'welcome' has no version 9; there are: 1, 2\n"


def test_restore_puts_the_old_text_back_and_nothing_else(folder: Folder) -> None:
    folder.live(text(), text("old"))
    said = folder.restore(1)
    assert said.code == 0
    assert said.out.startswith("scenarios/all.yaml:3: welcome as it was in version 1")
    assert folder.file.read_text() == text()
    assert "actions/1: add to list old → new" in folder.run("plan").out
    assert folder.run("apply").code == 0
    newest, *_ = folder.run("scenarios", "history", "welcome", "--json").json
    assert (newest["version"], newest["changes"][0]) == (3, "the same as version 1")


def test_restore_goes_from_version_to_version(folder: Folder) -> None:
    """What stands in the file is one of the versions: nothing can be lost."""
    folder.live(text(), text("old"), text(wait="9 days"))
    assert folder.restore(1).code == 0
    assert folder.restore(2).code == 0
    assert folder.file.read_text() == text("old")


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_restore_keeps_line_ends_and_marks(folder: Folder, start: str) -> None:
    def windows(name: str) -> str:
        return start + text(name).replace("\n", "\r\n")

    folder.live(windows("new"), windows("old"))
    assert folder.restore(1).code == 0
    assert folder.file.read_bytes() == windows("new").encode()


def test_restore_of_a_definition_behind_dashes(folder: Folder) -> None:
    line = "--- {scenario: welcome, trigger: {event: signed_up}, actions: [{add_to_list: NAME}]}\n"
    lists = "---\nlist: new\n---\nlist: old\n"
    folder.live(line.replace("NAME", "new") + lists, line.replace("NAME", "old") + lists)
    assert folder.restore(1).code == 0
    assert folder.run("validate").code == 0
    assert "nothing was written" in folder.restore(1).err
    assert folder.run("apply").code == 0
    assert "add_to_list: new" in folder.run("scenarios", "show", "welcome").out


def test_restore_loses_no_edit(folder: Folder) -> None:
    folder.live(text(), text("old"))
    edited = text("old", wait="3 days")
    folder.file.write_text(edited)
    said = folder.restore(1)
    assert said.code == 1
    assert "scenarios/all.yaml:3 was edited since the last apply" in said.err
    assert folder.file.read_text() == edited


def test_restore_of_what_stands_there_says_so(folder: Folder) -> None:
    assert "says that already" in folder.live(text()).restore(1).err


def test_restore_of_a_scenario_that_is_gone_makes_a_file(folder: Folder) -> None:
    gone = HEAD + REST.removeprefix("---\n")
    folder.live(text(), gone)
    said = folder.restore(1)
    assert said.out.startswith("scenarios/welcome.yaml:1: welcome as it was in version 1, a new")
    assert folder.file.read_text() == gone
    assert "added scenario welcome" in folder.run("plan").out
    (folder.root / "scenarios/welcome.yaml").write_text("list: mine\n")
    assert "is there already and does not define scenario 'welcome'" in folder.restore(1).err


def test_restore_does_not_guess_in_a_broken_file(folder: Folder) -> None:
    folder.live(text(), text("old"))
    broken = text("old").replace("scenario: welcome", "scenario: [welcome")
    folder.file.write_text(broken)
    assert "mend it first" in folder.restore(1).err
    assert folder.file.read_text() == broken


STATES = """\
policy: default
---
score: engagement
rules: [{name: sign-up, points: 25, on: {event: signed_up}}]
---
list: hot
---
scenario: hot
trigger: {score: {engagement: {reaches: 20}}}
actions: [{add_to_list: hot}]
---
scenario: greet
trigger: {event: signed_up}
actions: [{add_to_list: hot}]
---
scenario: mixed
trigger: [{list_joined: hot}, {event: signed_up}]
actions: [{exit: done}]
---
scenario: upgraded
trigger: {attribute: {plan: {from: free, to: paid}}}
actions: [{exit: done}]
---
scenario: asleep
enabled: false
trigger: {list_joined: hot}
actions: [{remove_from_list: hot}]
"""


def test_apply_enrolls_who_stands_there_when_asked(folder: Folder) -> None:
    """Ruling 45, on demand: once, in the next tick, also into what has long been live."""
    (folder.root / "scenarios/policy.yaml").unlink()
    score = STATES.partition("---\nlist")[0]
    folder.live(score).signed_up("ana", 1).live(STATES)
    assert folder.run("apply").out.count("in that state") == 0
    said = folder.run("apply", "--enroll-existing", "hot").out
    assert "hot: 1 contact is in that state now; the next tick enrolls" in said
    folder.signed_up("ben", 2).signed_up("eva", 3)
    [row] = [r for r in folder.run("scenarios", "--json").json if r["scenario"] == "hot"]
    assert (row["finished"], row["refused"]) == (3, 0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hott", "did you mean 'hot'?"),
        ("greet", "a trigger of it is no state that people are in. States are: score"),
        ("mixed", "a trigger of it is no state that people are in"),
        ("upgraded", "a trigger of it is no state that people are in"),
        ("asleep", "is switched off (enabled: false), so nobody would enter"),
    ],
)
def test_only_into_states_can_people_be_taken(folder: Folder, name: str, words: str) -> None:
    (folder.root / "scenarios/policy.yaml").unlink()
    folder.file.write_text(STATES)
    said = folder.run("apply", "--enroll-existing", name)
    assert said.code == 1
    assert words in said.err
