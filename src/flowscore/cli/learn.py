"""The door to learning: points from results, as a table and as an edit to the YAML."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from pathlib import Path
from typing import Annotated

import typer

from flowscore.cli.arguments import AsJson, read_instant, workspace_of
from flowscore.cli.printer import show_json

Outcome = Annotated[
    str | None,
    typer.Option(
        "--outcome",
        metavar="NAME",
        help="What a won lead did: a stage, an event, or `won` (sales feedback); by default the "
        "last stage. Of a file: the column that says it.",
    ),
]
Positive = Annotated[
    str | None,
    typer.Option("--positive", metavar="VALUE", help="What that column says of a customer."),
]
First = Annotated[
    int | None,
    typer.Option("--from", parser=read_instant, metavar="T", help="Leads that came in from then."),
]
Last = Annotated[
    int | None,
    typer.Option("--until", parser=read_instant, metavar="T", help="Leads that came in before."),
]
Enough = Annotated[
    int,
    typer.Option("--enough", min=1, metavar="N", help="Customers needed to propose anything."),
]
Compare = Annotated[
    bool,
    typer.Option(
        "--compare",
        help="Hold old and new points, and a logistic regression, against leads not learned "
        "from. Needs the extra flowscore[learn].",
    ),
]
Sensitive = Annotated[
    bool,
    typer.Option("--include-sensitive", help="Also sensitive attributes, such as age or origin."),
]
Because = Annotated[
    str, typer.Option("--because", metavar="TEXT", help="Why rules on those are fair and needed.")
]
Used = Annotated[
    list[str] | None,
    typer.Option("--use", metavar="NAME", help="Use this column although it looks suspicious."),
]
LeftOut = Annotated[
    list[str] | None, typer.Option("--leave-out", metavar="NAME", help="Do not use this one.")
]


File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="A CSV of leads instead of the store.")
]
Score = Annotated[
    str | None, typer.Option("--score", metavar="NAME", help="Only this score's rules.")
]
Encoding = Annotated[str, typer.Option("--encoding", help="Of the file, if it is not UTF-8.")]
Write = Annotated[bool, typer.Option("--write", help="Write the points into scenarios/.")]
Every = Annotated[bool, typer.Option("--all", help="Also what closes like all leads.")]


def learn(  # noqa: PLR0913, PLR0917 (an option each)
    context: typer.Context,
    file: File = None,
    outcome: Outcome = None,
    positive: Positive = None,
    first: First = None,
    last: Last = None,
    score: Score = None,
    enough: Enough = 30,
    compare: Compare = False,
    include_sensitive: Sensitive = False,
    because: Because = "",
    use: Used = None,
    leave_out: LeftOut = None,
    encoding: Encoding = "utf-8",
    write: Write = False,
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    """Points from results: close rates, and an edit to the YAML.

    It counts how many leads became customers, overall and with each attribute and behaviour, and
    proposes points for what differs; only what was known before the sale counts. Nothing is
    written without --write; then `git diff` shows it, and `flowscore plan` what it would do.

    \b
    Examples:
      flowscore learn
      flowscore learn --outcome order_completed --compare
      flowscore learn leads.csv --outcome converted --positive yes
      flowscore learn --write && git diff scenarios
    """
    from flowscore.cli.lessons import tell_lessons
    from flowscore.learning.asking import Question

    question = Question(
        file=file,
        outcome=outcome,
        positive=positive,
        first=first,
        last=last,
        score=score,
        enough=enough,
        compare=compare,
        sensitive=include_sensitive,
        because=because,
        used=tuple(use or ()),
        left_out=tuple(leave_out or ()),
        encoding=encoding,
        write=write,
    )
    lessons = workspace_of(context).learn(question)
    show_json(lessons.as_json) if as_json else tell_lessons(lessons, every=every)
