"""Reading the policy (LANGUAGE 6)."""

from __future__ import annotations

import re

from flowscore.language import policy as words
from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import (
    NAME,
    WORDS,
    Key,
    Schema,
    Shape,
    Table,
    choice,
    list_of,
    read_keys,
    read_slug,
    read_text,
)
from flowscore.language.grammar.triggers import ZONE

RESERVED = frozenset({"all", "any", "email", "transactional"})  # ruling 81
ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")


def read_address(node: Node, names: Names) -> str:
    """One bare e-mail address."""
    text = read_text(node, names)
    if ADDRESS.fullmatch(text):
        return text
    hint = "put the name into `name`" if "<" in text else ""
    raise unexpected(node, "an e-mail address such as hello@acme.example", hint)


def read_topic(node: Node, names: Names) -> str:
    """The name of a topic, none of the words that mean something by themselves."""
    name = read_slug(node, names)
    if name in RESERVED:
        hint = "it is built in: leave it out" if name == "transactional" else "choose another name"
        raise mistake(node, f"'{name}' is no name for a topic", hint)
    return name


def read_policy(node: Node, names: Names) -> words.Policy:
    """The whole policy."""
    return words.Policy(mark=node.mark, **read_keys(node, names, POLICY))


def read_sender(node: Node, names: Names) -> words.Sender:
    """Who the mail is from."""
    return words.Sender(mark=node.place, **read_keys(node, names, SENDER))


ADDRESS_SCHEMA: Schema = {"type": "string", "pattern": "^[^\\s@<>]+@[^\\s@<>]+$"}
SENDER = Table(
    "the sender",
    {
        "name": Key(WORDS, "The name that readers see."),
        "address": Key(Shape(read_address, ADDRESS_SCHEMA), "The address.", required=True),
        "reply_to": Key(Shape(read_address, ADDRESS_SCHEMA), "Where answers go."),
    },
)
POLICY = Table(
    "the policy",
    {
        "policy": Key(NAME, "The policy's name; there is one per project.", "name", True),
        "description": Key(WORDS, "What it is for."),
        "timezone": Key(ZONE, "The project's zone, such as Europe/Madrid; else UTC."),
        "sender": Key(Shape(read_sender, SENDER.schema), "Who the mail is from."),
        "topics": Key(
            list_of(Shape(read_topic, NAME.schema), "topics"),
            "What people can subscribe to; `transactional` is built in.",
        ),
        "consent": Key(
            choice("required", "implied"), "Whether mail needs a granted consent (required)."
        ),
    },
    frozenset(
        {"suppress", "frequency_cap", "when_capped", "send_window", "pause_when", "decay_every"}
    ),
)
