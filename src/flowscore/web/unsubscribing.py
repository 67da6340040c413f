"""Unsubscribing by the link of a mail: looking at the page does nothing, its buttons act.

RFC 8058: a mail program posts `List-Unsubscribe=One-Click` to the same address, without a page,
a login, a cookie or a redirect. It stops what the mail was about.
"""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

from typing import Any

from fastapi import APIRouter, Request, Response

from flowscore.mail.links import PATHS, sign
from flowscore.store.agreed import may_mail
from flowscore.store.consents import EVERYTHING, GENERAL
from flowscore.web.addressees import Addressee, find_addressee, look_up
from flowscore.web.consenting import Speaker
from flowscore.web.forms import first, read_form
from flowscore.web.pages import Pages, add_page, masked
from flowscore.web.reception import Reception
from flowscore.web.words import Words

ONE_CLICK, PAGE = "one-click unsubscribe", "unsubscribe page"


def router(desk: Reception) -> APIRouter:
    """The page and what it does."""
    routes = APIRouter(tags=["consent"])
    room = Unsubscribing(desk)
    path = f"/{PATHS['unsubscribe']}/{{token}}"
    add_page(routes, path, room.show, "Asks what to stop")
    routes.add_api_route(path, room.act, methods=["POST"], summary="Unsubscribes (RFC 8058)")
    return routes


class Unsubscribing:
    """The verbs of the page, over one reception."""

    def __init__(self, desk: Reception) -> None:
        self.desk = desk
        self.pages = Pages(desk)

    async def show(self, request: Request, token: str) -> Response:
        """Nothing happens by looking: link scanners look, too."""
        reader = await look_up(find_addressee, self.desk, "unsubscribe", token)
        if reader is None:
            return await look_up(self.pages.tell_missing, request)
        words = self.pages.words_for(request, reader.locale)
        return self.pages.show(
            "unsubscribe.html",
            words,
            "unsubscribe_title",
            about=about(words, reader),
            topic=_topic(reader),
            preferences=self._preferences(reader),
        )

    async def act(self, request: Request, token: str) -> Response:
        """A button, or a mail program's one click."""
        reader = await look_up(find_addressee, self.desk, "unsubscribe", token)
        if reader is None:
            return await look_up(self.pages.tell_missing, request)
        fields = await read_form(request)
        words = self.pages.words_for(request, reader.locale)
        scope = first(fields, "scope")
        if scope == "undo":
            return await self._undo(reader, words, fields.get("topic", []))
        topic = _topic(reader) if scope != "all" else None
        await self._stop(reader, words, topic or EVERYTHING, by_page=bool(scope))
        return self._told(reader, words, topic or EVERYTHING)

    async def _stop(self, reader: Addressee, words: Words, topic: str, *, by_page: bool) -> None:
        """A mail program shows no text of ours, so none is recorded."""
        button = "stop_topic" if topic != EVERYTHING else "stop_all"
        text = words(button, topic=words.topic(topic)) if by_page else None
        speaker = self._speaker(reader, f"stop/{topic}", PAGE if by_page else ONE_CLICK)
        await self.desk.writer.keep([speaker.say(topic, False, text, _about_mail(reader))])

    async def _undo(self, reader: Addressee, words: Words, asked: list[str]) -> Response:
        """What was granted before the button was pressed is granted again."""
        allowed = (*reader.policy.topics, GENERAL)
        topics = list(dict.fromkeys(one for one in asked if one in allowed))
        speaker = self._speaker(reader, "undo", PAGE)
        said = [speaker.say(one, True, words("undo"), _about_mail(reader)) for one in topics]
        await self.desk.writer.keep(said)
        kept = words("kept", topic=words.topics_of(topics))
        return self.pages.tell(words, "kept_title", kept)

    def _told(self, reader: Addressee, words: Words, topic: str) -> Response:
        """Reading it is enough; whoever pressed by mistake finds the way back."""
        told = "stopped_all" if topic == EVERYTHING else "stopped"
        return self.pages.show(
            "unsubscribed.html",
            words,
            "stopped_title",
            said=words(told, topic=words.topic(topic)),
            granted=_granted(reader, topic),
            preferences=self._preferences(reader),
        )

    def _speaker(self, reader: Addressee, act: str, where: str) -> Speaker:
        at = self.desk.clock()
        line_id = reader.line_id(act, at)
        return Speaker(reader.email, at, where, line_id, self.desk.mail.secret)

    def _preferences(self, reader: Addressee) -> str:
        token = sign(self.desk.mail.secret, "preferences", reader.message, reader.key)
        return f"../{PATHS['preferences']}/{token}"


def about(words: Words, reader: Addressee) -> str:
    """Whose mail, to whom; the address is not written out, since links are passed on."""
    sender, address = reader.policy.sender, masked(reader.email)
    if sender is None or not sender.name:
        return words("about_nobody", address=address)
    return words("about", sender=sender.name, address=address)


def _topic(reader: Addressee) -> str | None:
    """What the mail was about, if the policy knows it; else there is only all mail to stop."""
    return reader.topic if reader.topic in reader.policy.topics else None


def _about_mail(reader: Addressee) -> dict[str, Any]:
    return {"mail": reader.key}


def _granted(reader: Addressee, stopped: str) -> list[str]:
    """What was granted before, in the words that were given."""
    if stopped != EVERYTHING:
        return [stopped]
    implied = reader.policy.consent == "implied"
    topics = [one for one in reader.policy.topics if may_mail(reader.words, one, implied)]
    general = may_mail(reader.words, GENERAL, implied)
    return [*topics, *([GENERAL] if general else [])]
