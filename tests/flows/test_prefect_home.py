"""Prefect's surroundings: its own folder, no telemetry, a server that leaves with its parent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowscore import prefect_home
from flowscore.cli import main

READ_BACK = """
import json, sys
from pathlib import Path
from flowscore.prefect_home import settle
settle(Path(sys.argv[1]))
from prefect.settings import get_current_settings
from prefect._internal.analytics.enabled import is_telemetry_enabled
now = get_current_settings()
print(json.dumps({
    "home": str(now.home),
    "database": str(now.server.database.connection_url.get_secret_value()),
    "analytics": now.server.analytics_enabled,
    "telemetry": is_telemetry_enabled(),
    "promotion": now.server.ui.show_promotional_content,
    "timeout": now.server.ephemeral.startup_timeout_seconds,
    "kept": now.server.services.db_vacuum.retention_period.days,
    "swept": sorted(now.server.services.db_vacuum.enabled_vacuum_types),
    "events kept": now.server.events.retention_period.days,
    "api": now.api.url,
}))
"""


def read_back(home: Path, **settings: str) -> dict:
    told = subprocess.run(
        [sys.executable, "-c", READ_BACK, home],
        env={k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "CI"))}
        | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(told.stdout)


@pytest.mark.prefect
def test_settle_keeps_prefect_quiet_and_in_its_folder(tmp_path: Path) -> None:
    seen = read_back(tmp_path / "prefect")
    assert seen["home"] == str(tmp_path / "prefect")
    assert seen["home"] in seen["database"]
    assert not (seen["analytics"] or seen["telemetry"] or seen["promotion"])
    assert seen["timeout"] == 120
    assert (seen["kept"], seen["events kept"]) == (7, 7)
    assert seen["swept"] == ["events", "flow_runs", "orphans"]


@pytest.mark.prefect
def test_settle_respects_what_is_set(tmp_path: Path) -> None:
    seen = read_back(tmp_path, PREFECT_API_URL="http://127.0.0.1:9/api", PREFECT_HOME="/tmp/x")
    assert (seen["api"], seen["home"]) == ("http://127.0.0.1:9/api", "/tmp/x")


@pytest.mark.parametrize("command", ["tick", "deliver"])
def test_tick_and_deliver_need_no_prefect(
    academy: Path, sign_up: Callable[..., None], command: str
) -> None:
    sign_up("ada@example.com")
    code = (
        "import sys; from flowscore.cli import main; "
        f"code = main(['--project', {str(academy)!r}, {command!r}]); "
        "sys.exit(code or 'prefect' in sys.modules or 'apscheduler' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("url", "arguments", "words"),
    [
        ("", ["--pool", "p"], "PREFECT_API_URL is not set"),
        ("http://127.0.0.1:9/api", ["--pool", "p"], "no Prefect server answers"),
        ("", [], "PREFECT_API_URL is not set"),
    ],
)
def test_deploy_says_what_it_needs(
    project_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    url: str,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", url)
    assert main(["--project", str(project_folder), "deploy", *arguments]) == 1
    assert words in capsys.readouterr().err


def test_two_servers_never_share_a_port() -> None:
    """Also before either of them has started: what is only bound could be bound twice."""
    first, second = prefect_home._bound_socket(), prefect_home._bound_socket()
    with first, second:
        assert first.getsockname() != second.getsockname()
