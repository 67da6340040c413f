"""The table of commands: `flowscore --help` shows it, `main` runs it."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from pathlib import Path
from typing import Annotated

import typer

from flowscore import __version__
from flowscore.cli import (
    changes,
    explaining,
    exporting,
    folder,
    intake,
    leads,
    learn,
    listings,
    mails,
    report,
    rescoring,
    service,
    ticking,
    versions,
)

EPILOG = "flowscore COMMAND --help shows an example of each. Start with: flowscore demo"

app = typer.Typer(
    name="flowscore",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EPILOG,
)
imports = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Bring in contacts and events."
)

for name, door in (
    ("demo", folder.demo),
    ("init", folder.init),
    ("validate", folder.validate),
    ("plan", changes.plan),
    ("apply", changes.apply),
    ("rescore", rescoring.rescore),
    ("schema", folder.schema),
    ("tick", ticking.tick),
    ("deliver", ticking.deliver),
    ("run", service.run),
    ("deploy", service.deploy),
    ("explain", explaining.explain),
    ("leads", leads.leads),
    ("feedback", leads.feedback),
    ("contacts", listings.contacts),
    ("lists", listings.lists),
    ("preview", mails.preview),
    ("report", report.report),
    ("learn", learn.learn),
    ("export", exporting.export),
):
    app.command(name)(door)

imports.command("contacts")(intake.contacts)
imports.command("events")(intake.events)
app.add_typer(imports, name="import")
listings.scenarios.command("history")(versions.history)
listings.scenarios.command("show")(versions.show)
listings.scenarios.command("restore")(versions.restore)
app.add_typer(listings.scenarios, name="scenarios")
app.add_typer(mails.outbox, name="outbox")


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flowscore {__version__}")
        raise typer.Exit


@app.callback()
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
