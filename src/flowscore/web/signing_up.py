"""Sign-up with double opt-in: the form, and where sites send theirs.

What comes in is kept and asked by mail (`store/signups.py`); whether the address is known makes
no difference to any answer.
"""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

from math import ceil
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from flowscore.store.consents import GENERAL
from flowscore.store.write_keys import WriteKey, WriteKeys
from flowscore.web.addressees import look_up
from flowscore.web.forms import Fields, first, read_form
from flowscore.web.keys import ForeignPageError, Keyring, allows
from flowscore.web.pages import Pages, add_page
from flowscore.web.rates import Rate, network_of
from flowscore.web.reception import Reception
from flowscore.web.refusals import FullError, LaterError, RefusedError, answer_refused
from flowscore.web.signups import (
    FormError,
    is_caught,
    origin_of,
    read_signup,
    shown,
    way_back,
)
from flowscore.web.words import Words

PATH = "/signup"
PREFLIGHT_SECONDS = 3600
NOT_SET_UP = "sign-ups are confirmed by mail, whose link needs FLOWSCORE_PUBLIC_URL: set it first"


class TooOftenError(FullError):
    """Somebody fills in forms faster than people do."""

    message = "this was asked too often; try again later"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = ceil(seconds)

    @property
    def headers(self) -> dict[str, str]:
        """When the next one is welcome."""
        return {"Retry-After": str(self.seconds)}


def router(desk: Reception) -> APIRouter:
    """The form and what takes it."""
    routes = APIRouter(tags=["consent"])
    room = SigningUp(desk)
    add_page(routes, PATH, room.show, "A sign-up form to embed")
    routes.add_api_route(PATH, room.take, methods=["POST"], summary="Takes a sign-up")
    routes.add_api_route(PATH, room.allow, methods=["OPTIONS"], include_in_schema=False)
    return routes


