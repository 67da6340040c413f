"""The doors of mail providers: `/hooks/ses`, `…/sendgrid`, `…/mailgun` and `…/postmark`.

Each is there only when its secret is set. What is answered with 200 is on the disk.
"""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from flowscore.mail.returns.report import lines_of
from flowscore.mail.returns.verp import prove
from flowscore.settings import Settings
from flowscore.store.inbox import InboxRow
from flowscore.store.rejects import Rejected
from flowscore.web.addressees import look_up
from flowscore.web.bodies import Body, Room
from flowscore.web.providers import certificates
from flowscore.web.providers.posts import Post, Provider, Told, written
from flowscore.web.reception import Reception
from flowscore.web.refusals import RefusedError, TooLargeError

MOST_BYTES = 2 * 1024 * 1024  # of a post; the largest come from SendGrid, with up to 768 KB
ANY_JSON = {
    "requestBody": {
        "description": "As the provider posts it, with the provider's proof.",
        "content": {"application/json": {"schema": {"type": ["object", "array"]}}},
    }
}
Door = Callable[[Request], Awaitable[Response]]
NOBODY = "neither this mail nor this address is known here"


def router(desk: Reception, fetch: certificates.Fetch = certificates.fetch) -> APIRouter:
    """A door for each provider that is set; `fetch` asks Amazon for what it publishes."""
    routes = APIRouter(prefix="/hooks", tags=["providers"])
    room = Room(MOST_BYTES)
    for provider in _providers(desk.settings, fetch):
        routes.add_api_route(
            f"/{provider.name}",
            _door(desk, provider, room),
            methods=["POST"],
            summary=f"Bounces, complaints and unsubscriptions that {provider.name} tells of",
            openapi_extra=ANY_JSON,
        )
    return routes


def _providers(settings: Settings, fetch: certificates.Fetch) -> Iterator[Provider]:
    """Those whose secret is set; each is loaded only then."""
    if settings.ses_topics:
        from flowscore.web.providers.ses import AmazonSes

        yield AmazonSes(settings.ses_topics.split(), fetch)
    if settings.sendgrid_public_key:
        from flowscore.web.providers.sendgrid import SendGrid

        yield SendGrid(settings.sendgrid_public_key.split())
    if settings.mailgun_signing_key:
        from flowscore.web.providers.mailgun import Mailgun

        yield Mailgun(settings.mailgun_signing_key.get_secret_value().split())
    if settings.postmark_webhook_password:
        from flowscore.web.providers.postmark import Postmark

        yield Postmark(settings.postmark_webhook_password.get_secret_value().split())


def _door(desk: Reception, provider: Provider, room: Room) -> Door:
    async def take(request: Request) -> Response:
        try:
            with Body(room, request) as body:
                taken = await _keep(desk, provider, request, await body.raw())
        except RefusedError as error:
            desk.metrics.refused.labels(error.code).inc()
            raise
        for outcome, number in taken.items():
            desk.metrics.told.labels(provider.name, outcome).inc(number)
        return JSONResponse(taken)

    return take


async def _keep(
    desk: Reception, provider: Provider, request: Request, body: bytes
) -> dict[str, int]:
    """How many events of a post are lines of the inbox, how many rejects, and how many neither."""
    if len(body) > MOST_BYTES:
        raise TooLargeError
    post = Post(request.headers, body, desk.clock())
    told = await provider.hear(post)
    rows, rejects = await look_up(_lines, desk, provider.name, told, post.at)
    await desk.writer.keep(rows, rejects)
    return {"taken": len(rows), "rejected": len(rejects), "ignored": told.ignored}


def _lines(
    desk: Reception, source: str, told: Told, now: int
) -> tuple[list[InboxRow], list[Rejected]]:
    """What the inbox keeps: lines of mail and people we know; the rest as rejects."""
    with desk.store.read() as connection:
        proven = prove(connection, desk.mail.secret, {one.token for one in told.heard})
        events = {replace(h.report, number=proven.get(h.token)): h.event for h in told.heard}
        rows, unknown = lines_of(connection, events, now, source)
    refused = [*told.unread, *((NOBODY, events[one]) for one in unknown)]
    return rows, [Rejected(source, why, written(event), now) for why, event in refused]
