"""Doors to the service: run here in one process, or as a deployment on a Prefect server."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

from typing import TYPE_CHECKING, Annotated

import typer

from flowscore.cli.arguments import workspace_of
from flowscore.cli.printer import say

if TYPE_CHECKING:
    from flowscore.workspace import Workspace


def run(context: typer.Context) -> None:
    """Tick, deliver and answer the web: the service.

    Stops on Ctrl-C or SIGTERM, after the step under way.

    One process: scheduler, flows, the web door (see `flowscore serve`) and Prefect's pages, where
    every tick can be looked at.

    \b
    Example:
      FLOWSCORE_TICK_EVERY="5 minutes" flowscore run
    """
    from flowscore.scheduler import serve

    workspace = workspace_of(context)
    workspace.require_live()
    workspace.refuse_unstoppable_mail()
    _tell_of_webhooks(workspace)
    serve(workspace)


def _tell_of_webhooks(workspace: "Workspace") -> None:
    told = workspace.look_after_webhooks()
    if told:
        say(told)


def serve(context: typer.Context) -> None:
    """Answer the web alone: intake, tracking, preference pages.

    Stops on Ctrl-C or SIGTERM. Ticks are run elsewhere: by `flowscore run`, by workers, by cron.

    It listens on FLOWSCORE_WEB_HOST and FLOWSCORE_WEB_PORT; put a proxy that speaks TLS before it.

    \b
    Example:
      FLOWSCORE_WEB_PORT=8300 flowscore serve
    """
    from flowscore.scheduler import serve_web

    workspace = workspace_of(context)
    workspace.open_or_create_store()
    serve_web(workspace)


def deploy(
    context: typer.Context,
    pool: Annotated[
        str | None,
        typer.Option("--pool", metavar="NAME", help="The work pool; without it, this process."),
    ] = None,
) -> None:
    """Make the tick a deployment on a Prefect server.

    PREFECT_API_URL names the server.

    With --pool a worker of that pool runs it; without, this process does until stopped.

    \b
    Examples:
      PREFECT_API_URL=http://127.0.0.1:4200/api flowscore deploy
      PREFECT_API_URL=http://127.0.0.1:4200/api flowscore deploy --pool marketing
    """
    from flowscore.prefect_home import load_flows, require_server

    workspace = workspace_of(context)
    require_server()
    flows = load_flows(workspace.settings.home / "prefect")
    every = workspace.settings.tick_every
    if pool is None:
        _tell_of_webhooks(workspace)
        flows.serve_deployment(workspace.root, every)
    else:
        say(f"{flows.deploy(workspace.root, every, pool)} is deployed on the pool {pool}.")
