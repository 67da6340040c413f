"""What kind of bounce a code and its text speak of: a row of `store.bounces.TABLE`.

A server's own words to the last hop tell more than the status that some hop made of them, and
where a code says nothing (`5.0.0`), words that servers have used for decades do.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from flowscore.store.bounces import TABLE

LONGEST = 4000  # letters of a text that are looked at
CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
REPLY = re.compile(r"(?<![\d.])([45])[0-5]\d(?![\d.])")
VAGUE = re.compile(r"\d\.[01235]\.0")
HARD = "no_such_address"

# In this order: who is called a spammer in a sentence about a mailbox is refused.
WORDS = {
    "refused": r"""spam|black ?list|block ?list|reputation|polic(?:y|ies)|dmarc|\bspf\b|\bdkim\b
        |virus|not allowed|access denied|relay|unsolicited""",
    "mailbox_full": r"""quota|(?:mail)?box (?:is |was )?full|full mailbox
        |insufficient .{0,12}storage|buz[oó]n .{0,12}llen|postfach .{0,12}voll
        |bo[iî]te .{0,20}pleine""",
    "mailbox_disabled": r"""disabled|inactive|suspended|deactivated|deshabilitad|desactivad
        |deaktiviert|gesperrt|d[eé]sactiv""",
    "no_route": r"""host (?:or domain name )?(?:is )?(?:not found|unknown)|unknown host
        |domain (?:name )?(?:is )?not found|no (?:mx|mail) (?:server|host)""",
    HARD: r"""(?:user|recipient|mailbox|address|account|alias|person)s?\b.{0,40}?\b
        (?:unknown|not (?:be )?found|does(?:n't| not) exist|no longer|is invalid|not known)
        |\b(?:unknown|invalid|no such|non-?existent|unrouteable|bad destination)
         .{0,12}?\b(?:user|recipient|mailbox|address|account|alias|person|name)
        |no mailbox here|(?:doesn't|does not) have an? .{0,40}account|not our customer
        |no existe|usuario desconocido|destinatario desconocido|existiert nicht
        |unbekannt|n'existe pas|(?:utilisateur|destinataire) inconnu|inesistente""",
}
READ = tuple(
    (kind, re.compile(re.sub(r"\n +", "", words), re.IGNORECASE | re.DOTALL))
    for kind, words in WORDS.items()
)


class Kind(NamedTuple):
    """A row of the table, and the code by which it was found."""

    name: str
    code: str

    @property
    def hard(self) -> bool:
        """Whether one is enough to suppress."""
        return self.name == HARD


def judge(code: str, text: str) -> Kind:
    """What a failure is, by its RFC 3463 code (may be empty) and the server's words."""
    text = text[:LONGEST]
    said, status = _first_code(text), _first_code(code)
    exact = next((one for one in (said, status) if one and not VAGUE.fullmatch(one)), "")
    if exact:
        return Kind(kind_of(exact), exact)
    vague = said or status or _from_reply(text)
    words = _by_words(text)
    if words is None or (words == HARD and vague.startswith("4")):
        return Kind(kind_of(vague), vague)
    return Kind(words, vague)


def kind_of(code: str) -> str:
    """The kind of a code, by the first row of the table that fits."""
    return next(
        row.kind for row in TABLE if any(_pattern(one).fullmatch(code) for one in row.codes)
    )


@cache
def _pattern(code: str) -> re.Pattern[str]:
    return re.compile(code.replace(".", r"\.").replace("x", r"\d+"))


def _first_code(text: str) -> str:
    """The first enhanced code of a failure in a text; never part of an address or a version."""
    found = next((match for match in CODE.finditer(text) if match[1] != "2"), None)
    return ".".join(str(int(part)) for part in found.groups()) if found else ""


def _from_reply(text: str) -> str:
    """`550` alone says no more than for good, `450` for now."""
    found = REPLY.search(text)
    return f"{found[1]}.0.0" if found else "5.0.0"


def _by_words(text: str) -> str | None:
    return next((kind for kind, words in READ if words.search(text)), None)
