"""Serves the web door: in a thread beside the scheduler, or alone."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import uvicorn

from flowscore.errors import FlowscoreError
from flowscore.settings import PREFIX
from flowscore.web.app import make_app
from flowscore.web.connection import Connection
from flowscore.web.reception import Reception

if TYPE_CHECKING:
    from flowscore.settings import Settings
    from flowscore.workspace import Workspace

log = logging.getLogger("flowscore")

MOST_CONNECTIONS = 2_000
BACKLOG = 512
GRACE_SECONDS = 10


class WebServer:
    """One server in a thread with a loop of its own, so that no tick holds up a request."""

    def __init__(self, desk: Reception) -> None:
        self.desk = desk
        self.socket = listen(desk.settings)
        self.server = uvicorn.Server(_config(desk))
        self._thread = threading.Thread(target=self._run, name="flowscore web", daemon=True)

    @property
    def address(self) -> str:
        """Where it answers."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def start(self) -> None:
        """Begin to answer; what arrives from here on waits in the socket's queue at worst."""
        self.desk.writer.start()
        self.desk.recorder.start()
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Answer what was begun, write what was taken, end; safe to call twice."""
        self.server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self.desk.recorder.stop()
        self.desk.writer.stop()
        self.socket.close()

    def _run(self) -> None:
        try:
            asyncio.run(self.server.serve(sockets=[self.socket]))
        except Exception as error:
            log.error("the web door fails: %s", type(error).__name__)
        if not self.server.should_exit:
            log.error("the web door has closed by itself; ticks go on, restart to answer again")


@contextmanager
def serving(workspace: Workspace) -> Iterator[WebServer]:
    """A server that answers while the block runs."""
    server = WebServer(Reception(workspace))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def keep_what_is_loaded() -> None:
    """For a process that serves from here on: no search for garbage in what stays anyhow.

    Python would look through all of it again and again while calls come in, which took a quarter
    of their time.
    """
    gc.collect()
    gc.freeze()


def listen(settings: Settings) -> socket.socket:
    """The socket, bound before anything else is started; a taken port is told at once."""
    family = socket.AF_INET6 if ":" in settings.web_host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.web_host, settings.web_port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise FlowscoreError(_complaint(settings, error)) from error
    with suppress(OSError):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _complaint(settings: Settings, error: OSError) -> str:
    place = f"{settings.web_host}:{settings.web_port}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{place} is in use by another program; stop that one, or set {PREFIX}WEB_PORT to a "
            "free port"
        )
    return f"cannot listen on {place}: {error.strerror}; set {PREFIX}WEB_HOST and {PREFIX}WEB_PORT"


def _config(desk: Reception) -> uvicorn.Config:
    settings = desk.settings
    return uvicorn.Config(
        make_app(desk),
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        log_level="critical",
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.web_proxies,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
