"""The web door as one app: the table of its rooms, and the one form of its refusals."""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

from collections.abc import Callable

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp

from flowscore import __version__
from flowscore.web import (
    confirming,
    health,
    intake,
    preferences,
    signing_up,
    tracking,
    unsubscribing,
)
from flowscore.web.providers import routes as providers
from flowscore.web.reception import Reception
from flowscore.web.refusals import RefusedError, answer, answer_refused
from flowscore.web.shell import Shell

ROOMS: tuple[Callable[[Reception], APIRouter], ...] = (
    health.router,
    tracking.router,
    intake.router,
    providers.router,
    unsubscribing.router,
    preferences.router,
    signing_up.router,
    confirming.router,
)
"""Every module of routes, in the order in which paths are tried: of few paths first."""


def make_app(desk: Reception) -> ASGIApp:
    """The app of a workspace; the writer is started and stopped by whoever serves it."""
    app = FastAPI(
        title="flowscore",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead to whatever host the request names
    )
    for room in ROOMS:
        app.include_router(room(desk))
    app.add_exception_handler(RefusedError, answer_refused)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_exception_handler(Exception, _answer_fault)
    return Shell(app, desk.settings.web_max_body, desk.metrics)


CODES = {404: "not_found", 405: "method_not_allowed"}


async def _answer_nobody(_: Request, error: Exception) -> Response:
    """The client left before its body was whole: a status for the counters, as nginx has it."""
    return Response(status_code=499)


async def _answer_http(_: Request, error: Exception) -> Response:
    """What the framework refuses by itself, in our form."""
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "refused")
    headers = dict(error.headers) if error.headers else None
    return answer(error.status_code, code, str(error.detail), headers)


async def _answer_fault(_: Request, __: Exception) -> Response:
    """A fault of ours; the shell notes it."""
    return answer(500, "error", "something went wrong here")
