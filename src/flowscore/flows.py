"""The tick as a Prefect flow of a few coarse tasks, and as a deployment; alone imports Prefect."""

# Prefect reads annotations at run time: no `from __future__ import annotations` here.

import asyncio
import re
import threading
from contextlib import closing
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow, serve, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import DeploymentApplyError, EntrypointType, RunnerDeployment
from prefect.schedules import Interval

from flowscore.clock import EPOCH, clock_now, datetime_of, instant_of
from flowscore.errors import FlowscoreError
from flowscore.workspace import Workspace

Counts = dict[str, int]

stopping = threading.Event()
"""Set when this process was asked to leave: the step under way is finished, no other begun."""

COARSE: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}


class StoppedError(Exception):
    """The process was asked to leave between two ticks; what is owed is worked off later."""


@flow(name="flowscore tick", persist_result=False, validate_parameters=False)
async def tick(project: str, now: datetime | None = None) -> Counts:
    """Work off the ticks that are owed in the project folder, deliver once, report."""
    instant = instant_of(now) if now else clock_now()
    done = await owed_ticks(project, instant)
    if not stopping.is_set():
        done |= await delivery(project, instant)
    await report(project, done)
    return done


@task(name="owed ticks", **COARSE)
async def owed_ticks(project: str, now: int) -> Counts:
    """Every tick that the grid owes up to now."""
    return await asyncio.to_thread(_run_owed_ticks, project, now)


@task(name="delivery", **COARSE)
async def delivery(project: str, now: int) -> Counts:
    """The mails that wait, each asked again whether it may go."""
    return await asyncio.to_thread(_deliver, project, now)


@task(name="report", **COARSE)
async def report(project: str, done: Counts) -> None:
    """A table on the flow run's page: what was done, in rows."""
    name = Path(project).name
    await acreate_table_artifact(
        key=f"tick-{_slug(name)}",
        table=[{"what": what.replace("_", " "), "rows": rows} for what, rows in done.items()],
        description=f"What the tick of `{name}` did",
    )


def _run_owed_ticks(project: str, now: int) -> Counts:
    with closing(Workspace(Path(project))) as workspace:
        try:
            return counts_of(workspace.run_owed_ticks(now, _leave_when_asked))
        except StoppedError:
            return {}


def _deliver(project: str, now: int) -> Counts:
    with closing(Workspace(Path(project))) as workspace:
        return counts_of(workspace.deliver(now))


def _leave_when_asked(*_: object) -> None:
    """Called after each tick's commit."""
    if stopping.is_set():
        raise StoppedError


def counts_of(report: Any) -> Counts:
    """The numbers of a report that are not nought, by the names they have there."""
    fields = asdict(report) if is_dataclass(report) and not isinstance(report, type) else {}
    for name, value in list(fields.items()):
        if isinstance(value, dict):
            fields |= fields.pop(name)
    return {name: value for name, value in fields.items() if type(value) is int and value}


async def work(project: Path, now: int) -> Counts:
    """One flow run at an instant, in this process."""
    return await tick(str(project), datetime_of(now))


# Deployments


def deploy(project: Path, every: int, pool: str) -> str:
    """Make the tick a deployment on a work pool; gives its full name. `every` in microseconds."""
    deployment = _deployment(project, every)
    try:
        deployment.apply(work_pool_name=pool)
    except DeploymentApplyError as error:
        raise FlowscoreError(
            f"the Prefect server refused the deployment: {error} A missing pool is made with "
            f"`prefect work-pool create {pool} --type process`; --pool names another"
        ) from error
    return deployment.full_name


def serve_deployment(project: Path, every: int) -> None:
    """Make the tick a deployment and run it from this process until stopped."""
    serve(_deployment(project, every), print_starting_message=False)


def _deployment(project: Path, every: int) -> RunnerDeployment:
    """On the grid; a run that comes while one is under way is cancelled: it owes nothing."""
    made = tick.to_deployment(
        name=project.name,
        parameters={"project": str(project)},
        schedule=Interval(timedelta(microseconds=every), anchor_date=EPOCH),
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        description="Works off the ticks that are owed, then delivers.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(made, RunnerDeployment)  # a coroutine only inside a running loop
    return made


def _slug(name: str) -> str:
    """An artifact's key: lower case, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "project"
