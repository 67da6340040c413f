"""Doors to the project folder: init, validate, schema, demo."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

import atexit
import gc
from pathlib import Path
from typing import Annotated

import typer

from flowscore.cli.arguments import AsJson, workspace_of
from flowscore.cli.printer import counted, mistakes_in, say, show_json, tell_problems
from flowscore.errors import Problem
from flowscore.language.printing import contents_text, problems_json


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")]) -> None:
    """Make a project to start from: a small online academy.

    \b
    Example:
      flowscore init academy
    """
    from flowscore.workspace import Workspace

    made = Workspace(folder).init()
    say(f"{folder}: {counted(len(made), 'file')} written; scenarios/ is what you edit.")
    say(f"Next: cd {folder} && flowscore validate")


def validate(context: typer.Context, as_json: AsJson = False) -> None:
    """Check every file: all mistakes in one run.

    Scenarios, scores, lists, the policy and the mail templates.

    \b
    Examples:
      flowscore validate
      flowscore validate --json
    """
    # The process ends right after: sifting all it has read for garbage would take a fifth more.
    atexit.register(gc.freeze)
    workspace = workspace_of(context)
    problems = workspace.problems()
    if as_json:
        show_json({"clean": not mistakes_in(problems), "problems": problems_json(problems)})
    else:
        tell_problems(problems, workspace.root)
        say(_verdict(contents_text(workspace.loaded[0]), problems))
    raise typer.Exit(1 if mistakes_in(problems) else 0)


def _verdict(contents: str, problems: list[Problem]) -> str:
    errors = mistakes_in(problems)
    warnings = counted(len(problems) - errors, "warning")
    if errors:
        return f"{counted(errors, 'mistake')}, {warnings}; nothing goes live until they are mended."
    return f"{contents}: no mistakes, {warnings}. Next: flowscore apply"


def schema(context: typer.Context) -> None:
    """Print the JSON Schema for your editor.

    With it, an editor completes and checks scenarios while you write.

    \b
    Example: put it beside the scenarios, and this as the first line of a file:
      flowscore schema > scenarios/.schema.json
      # yaml-language-server: $schema=.schema.json
    """
    show_json(workspace_of(context).schema())


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="An empty folder, made if need be.")
    ] = Path("flowscore-demo"),
) -> None:
    """See it work: a small company, sixty days, in one command.

    It writes a project, makes people and events, and runs them. Nothing leaves the machine.

    \b
    Example:
      flowscore demo
    """
    from flowscore.demo import run_demo

    run_demo(folder)
