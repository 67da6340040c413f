"""Opens, clicks and the mail in a browser: `/o/`, `/c/`, `/h/` and `/v/`.

The picture is always answered, and a click is always led on, whether or not it can be recorded.
"""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

from base64 import b64decode
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from flowscore.mail.again import Shown, show_again
from flowscore.mail.tokens import Kind, Of, read_hit
from flowscore.mail.tracking import leads_to_the_web
from flowscore.web.addressees import look_up
from flowscore.web.agents import LONGEST, judge_request
from flowscore.web.pages import CLOSED, Pages
from flowscore.web.reception import Reception
from flowscore.web.recording import Hit
from flowscore.web.shelf import Shelf

PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # 1×1, clear
UNSTORED = {"Cache-Control": "no-store, max-age=0", "Referrer-Policy": "no-referrer"}
# A mail is written by its author, and shown from our address: nothing in it may run here.
STILL = {
    "Content-Security-Policy": "default-src 'none'; img-src * data:; style-src * 'unsafe-inline'; "
    "font-src *; media-src *; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox",
    "Cache-Control": "private, no-store",
}
AS_WRITTEN = ":/%#?=@[]!$&'()*+,;~"  # what stands in an address as it is (RFC 3986)

MISSING = ("missing_title", "missing")
Answers = dict[int | str, dict[str, Any]]
NOWHERE: Answers = {404: {"description": "The link leads nowhere: a page that says so"}}
AWAY: Answers = {302: {"description": "On to where the link leads"}}
GONE: Answers = {410: {"description": "The mail is no longer here: a page that says so"}}


def router(desk: Reception) -> APIRouter:
    """The four; none of them asks the store before it answers, but for the mail in a browser."""
    routes = APIRouter(tags=["tracking"], default_response_class=HTMLResponse)
    shelf, pages = Shelf(desk.workspace.root), Pages(desk)

    @routes.get("/o/{name:path}", summary="The picture of a mail", response_class=Response)
    @routes.head("/o/{name:path}", include_in_schema=False)
    async def picture(name: str, request: Request) -> Response:
        of = read_hit(desk.mail.secret, "open", name.removesuffix(".gif"))
        note_hit(desk, request, "open", of)
        return Response(PICTURE, media_type="image/gif", headers=UNSTORED)

    @routes.get("/c/{token:path}", summary="A link of a mail", responses=NOWHERE | AWAY)
    @routes.head("/c/{token:path}", include_in_schema=False)
    async def click(token: str, request: Request, u: str = "") -> Response:
        of = read_hit(desk.mail.secret, "click", token, u)
        note_hit(desk, request, "click", of, u)
        if of is None or not leads_to_the_web(u):
            return tell(pages, request, 404, *MISSING)
        return lead_on(u)

    @routes.get("/h/{token:path}", summary="A link nobody sees")
    @routes.head("/h/{token:path}", include_in_schema=False)
    async def trap(token: str, request: Request) -> Response:
        note_hit(desk, request, "trap", read_hit(desk.mail.secret, "trap", token))
        return tell(pages, request, 200, "trap_title", "trap")

    @routes.get("/v/{token:path}", summary="A mail in the browser", responses=NOWHERE | GONE)
    @routes.head("/v/{token:path}", include_in_schema=False)
    async def view(token: str, request: Request) -> Response:
        found = await look_up(show, desk, shelf, token)
        if found is None:
            return tell(pages, request, 404, *MISSING)
        if found.html is None:
            return tell(pages, request, 410, "gone_title", "gone")
        return HTMLResponse(found.html, headers={**CLOSED, **STILL})

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
    """On to where the signed link leads."""
    return Response(status_code=302, headers={**UNSTORED, "Location": quote(target, AS_WRITTEN)})


def show(desk: Reception, shelf: Shelf, token: str) -> Shown | None:
    """The mail, written anew; blocks."""
    return show_again(desk.store, lambda: desk.live, shelf.templates, desk.mail, token)


def tell(pages: Pages, request: Request, status: int, title: str, what: str) -> Response:
    """A page that says so, in the browser's language; it asks no store."""
    words = pages.words_for(request)
    return pages.tell(words, title, words(what), status=status)
