"""What random cases may contain, and where every random choice comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

Document = dict[str, Any]

EVENTS = ("order_completed", "cart_updated", "lead_form")
PATHS = ("/pricing", "/blog/a", "/blog/b", "/Pricing/?utm=x", "/")
PATTERNS = ("/pricing", "/blog/*", "*", "/")
PLANS = ("trial", "pro", "free")
COUNTRIES = ("ES", "NO", "MX")
SPANS = ("1 hour", "2 hours", "3 hours", "6 hours", "1 day", "2 days")
STATIC = ("newbies", "vips")
TOPICS = ("news", "offers")
MAILS = {"hello": "news", "offer": "offers", "receipt": "transactional"}
NOTE = "note"
ZONES = ("UTC", "Europe/Madrid", "America/Mexico_City")
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Features:
    """What the cases may contain; switch parts off to look at the others alone."""

    anonymous: bool = True
    late: bool = True
    duplicates: bool = True
    mail: bool = True
    schedules: bool = True
    state_rules: bool = True
    scenarios: bool = True
    contacts: int = 4
    calls: int = 60
    quiet: bool = True
    # What conditions and triggers ask.
    company: bool = True
    sums: bool = True
    windows: bool = True  # older_than, and since: entered
    same: bool = True
    dotted: bool = True
    this_event: bool = True
    mail_words: bool = True  # link, machine, replied, bounced, not_clicked
    random: bool = True
    consents: bool = True  # triggers and steps
    gains: bool = True
    dates: bool = True
    # What scenarios have and do.
    until: bool = True  # waits until a time of day
    goals: bool = True
    exits: bool = True
    holdouts: bool = True
    waits: bool = True  # wait_for
    splits: bool = True
    enrolls: bool = True
    resets: bool = True
    owners: bool = True
    notes: bool = True
    webhooks: bool = True
    # What the policy says.
    suppress: bool = True
    caps: bool = True
    window: bool = True
    pauses: bool = True
    versions: bool = True
    # Scores that sales believe in.
    decay: bool = True
    idle: bool = True
    grades: bool = True
    stages: bool = True
    company_scores: bool = True
    recomputes: bool = True  # second versions change scores and grades too


SALES = tuple("decay idle grades stages company_scores recomputes".split())
"""What scores have beside their rules."""
ENLARGING = tuple(
    "company sums windows same dotted this_event mail_words random consents gains dates until "
    "goals exits holdouts waits splits enrolls resets owners notes webhooks suppress caps window "
    "pauses versions".split()
)
"""What makes cases of the whole language out of those that have only its core."""


def whole(**other: Any) -> Features:
    """The whole language."""
    return replace(Features(), **dict.fromkeys(SALES, True), **other)


def core(*but: str, **other: Any) -> Features:
    """The core of the language, and of the rest only what is named."""
    return replace(Features(), **{name: name in but for name in (*ENLARGING, *SALES)}, **other)


class Choices:
    """Where every choice comes from: Hypothesis, which shrinks, or a seeded generator."""

    def __init__(self, integer: Any) -> None:
        """`integer(n)` gives one of 0 … n - 1, small ones being the simple ones."""
        self.integer = integer

    def one(self, options: Sequence[Any]) -> Any:
        """One of the options, the first the simplest."""
        return options[self.integer(len(options))]

    def chance(self, of: int = 2) -> bool:
        """True once in so many times."""
        return bool(self.integer(of) == of - 1)

    def some(self, most: int, least: int = 0) -> range:
        """A range of least … most items."""
        return range(least + self.integer(most - least + 1))


@dataclass
class Words:
    """What the definitions made so far may name; of scenarios those to come."""

    scores: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    flows: list[str] = field(default_factory=list)
    grades: dict[str, list[str]] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
