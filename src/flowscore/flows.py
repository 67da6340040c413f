"""The tick as a Prefect flow of a few coarse tasks, and as a deployment; alone imports Prefect."""

# Prefect reads annotations at run time: no `from __future__ import annotations` here.

import asyncio
import re
import threading
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow, serve, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import EntrypointType, RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Interval

from flowscore.clock import EPOCH, clock_now, instant_of
from flowscore.errors import FlowscoreError
from flowscore.workspace import Workspace

Done = dict[str, Any]
"""What was done: rows by name, and a sentence where something stood in the way."""

PLACES = ("upto",)  # instants in a report: no rows

stopping = threading.Event()
"""Set when this process was asked to leave: the step under way is finished, no other begun."""

COARSE: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}


class StoppedError(Exception):
    """The process was asked to leave between two ticks; what is owed is worked off later."""


@flow(name="flowscore tick", persist_result=False, validate_parameters=False)
async def tick(project: str, now: datetime | None = None) -> Done:
    """Work off the ticks that are owed in the project folder, deliver once, report (ruling 124)."""
    done = await owed_ticks(project, instant_of(now) if now else clock_now())
    if not stopping.is_set():
        done |= await delivery(project, instant_of(now) if now else clock_now())
    await report(project, done)
    return done


@task(name="owed ticks", **COARSE)
async def owed_ticks(project: str, now: int) -> Done:
    """Every tick that the grid owes up to now."""
    return await asyncio.to_thread(_run_owed_ticks, project, now)


@task(name="delivery", **COARSE)
async def delivery(project: str, now: int) -> Done:
    """The mails that wait, each asked again whether it may go."""
    return await asyncio.to_thread(_deliver, project, now)


@task(name="report", **COARSE)
async def report(project: str, done: Done) -> None:
    """A table on the flow run's page: what was done, in rows."""
    name = Path(project).name
    await acreate_table_artifact(
        key=f"tick-{_slug(name)}",
        table=[{"what": what.replace("_", " "), "rows": rows} for what, rows in done.items()],
        description=f"What the tick of `{name}` did",
    )


def _run_owed_ticks(project: str, now: int) -> Done:
    with closing(Workspace(Path(project))) as workspace:
        try:
            return counts_of(workspace.run_owed_ticks(now, _leave_when_asked))
        except StoppedError:
            return {}


def _deliver(project: str, now: int) -> Done:
    with closing(Workspace(Path(project))) as workspace:
        return counts_of(workspace.deliver(now, stopping.is_set))


def _leave_when_asked() -> None:
    """Called before each tick."""
    if stopping.is_set():
        raise StoppedError


def counts_of(report: Any) -> Done:
    """What a report says, by the names it has there, without what is nought."""
    fields: dict[str, Any] = {}
    for name, value in asdict(report).items():
        fields |= _below(name, value) if isinstance(value, dict) else {name: value}
    return {name: value for name, value in fields.items() if value and name not in PLACES}


def _below(name: str, inner: dict[str, Any]) -> dict[str, Any]:
    """Reasons keep the word they are reasons for, the counts of a tick speak for themselves."""
    return inner if name == "counts" else {f"{name}: {key}": rows for key, rows in inner.items()}


async def work(project: Path) -> Done:
    """One flow run, now, in this process."""
    return await tick(str(project))


# Deployments


def deploy(project: Path, every: int, pool: str) -> str:
    """Make the tick a deployment on a work pool; gives its full name. `every` in microseconds."""
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(pool)
        except ObjectNotFound as error:
            raise FlowscoreError(
                f"no work pool {pool!r} on the Prefect server; make it with `prefect work-pool "
                f"create {pool} --type process`, or name another with --pool"
            ) from error
    deployment = _deployment(project, every)
    deployment.apply(work_pool_name=pool)
    return deployment.full_name


def serve_deployment(project: Path, every: int) -> None:
    """Make the tick a deployment and run it from this process until stopped."""
    serve(_deployment(project, every), print_starting_message=False)


def _deployment(project: Path, every: int) -> RunnerDeployment:
    """On the grid; a run that comes while one is under way is cancelled: it owes nothing."""
    _refuse_foreign(project)
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


def _refuse_foreign(project: Path) -> None:
    """Deployments are named after folders: two projects must not take turns under one name."""
    with get_client(sync_client=True) as client, suppress(ObjectNotFound):
        there = client.read_deployment_by_name(f"{tick.name}/{project.name}").parameters
        if there.get("project") != str(project):
            raise FlowscoreError(
                f"a deployment {project.name!r} is on that Prefect server already, for the project "
                f"{there.get('project')}; rename this folder, or delete that deployment"
            )


def _slug(name: str) -> str:
    """An artifact's key: lower case, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "project"