class SigningUp:
    """The verbs of the door, over one reception."""

    def __init__(self, desk: Reception) -> None:
        self.desk = desk
        self.pages = Pages(desk)
        self.keyring = Keyring(WriteKeys(desk.store, desk.clock))
        self.by_client = Rate(burst=20, every=10)
        self.by_address = Rate(burst=3, every=3600)

    async def show(self, request: Request) -> Response:
        """The form, to be linked to or framed: `?key=…&topic=…&redirect=…`."""
        asked = request.query_params
        fields = {name: asked.getlist(name) for name in ("key", "topic", "redirect")}
        key = await self.keyring.find(first(fields, "key"))
        words = self.pages.words_for(request, asked.get("locale"))
        way_back(fields, key)
        return await self._form(words, key, fields)

    async def take(self, request: Request) -> Response:
        """A filled-in form, of ours or of a site; the answer says nothing about the address."""
        fields = await read_form(request)
        try:
            response = await self._take(request, fields)
        except RefusedError as error:
            self.desk.metrics.refused.labels(error.code).inc()
            response = await self._refusal(request, error)
        return _readable(request, response)

    async def allow(self, request: Request) -> Response:
        """What a browser asks before a script sends JSON (Fetch, CORS preflight)."""
        origin = request.headers.get("origin")
        if origin and not await self.keyring.is_welcome(origin, request.query_params.get("key")):
            raise ForeignPageError
        headers = {
            "Access-Control-Allow-Methods": "POST, OPTIONS",
            "Access-Control-Allow-Headers": "content-type",
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
        return _readable(request, Response(status_code=204, headers=headers))

    async def _take(self, request: Request, fields: Fields) -> Response:
        key = await self._welcome(request, fields)
        words = self.pages.words_for(request, first(fields, "locale", 40))
        goes_to = way_back(fields, key)
        try:
            await self._keep(request, fields, key, words)
        except FormError as error:
            if _is_scripted(request):
                raise RefusedError(words(error.word), error.word) from None
            return await self._form(words, key, fields, words(error.word))
        return self._thanks(request, words, key, goes_to)

    async def _keep(self, request: Request, fields: Fields, key: WriteKey, words: Words) -> None:
        """Once it is on the disk. What fell into the trap is told the same, and not kept."""
        policy = (await look_up(lambda: self.desk.live)).policy
        now = self.desk.clock()
        host = request.client.host if request.client else ""
        self._slow_down(self.by_client, network_of(host), now)
        signup = read_signup(fields, key, policy.topics, words)
        if is_caught(fields):
            self.desk.metrics.refused.labels("honeypot").inc()
            return
        self._slow_down(self.by_address, signup.address.folded, now)
        await self.desk.writer.keep([signup.line(self.desk.mail.secret, now)])

    async def _welcome(self, request: Request, fields: Fields) -> WriteKey:
        """The key, where it is in use, this page may use it, and a mail could be confirmed."""
        given = first(fields, "key", 200) or request.headers.get("x-write-key", "")
        key = await self.keyring.find(given)
        origin = request.headers.get("origin")
        if not allows(key, origin) and not self._is_ours(request, origin):
            raise ForeignPageError
        if not (self.desk.mail.public_url and self.desk.mail.secret):
            raise RefusedError(NOT_SET_UP, "not_set_up", 503)
        return key

    def _is_ours(self, request: Request, origin: str | None) -> bool:
        """Our own form, wherever it is framed."""
        ours = {origin_of(self.desk.mail.public_url or ""), origin_of(str(request.base_url))}
        return origin in ours - {""}

    def _slow_down(self, rate: Rate, who: str, now: int) -> None:
        if seconds := rate.take(who, now / 1_000_000):
            raise TooOftenError(seconds)

    async def _form(
        self, words: Words, key: WriteKey, fields: Fields, complaint: str = ""
    ) -> Response:
        policy = (await look_up(lambda: self.desk.live)).policy
        asked = fields.get("topic", []) if not complaint else fields.get("offered", [])
        offered = [one for one in asked if one in policy.topics] or list(policy.topics)
        back = first(fields, "redirect")
        return self.pages.show(
            "signup.html",
            words,
            "signup_title",
            status=400 if complaint else 200,
            action=PATH.removeprefix("/"),
            key=first(fields, "key", 200),
            topics=offered or [GENERAL],
            complaint=complaint,
            redirect=back,
            **(shown(fields) if complaint else {"email": "", "ticked": []}),
            **_framing(key, back),
        )

    def _thanks(
        self, request: Request, words: Words, key: WriteKey, goes_to: str | None
    ) -> Response:
        """The same for every address, and for what was caught."""
        if _is_scripted(request):
            return JSONResponse({"success": True})
        if goes_to:
            return RedirectResponse(goes_to, 303, {"Cache-Control": "no-store"})
        said = (words("asked"), words("asked_spam"))
        return self.pages.tell(words, "asked_title", *said, **_framing(key))

    async def _refusal(self, request: Request, error: RefusedError) -> Response:
        """People are told in their words to come again; the rest is for whoever builds the site."""
        if _is_scripted(request) or not isinstance(error, LaterError):
            return await answer_refused(request, error)
        words = self.pages.words_for(request)
        told = self.pages.tell(words, "later_title", words("later"), status=error.status)
        told.headers.update(error.headers)
        return told


def _is_scripted(request: Request) -> bool:
    """Whether a program reads the answer."""
    sent = request.headers.get("content-type", "").startswith("application/json")
    return sent or "text/html" not in request.headers.get("accept", "text/html")


def _framing(key: WriteKey, back: str = "") -> dict[str, Any]:
    """The pages that may frame the form, and where its answer may lead."""
    return {
        "framed_by": " ".join(sorted(key.origins)) or "*",
        "sent_to": f"'self' {origin_of(back)}".strip(),
    }


def _readable(request: Request, response: Response) -> Response:
    origin = request.headers.get("origin")
    if origin and response.status_code != ForeignPageError.status:
        response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Vary"] = "Origin, Accept-Language"
    return response
