"""Problems as text with a caret, and as records."""

from __future__ import annotations

from flowscore.errors import Mark, Problem
from flowscore.language.lifecycle import Lifecycle, Stage
from flowscore.language.printing import contents_text, problem_text, problems_json, summary
from flowscore.language.project import Project
from flowscore.language.scoring import Axis, Grade, Score

DELAY = Problem(Mark("scenarios/x.yaml", 4, 5), "unknown action 'delay'", "actions/0/delay",
                "did you mean 'wait'?")  # fmt: skip
UNUSED = Problem(Mark("templates/email/a.html"), "no step sends it", severity="warning")


def test_print_the_line_and_a_caret() -> None:
    assert problem_text(DELAY, "  - delay: 3 days") == (
        "scenarios/x.yaml:4:5: actions/0/delay: unknown action 'delay'; did you mean 'wait'?\n"
        "      - delay: 3 days\n"
        "        ^"
    )


def test_print_a_file_without_a_line() -> None:
    assert problem_text(UNUSED) == "templates/email/a.html: warning: no step sends it"


def test_put_the_caret_under_wide_letters_and_tabs() -> None:
    problem = Problem(Mark("x.yaml", 1, 8), "here")
    assert problem_text(problem, "a: '😀',\tx").splitlines()[1:] == [
        "    a: '😀', x",
        "            ^",
    ]


def test_cut_a_long_line_around_the_place() -> None:
    problem = Problem(Mark("x.yaml", 1, 301), "here")
    line, caret = problem_text(problem, "x" * 300 + "HERE" + "y" * 300).splitlines()[1:]
    assert line[caret.index("^") :].startswith("HERE")
    assert len(line) == 104


def test_list_problems_as_records() -> None:
    assert problems_json([DELAY, UNUSED]) == [
        {"severity": "error", "file": "scenarios/x.yaml", "line": 4, "column": 5,
         "path": "actions/0/delay", "message": "unknown action 'delay'",
         "hint": "did you mean 'wait'?"},
        {"severity": "warning", "file": "templates/email/a.html", "line": 0, "column": 0,
         "path": "", "message": "no step sends it", "hint": ""},
    ]  # fmt: skip


def test_sum_up() -> None:
    assert summary([]) == "no problems"
    assert summary([DELAY, DELAY, UNUSED]) == "2 errors, 1 warning"


def test_count_what_a_project_holds() -> None:
    project = Project(scores={"a": Score(name="a"), "b": Score(name="b")})
    assert contents_text(project) == "0 scenarios, 2 scores, 0 lists, 0 templates"
    side = Axis(score="a", labels=(("A", 1.0), ("B", None)))
    graded = project.model_copy(
        update={
            "grades": {"g": Grade(name="g", fit=side, engagement=side)},
            "lifecycle": Lifecycle(name="l", stages=(Stage(name="lead"),)),
        }
    )
    assert contents_text(graded) == (
        "0 scenarios, 2 scores, 1 grade, 1 lifecycle, 0 lists, 0 templates"
    )
