"""Which events count: `event`, `page_visited` and the mail events (LANGUAGE 2, 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flowscore.language.document import Node
from flowscore.language.grammar.counting import Counting
from flowscore.language.grammar.mistakes import unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.paths import LINKS, PAGES
from flowscore.language.grammar.references import TEMPLATES, TOPICS
from flowscore.language.grammar.shapes import (
    DURATION,
    Key,
    Shape,
    Table,
    one_or_more,
    read_keys,
    read_text,
)
from flowscore.language.grammar.spelling import listed
from flowscore.language.words import EventQuery

RENAMED = {"email_link_clicked": "email_clicked", "email_marked_as_spam": "email_complained"}


def event_slug(name: str) -> str:
    """An event's name as it is stored (ruling 64)."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return RENAMED.get(slug, slug)


def read_event_name(node: Node, names: Names) -> str:
    """An event's name, in any spelling."""
    slug = event_slug(read_text(node, names))
    if not slug:
        raise unexpected(node, "an event's name with letters or digits")
    return slug


def read_templates(node: Node, names: Names) -> tuple[str, ...]:
    """Names of templates; `any` is every template."""
    if node.value == "any":
        return ()
    return TEMPLATES.read(node, names)


EVENT_NAMES = one_or_more(
    Shape(read_event_name, {"type": "string", "minLength": 1}), "names of events"
)
ANY_TEMPLATES = Shape(read_templates, TEMPLATES.schema)


@dataclass(frozen=True, slots=True)
class EventWord:
    """One key that counts events: what stands for it, and what its short form fills in."""

    thing: str
    says: str
    subject: dict[str, Key]  # what names the event: name, path, or template and topic
    short: str  # the key that a bare text stands for
    event: str = ""  # the event's slug, where the key implies it

    def table(self, counting: Counting) -> Table:
        """The keys of its long form."""
        keys = {**self.subject, **counting.keys}
        return Table(self.thing, keys, elsewhere=counting.elsewhere)

    def shape(self, counting: Counting) -> Shape[EventQuery]:
        """The shape of this key; what is counted how differs between conditions and triggers."""
        table, short = self.table(counting), self.subject[self.short]

        def read(node: Node, names: Names) -> EventQuery:
            if isinstance(node.value, dict):
                found = counting.query(node, read_keys(node, names, table))
            elif isinstance(node.value, str | tuple):
                found = {short.field: short.shape.read(node, names)}
            else:
                expected = f"{self.short.upper()}, or a mapping with {listed(table.keys)}"
                raise unexpected(node, expected)
            return self.query(node, found)

        return Shape(read, {"anyOf": [short.shape.schema, table.schema]})

    def query(self, node: Node, found: dict[str, Any]) -> EventQuery:
        """The events meant, the implied name filled in."""
        return EventQuery(mark=node.mark, **{"names": (self.event,), **found})


MAIL_SUBJECT = {
    "template": Key(ANY_TEMPLATES, "The mail's template; `any` for every one.", "subjects"),
    "topic": Key(TOPICS, "The mail's topic, or `transactional`.", "topics"),
    "link": Key(LINKS, "The address of the link; * stands for any run.", "links"),
}
EVENT_WORDS = {
    "event": EventWord(
        "an event",
        "Events by name, with their properties, number and time.",
        {"name": Key(EVENT_NAMES, "The event's name.", "names", required=True)},
        "name",
    ),
    "page_visited": EventWord(
        "page_visited",
        "Visits to a page.",
        {"path": Key(PAGES, "The page's path; * stands for any run.", "subjects", required=True)},
        "path",
        "page_viewed",
    ),
    **{
        word: EventWord(word, says, MAIL_SUBJECT, "template", word)
        for word, says in (
            ("email_sent", "Mail that was sent."),
            ("email_opened", "Mail that a person opened."),
            ("email_clicked", "Mail in which a person clicked a link."),
            ("email_replied", "Mail that a person answered."),
            ("email_bounced", "Mail that could not be delivered."),
        )
    },
}


def event_shapes(counting: Counting) -> dict[str, tuple[Shape[EventQuery], str]]:
    """The shape and the sentence of every key that counts events."""
    return {word: (row.shape(counting), row.says) for word, row in EVENT_WORDS.items()}


@dataclass(frozen=True, slots=True)
class IgnoredWord:
    """`email_not_opened` and `email_not_clicked`: which mail, and how long it is awaited."""

    word: str
    awaited: str

    @property
    def table(self) -> Table:
        """Its keys."""
        keys = {
            "template": Key(ANY_TEMPLATES, "The mail's template; `any`: every one.", "templates"),
            "topic": Key(TOPICS, "The mail's topic, or `transactional`.", "topics"),
            "within": Key(DURATION, "How long after sending it is awaited.", required=True),
        }
        return Table(self.word, keys, elsewhere=NOT_IGNORED)

    def read(self, node: Node, names: Names) -> dict[str, Any]:
        """Its fields; a bare template has no `within`, which is required."""
        if not isinstance(node.value, dict):
            raise unexpected(node, "{template: NAME, within: 3 days}", "`within` is required")
        return {"awaited": self.awaited, **read_keys(node, names, self.table)}


NOT_IGNORED = {
    "link": "it counts a click on any link; for one link write `not: {email_clicked: …}`",
    "times": "it is about each mail by itself; count with `email_sent` and `email_opened`",
    "machine": "only people count here",
}
IGNORED_WORDS = {
    "email_not_opened": IgnoredWord("email_not_opened", "email_opened"),
    "email_not_clicked": IgnoredWord("email_not_clicked", "email_clicked"),
}
