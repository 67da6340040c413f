"""A small project that has something to do, Prefect's test server, and the command as a process."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from flowscore.cli import main
from flowscore.clock import HOUR, clock_now
from flowscore.prefect_home import PrefectServer, settle
from flowscore.store.inbox import InboxRow, receive
from flowscore.workspace import Workspace

NUMBERS = count(1)  # deployments are named after their project's folder
COMMAND = Path(sys.executable).with_name("flowscore")

ACADEMY = {
    "scenarios/academy.yaml": """
        policy: default
        timezone: Europe/Madrid
        sender: {name: Academy, address: hello@example.org}
        topics: [news]
        consent: implied
        ---
        score: interest
        rules:
          - {name: sign-up, points: 2, on: {event: signed_up}}
        ---
        scenario: welcome
        trigger:
          event: signed_up
        actions:
          - send_email: welcome
        """,
    "templates/email/welcome.html": """
        ---
        subject: Welcome
        topic: news
        ---
        <p>Hello {{ contact.email }}, good to have you.</p>
        """,
}


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The URL of a Prefect server that lives as long as the session (started once, 13 s).

    It is the one that `flowscore run` starts: Prefect's own test harness schedules nothing.
    """
    with tempfile.TemporaryDirectory(prefix="flowscore-prefect-") as home:
        settle(Path(home))
        server = PrefectServer(Path(home))
        server.ensure()
        from prefect.settings import PREFECT_API_URL, temporary_settings

        with temporary_settings({PREFECT_API_URL: server.api}):
            yield server.api
        server.stop()


@pytest.fixture
def academy(write_project: Callable[[dict[str, str]], Path]) -> Path:
    """A live project without a contact: one score, one scenario, one mail."""
    made = write_project(ACADEMY)
    folder = made.rename(made.with_name(f"academy-{next(NUMBERS)}"))
    assert main(["--project", str(folder), "apply"]) == 0
    return folder


@pytest.fixture
def sign_up(academy: Path) -> Callable[..., None]:
    """Let people sign up; an hour ago, so that a tick owes them something."""

    def sign(*emails: str) -> None:
        moment = clock_now() - HOUR
        with closing(Workspace(academy)) as workspace:
            receive(workspace.store, (signed_up(email, moment) for email in emails))

    return sign


def signed_up(email: str, moment: int) -> InboxRow:
    """The call that a sign-up form sends."""
    return InboxRow(
        message_id=email,
        kind="track",
        name="signed_up",
        user_kind="email",
        user_value=email,
        email=email,
        email_folded=email,
        anonymous_id=None,
        own_at=moment,
        received_at=moment,
        behaviour=True,
    )


class Lines(logging.Handler):
    """What the service said, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def about(self, words: str) -> list[str]:
        return [line for line in self.said if words in line]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The service's log (pytest's own `caplog` is swept aside when Prefect sets up logging)."""
    log, heard = logging.getLogger("flowscore"), Lines()
    log.addHandler(heard)
    log.setLevel(logging.INFO)
    yield heard
    log.removeHandler(heard)


@pytest.fixture
def start(academy: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a flowscore command on the project; ended, if need be, with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **settings: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [COMMAND, "--project", academy, *arguments],
            env={k: v for k, v in os.environ.items() if "PREFECT" not in k}
            | {"FLOWSCORE_WEB_PORT": "0"}
            | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()
