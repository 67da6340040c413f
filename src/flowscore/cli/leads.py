"""Doors for sales: the queue of leads, and what sales says of them."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowscore.cli.arguments import AsJson, read_instant, workspace_of
from flowscore.cli.printer import counted, say, stream_document

if TYPE_CHECKING:
    from flowscore.views.leads import Queue

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The lead's address.")]

PAGE = 20
OfGrade = Annotated[
    str | None, typer.Option("--grade", metavar="NAME", help="By this grade, of several.")
]
OfCells = Annotated[
    list[str] | None,
    typer.Option("--cell", metavar="CELL", help="In this cell, or `green`; may be repeated."),
]
OfStages = Annotated[
    list[str] | None,
    typer.Option("--stage", metavar="NAME", help="In this stage; may be repeated."),
]
OfList = Annotated[str | None, typer.Option("--list", metavar="NAME", help="In this list.")]
OfOwner = Annotated[
    str | None, typer.Option("--owner", metavar="WHO", help="Of this owner; `none`: nobody's.")
]
OfScore = Annotated[
    str | None,
    typer.Option(
        "--score", metavar="NAME", help="What --at-least counts; the order, without a grade."
    ),
]
AtLeast = Annotated[
    str | None,
    typer.Option("--at-least", metavar="POINTS", help="From so many points, or a band, on."),
]
So = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, help="So many, 20; a CSV file takes all.")
]
Behind = Annotated[
    int, typer.Option("--offset", metavar="N", min=0, help="Behind the first so many.")
]


def leads(  # noqa: PLR0913, PLR0917 (a door's options are its arguments)
    context: typer.Context,
    grade: OfGrade = None,
    cells: OfCells = None,
    stages: OfStages = None,
    in_list: OfList = None,
    owner: OfOwner = None,
    score: OfScore = None,
    at_least: AtLeast = None,
    limit: So = PAGE,
    offset: Behind = 0,
    everyone: Annotated[
        bool, typer.Option("--all", help="Everybody, however many; customers and closed leads too.")
    ] = False,
    as_json: AsJson = False,
    sheet: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write a file for a spreadsheet."),
    ] = None,
) -> None:
    """Whom sales should call first, and why.

    By the cell of the grade, green ones first, then by the points won in the last 7 days. Of
    each: the strongest reasons, the last step, the owner. Without a grade by a score.

    Customers (the stage behind the one of sales) and those whom sales closed (not qualified or
    lost, until they earn a stage again; won) are left out and counted; --stage, --list and --all
    show them.

    \b
    Examples:
      flowscore leads
      flowscore leads --cell green --stage sql --owner ana@acme.example
      flowscore leads --score engagement --at-least hot --csv leads.csv
    """
    from flowscore.views.leads import Asked

    if as_json and sheet:
        raise typer.BadParameter("--json and --csv: one of the two")
    many = (tuple(cells or ()), tuple(stages or ()))
    asked = Asked(grade, *many, in_list, owner, score, at_least, everyone)
    most = None if everyone or (sheet and _is_default(context, "limit")) else limit
    with workspace_of(context).look.leads(asked) as queue:
        if sheet:
            _write_sheet(queue, sheet, most, offset)
        elif as_json:
            stream_document(queue.head, "leads", queue.rows(most, offset))
        else:
            _tell(queue, most, offset)


def _is_default(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "DEFAULT"


def _write_sheet(queue: "Queue", path: Path, limit: int | None, offset: int) -> None:
    from flowscore.cli.lead_words import sheet_heads, sheet_row
    from flowscore.cli.spreadsheet import write_sheet

    scores = list(queue.project.scores)
    rows = (sheet_row(lead, scores) for lead in queue.rows(limit, offset))
    count = write_sheet(path, sheet_heads(scores), rows)
    say(f"{path}: {counted(count, 'lead')}{_as_of(queue)}.")
    _tell_left_out(queue)
    if queue.legend:
        say(queue.legend)


def _tell(queue: "Queue", limit: int | None, offset: int) -> None:
    """A page at a time, so that everybody fits into memory."""
    from flowscore.cli.lead_words import tell_leads, tell_matrix

    if queue.matrix:
        tell_matrix(queue.matrix)
    found = list(queue.rows(limit, offset))
    tell_leads(found, queue.ranked, graded=queue.grade is not None)
    where = f" after the first {offset:,}" if offset else ""
    say(f"{counted(len(found), 'lead')}{where}{_as_of(queue)}; explain EMAIL says it all.")
    _tell_left_out(queue)


def _tell_left_out(queue: "Queue") -> None:
    from flowscore.views.settled import left_out_words

    if words := left_out_words(queue.left_out):
        say(f"{words}; --all shows them.")


def _as_of(queue: "Queue") -> str:
    return f", as of {queue.as_of}" if queue.as_of else " (no tick has run yet: flowscore tick)"


def feedback(  # noqa: PLR0913, PLR0917 (likewise)
    context: typer.Context,
    email: Email,
    reason: Annotated[
        str, typer.Argument(metavar="[REASON]", help="Why, in a few words; reports count it.")
    ] = "",
    not_qualified: Annotated[
        bool, typer.Option("--not-qualified", help="This is no lead for us.")
    ] = False,
    qualified: Annotated[
        bool, typer.Option("--qualified", help="A lead indeed: sales goes on with it.")
    ] = False,
    won: Annotated[
        float | None,
        typer.Option("--won", metavar="AMOUNT", min=0, help="Became a customer, for so much."),
    ] = None,
    lost: Annotated[bool, typer.Option("--lost", help="Did not buy after all.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who says so.")] = "",
    at: Annotated[
        str | None, typer.Option("--at", metavar="INSTANT", help="When it was so; by default now.")
    ] = None,
    number: Annotated[
        str, typer.Option("--id", metavar="ID", help="Its id where it comes from: counts once.")
    ] = "",
) -> None:
    """Tell what sales found: qualified or not, won or lost.

    It is an event, `sales_feedback`, that the next tick takes in: scenarios hear it, the report
    counts it against the model, and it is no behaviour of the lead. The same words of one lead
    on one day count once; with --id, each id does.

    \b
    Examples:
      flowscore feedback ana@example.com --not-qualified "student"
      flowscore feedback ben@example.com --won 1200 --by luis@acme.example
    """
    from flowscore.clock import clock_now
    from flowscore.orders import Feedback

    given = {"not_qualified": not_qualified, "qualified": qualified, "lost": lost}
    verdict = _one_verdict([*(name for name, is_so in given.items() if is_so)], won)
    when = clock_now() if at is None else read_instant(at)
    said = Feedback(verdict, when, reason.strip(), won, by.strip(), number.strip())
    if workspace_of(context).note_feedback(email, said):
        say(f"{email}: {verdict.replace('_', ' ')}; it waits in the inbox. Next: flowscore tick")
    else:
        say(f"{email}: that was said already and counts once; --id ID tells two of a day apart.")


def _one_verdict(given: list[str], won: float | None) -> str:
    verdicts = [*given, *(["won"] if won is not None else [])]
    if len(verdicts) != 1:
        found = " and ".join(f"--{one.replace('_', '-')}" for one in verdicts) or "none"
        raise typer.BadParameter(
            f"found {found}, expected one of --qualified, --not-qualified, --won AMOUNT, --lost"
        )
    return verdicts[0]
