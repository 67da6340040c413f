"""Prefect's surroundings, set before it is imported: its folder, no telemetry, its server.

Run as a module (`python -m flowscore.prefect_home SOCKET`) it is that server: it ends when its
standard input does, so it never outlives the process that started it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from importlib import import_module
from pathlib import Path
from typing import Any

from flowscore.errors import FlowscoreError

HOST, PORT = "127.0.0.1", 4200
START_SECONDS = 120  # a new database takes up to 16 s on two cores
KEPT_SECONDS = 7 * 24 * 3600

SURROUNDINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",  # ours has the UI; two would contend
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(START_SECONDS),
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(KEPT_SECONDS),
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # a failing run is told by us, in one line
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
}


def settle(home: Path) -> None:
    """Set what is not set yet; a server named by PREFECT_API_URL is used as it is."""
    home.mkdir(parents=True, exist_ok=True)
    own = {"PREFECT_HOME": str(home), "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui")}
    for name, value in (SURROUNDINGS | own).items():
        os.environ.setdefault(name, value)


def load_flows(home: Path) -> Any:
    """The module `flowscore.flows`, imported after Prefect's surroundings are set."""
    settle(home)
    return import_module("flowscore.flows")


def require_server() -> str:
    """The URL of the Prefect server that deployments go to."""
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        raise FlowscoreError(
            "PREFECT_API_URL is not set: a deployment lives on a Prefect server. Start one with "
            f"`prefect server start`, then set PREFECT_API_URL=http://{HOST}:{PORT}/api; "
            "`flowscore run` needs none"
        )
    if not _answers(f"{url}/health"):
        raise FlowscoreError(
            f"PREFECT_API_URL: no Prefect server answers at {url}; start it, or mend the URL"
        )
    return url


class PrefectServer:
    """The server of `flowscore run`, unless PREFECT_API_URL names another one."""

    def __init__(self, home: Path) -> None:
        self.log = home / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.socket = None if os.environ.get("PREFECT_API_URL") else _bound_socket()
        if self.socket:
            os.environ["PREFECT_API_URL"] = f"http://{HOST}:{self.socket.getsockname()[1]}/api"
        self.api = os.environ["PREFECT_API_URL"]

    @property
    def pages(self) -> str:
        """Where a person can look at the runs."""
        return self.api.removesuffix("/").removesuffix("/api")

    def ensure(self) -> None:
        """Start it, or start it again after it died; returns when it answers."""
        if self.socket is None or (self.process and self.process.poll() is None):
            return
        self.process = self._start(self.socket)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"{self.api}/health"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise FlowscoreError(f"Prefect's server did not start; {self.log} says why")
            time.sleep(0.1)

    def _start(self, bound: socket.socket) -> subprocess.Popen[bytes]:
        """It inherits the socket, so that no other process can take the port in between."""
        own = {
            "PREFECT_SERVER_API_HOST": HOST,
            "PREFECT_SERVER_API_PORT": str(bound.getsockname()[1]),
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 (our own module)
                [sys.executable, "-m", __name__, str(bound.fileno())],
                env=os.environ | own,
                pass_fds=[bound.fileno()],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; the last step still needs the server
            )

    def stop(self) -> None:
        """End it; closing its standard input is what it waits for."""
        if self.socket is None or self.process is None:
            return
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.socket.close()
        del os.environ["PREFECT_API_URL"]


def _bound_socket() -> socket.socket:
    """At Prefect's usual port, or at any other when something else is there.

    It listens at once: a port that is only bound could be bound by a second process too, and
    each of the two would take the other's server for its own.
    """
    try:
        return _listening(PORT)
    except OSError:
        return _listening(0)


def _listening(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        bound.listen(128)
    except OSError:
        bound.close()
        raise
    return bound


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (http: Prefect's)
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _serve(bound: socket.socket) -> None:
    """Prefect's API and pages on loopback, until standard input ends."""
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(
            "prefect.server.api.server:create_app",
            factory=True,
            log_level="error",
            timeout_graceful_shutdown=3,
        )
    )

    def leave_with_parent() -> None:
        while os.read(0, 1):
            pass
        server.should_exit = True

    threading.Thread(target=leave_with_parent, daemon=True).start()
    server.run(sockets=[bound])


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
