"""`flowscore leads`: the queue on the screen, as JSON, and in a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flowscore.cli.spreadsheet import harmless, write_sheet
from flowscore.errors import FlowscoreError

if TYPE_CHECKING:
    from .conftest import Run, Said

MODEL = """
score: fit
range: {min: 0, max: 100}
rules:
  - {name: director, points: 80, when: {attribute: {job_title: director}}}
  - {name: manager, points: 50, when: {attribute: {job_title: manager}}}
---
score: engagement
range: {min: 0, max: 100}
rules:
  - {name: demo, points: 80, on: {event: demo_requested}}
  - {name: pricing, points: 30, on: {page_visited: /pricing}}
---
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
green: [A4, A3, B4]
---
lifecycle: buyer
stages:
  - lead
  - {stage: sql, when: {grade: [A4, B4]}}
"""
PEOPLE = """email,created_at,job_title,owner
ana@x.example,2026-01-01,director,=HYPERLINK("http://evil.example")
ben@x.example,2026-01-01,manager,luis@x.example
eva@x.example,2026-01-01,student,
gus@x.example,2026-01-01,director,luis@x.example
"""
EVENTS = """type,event,email,timestamp,path
track,demo_requested,ben@x.example,2026-01-09 10:00,
track,demo_requested,eva@x.example,2026-01-09 11:00,
page,,ana@x.example,2026-01-01 09:00,/pricing
page,,ana@x.example,2026-01-02 09:00,/pricing
page,,ana@x.example,2026-01-09 09:00,/pricing
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ana and Ben stand in green cells; Eva is active and no fit, Gus a fit and not active."""
    from flowscore.cli import main

    folder = tmp_path_factory.mktemp("leads") / "shop"
    (folder / "scenarios").mkdir(parents=True)
    (folder / "scenarios" / "all.yaml").write_text(MODEL)
    (folder / "people.csv").write_text(PEOPLE)
    (folder / "events.csv").write_text(EVENTS)
    for words in (
        "apply",
        f"import contacts {folder}/people.csv",
        f"import events {folder}/events.csv --as-live",
        "tick --from 2026-01-01 --until 2026-01-10 --every 1h",
    ):
        assert main(["--project", str(folder), *words.split()]) == 0
    return folder


@pytest.fixture
def leads(shop: Path, run: Run) -> Any:
    def command(*words: str) -> Said:
        return run("--project", shop, "leads", *words)

    return command


def test_d06_whom_to_call_first(leads: Any) -> None:
    assert leads().out == (
        "lead-grade: 4 contacts; * marks the green cells.\n"
        "   4   3   2   1\n"
        "A  1*  0*  0   1\n"
        "B  1*  0   0   0\n"
        "C  0   0   0   0\n"
        "D  1   0   0   0\n"
        "A = fit from 75, B from 50, C from 25, D below; "
        "4 = engagement from 75 (the most active), 3 from 50, 2 from 25, 1 below\n"
        "\n"
        "cell  contact        stage  fit  engagement  7 days  owner"
        "                              company\n"
        "A4*   ana@x.example  sql     80          90     +30  "
        '=HYPERLINK("http://evil.example")\n'
        "      because pricing +90 (3 times), director +80\n"
        "      last became sql, 2026-01-09 09:00\n"
        "B4*   ben@x.example  sql     50          80     +80  luis@x.example\n"
        "      because demo +80, manager +50\n"
        "      last became sql, 2026-01-09 10:00\n"
        "A1    gus@x.example  lead    80           0       0  luis@x.example\n"
        "      because director +80\n"
        "D4    eva@x.example  lead     0          80     +80\n"
        "      because demo +80\n"
        "      last demo_requested, 2026-01-09 11:00\n"
        "4 leads, as of 2026-01-10T00:00:00Z; explain EMAIL says it all.\n"
    )


def test_b05_b06_neither_activity_nor_fit_alone_comes_first(leads: Any) -> None:
    found = leads("--json").json
    assert [lead["contact"][:3] for lead in found["leads"]] == ["ana", "ben", "gus", "eva"]
    assert found["as_of"] == "2026-01-10T00:00:00Z"
    assert found["matrix"]["counts"]["D4"] == 1
    assert found["matrix"]["legend"].startswith("A = fit from 75")


def test_b01_the_legend_stands_where_nobody_is_found(leads: Any) -> None:
    told = leads("--cell", "C4").out
    assert "4 = engagement from 75 (the most active)" in told
    assert told.endswith("0 leads, as of 2026-01-10T00:00:00Z; explain EMAIL says it all.\n")


def test_b02_filters_and_pages(leads: Any) -> None:
    def found(*words: str) -> list[str]:
        return [lead["contact"][:3] for lead in leads("--json", *words).json["leads"]]

    assert found("--cell", "green") == ["ana", "ben"]
    assert found("--cell", "d4", "--cell", "A4") == ["ana", "eva"]
    assert found("--stage", "sql", "--owner", "luis@x.example") == ["ben"]
    assert found("--score", "fit", "--at-least", "51") == ["ana", "gus"]
    assert found("--limit", "1", "--offset", "1") == ["ben"]
    assert len(found("--all")) == 4
    assert "2 leads after the first 2" in leads("--offset", "2").out


def test_d06_who_is_no_lead_any_more_is_left_out_and_counted(
    project_folder: Path, run: Run
) -> None:
    model = MODEL + "  - {stage: customer, when: {event: order_completed}}\n"
    (project_folder / "scenarios" / "all.yaml").write_text(model)
    (project_folder / "people.csv").write_text(PEOPLE)
    deals = "track,order_completed,ana@x.example,2026-01-09 12:00,\n"
    (project_folder / "events.csv").write_text(EVENTS + deals)

    def shop(*words: str) -> Said:
        said = run("--project", project_folder, *words)
        assert said.code == 0, said.err
        return said

    shop("apply")
    shop("import", "contacts", str(project_folder / "people.csv"))
    shop("import", "events", str(project_folder / "events.csv"), "--as-live")
    shop("tick", "--from", "2026-01-01", "--until", "2026-01-10", "--every", "1h")
    shop("feedback", "eva@x.example", "--not-qualified", "student", "--at", "2026-01-09T12:00:00Z")
    shop("tick", "--from", "2027-01-01", "--until", "2027-01-01")  # what was typed today
    told = shop("leads").out
    assert told.splitlines()[-1] == (
        "2 left out (1 in stage customer, 1 closed by sales); --all shows them."
    )
    assert shop("leads", "--json").json["left_out"] == {
        "stage": "customer", "in_stage": 1, "closed": 1,
    }  # fmt: skip
    assert "1 left out (1 in stage customer); --all" in shop("leads", "--cell", "A4").out
    assert "left out" not in shop("leads", "--all").out
    assert "ana@x.example" in shop("leads", "--stage", "customer").out
    sheet = str(project_folder / "leads.csv")
    assert "2 leads" in shop("leads", "--csv", sheet).out
    assert "2 left out" in shop("leads", "--csv", sheet).out


def test_what_is_not_there_is_told(leads: Any) -> None:
    told = leads("--cell", "E1")
    assert told.code == 1
    assert "no cell is called 'E1'" in told.err
    assert "one of the two" in leads("--json", "--csv", "a.csv").err


def test_before_the_first_tick_there_is_nobody(
    project_folder: Path, run: Run, tmp_path: Path
) -> None:
    (project_folder / "scenarios" / "all.yaml").write_text(MODEL)
    assert run("--project", project_folder, "apply").code == 0
    told = run("--project", project_folder, "leads")
    assert "0 leads (no tick has run yet: flowscore tick)" in told.out
    assert run("--project", project_folder, "leads", "--json").json["as_of"] is None


def test_without_a_grade_there_is_no_matrix(project_folder: Path, run: Run) -> None:
    score = MODEL.partition("---")[0]
    (project_folder / "scenarios" / "all.yaml").write_text(score)
    people = project_folder / "people.csv"
    people.write_text(PEOPLE)
    for words in (("apply",), ("import", "contacts", people), ("tick",)):
        assert run("--project", project_folder, *words).code == 0
    lines = run("--project", project_folder, "leads").out.splitlines()
    assert lines[0].split() == ["contact", "stage", "fit", "7", "days", "owner", "company"]
    assert [line.split()[0] for line in lines if "@x.example  " in line][:2] == [
        "ana@x.example",
        "gus@x.example",
    ]


# --- the spreadsheet --------------------------------------------------------------------------


def test_e16_the_csv_opens_in_a_spreadsheet(leads: Any, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    said = leads("--csv", str(file)).out.splitlines()
    assert said[0] == f"{file}: 4 leads, as of 2026-01-10T00:00:00Z."
    assert said[1].startswith("A = fit from 75"), "the legend, wherever cells are shown (B01)"
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf"), "Excel takes it for UTF-8"
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row["contact"][:3] for row in rows] == ["ana", "ben", "gus", "eva"]
    assert rows[0] | {"reasons": ""} == {
        "contact": "ana@x.example",
        "cell": "A4",
        "green": "yes",
        "stage": "sql",
        "score engagement": "90",
        "score fit": "80",
        "won in 7 days": "30",
        "reasons": "",
        "owner": '\'=HYPERLINK("http://evil.example")',
        "company": "",
        "last step": "became sql",
        "last step at": "2026-01-09 09:00",
        "feedback": "",
    }
    assert leads("--csv", str(file), "--limit", "2").out.startswith(f"{file}: 2 leads")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+34 600", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "-5"],
)
def test_a_text_that_begins_like_a_formula_is_none(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["ana@x.example", "a=b", "", "5-3", -5, -2.5, 0, None, True])
def test_everything_else_stays_as_it_is(value: Any) -> None:
    assert harmless(value) is value


def test_a_csv_reader_gets_the_same_values_back(tmp_path: Path) -> None:
    rows = [
        ['says "no", twice', "two\nlines", "a;b", -5, 0.1],
        ["José 🙂", "", None, 1e16, 12345.6789],
        ["\udce9", " spaces ", "'quoted'", -0.5, 3],
    ]
    file = tmp_path / "sheet.csv"
    assert write_sheet(file, ["a", "b", "c", "d", "e"], rows) == 3
    with file.open(encoding="utf-8-sig", newline="") as text:
        found = list(csv.reader(text))
    assert found[1] == ['says "no", twice', "two\nlines", "a;b", "-5", "0.1"]
    assert found[2] == ["José 🙂", "", "", "1e+16", "12345.6789"]
    assert found[3] == ["\\udce9", " spaces ", "'quoted'", "-0.5", "3"]


def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FlowscoreError, match="cannot be written"):
        write_sheet(tmp_path / "no" / "sheet.csv", ["a"], [])
    (tmp_path / "a.csv").write_text("before")

    def broken() -> Any:
        yield ["one"]
        raise FlowscoreError("the store is gone")

    with pytest.raises(FlowscoreError, match="the store is gone"):
        write_sheet(tmp_path / "a.csv", ["a"], broken())
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "before"
