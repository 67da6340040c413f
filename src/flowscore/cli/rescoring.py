"""The door to judging scores anew, and what judging anew has moved."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from typing import Annotated, Any

import typer

from flowscore.cli.arguments import AsJson, workspace_of
from flowscore.cli.moving import Telling, firing_lines, move_lines
from flowscore.cli.printer import counted, progress, say, show_json

Fire = Annotated[
    bool,
    typer.Option(
        "--fire", help="The next tick notices what moved: crossings, cells, stages, lists."
    ),
]


def rescore(
    context: typer.Context,
    scores: Annotated[
        list[str] | None, typer.Argument(metavar="[SCORE]...", help="Which; all by default.")
    ] = None,
    fire: Fire = False,
    as_json: AsJson = False,
) -> None:
    """Judge scores anew from the whole log, as of the last tick.

    Every rule is asked again with all that is known by now: an event that came late counts as if
    it had come in time. It is silent, so nobody is enrolled or written to by it; --fire lets the
    next tick notice what moved. Resets, and the points that scenarios gave, stay.

    It goes by contacts, 20,000 at a time; imports and deliveries go on meanwhile. When it is
    stopped, the next rescore, apply or tick goes on with it.

    \b
    Examples:
      flowscore rescore
      flowscore rescore engagement --fire
    """
    workspace = workspace_of(context)
    with progress("contacts", workspace.contacts_to_judge() or None) as watch:
        found = workspace.rescore(scores or (), fires=fire, watch=watch)
    if as_json:
        show_json({"judged": found is not None, **(found or {})})
    elif found is None:
        say("No tick has run yet, so there are no points to judge. Next: flowscore tick")
    else:
        _tell(found)


def _tell(found: dict[str, Any]) -> None:
    if found["resumed"]:
        say("Went on where an earlier one was stopped.")
    names = ", ".join(found["scores_judged"]) or "no score is live"
    say(f"judged anew: {names} ({counted(found['contacts'], 'contact')})")
    tell_moved(found, fires=found["fires"])


def tell_moved(row: dict[str, Any], *, fires: bool | None) -> None:
    """What moved, and what the next tick does with it (None: that was said when it began)."""
    told = Telling()
    lines = list(move_lines(row, told))
    for line in lines:
        say(line)
    if not lines:
        say("Nothing moved: every balance is what it was.")
    elif fires:
        say("The next tick notices it; cells, stages and lists follow there.")
        for line in firing_lines(row, told):
            say(f"  {line}")
    elif fires is not None:
        say("Nothing fired.")
