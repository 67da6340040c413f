"""The edit to the YAML touches points and adds rules; comments, layout and line ends stay."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path

import pytest

from flowscore.errors import FlowscoreError
from flowscore.language.project import load_project
from flowscore.learning.lessons import Proposal
from flowscore.learning.rates import Rate
from flowscore.learning.yaml_edits import edits, readable, write

ADDED = Proposal(
    "engagement", "demo", 9, Rate(50, 20), 4.0, "on: {event: demo_booked}, cap: {times: 1}"
)
REMARK = " # 40.0% of 50 leads won, 4.0 × the average"
RULE = "{name: demo, points: 9, on: {event: demo_booked}, cap: {times: 1}}"


def changed(name: str, now: float, points: int, score: str = "engagement") -> Proposal:
    return Proposal(score, name, points, Rate(50, 20), 4.0, now=now)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scenarios").mkdir()
    return tmp_path


def edited(folder: Path, text: str, *proposals: Proposal) -> str:
    """The file after the edits; the folder is right before and after."""
    file = folder / "scenarios" / "all.yaml"
    file.write_bytes(text.encode())
    assert not errors(folder)
    write(folder, edits(folder, proposals, ""))
    assert not errors(folder)
    return file.read_bytes().decode()


def errors(folder: Path) -> list[str]:
    problems = load_project(folder)[1]
    return [str(one) for one in problems if one.severity == "error"]


BLOCK = """\
# What people do.
score: engagement   # the only one

rules:
  # --- reading
  - name: article
    points: 1      # an evening of reading
    on: {page_visited: "/articles/*"}

  - {name: news, points: -2.5, on: {event: news}} # why minus?
  - name: cart
    on:
      event: cart_updated
    points: 10

# The end of the file.
bands: {hot: 20}
"""


def test_only_points_change_and_new_rules_come_behind_the_last(folder: Path) -> None:
    done = edited(folder, BLOCK, changed("article", 1, 3), changed("news", -2.5, 4), ADDED)
    wanted = BLOCK.replace("points: 1  ", "points: 3  ").replace("points: -2.5", "points: 4")
    wanted = wanted.replace("points: 10\n", f"points: 10\n  - {RULE}{REMARK}\n")
    assert done == wanted


def test_the_difference_is_what_git_shows(folder: Path) -> None:
    file = folder / "scenarios" / "all.yaml"
    file.write_text(BLOCK, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    found = edits(folder, [changed("article", 1, 3), ADDED], "")
    told = readable(found)
    write(folder, found)
    shown = subprocess.run(
        ["git", "-c", "core.autocrlf=false", "diff", "--no-color"],
        cwd=folder, check=True, capture_output=True, text=True, encoding="utf-8",
    ).stdout  # fmt: skip
    kept = [line for line in shown.splitlines() if not line.startswith(("diff", "index", "@@"))]
    assert kept == [line for line in told.splitlines() if not line.startswith("@@")]
    assert sum(line.startswith("-") for line in kept) == 2  # the file's name, and one line


RULES = "[{name: a, points: 5, on: {event: x}}]"
LAYOUTS = {
    "in brackets": (RULES, RULES.replace("]", ", RULE]")),
    "a comma at the end": (
        RULES.replace("]", ", ] # all"),
        RULES.replace("]", ", RULE ] # all"),
    ),
    "a comment at the end": (
        """
- name: a
  points: 5
  on: {event: x}
  # a last word
""",
        """
- name: a
  points: 5
  on: {event: x}
- RULEREMARK
  # a last word
""",
    ),
    "a text of several lines at the end": (
        """
    - name: a
      points: 5
      on: {event: x}
      because: |
        of this
        and that

""",
        """
    - name: a
      points: 5
      on: {event: x}
      because: |
        of this
        and that
    - RULEREMARK

""",
    ),
    "no line end": (
        "\n- {name: a, points: 5, on: {event: x}}",
        "\n- {name: a, points: 5, on: {event: x}}\n- RULEREMARK",
    ),
}


@pytest.mark.parametrize(("rules", "wanted"), LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_of_rules(folder: Path, rules: str, wanted: str) -> None:
    head = "score: engagement\nrules: "
    done = edited(folder, head + rules, ADDED)
    assert done == head + wanted.replace("RULE", RULE, 1).replace("REMARK", REMARK)


def test_line_ends_byte_order_mark_and_letters_stay(folder: Path) -> None:
    text = "\ufeffscore: engagement\r\ndescription: «ñandú» 🦙\r\nrules:\r\n"
    text += '  - {name: "a", because: "🦙 ñ", "points": 5, on: {event: x}} # ñ 🦙\r\n'
    done = edited(folder, text, changed("a", 5, 7), ADDED)
    assert done == text.replace('"points": 5', '"points": 7') + f"  - {RULE}{REMARK}\r\n"


def test_several_documents_and_scores_in_one_file(folder: Path) -> None:
    text = textwrap.dedent("""\
        score: fit
        rules:
          - {name: a, points: 5, on: {event: x}}
        ---
        score: engagement
        rules:
          - {name: a, points: 5, on: {event: x}}
        """)
    done = edited(folder, text, changed("a", 5, 6, "fit"), changed("a", 5, 7), ADDED)
    assert done.split("---")[0].endswith("points: 6, on: {event: x}}\n")
    assert "points: 7" in done.split("---")[1] and RULE in done.split("---")[1]


def test_points_by_an_alias_are_left_to_the_author(folder: Path) -> None:
    text = "score: engagement\nrules:\n- {name: a, points: &p 5, on: {event: x}}\n"
    text += "- {name: b, points: *p, on: {event: y}}\n"
    for name in ("a", "b"):
        with pytest.raises(FlowscoreError, match=r"all.yaml:3.*write 7 by hand"):
            edited(folder, text, changed(name, 5, 7))
        assert (folder / "scenarios" / "all.yaml").read_text() == text


def test_nothing_is_written_when_the_folder_would_have_a_mistake(folder: Path) -> None:
    twin = Proposal("engagement", "cart", 9, Rate(50, 20), 4.0, "on: {event: demo_booked}")
    with pytest.raises(FlowscoreError, match="two rules are called 'cart'; nothing was written"):
        edited(folder, BLOCK, changed("article", 1, 3), twin)
    assert (folder / "scenarios" / "all.yaml").read_text() == BLOCK
    assert [one.name for one in (folder / "scenarios").iterdir()] == ["all.yaml"]


def test_a_project_without_scores_gets_one(folder: Path) -> None:
    new = Proposal("learned", "demo", 9, Rate(50, 20), 4.0, ADDED.words)
    (folder / "scenarios" / "all.yaml").write_text("list: l\n")
    found = edits(folder, [new], "")
    assert readable(found).startswith("--- /dev/null\n+++ b/scenarios/scores/learned.yaml\n")
    write(folder, found)
    assert not errors(folder)
    assert load_project(folder)[0].scores["learned"].rules[0].points == 9
