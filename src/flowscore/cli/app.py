"""The table of commands: `flowscore --help` shows it, `main` runs it."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from flowscore import __version__

EPILOG = "flowscore COMMAND --help shows an example of each. Start with: flowscore demo"

ROOMS = {
    "demo": "folder",
    "init": "folder",
    "validate": "folder",
    "plan": "changes",
    "apply": "changes",
    "rescore": "rescoring",
    "schema": "folder",
    "tick": "ticking",
    "deliver": "ticking",
    "run": "service",
    "serve": "service",
    "deploy": "service",
    "bounces": "bounces",
    "rejects": "rejects",
    "explain": "explaining",
    "leads": "leads",
    "feedback": "leads",
    "contacts": "listings",
    "lists": "listings",
    "preview": "mails",
    "report": "report",
    "learn": "learn",
    "export": "exporting",
    "consent": "consent",
    "erase": "erasing",
}
"""Which module of this package holds a command; the order is that of `flowscore --help`."""


def app_for(given: Sequence[str]) -> typer.Typer:
    """The table with the command that is named; the whole of it where none is."""
    words = list(given)
    if words[:1] == ["--project"]:
        words = words[2:]
    elif words and words[0].startswith("--project="):
        words = words[1:]
    named = words[0] if words else ""
    return _table((named,) if named in (*ROOMS, *GROUPS) else (*ROOMS, *GROUPS))


@cache
def _table(names: tuple[str, ...]) -> typer.Typer:
    """Only what these commands need is imported: `validate` has to start at once."""
    app = typer.Typer(
        name="flowscore",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        epilog=EPILOG,
    )
    app.callback()(project)
    for name in names:
        if name in GROUPS:
            app.add_typer(GROUPS[name](), name=name)
        else:
            app.command(name)(getattr(_room(ROOMS[name]), name))
    return app


def _room(name: str) -> Any:
    return import_module(f"flowscore.cli.{name}")


@cache
def _imports() -> typer.Typer:
    from flowscore.cli import intake

    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Bring in contacts and events."
    )
    group.command("contacts")(intake.contacts)
    group.command("events")(intake.events)
    return group


@cache
def _scenarios() -> typer.Typer:
    from flowscore.cli import listings, versions

    for command in (versions.history, versions.show, versions.restore):
        listings.scenarios.command(command.__name__)(command)
    return listings.scenarios


@cache
def _outbox() -> typer.Typer:
    from flowscore.cli import mails

    return mails.outbox


@cache
def _keys() -> typer.Typer:
    from flowscore.cli import keys

    return keys.keys


GROUPS: dict[str, Callable[[], typer.Typer]] = {
    "import": _imports,
    "scenarios": _scenarios,
    "outbox": _outbox,
    "keys": _keys,
}


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flowscore {__version__}")
        raise typer.Exit


def project(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--project",
            envvar="FLOWSCORE_PROJECT",
            metavar="DIR",
            help="The project folder; the current one when not given.",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version."),
    ] = False,
) -> None:
    """Lead scoring and marketing automation from YAML files.

    Scenarios, scores, lists and the policy stand in `scenarios/`, mails in `templates/email/`.
    A day with it:

    \b
      flowscore init academy && cd academy
      flowscore validate && flowscore apply
      flowscore import contacts people.csv
      flowscore import events clicks.jsonl
      flowscore tick && flowscore deliver
      flowscore explain ana@example.com
    """
    context.obj = folder or Path()
