"""Did you mean …? By near spelling, and by the words that other tools use for the same thing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from functools import lru_cache

from flowscore.language.grammar.other_words import other_words

OTHER_WORDS = other_words()


def near(word: str, known: Collection[str]) -> str | None:
    """The known word that was most likely meant."""
    return _near(word, tuple(known))


def translated(word: str, known: Collection[str]) -> str | None:
    """The known word for which other tools use this one."""
    plain = _plain(word)
    meant = OTHER_WORDS.get(plain, []) or OTHER_WORDS.get(plain.removesuffix("s"), [])
    return next((ours for ours in meant if ours in known), None)


@lru_cache(maxsize=1024)
def _near(word: str, known: tuple[str, ...]) -> str | None:
    if ours := translated(word, known):
        return ours
    plain = _plain(word)
    by_plain = {_plain(one): one for one in known}
    found = get_close_matches(plain, list(by_plain), n=1, cutoff=0.68)
    return by_plain[found[0]] if found else None


def did_you_mean(word: str, known: Collection[str], otherwise: str = "") -> str:
    """`did you mean 'wait'?`, else what is said when nothing is near."""
    found = near(word, known)
    return f"did you mean '{found}'?" if found else otherwise


def listed(words: Iterable[str]) -> str:
    """`a, b, c` for a message."""
    return ", ".join(words)


def _plain(word: str) -> str:
    """`sendEmail`, `Send Email` and `send-email` are all `send_email`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word.strip())
    return re.sub(r"[\s\-_.]+", "_", spaced).lower()
