"""Reading the policy (LANGUAGE 6)."""

from __future__ import annotations

from flowscore.language import policy as words
from flowscore.language.document import Node
from flowscore.language.grammar.addresses import ADDRESS
from flowscore.language.grammar.calendar import CLOCK_TIME, DAYS, ZONE, ZONE_KEY
from flowscore.language.grammar.conditions import CONDITION_OR_LIST
from flowscore.language.grammar.mistakes import mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import (
    DURATION,
    NAME,
    WHOLE,
    WORDS,
    Key,
    Shape,
    Table,
    choice,
    list_of,
    one_or_more,
    read_keys,
    read_slug,
)
from flowscore.language.grammar.shares import SHARE

RESERVED = frozenset({"all", "any", "email", "transactional"})  # ruling 81


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


def read_cap(node: Node, names: Names) -> words.FrequencyCap:
    """`{emails: 3, per: 7 days}`."""
    if not isinstance(node.value, dict):
        raise unexpected(node, "a cap: a mapping with emails and per", "{emails: 3, per: 7 days}")
    return words.FrequencyCap(mark=node.place, **read_keys(node, names, FREQUENCY_CAP))


def read_at_least_one(node: Node, names: Names) -> int:
    """A whole number from 1 on."""
    number = WHOLE.read(node, names)
    if number < 1:
        raise unexpected(node, "1 or more")
    return number


def read_when_capped(node: Node, names: Names) -> int | None:
    """`{wait_up_to: 3 days}`, or `drop`, which waits not at all."""
    if node.value == "drop":
        return None
    if not isinstance(node.value, dict):
        hint = f"write {{wait_up_to: {node.value}}}" if " " in str(node.value) else ""
        raise unexpected(node, "drop, or {wait_up_to: 3 days}", hint)
    wait: int = read_keys(node, names, WHEN_CAPPED)["wait"]
    return wait


def read_send_window(node: Node, names: Names) -> words.SendWindow:
    """Days and hours; `to` at or before `from` is on the next day."""
    found = read_keys(node, names, SEND_WINDOW)
    if found["opens"] == found["closes"]:
        hint = "for whole days leave send_window out; to midnight is `to: 00:00`"
        raise mistake(node, "the window closes at the minute at which it opens", hint)
    return words.SendWindow(mark=node.place, **found)


def read_pause(node: Node, names: Names) -> words.PauseWhen:
    """`{bounces: 5%, complaints: 0.1%, of_last: 1000}`."""
    found = read_keys(node, names, PAUSE_WHEN)
    if not {"bounces", "complaints"} & set(found):
        raise mistake(node, "pause_when needs bounces or complaints", "bounces: 5%")
    return words.PauseWhen(mark=node.place, **found)


def read_harm(node: Node, names: Names) -> int:
    """A share above 0."""
    share = SHARE.read(node, names)
    if share == 0:
        raise unexpected(node, "a share above 0%", "0% would stop all sending at once")
    return share


AT_LEAST_ONE = Shape(read_at_least_one, {"type": "integer", "minimum": 1})
HARM = Shape(read_harm, SHARE.schema)
FREQUENCY_CAP = Table(
    "a frequency cap",
    {
        "emails": Key(AT_LEAST_ONE, "At most so many marketing mails to a contact.", "", True),
        "per": Key(DURATION, "Within any such span.", required=True),
    },
)
WHEN_CAPPED = Table(
    "when_capped",
    {"wait_up_to": Key(DURATION, "How long a capped mail is tried again.", "wait", True)},
)
SEND_WINDOW = Table(
    "the send window",
    {
        "days": Key(DAYS, "The days on which mail may go; every day where left out."),
        "from": Key(CLOCK_TIME, "From this local time on.", "opens", True),
        "to": Key(CLOCK_TIME, "Up to this local time.", "closes", True),
        "timezone": ZONE_KEY,
    },
)
PAUSE_WHEN = Table(
    "pause_when",
    {
        "bounces": Key(HARM, "Sending stops at this share of hard bounces."),
        "complaints": Key(HARM, "Sending stops at this share of complaints."),
        "of_last": Key(AT_LEAST_ONE, "Over so many of the last mails sent.", "", True),
    },
)
SENDER = Table(
    "the sender",
    {
        "name": Key(WORDS, "The name that readers see."),
        "address": Key(ADDRESS, "The address.", required=True),
        "reply_to": Key(ADDRESS, "Where answers go."),
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
        "suppress": Key(CONDITION_OR_LIST, "Who is never mailed, whatever the scenario."),
        "frequency_cap": Key(
            one_or_more(Shape(read_cap, FREQUENCY_CAP.schema), "caps"),
            "How many marketing mails a contact gets at most.",
            "frequency_caps",
        ),
        "when_capped": Key(
            Shape(read_when_capped, {"anyOf": [{"const": "drop"}, WHEN_CAPPED.schema]}),
            "What happens to a mail beyond the cap; it waits up to 3 days where left out.",
            "capped_wait",
        ),
        "send_window": Key(
            Shape(read_send_window, SEND_WINDOW.schema), "When marketing mail may go."
        ),
        "decay_every": Key(
            DURATION, "How often points fade; daily at 00:00 of the zone where left out."
        ),
        "tracking": Key(
            choice("full", "anonymous", "off"),
            "Whether opens and clicks are kept with the contact (full), only counted, or not "
            "noticed.",
        ),
        "pause_when": Key(
            Shape(read_pause, PAUSE_WHEN.schema), "When all sending stops until a person looks."
        ),
    },
    {"decay": "each score says how its points fade; here stands how often: `decay_every: 1 hour`"},
)
