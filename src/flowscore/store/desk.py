"""The desk on which a tick sorts its post: temporary tables, and a way to run text on them.

`due` holds the lines of one pass in the order in which they are applied (rulings 10 and 88).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextClause, text

from flowscore.store.spelling import Sqlite

TABLES = {
    "due": "ord {serial}, seq bigint, message_id {text}, kind {text}, who_kind {text}, who {text},"
    " email_folded {text}, anonymous_id {text}, own_at bigint, harm boolean,"
    " consents boolean, company boolean, tracked boolean, judged {json}, judged_forms {json},"
    " previous_kind {text}, previous {text}",
    "aimed": "seq bigint PRIMARY KEY, mail_key {text}, second bigint",
    "hits": "mail_key {text}, second bigint, link {text}, links bigint, hidden boolean,"
    " PRIMARY KEY (mail_key, second, link, hidden)",
    "template_topics": "template {text} PRIMARY KEY, topic {text}",
    "forgotten_names": "kind {text}, value {text}, digest {text}, at bigint, lifted_at bigint,"
    " PRIMARY KEY (kind, value)",
    "forgotten_lines": "ord bigint, part {text}, at bigint, lifted_at bigint, happened bigint",
    "named": "who_kind {text}, who {text}, first_ord bigint, first_at bigint,"
    " PRIMARY KEY (who_kind, who)",
    "pairs": "ord bigint, user_id {text}, email_folded {text}, PRIMARY KEY (user_id, email_folded)",
    "front": "ord bigint, user_id {text}, email_folded {text}",
    "tied": "kind {text}, value {text}, other_kind {text}, other {text}, at bigint",
    "aliased": "value {text} PRIMARY KEY",
    "links": "younger_id bigint, older_id bigint",
    "claiming": "anonymous_id {text}, contact_id bigint, at bigint, message_id {text},"
    " by_alias boolean, ord bigint, PRIMARY KEY (anonymous_id, contact_id)",
    "shared": "anonymous_id {text} PRIMARY KEY",
    "owners": "anonymous_id {text} PRIMARY KEY, contact_id bigint",
    "handed": "anonymous_id {text} PRIMARY KEY, old_id bigint, new_id bigint",
    "merges": "old_id bigint PRIMARY KEY, new_id bigint",
    "wave": "old_id bigint PRIMARY KEY, new_id bigint, named boolean",
    "twins": "contact_id bigint PRIMARY KEY, other_id bigint, younger boolean",
    "repeated": "scenario {text} PRIMARY KEY",
    "dowry": "contact_id bigint PRIMARY KEY, user_id {text}, changed boolean, email {text},"
    " email_folded {text}, email_at bigint",
    "joined": "kind {text}, value {text}, contact_id bigint, at bigint, was bigint,"
    " PRIMARY KEY (kind, value)",
    "heeded": "contact_id bigint PRIMARY KEY",
    "voices": "contact_id bigint, kind {text}, value {text}, since bigint, topic {text},"
    " granted boolean, at bigint",
    "reckoned": "contact_id bigint, topic {text}, granted boolean, at bigint,"
    " PRIMARY KEY (contact_id, topic)",
    "births": "event_id bigint PRIMARY KEY, first_id bigint",
    "newcomers": "id bigint PRIMARY KEY, ord bigint, email {text}, email_folded {text},"
    " user_id {text}, anonymous_id {text}, at bigint",
    "earlier": "contact_id bigint PRIMARY KEY, at bigint",
    "addresses": "contact_id bigint PRIMARY KEY, email {text}, email_folded {text}, at bigint,"
    " changed boolean",
    "brought": "owner_id bigint, name {text}, at bigint, ord bigint, told boolean,"
    " value {json}, forms {json}, whole {text}",
    "settled": "owner_id bigint, name {text}, at bigint, ord bigint, told boolean,"
    " value {json}, forms {json}, whole {text}, was_value {json}, was_forms {json},"
    " changed boolean, place bigint, latest bigint",
    "joins": "contact_id bigint, key {text}, at bigint, ord bigint, seq bigint",
    "moves": "contact_id bigint PRIMARY KEY, company_id bigint, at bigint",
    "said": "contact_id bigint, topic {text}, word {text}, granted boolean, at bigint, ord bigint,"
    " source {text}, told boolean, message_id {text}, received_at bigint, historical boolean,"
    " properties {json}, forms {json}, brought_by {text}",
    "returned": "contact_id bigint PRIMARY KEY",
    "unreached": "contact_id bigint PRIMARY KEY",
    "heard": "contact_id bigint, topic {text}, word {text}, granted boolean, at bigint, ord bigint,"
    " source {text}, was boolean, newest bigint",
}
INDEXES = {
    "aimed_mail": "aimed (mail_key, second)",
    "pairs_email": "pairs (email_folded, ord)",
    "links_younger": "links (younger_id)",
    "wave_new": "wave (new_id)",
    "voices_contact": "voices (contact_id)",
    "newcomers_ord": "newcomers (ord)",
    "settled_name": "settled (owner_id, name)",
    "said_contact": "said (contact_id)",
}


@dataclass(frozen=True)
class Desk:
    """One pass over the inbox: which tick, which lines, and what the project says of topics."""

    connection: Connection
    spelling: Sqlite
    tick_at: int
    historical: bool = False
    template_topics: Mapping[str, str] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()  # scenarios that a contact may be in several times at once
    filled: Counter[str] = field(default_factory=Counter)  # rows put into temporary tables

    def run(self, words: str, **values: Any) -> int:
        """Execute a statement; gives the rows it touched. `:tick` and `:historical` are bound."""
        touched = self.connection.execute(_statement(words), self._bound(values)).rowcount
        if touched and words.lstrip().startswith("INSERT INTO "):
            self.filled[words.split(maxsplit=3)[2]] += touched
        return touched

    def ask(self, words: str, **values: Any) -> Any:
        """The one value a statement gives."""
        return self.connection.scalar(_statement(words), self._bound(values))

    def _bound(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"tick": self.tick_at, "historical": self.historical, **values}

    def lay(self) -> None:
        """Make the temporary tables, once for each connection; every pass leaves them empty."""
        if self.ask(self.spelling.has_temp, last=next(reversed(TABLES))) is not None:
            return
        types = {"serial": self.spelling.serial, "text": self.spelling.text}
        for name, columns in TABLES.items():
            typed = columns.format(**types, json=self.spelling.json)
            self.run(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({typed})")
        for name, columns in INDEXES.items():
            self.run(f"CREATE INDEX IF NOT EXISTS {self.spelling.temp}{name} ON {columns}")

    def clear(self, *names: str) -> None:
        """Empty the temporary tables that were filled: these, else all."""
        for name in (set(names) or TABLES.keys()) & (self.filled.keys() | {"template_topics"}):
            self.run(self.spelling.emptying(self.filled.pop(name, 0)).format(name=name))


@lru_cache(maxsize=512)
def _statement(words: str) -> TextClause:
    return text(words).execution_options(preserve_rowcount=True)
