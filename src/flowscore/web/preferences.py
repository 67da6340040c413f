"""The preference page: which mail a contact gets, by topic, and whether opens are noticed.

Only what was changed is said; the page then shows what holds from now on.
"""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from flowscore.mail.links import PATHS
from flowscore.mail.tracking import ATTRIBUTE, how_tracked
from flowscore.store.agreed import may_mail
from flowscore.store.consents import EVERYTHING, GENERAL
from flowscore.store.inbox import InboxRow
from flowscore.web.addressees import Addressee, find_addressee, look_up
from flowscore.web.consenting import Speaker
from flowscore.web.forms import Fields, first, read_form
from flowscore.web.pages import Pages, add_page
from flowscore.web.reception import Reception
from flowscore.web.unsubscribing import about
from flowscore.web.words import Words

WHERE = "preference page"
TRACKINGS = ("full", "anonymous", "off")  # each less than the one before


def router(desk: Reception) -> APIRouter:
    """The page and its button."""
    routes = APIRouter(tags=["consent"])
    room = Preferences(desk)
    path = f"/{PATHS['preferences']}/{{token}}"
    add_page(routes, path, room.show, "Shows what a contact gets")
    routes.add_api_route(path, room.save, methods=["POST"], summary="Saves what they want")
    return routes


class Preferences:
    """The verbs of the page, over one reception."""

    def __init__(self, desk: Reception) -> None:
        self.desk = desk
        self.pages = Pages(desk)

    async def show(self, request: Request, token: str) -> Response:
        """What holds now; nothing changes by looking."""
        reader = await look_up(find_addressee, self.desk, "preferences", token)
        if reader is None:
            return await look_up(self.pages.tell_missing, request)
        return self._page(request, reader, saved=False)

    async def save(self, request: Request, token: str) -> Response:
        """Say what was changed, durably, and show what holds."""
        reader = await look_up(find_addressee, self.desk, "preferences", token)
        if reader is None:
            return await look_up(self.pages.tell_missing, request)
        fields = await read_form(request)
        words = self.pages.words_for(request, reader.locale)
        await self.desk.writer.keep(self._changes(reader, words, fields))
        now = await look_up(find_addressee, self.desk, "preferences", token) or reader
        chosen = {ATTRIBUTE: _tracking_asked(fields) or now.given.get(ATTRIBUTE)}
        return self._page(request, replace(now, given={**now.given, **chosen}), saved=True)

    def _changes(self, reader: Addressee, words: Words, fields: Fields) -> list[InboxRow]:
        speaker = self._speaker(reader, fields)
        rows = _words_changed(speaker, reader, words, fields)
        tracking = _tracking_asked(fields)
        if tracking and not _is_usual(reader, tracking, first(fields, "tracking_shown")):
            rows.append(speaker.tell({ATTRIBUTE: tracking}))
        return rows

    def _speaker(self, reader: Addressee, fields: Fields) -> Speaker:
        at = self.desk.clock()
        line_id = reader.line_id(f"save/{sorted(fields.items())}", at)
        return Speaker(reader.email, at, WHERE, line_id, self.desk.mail.secret)

    def _page(self, request: Request, reader: Addressee, *, saved: bool) -> Response:
        words = self.pages.words_for(request, reader.locale)
        holds = _holding(reader)
        return self.pages.show(
            "preferences.html",
            words,
            "saved_title" if saved else "preferences_title",
            saved=saved,
            about=about(words, reader),
            choices=[{"topic": one, "holds": holds[one]} for one in holds],
            trackings=_offered(reader),
            tracking=_tracking(reader),
        )


def _holding(reader: Addressee) -> dict[str, bool]:
    """Of each topic, or of mail in general where the policy names none, whether it may be sent."""
    implied = reader.policy.consent == "implied"
    topics = reader.policy.topics or (GENERAL,)
    return {topic: may_mail(reader.words, topic, implied) for topic in topics}


def _words_changed(
    speaker: Speaker, reader: Addressee, words: Words, fields: Fields
) -> list[InboxRow]:
    holds = _holding(reader)
    if first(fields, "nothing"):
        refused = reader.words.get(EVERYTHING, (True, 0))[0] is False and not any(holds.values())
        return [] if refused else [speaker.say(EVERYTHING, False, words("refuse_all"))]
    wanted = set(fields.get("topic", []))
    return [
        speaker.say(topic, topic in wanted, _sentence(words, topic, topic in wanted))
        for topic in holds
        if holds[topic] != (topic in wanted)
    ]


def _sentence(words: Words, topic: str, granted: bool) -> str:
    """What ticking a topic says, written out for the record."""
    if topic == GENERAL:
        return words("want_all" if granted else "refuse_all")
    return words("want_topic" if granted else "refuse_topic", topic=words.topic(topic))


def _offered(reader: Addressee) -> tuple[str, ...]:
    """Never more than the policy does anyway; what is off for everybody is no question."""
    offered = TRACKINGS[TRACKINGS.index(reader.policy.tracking) :]
    return offered if len(offered) > 1 else ()


def _tracking(reader: Addressee) -> str:
    return how_tracked(reader.policy.tracking, reader.given.get(ATTRIBUTE))


def _is_usual(reader: Addressee, asked: str, shown: str) -> bool:
    """Nothing was chosen, and nothing else was a moment ago: what no tick has taken yet does not
    stand in the store, only on the page that was answered.
    """
    return {asked, shown or asked, _tracking(reader)} == {reader.policy.tracking}


def _tracking_asked(fields: Fields) -> Any:
    asked = first(fields, "tracking")
    return asked if asked in TRACKINGS else None
