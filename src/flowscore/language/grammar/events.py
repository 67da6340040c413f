"""Which events count and how many: `event`, `page_visited` and the mail events (LANGUAGE 2, 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.references import TEMPLATES, TOPICS
from flowscore.language.grammar.shapes import (
    DURATION,
    WHOLE,
    YES_NO,
    Key,
    Schema,
    Shape,
    Table,
    one_or_more,
    read_keys,
    read_text,
)
from flowscore.language.grammar.values import NAMED_TESTS, bounds_of, bounds_table
from flowscore.language.words import Bounds, EventQuery, ValueTest, ValueTests

RENAMED = {"email_link_clicked": "email_clicked", "email_marked_as_spam": "email_complained"}
COUNTS = bounds_table("how many times", WHOLE)
LATER = frozenset({"sum", "since", "same", "older_than"})


def event_slug(name: str) -> str:
    """An event's name as it is stored (ruling 64)."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return RENAMED.get(slug, slug)


def page_path(text: str) -> str:
    """A path as it is compared: no query, fragment or trailing slash, small letters (ruling 63)."""
    path = urlsplit(text).path if text.startswith(("http://", "https://")) else text
    return re.split(r"[?#]", path)[0].rstrip("/").lower() or "/"


def read_event_name(node: Node, names: Names) -> str:
    """An event's name, in any spelling."""
    slug = event_slug(read_text(node, names))
    if not slug:
        raise unexpected(node, "an event's name with letters or digits")
    return slug


def read_page(node: Node, names: Names) -> str:
    """A path, in which `*` stands for any run of characters."""
    text = read_text(node, names)
    if not re.match(r"[/*]|https?://", text):
        raise unexpected(node, "a path that begins with / or *", f"did you mean '/{text}'?")
    try:
        return page_path(text)
    except ValueError as error:
        raise unexpected(node, "a path or an address", str(error)) from None


def read_where(node: Node, names: Names) -> tuple[ValueTests, ...]:
    """Tests of properties; `path` is compared as pages are (rulings 85 and 120)."""
    return tuple(
        tests.model_copy(update={"tests": tuple(map(_as_path, tests.tests))})
        if tests.name == "path"
        else tests
        for tests in NAMED_TESTS.read(node, names)
    )


def _as_path(test: ValueTest) -> ValueTest:
    if test.operator not in ("is", "is_not", "in", "not_in"):
        return test
    several = isinstance(test.operand, tuple)
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    paths = tuple(page_path(one) if isinstance(one, str) else one for one in operands)
    return test.model_copy(update={"operand": paths if several else paths[0]})


def read_templates(node: Node, names: Names) -> tuple[str, ...]:
    """Names of templates; `any` is every template."""
    if node.value == "any":
        return ()
    return TEMPLATES.read(node, names)


def read_times(node: Node, names: Names) -> Bounds:
    """`3` is at least 3; a mapping holds bounds (ruling 66)."""
    if isinstance(node.value, dict):
        bounds = bounds_of(node, read_keys(node, names, COUNTS))
        if any(bound is not None and bound < 0 for bound in _given(bounds)):
            raise mistake(node, "an event cannot happen fewer than 0 times")
        return bounds
    times = WHOLE.read(node, names)
    if times < 1:
        raise unexpected(node, "1 or more", "for never write {at_most: 0}")
    return Bounds(mark=node.mark, at_least=times)


def read_times_to_reach(node: Node, names: Names) -> Bounds:
    """How many events complete a trigger: 1 or more, no upper bound."""
    bounds = read_times(node, names)
    least = bounds.above + 1 if bounds.above is not None else bounds.at_least
    if least is None or bounds.at_most is not None or bounds.below is not None:
        hint = "put an upper bound under `conditions`"
        raise mistake(node, "a trigger counts up: `times` takes a number or at_least", hint)
    if least < 1:
        raise mistake(node, "a trigger needs at least 1 event")
    return Bounds(mark=node.mark, at_least=least)


