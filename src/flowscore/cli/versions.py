"""Doors to the versions of a definition: its history, its text as it was, the way back."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from typing import Annotated, Any

import typer

from flowscore.cli.arguments import AsJson, workspace_of
from flowscore.cli.printer import counted, say, show_json
from flowscore.views.words import day

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The scenario; also a score, list, grade or lifecycle."),
]


def history(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """The versions of a scenario, newest first.

    When each was live, what changed with it, and who is on it: people inside finish on the
    version on which they entered.

    \b
    Example:
      flowscore scenarios history win-back
    """
    rows = workspace_of(context).versions.history(name)
    if as_json:
        show_json(rows)
        return
    for row in rows:
        _tell_version(row)
    if len(rows) > 1:
        say(f"flowscore scenarios restore {name} --version N writes an older one back.")


def _tell_version(row: dict[str, Any]) -> None:
    until = "live" if row["state"] == "live" else f"until {day(row['retired_at'])}"
    say(f"version {row['version']}, applied {day(row['applied_at'])}, {until} ({row['where']})")
    for sentence in row["changes"]:
        say(f"  {sentence}")
    if "scenario" in row:
        _tell_fates(row)


def _tell_fates(row: dict[str, Any]) -> None:
    ends = [(row[word], word) for word in ("inside", "finished", "exited", "converted")]
    told = ", ".join(f"{count:,} {word}" for count, word in ends if count)
    held = f"; {row['held']:,} of them held out" if row["held"] else ""
    say(f"  {counted(row['entered'], 'contact')} entered on it{f': {told}' if told else ''}{held}")


Version = Annotated[
    int | None,
    typer.Option("--version", metavar="N", help="Its number; the newest when not given."),
]


def show(
    context: typer.Context, name: Name, version: Version = None, as_json: AsJson = False
) -> None:
    """Print a scenario as it was applied.

    \b
    Examples:
      flowscore scenarios show win-back
      flowscore scenarios show win-back --version 3
    """
    found = workspace_of(context).versions.source(name, version)
    show_json(found) if as_json else say(found["text"].rstrip())


def restore(
    context: typer.Context,
    name: Name,
    version: Annotated[
        int, typer.Option("--version", metavar="N", help="The version to go back to.")
    ],
) -> None:
    """Write an older version back into its file.

    Nothing goes live by that: look at it, then apply it. It becomes a new version; people inside
    stay on theirs.

    \b
    Example:
      flowscore scenarios restore win-back --version 3 && flowscore plan
    """
    done = workspace_of(context).versions.restore(name, version)
    how = "a new file" if done.new else "in place of what stood there"
    say(f"{done.file}:{done.line}: {name} as it was in version {version}, {how}.")
    say("Next: flowscore plan says what that changes, flowscore apply makes it live.")
