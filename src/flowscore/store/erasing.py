"""Erases one person: who they are and what was said of them goes, what sums are made of stays.

What stays belongs to a number that leads nowhere (`stripping.py`). Who had no address stands in
no sum, so nothing of them stays. Their names are known by digests only (`forgetting.py`).

It is one transaction under the tick's lock. What lies outside of it (the inbox, the files of the
outbox) goes before it is committed: whoever dies in between has erased nobody, and says it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, Connection, delete, false, or_, select

from flowscore.errors import FlowscoreError
from flowscore.store import forgetting
from flowscore.store.intake import forget_taken
from flowscore.store.naming import Name, Person, find_person
from flowscore.store.stripping import take_out
from flowscore.store.tables import attributes, calls, events, inbox, messages, rejects, verdicts

if TYPE_CHECKING:
    from flowscore.store.database import Store

CHUNK = 500


@dataclass(frozen=True)
class Outside:
    """What lies outside of the store's tables, or in rooms above.

    `sweep` deletes the outbox's files of these message keys and says how many there were;
    `relearn` has every pattern tried again on the texts that are left.
    """

    sweep: Callable[[Sequence[str]], int]
    relearn: Callable[[Connection], None]


@dataclass
class Erased:
    """What an erasure did: rows that are gone, by what they were.

    `was_known`: there was such a contact. `before`: when whoever is called so was erased before.
    """

    at: int
    was_known: bool
    before: int | None
    gone: dict[str, int] = field(default_factory=dict)

    @property
    def did_nothing(self) -> bool:
        """Nobody and nothing bore the name."""
        return not (self.was_known or self.before or any(self.gone.values()))


def erase(store: Store, name: Name, now: int, outside: Outside) -> Erased:
    """Erase whoever bears the name, at `now` (microseconds); safe to repeat.

    Refused while a mail to them is being handed over, and while a tick runs.
    """
    with store.lock_tick():
        forget_taken(store)  # from here on nothing that stands in the inbox was taken
        with store.transact(durable=True) as connection, _overwriting(connection):
            person = find_person(connection, name)
            report = Erased(now, person.number is not None, _erased_before(connection, name))
            report.gone = _take_out(connection, person, now, outside)
            report.gone |= _clear_inbox(store, person)
            if not report.did_nothing and (report.before is None or any(report.gone.values())):
                forgetting.remember(connection, person.names, now)
    _empty_wal(store)
    return report


@contextmanager
def _overwriting(connection: Connection) -> Iterator[None]:
    """What is deleted is overwritten in the file: SQLite else only calls its place free."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("PRAGMA secure_delete=ON")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA secure_delete=OFF")


