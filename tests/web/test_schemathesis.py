"""schemathesis reads our OpenAPI and sends what it can think of: no answer is a 5xx."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from web.clients import Door, open_door
from web.conftest import Serve
from web.provider_posts import EVERY, TOPIC

SECONDS = 20
PHASES = "examples,coverage,fuzzing"


@pytest.fixture
def door(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Door:
    for name, value in (*EVERY.items(), ("SES_TOPICS", TOPIC)):
        monkeypatch.setenv(f"FLOWSCORE_{name}", value)
    return open_door(serve, monkeypatch)


@pytest.mark.slow
def test_no_request_that_schemathesis_thinks_of_breaks_the_server(
    door: Door, tmp_path: Path
) -> None:
    told = probe(f"{door.address}/openapi.json", door.key, tmp_path)
    broken = {one for one in door.notes.asked if one.status >= 500 or not one.status}
    assert broken == set(), told
    for path in door.house.client.get("/openapi.json").json()["paths"]:
        assert "{" in path or path in {one.path for one in door.notes.asked}, (
            f"{path} was not tried"
        )
    assert {200, 400, 401} <= {one.status for one in door.notes.posts}
    assert door.house.client.get("/healthz").status_code == 200


def probe(schema: str, key: str, folder: Path) -> str:
    """Run it, and say what it said; it fails by itself on a 5xx or a broken connection."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", schema]
    command += ["--checks", "not_a_server_error", "--phases", PHASES, "--max-time", str(SECONDS)]
    command += ["--auth", f"{key}:", "--seed", "1", "--suppress-health-check", "all"]
    done = subprocess.run(
        [*command, "--warnings", "off", "--request-timeout", "10"], cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True, text=True, timeout=SECONDS + 60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
