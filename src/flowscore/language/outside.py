"""Doubts that need more than the files: what has come in, and what the environment holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from flowscore.errors import Mark, Problem
from flowscore.language.actions import CallWebhook
from flowscore.language.conditions import Happened
from flowscore.language.doubts import doubt
from flowscore.language.grammar.spelling import did_you_mean
from flowscore.language.triggers import NoEvent, OnEvent
from flowscore.language.variables import OURS, unset, variables_of
from flowscore.language.words import EventQuery, Word, walk

if TYPE_CHECKING:
    from flowscore.language.draft import Draft
    from flowscore.language.project import Project

# What flowscore writes into the log itself (LANGUAGE 8), or its people do through it.
OWN_EVENTS = frozenset(
    {
        "email_sent", "email_opened", "email_clicked", "email_replied", "email_bounced",
        "email_complained", "subscribed", "unsubscribed", "list_joined", "list_left",
        "stage_changed", "attribute_changed", "contact_created", "sales_feedback",
    }
)  # fmt: skip


def unseen_events(project: Project | Draft, known: Collection[str]) -> Iterator[Problem]:
    """Events that are waited for or asked about and that no import has ever brought.

    `known` are the names of all events of the store; of an empty store nothing is said.
    """
    if not known:
        return
    places: dict[str, list[Mark]] = {}
    for word in _words(project):
        for query in _queries(word):
            for name in _unseen(query, known):
                places.setdefault(name, []).append(query.mark)
    for name, marks in places.items():
        yield _never_seen(min(marks), len(marks), name, known)


def _unseen(query: EventQuery, known: Collection[str]) -> list[str]:
    """Of several names for one thing, one that has come in is enough, but for slips of the pen."""
    unseen = [name for name in query.names if name not in OWN_EVENTS | set(known)]
    if len(unseen) == len(query.names):
        return unseen
    return [name for name in unseen if did_you_mean(name, sorted(set(known) - OWN_EVENTS))]


def _queries(word: Word) -> tuple[EventQuery, ...]:
    match word:
        case Happened() | OnEvent():
            return (word.query,)
        case NoEvent():
            return (word.awaited, word.after)
    return ()


def _never_seen(mark: Mark, places: int, name: str, known: Collection[str]) -> Problem:
    outside = sorted(set(known) - OWN_EVENTS)
    hint = did_you_mean(name, outside, "fine if it is still to come; else check how it is spelled")
    more = f" (asked for in {places} places)" if places > 1 else ""
    return doubt(mark, f"no event '{name}' has ever come in{more}", hint)


def unset_variables(project: Project | Draft, values: Mapping[str, str]) -> Iterator[Problem]:
    """Webhooks that ask the environment for a value it does not hold (ruling 103)."""
    for word in _words(project):
        if isinstance(word, CallWebhook):
            for name in unset(variables_of(word), values):
                hint = "set it in the environment or in .env, before the service starts"
                if name.startswith(OURS):
                    hint = f"{OURS}… are flowscore's own settings, which no receiver gets"
                yield doubt(word.mark, f"${{{name}}} is not set", hint)


def _words(project: Project | Draft) -> Iterator[Word]:
    kinds = (project.scenarios, project.scores, project.lists)
    for kind in kinds:
        for definition in kind.values():
            yield from walk(definition)
    for single in (project.policy, project.lifecycle):
        yield from walk(single)