def _given(bounds: Bounds) -> tuple[float | None, ...]:
    return bounds.at_least, bounds.at_most, bounds.above, bounds.below


EVENT_NAMES = one_or_more(
    Shape(read_event_name, {"type": "string", "minLength": 1}), "names of events"
)
PAGES = one_or_more(Shape(read_page, {"type": "string", "minLength": 1}), "paths")
WHERE = Shape(read_where, NAMED_TESTS.schema)
ANY_TEMPLATES = Shape(read_templates, TEMPLATES.schema)
TIMES_SCHEMA: Schema = {"anyOf": [{"type": "integer", "minimum": 1}, COUNTS.schema]}
TIMES = Shape(read_times, TIMES_SCHEMA)
TIMES_TO_REACH = Shape(read_times_to_reach, TIMES_SCHEMA)


def event_keys(times: Shape[Bounds]) -> dict[str, Key]:
    """The keys that every counted event takes (ruling 87)."""
    return {
        "where": Key(WHERE, "What the event's properties must pass; dots reach inside."),
        "times": Key(times, "How many; a number is at least so many."),
        "within": Key(DURATION, "Only events at most so long ago."),
        "machine": Key(YES_NO, "Opens and clicks by machines count too."),
    }


@dataclass(frozen=True, slots=True)
class EventWord:
    """One key that counts events: what stands for it, and what its short form fills in."""

    thing: str
    says: str
    subject: dict[str, Key]  # what names the event: name, path, or template and topic
    short: str  # the key that a bare text stands for
    event: str = ""  # the event's slug, where the key implies it
    later: frozenset[str] = LATER

    def shape(self, word: str, times: Shape[Bounds]) -> Shape[EventQuery]:
        """The shape of this key; `times` differs between conditions and triggers."""
        table = Table(self.thing, {**self.subject, **event_keys(times)}, self.later)
        short = self.subject[self.short]

        def read(node: Node, names: Names) -> EventQuery:
            if isinstance(node.value, dict):
                return self.query(node, read_keys(node, names, table))
            return self.query(node, {short.field: short.shape.read(node, names)})

        return Shape(read, {"anyOf": [short.shape.schema, table.schema]})

    def query(self, node: Node, found: dict[str, Any]) -> EventQuery:
        """The events meant, the implied name filled in."""
        return EventQuery(mark=node.mark, **{"names": (self.event,), **found})


MAIL_SUBJECT = {
    "template": Key(ANY_TEMPLATES, "The mail's template; `any` for every one.", "subjects"),
    "topic": Key(TOPICS, "The mail's topic, or `transactional`.", "topics"),
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
        word: EventWord(word, says, MAIL_SUBJECT, "template", word, LATER | {"link"})
        for word, says in (
            ("email_sent", "Mail that was sent."),
            ("email_opened", "Mail that a person opened."),
            ("email_clicked", "Mail in which a person clicked a link."),
        )
    },
}


def event_shapes(times: Shape[Bounds], *words: str) -> dict[str, tuple[Shape[EventQuery], str]]:
    """The shape and the sentence of these keys."""
    return {word: (EVENT_WORDS[word].shape(word, times), EVENT_WORDS[word].says) for word in words}


IGNORED_TABLE = Table(
    "email_not_opened",
    {
        "template": Key(ANY_TEMPLATES, "The mail's template; `any` for every one.", "templates"),
        "topic": Key(TOPICS, "The mail's topic, or `transactional`.", "topics"),
        "within": Key(DURATION, "How long after sending an open is awaited.", required=True),
    },
    frozenset({"link"}),
)


def read_ignored(node: Node, names: Names) -> dict[str, Any]:
    """The keys of `email_not_opened`; a bare template has no `within`, which is required."""
    if not isinstance(node.value, dict):
        raise unexpected(node, "{template: NAME, within: 3 days}", "`within` is required")
    return read_keys(node, names, IGNORED_TABLE)


IGNORED = Shape(read_ignored, IGNORED_TABLE.schema)
