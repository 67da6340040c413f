"""What a contact has agreed to by now, the lines included that no tick has taken yet.

A page shows what was just said; the log learns of it with the next tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

from flowscore.store.consents import EVERYTHING, GENERAL
from flowscore.store.spelling import SPELLINGS
from flowscore.store.tables.arrivals import SPEAKS

if TYPE_CHECKING:
    from sqlalchemy import Connection

Words = dict[str, tuple[bool, int]]  # by topic: granted or refused, and when


def find_words(connection: Connection, contact: int, topics: Sequence[str]) -> Words:
    """The newest word on each topic, on mail in general, and on everything."""
    stored = text("SELECT topic, granted, at FROM consents WHERE contact_id = :contact")
    rows = connection.execute(stored, {"contact": contact})
    words: Words = {topic: (bool(granted), at) for topic, granted, at in rows}
    for own_at, said in _pending(connection, contact):
        for topic, granted in said:
            _hear(words, topic, (bool(granted), own_at), topics)
    return words


def may_mail(words: Words, topic: str, implied: bool) -> bool:
    """The topic's own word, else the general one, else as the policy has it (ruling 82)."""
    word = words.get(topic) or words.get(GENERAL)
    return implied if word is None else word[0]


def _pending(connection: Connection, contact: int) -> Iterable[tuple[int, list[Any]]]:
    inbox = SPELLINGS[connection.dialect.name].inbox
    rows = connection.execute(
        text(f"""
            SELECT i.own_at, i.consents FROM identities k CROSS JOIN {inbox} i
            WHERE k.contact_id = :contact AND i.user_value = k.value AND i.user_kind = k.kind
              AND i.{SPEAKS} AND i.consents IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM taken WHERE taken.seq = i.seq)
            ORDER BY i.own_at, i.received_at, i.message_id
        """),
        {"contact": contact},
    )
    for own_at, said in rows:
        yield own_at, orjson.loads(said) if isinstance(said, str) else said


def _hear(words: Words, topic: str, word: tuple[bool, int], topics: Sequence[str]) -> None:
    """Of each topic the newest own time wins; `all` refuses whatever is known (ruling 81)."""
    everything = topic == EVERYTHING and not word[0]
    for one in {GENERAL, EVERYTHING, *topics, *words} if everything else {topic}:
        if one not in words or word[1] >= words[one][1]:
            words[one] = word
