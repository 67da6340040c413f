"""Doors to the service: run here in one process, or as a deployment on a Prefect server."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from typing import Annotated

import typer

from flowscore.cli.arguments import workspace_of
from flowscore.errors import FlowscoreError


def run(context: typer.Context) -> None:
    """Tick and deliver on schedule until stopped (Ctrl-C or SIGTERM): the service.

    One process: scheduler, flows and Prefect's pages, where every tick can be looked at.

    \b
    Example:
      FLOWSCORE_TICK_EVERY="5 minutes" flowscore run
    """
    from flowscore.scheduler import serve

    serve(workspace_of(context))


def deploy(
    context: typer.Context,
    pool: Annotated[
        str | None,
        typer.Option("--pool", metavar="NAME", help="The work pool whose workers run it."),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Run it from this process instead, until stopped.")
    ] = False,
) -> None:
    """Make the tick a scheduled deployment on the Prefect server that PREFECT_API_URL names.

    A run that comes while one is under way is cancelled: the next one works off what is owed.

    \b
    Example:
      export PREFECT_API_URL=http://127.0.0.1:4200/api
      prefect work-pool create marketing --type process
      flowscore deploy --pool marketing
      prefect worker start --pool marketing
    """
    from flowscore.prefect_home import load_flows, require_server

    if bool(pool) == serve:
        raise FlowscoreError("say where it runs: --pool NAME (a worker's pool) or --serve (here)")
    workspace = workspace_of(context)
    workspace.require_project()
    server = require_server()
    flows = load_flows(workspace.settings.home / "prefect")
    if serve:
        flows.serve_deployment(workspace.root, workspace.settings.tick_every)
    else:
        name = flows.deploy(workspace.root, workspace.settings.tick_every, pool)
        typer.echo(f"{name} is deployed on {server}; its pool is {pool}")
