"""Learning from a CSV of leads with an outcome column."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flowscore.errors import FlowscoreError
from flowscore.language.project import Project, load_project
from flowscore.learning.asking import Question
from flowscore.learning.from_file import learn_from_file
from learning.made_up_leads import write_leads

if TYPE_CHECKING:
    from flowscore.learning.lessons import LeftOut, Lessons


def put(path: Path, header: list[str], *rows: list[Any]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def learned(path: Path, outcome: str | None = "won", **more: Any) -> Lessons:
    return learn_from_file(path, Question(file=path, outcome=outcome, **more), Project())


def out(lessons: Lessons, name: str) -> LeftOut:
    return next(one for one in lessons.left_out if name in one.name)


def rows_of(count: int, seed: int = 1) -> list[list[Any]]:
    """id, name, country, employees, trial, seen, won; trial users buy four times as often."""
    chance, rows = random.Random(seed), []
    for number in range(count):
        trial = number % 5 == 0
        won = chance.random() < (0.4 if trial else 0.1)
        country = chance.choice(["ES", "es", "FR", "Select", "", "DE"])
        rows.append([number + 7, f"P{number}", country, chance.randrange(1, 90),
                     chance.choice(["Sí", "yes", "TRUE"]) if trial else chance.choice(["no", "0"]),
                     f"2026-0{1 + number % 9}-11", "Yes" if won else "No"])  # fmt: skip
    return rows


HEADER = ["Lead Number", "Name", "Country", "Employees", "Free Trial", "Seen", "won"]


def test_e03_e04_columns_of_every_kind(tmp_path: Path) -> None:
    lessons = learned(put(tmp_path / "leads.csv", HEADER, *rows_of(2_000)))
    assert lessons.overall.leads == 2_000
    assert out(lessons, "Lead Number").kind == out(lessons, "Name").kind == "id"
    assert out(lessons, "Seen").kind == "date"
    assert "'Select'" in lessons.notes[0]
    rates = {(one.what, one.answer): one for one in lessons.rates}
    assert {answer for what, answer in rates if what == "Country"} == {
        "es", "fr", "de", "not known",
    }  # fmt: skip
    assert rates["Free Trial", "sí"].lift > 2
    assert [one for one in lessons.proposals if one.points > 0 and "free_trial" in one.words]
    assert not [one for one in lessons.proposals if "country" in one.words]


def test_rules_ask_for_what_an_import_of_the_file_would_hold(tmp_path: Path) -> None:
    """'Select' stays a text when contacts are imported: «not known» has to name it."""
    chance, rows = random.Random(2), []
    for _ in range(2_000):
        field = chance.choice(["Select", "", "Finance", "IT"])
        won = chance.random() < (0.05 if field in ("Select", "") else 0.4)
        rows.append([field, int(won)])
    lessons = learned(put(tmp_path / "leads.csv", ["Field of work", "won"], *rows))
    words = {one.name: one.words for one in lessons.proposals}
    assert words["field-of-work-unknown"] == (
        "when: {any: [{attribute: {field_of_work: {exists: false}}}, "
        "{attribute: {field_of_work: [select]}}]}"
    )


@pytest.mark.slow
def test_a_whole_number_scorecard_is_within_three_hundredths_of_logistic_regression(
    tmp_path: Path,
) -> None:
    """Some 9,000 leads with the 37 columns of the public file, which hang together."""
    lessons = learned(write_leads(tmp_path / "leads.csv"), "Converted", compare=True)
    ours, yardstick = lessons.compared
    assert yardstick.auc > 0.8
    assert ours.auc >= yardstick.auc - 0.03
    assert ours.top_decile >= yardstick.top_decile - 0.3
    assert out(lessons, "Tags").kind == "suspicious"
    assert out(lessons, "Prospect ID").kind == out(lessons, "Lead Number").kind == "id"
    assert out(lessons, "Magazine").reason == "it says 'No' of every lead"
    assert out(lessons, "Lead Origin").kind == "sensitive"
    assert not [one for one in lessons.proposals if one.name.startswith(("tags", "lead-origin"))]
    assert all(isinstance(one.points, int) and abs(one.points) <= 40 for one in lessons.proposals)


def test_a_suspicious_column_is_used_when_told_so(tmp_path: Path) -> None:
    rows = [[number % 3, "closed" if number % 10 == 0 else "open", int(number % 10 == 0)]
            for number in range(1_000)]  # fmt: skip
    file = put(tmp_path / "leads.csv", ["Visits", "Status", "won"], *rows)
    assert "almost perfectly" in out(learned(file), "Status").reason
    assert "then --use 'Status'" in out(learned(file), "Status").reason
    used = learned(file, used=("status",))
    assert [one for one in used.proposals if one.name.startswith("status")]
    assert out(learned(file, left_out=("Status",)), "Status").reason == "you left it out"


def test_what_a_rule_reads_already_is_left_to_the_store(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    rule = "{name: spain, points: 5, when: {attribute: {country: ES}}}"
    (tmp_path / "scenarios" / "all.yaml").write_text(f"score: fit\nrules: [{rule}]\n")
    file = put(tmp_path / "leads.csv", HEADER, *rows_of(2_000))
    question = Question(file=file, outcome="won")
    lessons = learn_from_file(file, question, load_project(tmp_path)[0])
    assert "a rule reads it already" in out(lessons, "Country").reason
    assert {one.score for one in lessons.proposals} == {"fit"}


def test_numbers_that_an_import_would_not_read_are_told(tmp_path: Path) -> None:
    rows = [[f"1,{number:03}.50", int(number % 4 == 0)] for number in range(500)]
    lessons = learned(put(tmp_path / "leads.csv", ["Revenue", "won"], *rows))
    assert "write 1200.5, not 1,200.50" in out(lessons, "Revenue").reason


def test_f05_sensitive_columns_need_to_be_asked_for(tmp_path: Path) -> None:
    rows = [["m" if number % 2 else "f", int(number % 4 == 0)] for number in range(1_000)]
    file = put(tmp_path / "leads.csv", ["Gender", "won"], *rows)
    assert out(learned(file), "Gender").kind == "sensitive"
    assert not learned(file, used=("Gender",)).proposals
    assert all(one.because for one in learned(file, sensitive=True).proposals)


def test_e15_too_few_are_said(tmp_path: Path) -> None:
    lessons = learned(put(tmp_path / "leads.csv", HEADER, *rows_of(60)))
    assert "too few to tell chance from pattern" in lessons.stop
    assert not lessons.proposals
    few = put(tmp_path / "few.csv", ["a", "won"], ["x", "yes"], ["y", "yes"])
    assert "every one of these leads became a customer" in learned(few).stop
    none = put(tmp_path / "none.csv", ["a", "won"], ["x", "no"], ["y", "no"])
    assert "none of these leads became a customer" in learned(none).stop


def test_chance_alone_proposes_next_to_nothing(tmp_path: Path) -> None:
    chance = random.Random(9)
    rows = [[*(chance.choice("abcdef") for _ in range(10)), chance.randrange(500),
             int(chance.random() < 0.1)] for _ in range(3_000)]  # fmt: skip
    header = [*(f"c{place}" for place in range(10)), "n", "won"]
    assert len(learned(put(tmp_path / "leads.csv", header, *rows)).proposals) <= 3


@pytest.mark.parametrize(
    ("header", "rows", "question", "words"),
    [
        (["a", "won"], [["x", "1"]], {"outcome": "wonn"}, "no column 'wonn'; did you mean 'won'?"),
        (["a", "won"], [["x", "1"]], {"outcome": None}, "name it: --outcome COLUMN"),
        (["a", "a", "won"], [["x", "y", "1"]], {}, "the column 'a' stands twice"),
        (["a", "", "won"], [["x", "y", "1"]], {}, "column 2 has no name"),
        (["a", "won"], [], {}, "no leads below the line of column names"),
        (["a", "won"], [["x", "big"], ["y", "small"]], {}, "It says 'big' (1), 'small' (1)"),
        (["a", "won"], [["x", "1"]], {"positive": "sold"}, "never says that; it says '1' (1)"),
        (["a", "won"], [["x", "1"]], {"used": ("b",)}, "there is no column 'b'"),
    ],
)
def test_mistakes_of_the_header_are_told(
    tmp_path: Path, header: list[str], rows: list[list[str]], question: dict, words: str
) -> None:
    file = put(tmp_path / "leads.csv", header, *rows)
    with pytest.raises(FlowscoreError) as told:
        learned(file, **({"outcome": "won"} | question))
    assert words in str(told.value)
    assert str(file) in str(told.value)


@pytest.mark.parametrize("spelling", ["yes no", "1 0", "TRUE false", "Sí no", "won lost"])
def test_outcomes_in_several_spellings(tmp_path: Path, spelling: str) -> None:
    good, bad = spelling.split()
    rows = [[number, good if number % 4 == 0 else bad] for number in range(100)]
    assert learned(put(tmp_path / "leads.csv", ["n", "won"], *rows)).overall.won == 25


def test_another_word_for_won(tmp_path: Path) -> None:
    rows = [[number, ["signed", "thinking", ""][number % 3]] for number in range(99)]
    file = put(tmp_path / "leads.csv", ["n", "State"], *rows)
    assert learned(file, "state", positive="Signed").overall.won == 33


def test_the_first_score_is_one_that_loads(tmp_path: Path) -> None:
    from flowscore.learning.drafting import draft

    file = put(tmp_path / "leads.csv", HEADER, *rows_of(2_000))
    question = Question(file=file, outcome="won")
    lessons = draft(learn_from_file(file, question, Project()), None, question)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "learned.yaml").write_text(lessons.yaml, encoding="utf-8")
    project, problems = load_project(tmp_path)
    assert not [one for one in problems if one.severity == "error"]
    assert len(project.scores["learned"].rules) == len(lessons.proposals)
