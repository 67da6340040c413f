"""The link of the mail that asks whether a sign-up was meant; only its button makes a contact."""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request, Response

from flowscore.clock import DAY, rfc3339
from flowscore.mail.links import CONFIRM
from flowscore.store.inbox import InboxRow
from flowscore.web.addressees import find_message, look_up
from flowscore.web.consenting import Speaker
from flowscore.web.pages import Pages, add_page, masked
from flowscore.web.reception import Reception

VALID = 7 * DAY


@dataclass(frozen=True)
class Asked:
    """A sign-up that waits for its yes."""

    token: str
    address: str
    said: dict[str, Any]

    @property
    def topics(self) -> list[str]:
        """What it is about."""
        return list(self.said["topics"])

    def is_old(self, now: int) -> bool:
        """Whether the link worked once and does no more."""
        return bool(now - self.said["made_at"] > VALID)

    def lines(self, secret: str, now: int) -> list[InboxRow]:
        """The yes to each topic, and what else was typed; the same ids whenever it is pressed."""
        line_id = f"confirm/{sha256(self.token.encode()).hexdigest()[:32]}"
        where = f"sign-up form {self.said['source']}"
        speaker = Speaker(self.address, now, where, line_id, secret, self.said["source"])
        more = {"signed_up_at": rfc3339(self.said["made_at"])}
        words = [speaker.say(one, True, self.said["text"], more) for one in self.topics]
        return [*words, speaker.tell({**self.said["traits"], "locale": self.said["locale"]})]


def router(desk: Reception) -> APIRouter:
    """The page and its button."""
    routes = APIRouter(tags=["consent"])
    room = Confirming(desk)
    path = f"/{CONFIRM}/{{token}}"
    add_page(routes, path, room.show, "Asks for the last click")
    routes.add_api_route(path, room.act, methods=["POST"], summary="Confirms a sign-up")
    return routes


class Confirming:
    """The verbs of the page, over one reception."""

    def __init__(self, desk: Reception) -> None:
        self.desk = desk
        self.pages = Pages(desk)

    async def show(self, request: Request, token: str) -> Response:
        """Nothing happens by looking: link scanners look, too."""
        asked = await look_up(self._find, token)
        if asked is None or asked.is_old(self.desk.clock()):
            return await self._too_late(request, asked)
        words = self.pages.words_for(request, asked.said["locale"])
        return self.pages.show(
            "confirm.html",
            words,
            "confirm_title",
            what=words.topics_of(asked.topics),
            address=masked(asked.address),
            texts=[asked.said["text"]],
        )

    async def act(self, request: Request, token: str) -> Response:
        """Yes: the next tick makes the contact, once."""
        asked, now = await look_up(self._find, token), self.desk.clock()
        if asked is None or asked.is_old(now):
            return await self._too_late(request, asked)
        await self.desk.writer.keep(asked.lines(self.desk.mail.secret, now))
        words = self.pages.words_for(request, asked.said["locale"])
        return self.pages.tell(words, "confirmed_title", words("confirmed"))

    async def _too_late(self, request: Request, asked: Asked | None) -> Response:
        if asked is None:
            return await look_up(self.pages.tell_missing, request)
        words = self.pages.words_for(request, asked.said["locale"])
        return self.pages.tell(words, "expired_title", words("expired"), status=410)

    def _find(self, token: str) -> Asked | None:
        with self.desk.store.read() as connection:
            row = find_message(connection, self.desk.mail.secret, "confirm", token)
        if row is None or row["kind"] != "confirm":
            return None
        return Asked(token, str(row["recipients"][0]), row["payload"])