def _empty_wal(store: Store) -> None:
    """Nor does the log beside the file hold it any more, unless somebody is reading there."""
    if store.path is None:
        return
    for engine in (store.engine, store.inbox_engine):
        with closing(engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA main.wal_checkpoint(TRUNCATE)").fetchall()


def _erased_before(connection: Connection, name: Name) -> int | None:
    return forgetting.forgotten_since(connection, name)


def _take_out(connection: Connection, person: Person, now: int, outside: Outside) -> dict[str, int]:
    """Out of the store's own tables, and the files whose messages stood there."""
    keys = _drop_unsent(connection, person)
    gone = {"calls": _drop_calls(connection, person)}
    if person.number is not None:
        texts = _texts(connection, person)
        gone |= take_out(connection, person, now)
        if _forget_texts(connection, texts):
            outside.relearn(connection)
    return {**gone, "files": outside.sweep(keys)}


# --- mails ------------------------------------------------------------------------------------


def _drop_unsent(connection: Connection, person: Person) -> list[str]:
    """What waits in the outbox is not sent any more; gives the keys of all their messages."""
    theirs = or_(
        messages.c.contact_id == person.number if person.number is not None else false(),
        messages.c.key.in_(_confirmations(connection, person)),
    )
    keys = list(connection.scalars(select(messages.c.key).where(theirs)))
    unsent = or_(messages.c.status.in_(("queued", "uncertain")), messages.c.kind == "confirm")
    connection.execute(delete(messages).where(theirs, unsent, messages.c.status != "sending"))
    # Asked after that, since a delivery may have claimed one a moment ago.
    if connection.execute(select(messages.c.id).where(theirs, BEING_SENT).limit(1)).first():
        raise FlowscoreError(
            "a message to this person is being handed over at this moment: say it again when that "
            "is over (where a delivery broke off, `flowscore deliver` settles what it left)"
        )
    return keys


BEING_SENT = messages.c.status == "sending"


def _confirmations(connection: Connection, person: Person) -> list[str]:
    """Mails that ask the address whether it meant to sign up; they belong to no contact."""
    asked = select(messages.c.key, messages.c.recipients).where(messages.c.kind == "confirm")
    return [
        key
        for key, recipients in connection.execute(asked)
        if person.is_named_in(" ".join(map(str, recipients or ())))
    ]


# --- calls, and texts that patterns were tried on ---------------------------------------------


def _drop_calls(connection: Connection, person: Person) -> int:
    """Calls that wait, where they name the person, and ids of calls that are made of a name."""
    rows = connection.execute(
        select(calls.c.message_id, calls.c.content).where(
            or_(calls.c.waiting.is_not(None), _may_name(calls.c.message_id, person))
        )
    )
    named = [
        key
        for key, content in rows
        if person.is_named_in(f"{key} {orjson.dumps(content).decode()}")
    ]
    return _delete(connection, calls.c.message_id, named)


def _may_name(column: ColumnElement[str], person: Person) -> ColumnElement[bool]:
    """A rough look at every row: an address of theirs stands in it, in whatever writing."""
    addresses = person.called("email")
    return or_(false(), *(column.icontains(one, autoescape=True) for one in addresses))


def _texts(connection: Connection, person: Person) -> set[str]:
    """Every text of theirs that a pattern may have been tried on."""
    said = select(attributes.c.text).where(attributes.c.contact_id == person.number)
    found = {text for text in connection.scalars(said) if text}
    for forms in connection.scalars(select(events.c.forms).where(_of(person))):
        found |= {form[0] for values in (forms or {}).values() for form in values if form}
    return {text for text in found if text} | set(person.called("email"))


def _of(person: Person) -> ColumnElement[bool]:
    return events.c.contact_id == person.number


def _forget_texts(connection: Connection, texts: set[str]) -> int:
    """A text may be others' as well: then it is tried again."""
    return _delete(connection, verdicts.c.text, sorted(texts))


def _delete(connection: Connection, column: ColumnElement[Any], values: Iterable[Any]) -> int:
    rest, gone = iter(values), 0
    while chunk := list(islice(rest, CHUNK)):
        gone += connection.execute(delete(column.table).where(column.in_(chunk))).rowcount
    return gone


# --- what no tick has taken -------------------------------------------------------------------


def _clear_inbox(store: Store, person: Person) -> dict[str, int]:
    """Lines that name the person, and rejected calls that do."""
    with store.receive() as connection, _overwriting(connection):
        lines = connection.execute(
            select(inbox.c.seq, inbox.c.kind, inbox.c.properties).where(
                or_(
                    inbox.c.email_folded.in_(person.called("email")),
                    inbox.c.user_value.in_([*person.called("email"), *person.called("user")]),
                    inbox.c.anonymous_id.in_(person.called("anonymous")),
                    inbox.c.kind == "alias",
                )
            )
        )
        named = [
            seq
            for seq, kind, content in lines
            if kind != "alias" or person.is_named_in(orjson.dumps(content).decode())
        ]
        content = rejects.c.content
        rejected = connection.execute(
            select(rejects.c.seq, content).where(_may_name(content, person))
        )
        told = [seq for seq, said in rejected if person.is_named_in(said)]
        return {
            "inbox": _delete(connection, inbox.c.seq, named),
            "rejects": _delete(connection, rejects.c.seq, told),
        }
