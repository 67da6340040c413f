"""Opens, clicks and the mail in a browser: `/o/`, `/c/`, `/h/` and `/v/`.

The picture is always answered, and a click is always led on, whether or not it can be recorded.
"""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

import re
from base64 import b64decode
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from flowscore.mail.again import show_again
from flowscore.mail.tokens import Kind, Of, read_hit
from flowscore.web.agents import LONGEST, judge_request
from flowscore.web.notices import PRIVATE, notice
from flowscore.web.reception import Reception
from flowscore.web.recording import Hit
from flowscore.web.shelf import Shelf

PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # 1×1, clear
UNSTORED = {"Cache-Control": "no-store, max-age=0", "Referrer-Policy": "no-referrer"}
# A mail is written by its author, and shown from our address: nothing in it may run here.
STILL = (
    "default-src 'none'; img-src * data:; style-src * 'unsafe-inline'; font-src *; media-src *; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
AS_WRITTEN = ":/%#?=@[]!$&'()*+,;~"  # what stands in an address as it is (RFC 3986)

PAGES: dict[int | str, dict[str, Any]] = {404: {"description": "The link leads nowhere: a page"}}
AWAY: dict[int | str, dict[str, Any]] = {
    302: {"description": "On to where the link leads"},
    **PAGES,
}
LOST: dict[int | str, dict[str, Any]] = {410: {"description": "It is no longer here"}, **PAGES}

NOWHERE = (
    "This link leads nowhere",
    "It may have been cut off on its way to you. Open the mail again and click the link there.",
    "Este enlace no lleva a ninguna parte: quizá llegó cortado. Abre el correo y púlsalo allí.",
)
EMPTY = (
    "There is nothing here",
    "This page is empty on purpose. The links that you see in the mail lead where they say.",
    "Esta página está vacía a propósito. Los enlaces que ves en el correo llevan a donde dicen.",
)
GONE = (
    "This mail is no longer here",
    "It was sent, but it cannot be shown any more. The mail that you received is still yours.",
    "Se envió, pero ya no se puede mostrar. El correo que recibiste sigue siendo tuyo.",
)


def router(desk: Reception) -> APIRouter:
    """The four; none of them asks the store before it answers, but for the mail in a browser."""
    routes = APIRouter(tags=["tracking"], default_response_class=HTMLResponse)
    shelf = Shelf(desk.workspace.root)

    @routes.get("/o/{name:path}", summary="The picture of a mail", response_class=Response)
    @routes.head("/o/{name:path}", include_in_schema=False)
    async def picture(name: str, request: Request) -> Response:
        of = read_hit(desk.mail.secret, "open", name.removesuffix(".gif"))
        note_hit(desk, request, "open", of)
        return Response(PICTURE, media_type="image/gif", headers=UNSTORED)

    @routes.get("/c/{token:path}", summary="A link of a mail", responses=AWAY)
    @routes.head("/c/{token:path}", include_in_schema=False)
    async def click(token: str, request: Request, u: str = "") -> Response:
        of = read_hit(desk.mail.secret, "click", token, u)
        note_hit(desk, request, "click", of, u)
        return lead_on(u) if of else notice(404, *NOWHERE)

    @routes.get("/h/{token:path}", summary="A link nobody sees")
    @routes.head("/h/{token:path}", include_in_schema=False)
    async def trap(token: str, request: Request) -> Response:
        note_hit(desk, request, "trap", read_hit(desk.mail.secret, "trap", token))
        return notice(200, *EMPTY)

    @routes.get("/v/{token:path}", summary="A mail in the browser", responses=LOST)
    @routes.head("/v/{token:path}", include_in_schema=False)
    async def view(token: str) -> Response:
        return await run_in_threadpool(show, desk, shelf, token)

    return routes


def note_hit(
    desk: Reception, request: Request, kind: Kind, of: Of | None, target: str = ""
) -> None:
    """Have a proven hit recorded; of any other only the number is kept."""
    if of is None:
        desk.metrics.hits.labels("not ours").inc()
        return
    agent, why = judge_request(request.method, request.headers)
    said = request.headers.get("user-agent", "")[:LONGEST]
    desk.recorder.take(Hit(kind, of, desk.clock(), target, agent, said, why))


def lead_on(target: str) -> Response:
    """On to where the signed link leads; nothing but the web, whoever signed."""
    if not WEB.match(target) or CONTROL.search(target):
        return notice(404, *NOWHERE)
    return Response(status_code=302, headers={**UNSTORED, "Location": quote(target, AS_WRITTEN)})


def show(desk: Reception, shelf: Shelf, token: str) -> Response:
    """The mail, or a page that says why there is none; blocks."""
    found = show_again(desk.store, lambda: desk.live, shelf.templates, desk.mail, token)
    if found is None:
        return notice(404, *NOWHERE)
    if found.html is None:
        return notice(410, *GONE)
    return HTMLResponse(found.html, headers={**PRIVATE, "Content-Security-Policy": STILL})
