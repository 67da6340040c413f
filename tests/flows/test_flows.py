"""The tick as Prefect sees it: a flow run of three tasks, a table, a scheduled deployment."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.watching import await_true, mails_in
from flowscore.cli import main
from flowscore.clock import EPOCH, MINUTE, SECOND, clock_now, datetime_of
from flowscore.workspace import Workspace

pytestmark = pytest.mark.prefect

SERVE = """
import sys
from pathlib import Path
from flowscore.prefect_home import load_flows
folder = Path(sys.argv[1])
load_flows(folder / ".flowscore" / "prefect").serve_deployment(folder, int(sys.argv[2]))
"""


async def flow_runs_of(folder: Path) -> list:
    from prefect import get_client

    async with get_client() as client:
        runs = await client.read_flow_runs()
    return [run for run in runs if run.parameters.get("project") == str(folder)]


async def tasks_and_table_of(folder: Path) -> tuple[list[str], str]:
    from prefect import get_client

    (run,) = await flow_runs_of(folder)
    async with get_client() as client:
        tasks = [task for task in await client.read_task_runs() if task.flow_run_id == run.id]
        tables = [a for a in await client.read_artifacts() if a.flow_run_id == run.id]
    return sorted(task.name[:-4] for task in tasks), str(tables[0].data)


async def deployment_named(name: str):
    from prefect import get_client

    async with get_client() as client:
        return await client.read_deployment_by_name(name)


def test_tick_is_a_flow_run_of_three_tasks_and_a_table(
    prefect_server: str, academy: Path, sign_up: Callable[..., None]
) -> None:
    from flowscore import flows

    sign_up("ada@example.com", "bob@example.com")
    done = asyncio.run(flows.work(academy))
    tasks, table = asyncio.run(tasks_and_table_of(academy))
    assert tasks == ["delivery", "owed ticks", "report"]
    assert done["enrolled"] == 2 and '"what": "enrolled", "rows": 2' in table
    assert mails_in(academy) == ["ada@example.com", "bob@example.com"]


def test_nothing_is_due_once_all_is_done(
    prefect_server: str, academy: Path, sign_up: Callable[..., None]
) -> None:
    from flowscore import flows

    sign_up("ada@example.com")
    workspace, now = Workspace(academy), clock_now()
    assert workspace.has_work(now)
    for instant in (now, now + MINUTE):  # the second takes in that the mail was sent
        asyncio.run(flows.tick(str(academy), datetime_of(instant)))
    assert not workspace.has_work(now + MINUTE)
    workspace.close()


def test_tick_that_fails_is_a_failed_flow_run(prefect_server: str, tmp_path: Path) -> None:
    from flowscore import flows
    from flowscore.errors import FlowscoreError

    with pytest.raises(FlowscoreError, match="no store here"):
        asyncio.run(flows.work(tmp_path))
    (run,) = asyncio.run(flow_runs_of(tmp_path))
    assert run.state.is_failed()


def test_tick_asked_to_stop_leaves_between_two_steps(
    prefect_server: str, academy: Path, sign_up: Callable[..., None]
) -> None:
    from flowscore import flows

    sign_up("ada@example.com")
    flows.stopping.set()
    try:
        asyncio.run(flows.work(academy))
        assert mails_in(academy) == []
    finally:
        flows.stopping.clear()
    asyncio.run(flows.work(academy))
    assert mails_in(academy) == ["ada@example.com"]


def test_served_deployment_runs_on_schedule_and_does_its_work(
    prefect_server: str, academy: Path, sign_up: Callable[..., None]
) -> None:
    sign_up("ada@example.com")
    serving = subprocess.Popen(
        [sys.executable, "-c", SERVE, academy, str(3 * SECOND)],
        env=os.environ | {"PREFECT_API_URL": prefect_server},
    )
    try:
        await_true(lambda: mails_in(academy) == ["ada@example.com"], 180)
        await_true(lambda: any(r.state.is_completed() for r in asyncio.run(flow_runs_of(academy))))
    finally:
        serving.terminate()
        assert serving.wait(30) == 0
    runs = asyncio.run(flow_runs_of(academy))
    assert all(run.auto_scheduled and run.expected_start_time for run in runs)
    assert not any(run.state.is_failed() or run.state.is_crashed() for run in runs)
    assert mails_in(academy) == ["ada@example.com"]  # once, however many runs came


def test_deploy_makes_a_deployment_that_never_overlaps(
    prefect_server: str, academy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="marketing", type="process"))
    assert main(["--project", str(academy), "deploy", "--pool", "marketing"]) == 0
    made = asyncio.run(deployment_named(f"flowscore tick/{academy.name}"))
    schedule = made.schedules[0].schedule
    assert (made.global_concurrency_limit.limit, made.work_pool_name) == (1, "marketing")
    assert made.concurrency_options.collision_strategy.value == "CANCEL_NEW"
    assert (schedule.interval.total_seconds(), schedule.anchor_date) == (MINUTE / SECOND, EPOCH)
    assert made.entrypoint == "flowscore.flows.tick"
    assert made.parameters == {"project": str(academy)}


def test_deploy_names_the_pool_that_is_missing(
    prefect_server: str,
    academy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    assert main(["--project", str(academy), "deploy", "--pool", "sales"]) == 1
    assert "no work pool 'sales' on the Prefect server" in capsys.readouterr().err


def test_deploy_refuses_a_name_that_is_another_projects(
    prefect_server: str, academy: Path, tmp_path: Path
) -> None:
    from flowscore import flows
    from flowscore.errors import FlowscoreError

    flows._deployment(academy, MINUTE).apply()
    flows._deployment(academy, MINUTE).apply()  # the same project again is no matter
    with pytest.raises(FlowscoreError, match="for the project"):
        flows._deployment(tmp_path / "elsewhere" / academy.name, MINUTE)
