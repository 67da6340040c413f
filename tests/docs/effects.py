"""What flowscore did to people, in the words in which the pages of the reference tell it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

if TYPE_CHECKING:
    from flowscore.store.database import Store

Effect = tuple[int, str]
"""An instant, and a sentence such as «ana joins hot-leads»."""

KINDS = {
    "lists": r"\w+ (joins|leaves) \S+",
    "entries": r"\w+ enters \S+",
    "refusals": r"\S+ refuses \w+ \(\w+\)",
    "ends": r"\w+ (finishes|converts in) \S+|\w+ exits \S+ \(.*\)",
    "mails": r"\S+ gets \S+|\w+ does not get \S+ \(\w+\)",
    "balances": r"\w+ stands at -?[\d.]+( in \S+)?",
    "cells": r"\w+ comes to [\w-]+( of [\w-]+)?",
    "stages": r"\w+ becomes [\w-]+|\w+ passes over [\w-]+",
    "attributes": r"\w+'s \w+ becomes .*",
    "consent": r"\w+ (agrees to|refuses) \S+",
    "webhooks": r"POST \S+ \{.*\}",
}


def kind_of(sentence: str) -> str:
    """What a sentence is about; one that nobody knows is a mistake of the page."""
    for kind, pattern in KINDS.items():
        if re.fullmatch(pattern, sentence):
            return kind
    raise AssertionError(f"not a thing that flowscore does: {sentence!r}")


def effects_of(
    store: Store,
    balances: dict[int, dict[Any, int]],
    scores: tuple[str, ...],
    cells: dict[int, dict[Any, str]],
) -> Iterator[Effect]:
    """Everything that happened, of every kind."""
    yield from _cells(cells)
    for query, tell in TOLD:
        with store.read() as connection:
            for row in connection.execute(text(query)):
                yield from tell(*row)
    yield from _balances(balances, scores)


def _name(email: str) -> str:
    return email.partition("@")[0] if email.endswith("@example.com") else email


def _member(email: str, name: str, joined: int, left: int | None) -> Iterator[Effect]:
    yield joined, f"{_name(email)} joins {name}"
    if left is not None:
        yield left, f"{_name(email)} leaves {name}"


def _enrollment(
    email: str, name: str, entered: int, ended: int | None, outcome: str, reason: str,
    converted: int | None,
) -> Iterator[Effect]:  # fmt: skip
    who = _name(email)
    yield entered, f"{who} enters {name}"
    if converted is not None:
        yield converted, f"{who} converts in {name}"
    if ended is not None and outcome == "exited":
        yield ended, f"{who} exits {name} ({reason})"
    elif ended is not None and ended != converted:
        yield ended, f"{who} finishes {name}"


def _refusal(email: str, name: str, at: int, reason: str) -> Iterator[Effect]:
    yield at, f"{name} refuses {_name(email)} ({reason})"


def _mail(
    email: str, template: str, status: str, reason: str, queued: int, sent: int | None,
    settled: int | None, recipients: Any,
) -> Iterator[Effect]:  # fmt: skip
    if sent is not None:
        readers = json.loads(recipients) if isinstance(recipients, str) else recipients
        for reader in readers or [email]:
            yield sent, f"{_name(reader)} gets {template}"
    elif status == "withheld":
        at = queued if settled is None else settled
        yield at, f"{_name(email)} does not get {template} ({reason})"


def _webhook(at: int, payload: Any) -> Iterator[Effect]:
    held = json.loads(payload) if isinstance(payload, str) else payload
    yield at, f"POST {held['url']} {json.dumps(held['body'], ensure_ascii=False)}"


def _own_event(email: str, name: str, at: int, properties: Any) -> Iterator[Effect]:
    held = json.loads(properties) if isinstance(properties, str) else properties
    who = _name(email)
    if name == "attribute_changed":
        yield at, f"{who}'s {held['attribute']} becomes {held['to']}"
    else:
        yield at, f"{who} {'agrees to' if name == 'subscribed' else 'refuses'} {held['topic']}"


def _balances(balances: dict[int, dict[Any, int]], scores: tuple[str, ...]) -> Iterator[Effect]:
    before: dict[Any, int] = {}
    for at in sorted(balances):
        for (email, score), balance in balances[at].items():
            if score in scores and balance != before.get((email, score), 0):
                where = f" in {score}" * (len(scores) > 1)
                yield at, f"{_name(email)} stands at {balance / 10_000:g}{where}"
        before = balances[at]


def _cells(cells: dict[int, dict[Any, str]]) -> Iterator[Effect]:
    before: dict[Any, str] = {}
    for at in sorted(cells):
        for (email, grade), cell in cells[at].items():
            if cell != before.get((email, grade)):
                several = len({name for _, name in cells[at]}) > 1
                yield at, f"{_name(email)} comes to {cell}{f' of {grade}' * several}"
        before = cells[at]


def _stay(email: str, stage: str, at: int, skipped: bool) -> Iterator[Effect]:
    yield at, f"{_name(email)} {'passes over' if skipped else 'becomes'} {stage}"


OF = "JOIN contacts ON contacts.id = contact_id"
MEMBERS = f"SELECT email, list, joined_at, left_at FROM members {OF}"
ENROLLMENTS = f"""
SELECT email, scenario, entered_at, ended_at, outcome, reason, converted_at FROM enrollments {OF}
"""
STAYS = f"SELECT email, stage, entered_at, skipped FROM stages {OF}"
DECISIONS = f"SELECT email, scenario, at, reason FROM decisions {OF}"
MAILS = f"""
SELECT email, template, status, reason, queued_at, sent_at, settled_at, recipients
FROM messages {OF} WHERE kind <> 'webhook'
"""
WEBHOOKS = "SELECT queued_at, payload FROM messages WHERE kind = 'webhook'"
OWN_EVENTS = f"""
SELECT email, name, own_at, properties FROM events {OF}
WHERE name IN ('attribute_changed', 'subscribed', 'unsubscribed')
"""
TOLD = (
    (MEMBERS, _member),
    (STAYS, _stay),
    (ENROLLMENTS, _enrollment),
    (DECISIONS, _refusal),
    (MAILS, _mail),
    (WEBHOOKS, _webhook),
    (OWN_EVENTS, _own_event),
)
