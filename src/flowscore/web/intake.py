"""What clients send: Segment-style calls by the paths of several makers, durable before the 200.

INTAKE is the contract; `docs/reference/intake.md` says it for users.
"""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from flowscore.store.write_keys import WriteKey, WriteKeys
from flowscore.web import intake_schema
from flowscore.web.batches import Arrival, Sorted, anonymous_id_in, calls_in, sort_calls
from flowscore.web.bodies import LARGE, Body, Room
from flowscore.web.keys import (
    ForeignPageError,
    Keyring,
    allows,
    key_beside,
    key_in_head,
)
from flowscore.web.reception import Reception
from flowscore.web.refusals import FullError, RefusedError, answer_refused

Endpoint = Callable[[Request], Awaitable[Response]]

KINDS = {"t": "track", "p": "page", "i": "identify", "s": "screen", "g": "group", "a": "alias"}
PATHS: dict[str, str | None] = {
    "/v1/batch": None,
    "/v1/b": None,
    **{f"/v1/{short}": kind for short, kind in KINDS.items()},
    **{f"/v1/{kind}": kind for kind in KINDS.values()},
    "/beacon/v1/batch": None,
    **{f"/api/s/{kind}": kind for kind in KINDS.values()},
    "/api/s/batch": None,
}
"""The kind of the call that comes in on each path, None for a batch of any; what is asked most
comes first, since paths are tried in this order."""

TAKEN = b'{"success":true}'
MANY = 300  # calls; sorting more must not hold up everybody else
PREFLIGHT_SECONDS = 3600


def router(desk: Reception) -> APIRouter:
    """Every path that a client asks for."""
    routes = APIRouter(tags=["intake"])
    intake = Intake(desk)
    for path, kind in PATHS.items():
        taking = intake.answering(partial(intake.take, kind=kind))
        extra = intake_schema.of_batch() if kind is None else intake_schema.of_call(kind)
        routes.add_api_route(path, taking, methods=["POST"], summary=extra["summary"],
                             operation_id=path.strip("/").replace("/", "_"),
                             openapi_extra=extra)  # fmt: skip
    routes.get(
        "/v1/projects/{key}/settings",
        summary="What Segment's browser library asks before it begins",
        openapi_extra=intake_schema.WITH_KEY_IN_PATH,
    )(intake.answering(intake.tell_settings))
    for path in ("/sourceConfig/", "/sourceConfig"):
        routes.get(
            path,
            summary="What RudderStack's browser library asks before it begins",
            openapi_extra=intake_schema.WITH_KEY,
        )(intake.answering(intake.tell_source))
    asked = intake.answering(intake.allow)
    for path in (*PATHS, "/v1/projects/{key}/settings", "/sourceConfig/", "/sourceConfig"):
        routes.add_api_route(path, asked, methods=["OPTIONS"], include_in_schema=False)
    return routes


class Intake:
    """The verbs of the door, over one reception."""

    def __init__(self, desk: Reception) -> None:
        self.desk = desk
        self.room = Room(desk.settings.web_max_body)
        self.keyring = Keyring(WriteKeys(desk.store, desk.clock))

    def answering(self, verb: Endpoint) -> Endpoint:
        """The verb as a route: a refusal as JSON, and readable for the page that asked."""

        async def answer(request: Request) -> Response:
            try:
                response = await verb(request)
            except RefusedError as error:
                self.desk.metrics.refused.labels(error.code).inc()
                response = await answer_refused(request, error)
            return _readable(request, response)

        return answer

    async def take(self, request: Request, kind: str | None) -> Response:
        """Keep what the body brings; 200 says that it is on the disk."""
        if self.desk.writer.lines >= self.desk.writer.most:
            raise FullError
        key = await self._key_of_head(request)
        with Body(self.room, request) as body:
            key, found = await self._read(request, body, kind, key)
            await self.desk.writer.keep(found.rows, found.rejects)
        self._count(key, found)
        return Response(TAKEN, media_type="application/json")

    async def _read(
        self, request: Request, body: Body, kind: str | None, key: WriteKey | None
    ) -> tuple[WriteKey, Sorted]:
        """Whose key it is, and the lines to keep.

        What was parsed ends here: it takes ten times the memory of the lines, and a request
        waits for the disk with no more than those.
        """
        said = await body.read()
        key = key or await self._welcome(request, key_beside(request, said))
        arrival = _arrival(request, key, self.desk.clock(), body.size)
        return key, await _sorted(said, kind, arrival)

    async def tell_settings(self, request: Request) -> Response:
        """Segment's: the key once more, and nothing to load."""
        given = request.path_params["key"]
        await self._welcome(request, given)
        return JSONResponse({"integrations": {"Segment.io": {"apiKey": given}}})

    async def tell_source(self, request: Request) -> Response:
        """RudderStack's: a source without destinations, about which nothing is reported."""
        given = key_in_head(request) or key_beside(request, None)
        key = await self._welcome(request, given)
        return JSONResponse(_source(key, given or ""))

    async def allow(self, request: Request) -> Response:
        """What a browser asks before it sends: this page, these headers (Fetch, CORS preflight)."""
        origin = request.headers.get("origin")
        given = request.query_params.get("writeKey") or request.path_params.get("key")
        if origin and not await self.keyring.is_welcome(origin, given):
            raise ForeignPageError
        headers = {
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
        if wanted := request.headers.get("access-control-request-headers"):
            headers["Access-Control-Allow-Headers"] = wanted
        return Response(status_code=204, headers=headers)

    async def _key_of_head(self, request: Request) -> WriteKey | None:
        """Asked before the body is read: who has no key need not send it all."""
        given = key_in_head(request)
        return await self._welcome(request, given) if given else None

    async def _welcome(self, request: Request, given: str | None) -> WriteKey:
        """The key, where it is in use and this page may use it."""
        key = await self.keyring.find(given)
        if not allows(key, request.headers.get("origin")):
            raise ForeignPageError
        return key

    def _count(self, key: WriteKey, found: Sorted) -> None:
        self.desk.metrics.events.labels(key.source).inc(len(found.rows))
        if found.rejects:
            self.desk.metrics.rejects.labels(key.source).inc(len(found.rejects))


def _arrival(request: Request, key: WriteKey, at: int, size: int) -> Arrival:
    headers = request.headers
    return Arrival(key, at, anonymous_id_in(headers), headers.get("sentat"), size)


async def _sorted(body: Any, kind: str | None, arrival: Arrival) -> Sorted:
    if arrival.size < LARGE and len(calls_in(body, kind)[0]) <= MANY:
        return sort_calls(body, kind, arrival)
    return await run_in_threadpool(sort_calls, body, kind, arrival)


def _readable(request: Request, response: Response) -> Response:
    """Pages may read the answer, refusals too: what they cannot read they take for a fault."""
    origin = request.headers.get("origin")
    if origin and response.status_code != ForeignPageError.status:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    response.headers["Vary"] = "Origin"
    return response


def _source(key: WriteKey, given: str) -> dict[str, Any]:
    silent = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    return {
        "source": {
            "id": key.source,
            "name": key.source,
            "writeKey": given,
            "enabled": True,
            "config": {"statsCollection": silent},
            "destinations": [],
            "connections": [],
            "dataplanes": {},
            "workspaceId": "flowscore",
        }
    }
