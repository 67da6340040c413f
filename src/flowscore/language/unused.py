"""Doubts about what nobody uses and nobody fills: lists, templates, caps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowscore.errors import Mark, Problem
from flowscore.language.actions import AddToList, MoveToList, Notify, RemoveFromList, SendEmail
from flowscore.language.conditions import InList
from flowscore.language.doubts import NEVER_HOLDS, doubt
from flowscore.language.draft import Draft
from flowscore.language.triggers import ListJoined, ListLeft
from flowscore.language.words import Word


def silent_lists(draft: Draft) -> Iterator[Problem]:
    """Triggers and conditions on static lists that no step fills or empties."""
    joined = {name for action in draft.actions for name in _joins(action)}
    left = {name for action in draft.actions for name in _leaves(action)}
    for word in draft.words:
        if isinstance(word, ListJoined | InList) and _silent(word.lists, joined, draft):
            yield _silence(word, word.lists, "puts anybody on")
        if isinstance(word, ListLeft) and _silent(word.lists, left, draft):
            yield _silence(word, word.lists, "takes anybody off")


def _silent(lists: Iterable[str], moved: set[str], draft: Draft) -> bool:
    return not any(name in moved or draft.names.lists.get(name, True) for name in lists)


def _silence(word: Word, lists: Iterable[str], what: str) -> Problem:
    named = " or ".join(f"'{name}'" for name in lists)
    can = NEVER_HOLDS if isinstance(word, InList) else "trigger can never fire"
    return doubt(word.mark, f"this {can}: no step {what} the list {named}")


def _joins(action: Word) -> tuple[str, ...]:
    if isinstance(action, AddToList):
        return action.lists
    return action.to if isinstance(action, MoveToList) else ()


def _leaves(action: Word) -> tuple[str, ...]:
    if isinstance(action, RemoveFromList):
        return action.lists
    return action.origin if isinstance(action, MoveToList) else ()


def unread_lists(draft: Draft) -> Iterator[Problem]:
    """Static lists that no condition, trigger or move reads (ruling 104)."""
    read: set[str] = set()
    for word in draft.words:
        if isinstance(word, InList | ListJoined | ListLeft):
            read |= set(word.lists)
        elif isinstance(word, MoveToList):
            read |= set(word.origin)
    for name, one in draft.lists.items():
        if one.members is None and name not in read:
            hint = "take it out, unless people outside flowscore use it"
            yield doubt(one.mark, f"nothing reads the static list '{name}'", hint)


SENT_BY_ITSELF = "confirm"  # asks whether a sign-up was meant


def unsent_templates(draft: Draft) -> Iterator[Problem]:
    """Templates that no step sends (ruling 104)."""
    sends = [action for action in draft.actions if isinstance(action, SendEmail | Notify)]
    sent = {name for action in sends for name in action.templates}
    files = {front.name: front.file for front in draft.fronts if not front.locale}
    for name, file in files.items():
        if name not in sent and name != SENT_BY_ITSELF:
            hint = f"send it (`send_email: {name}`) or take it out"
            yield doubt(Mark(file), f"no step sends the template '{name}'", hint)


def mails_without_sender(draft: Draft) -> Iterator[Problem]:
    """Mail that goes out although the policy does not say from whom."""
    sends = (action for action in draft.actions if isinstance(action, SendEmail | Notify))
    first = next(sends, None)
    if first is not None and draft.policy.sender is None and draft.names.topics is not None:
        hint = "add `sender: {name: …, address: …}` to the policy"
        yield doubt(first.mark, "mail is sent, and no policy says from whom", hint)


def caps_without_effect(draft: Draft) -> Iterator[Problem]:
    """A frequency cap that another one, over a longer time, makes superfluous."""
    for cap in draft.policy.frequency_caps:
        for other in draft.policy.frequency_caps:
            if other is not cap and other.emails <= cap.emails and other.per >= cap.per:
                message = "this cap is never reached: another allows no more over a longer time"
                yield doubt(cap.mark, message, f"see line {other.mark.line}")
                break
