"""Whom a link in a mail leads to: the message it was made for, and its contact as they are now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, select
from starlette.concurrency import run_in_threadpool

from flowscore.errors import FlowscoreError
from flowscore.mail.links import Purpose, number_of, opens
from flowscore.store.agreed import Words, find_words
from flowscore.store.tables import attributes, contacts, messages
from flowscore.web.refusals import UnwritableError

if TYPE_CHECKING:
    from flowscore.language.policy import Policy
    from flowscore.web.reception import Reception

Found = TypeVar("Found")
SAID_OF_LANGUAGE = ("locale", "language")  # attributes, the first that is there
MOST_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Addressee:
    """The reader of a mail; after a merge the contact that both have become."""

    token: str
    message: int
    key: str
    topic: str  # the mail's
    email: str
    given: dict[str, Any]  # attributes that pages ask for
    words: Words
    policy: Policy

    @property
    def locale(self) -> str | None:
        """Their language."""
        said = (self.given.get(name) for name in SAID_OF_LANGUAGE)
        return next((str(one) for one in said if one), None)

    def line_id(self, act: str, at: int) -> str:
        """The id of what was done by the link at that instant. Who says the same again changes
        nothing by it; who says yes in between has to be heard again, however fast they are.
        """
        return f"page/{sha256(f'{self.token}/{act}/{at}'.encode()).hexdigest()[:32]}"


async def look_up(find: Callable[..., Found], *asked: Any) -> Found:
    """Looks that block, in a thread; a store that cannot be read is to be asked again."""
    try:
        return await run_in_threadpool(find, *asked)
    except FlowscoreError as error:
        raise UnwritableError("this cannot be looked up now; try again in a moment") from error


def find_message(
    connection: Connection, secret: str, purpose: Purpose, token: str
) -> dict[str, Any] | None:
    """The row of the message whose link this is; None if the link is none of ours."""
    number = number_of(token) if token.isascii() else None
    if not secret or number is None or number > MOST_NUMBER:
        return None
    row = connection.execute(select(messages).where(messages.c.id == number)).mappings().first()
    return dict(row) if row and opens(secret, purpose, token, row["key"]) else None


def find_addressee(desk: Reception, purpose: Purpose, token: str) -> Addressee | None:
    """Whose link it is; None if it is none of ours, or they are not with us any more. Blocks."""
    policy = desk.live.policy
    with desk.store.read() as connection:
        row = find_message(connection, desk.mail.secret, purpose, token)
        if row is None:
            return None
        who = row["contact_id"]
        email = connection.scalar(select(contacts.c.email).where(contacts.c.id == who))
        if not email:
            return None
        given = _attributes(connection, who)
        words = find_words(connection, who, policy.topics)
    return Addressee(token, row["id"], row["key"], row["topic"], email, given, words, policy)


def _attributes(connection: Connection, who: int) -> dict[str, Any]:
    wanted = (*SAID_OF_LANGUAGE, "tracking")
    chosen = select(attributes.c.name, attributes.c.value).where(
        attributes.c.contact_id == who,
        attributes.c.name.in_(wanted),
        attributes.c.element == 0,
    )
    return {row.name: row.value for row in connection.execute(chosen)}
