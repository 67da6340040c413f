"""The queue of leads as a person reads it: the matrix, its legend, some lines for each lead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flowscore.cli.printer import say, show_table, table_lines
from flowscore.views.matrix import table_of
from flowscore.views.words import day, number

Row = dict[str, Any]


def tell_matrix(matrix: Row) -> None:
    """How many stand in each cell, and what the letters and digits mean."""
    total = sum(matrix["counts"].values())
    say(f"{matrix['grade']}: {total:,} contacts; * marks the green cells.")
    show_table(*table_of(matrix))
    say(matrix["legend"])
    say()


def tell_leads(leads: Sequence[Row], scores: Sequence[str], graded: bool) -> None:
    """Where each stands, why, and what came last."""
    heads = ["cell"] * graded + ["contact", "stage", *scores, "7 days", "owner", "company"]
    lines = table_lines(heads, [_cells(lead, scores, graded) for lead in leads])
    say(next(lines))
    for lead, line in zip(leads, lines, strict=True):
        say(line)
        for words in _below(lead):
            say(f"      {words}")


def _cells(lead: Row, scores: Sequence[str], graded: bool) -> list[object]:
    mark = "*" if lead["green"] else ""
    cell = [f"{lead['cell']}{mark}"] if graded else []
    points = [number(lead["scores"][name]) for name in scores]
    won = f"+{number(lead['won_in_7_days'])}" if lead["won_in_7_days"] else "0"
    who = (lead["contact"], lead["stage"], *points, won, lead["owner"], lead["company"])
    return [*cell, *who]


def _below(lead: Row) -> Iterable[str]:
    if lead["reasons"]:
        yield f"because {', '.join(reason_words(one) for one in lead['reasons'])}"
    if lead["last_step"]:
        yield f"last {step_words(lead['last_step'])}"
    if lead["feedback"]:
        yield f"sales said {feedback_words(lead['feedback'])}"


def reason_words(reason: Row) -> str:
    """`demo-requested +30 (2 times)`."""
    by = f"scenario {reason['rule']}" if reason["kind"] == "scenario" else reason["rule"]
    often = f" ({reason['times']:,} times)" if reason["times"] > 1 else ""
    return f"{by} +{number(reason['points'])}{often}"


def step_words(step: Row) -> str:
    """`page_viewed /pricing, 2026-03-12 10:00`."""
    said = {"stage": "became {}", "mail": "was sent {}"}.get(step["kind"], "{}")
    what = said.format(step["what"]) + (f" {step['about']}" if step["about"] else "")
    return f"{what}, {day(step['at'])}"


def feedback_words(feedback: Row) -> str:
    """`not qualified (student), 2026-03-12 10:00, by ana@acme.example`."""
    verdict = str(feedback["verdict"]).replace("_", " ")
    amount = f" {feedback['amount']:,}" if feedback["amount"] is not None else ""
    reason = f" ({feedback['reason']})" if feedback["reason"] else ""
    by = f", by {feedback['by']}" if feedback["by"] else ""
    return f"{verdict}{amount}{reason}, {day(feedback['at'])}{by}"


def sheet_heads(scores: Sequence[str]) -> list[str]:
    """The columns of the spreadsheet."""
    points = [f"score {name}" for name in scores]
    before, behind = ["contact", "cell", "green", "stage"], ["owner", "company", "last step"]
    return [*before, *points, "won in 7 days", "reasons", *behind, "last step at", "feedback"]


def sheet_row(lead: Row, scores: Sequence[str]) -> list[Any]:
    """A lead in these columns."""
    step, said = lead["last_step"], lead["feedback"]
    return [
        lead["contact"],
        lead["cell"],
        "yes" if lead["green"] else "",
        lead["stage"],
        *(lead["scores"][name] for name in scores),
        lead["won_in_7_days"],
        "; ".join(reason_words(reason) for reason in lead["reasons"]),
        lead["owner"],
        lead["company"],
        step_words({**step, "at": ""}).rstrip(", ") if step else None,
        day(step["at"]) if step else None,
        feedback_words(said) if said else None,
    ]
