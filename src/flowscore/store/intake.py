"""Takes due lines of the inbox into the log, the contacts and their attributes, as sets.

Everything works over `due`: the lines of one pass in the order of rulings 10 and 88. A tick
calls `take_in` for history first (with the quiet contact rows before it), then for the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, bindparam, text

from flowscore.store import (
    consents,
    forgetting,
    groups,
    log,
    machines,
    people,
    signups,
    tallies,
    traits,
    voices,
)
from flowscore.store.desk import Desk
from flowscore.store.spelling import SPELLINGS
from flowscore.store.tables import inbox

if TYPE_CHECKING:
    from flowscore.store.database import Store


class Template(Protocol):
    """A mail template, as far as intake asks."""

    @property
    def topic(self) -> str: ...


class Policy(Protocol):
    """The policy, as far as intake asks."""

    @property
    def topics(self) -> tuple[str, ...]: ...


class Reenroll(Protocol):
    """When a scenario may be entered again, as far as intake asks."""

    @property
    def mode(self) -> str: ...


class Scenario(Protocol):
    """A scenario, as far as intake asks."""

    @property
    def reenroll(self) -> Reenroll: ...


EVERY_TIME = "every_time"


class Project(Protocol):
    """The live project, as far as intake asks: topics, and what may be walked several times."""

    @property
    def templates(self) -> Mapping[str, Template]: ...

    @property
    def scenarios(self) -> Mapping[str, Scenario]: ...

    @property
    def policy(self) -> Policy: ...


DUE = "i.received_at <= :tick AND NOT i.quiet AND i.historical = :historical"
# A quiet row that makes a contact is taken at once: since when they exist says `created_at`.
NEW = """NOT EXISTS (
    SELECT 1 FROM identities k WHERE k.kind = i.user_kind AND k.value = i.user_value
    UNION ALL SELECT 1 FROM identities k WHERE k.kind = 'email' AND k.value = i.email_folded)"""
QUIET = f"i.quiet AND (i.received_at <= :tick OR {NEW})"


def take_in(
    connection: Connection, dialect: str, project: Project, tick_at: int, historical: bool
) -> int:
    """Move the due lines of the inbox into the store; gives how many lines were taken.

    With `historical` the quiet contact rows and then history, else everything live, and the
    mails sent up to the tick. A second call in the same tick finds nothing left.
    """
    topics = {name: template.topic for name, template in project.templates.items()}
    spelling = SPELLINGS[dialect]
    desk = Desk(
        *(connection, spelling, tick_at, historical, topics),
        topics=tuple(project.policy.topics),
        repeated=tuple(
            name for name, one in project.scenarios.items() if one.reenroll.mode == EVERY_TIME
        ),
    )
    if not historical:
        log.write_mail(desk)
        signups.forget_old(desk)
        return _take(desk, DUE)
    return _take(desk, QUIET) + _take(desk, DUE)


def _take(desk: Desk, which: str) -> int:
    """One pass: gather the lines, settle whom they are about, then what they say."""
    if not _anything(desk, which):
        return 0
    desk.lay()
    taken = _gather(desk, which)
    forgetting.turn_away(desk)
    kinds = _kinds(desk)
    if kinds & {"alias", "group"}:
        log.keep_unapplied(desk)
    if "signup" in kinds:
        signups.ask_back(desk)
    if tallies.TALLY in kinds:
        tallies.count(desk)
    if "tracked" in kinds:
        machines.forget_strangers(desk)
    people.meet(desk)
    for about, apply in APPLIED:
        if kinds & about:
            apply(desk)
    desk.clear()
    return taken


def _kinds(desk: Desk) -> set[str]:
    """What kinds of line there are in this pass, and what they are about besides."""
    rows = desk.connection.execute(text(f"SELECT DISTINCT kind, {', '.join(ABOUT)} FROM due"))
    kinds = set()
    for kind, *flags in rows:
        kinds |= {kind, *(name for name, there in zip(ABOUT, flags, strict=True) if there)}
    return kinds


ABOUT = ("consents", "harm", "company", "tracked")


ANY = frozenset({"track", "identify", "contact", "group", "alias"})
# What is done with the lines once they have their contacts, in this order.
APPLIED: tuple[tuple[frozenset[str], Callable[[Desk], object]], ...] = (
    (frozenset({"identify", "alias"}), log.keep_calls),
    (ANY, log.greet),
    (frozenset({"identify", "contact"}), traits.set_attributes),
    (frozenset({"company"}), groups.join_companies),
    (frozenset({"consents"}), consents.hear),
    (ANY, voices.heed),
    (frozenset({"tracked"}), machines.judge),
    (frozenset({"track"}), log.write_events),
    (frozenset({"harm"}), log.suppress),
)


UNTAKEN = "NOT EXISTS (SELECT 1 FROM taken WHERE taken.seq = i.seq)"


def _anything(desk: Desk, which: str) -> bool:
    found = f"SELECT 1 FROM {desk.spelling.inbox} i WHERE {which} AND {UNTAKEN} LIMIT 1"
    return desk.ask(found) is not None


def _gather(desk: Desk, which: str) -> int:
    """Fill `due`, in order; what the store has already seen is dropped, but taken."""
    taken = desk.run(f"""
        INSERT INTO due (seq, message_id, kind, who_kind, who, email_folded, anonymous_id, own_at,
                         harm, consents, company, tracked, previous_kind, previous)
        SELECT i.seq, i.message_id, i.kind, coalesce(i.user_kind, 'anonymous'),
               coalesce(i.user_value, i.anonymous_id), i.email_folded, i.anonymous_id, i.own_at,
               i.name IN ('email_bounced', 'email_complained'), i.consents IS NOT NULL,
               i.kind IN ('group', 'contact') AND i.subject IS NOT NULL,
               i.kind = 'track' AND i.source IS NOT DISTINCT FROM '{machines.TRACKING}',
               CASE WHEN i.kind = 'alias' THEN i.topic END,
               CASE WHEN i.kind = 'alias' THEN i.subject END
        FROM {desk.spelling.inbox} i WHERE {which} AND {UNTAKEN}
        ORDER BY i.own_at, i.received_at, i.message_id
    """)
    desk.run("INSERT INTO taken SELECT seq FROM due")
    for seen in ("events t WHERE", "calls t WHERE t.waiting IS NULL AND"):
        desk.run(f"""
            DELETE FROM due WHERE EXISTS (
                SELECT 1 FROM {seen} t.message_id = due.message_id)
        """)
    return taken


CHUNK = 5_000


def forget_taken(store: Store) -> None:
    """Empty the inbox of what committed ticks took; safe to repeat, and after a crash."""
    with store.read() as connection:
        taken = connection.execute(text("SELECT count(*), min(seq), max(seq) FROM taken")).one()
    if not taken[0]:
        return
    if not _forget_everything(store, tuple(taken)):
        _forget_by_chunks(store)
    with store.transact() as connection:
        connection.execute(text("DELETE FROM taken"))


def _forget_everything(store: Store, taken: tuple[int, int, int]) -> bool:
    """The quick way, when the inbox holds just what was taken.

    Chunks go from the lowest number up, new lines get higher ones: the same count, lowest and
    highest mean the same lines.
    """
    with store.receive() as connection:
        if store.dialect == "postgresql":
            connection.execute(text("LOCK TABLE inbox IN SHARE ROW EXCLUSIVE MODE"))
        held = connection.execute(text("SELECT count(*), min(seq), max(seq) FROM inbox")).one()
        same = tuple(held) == taken
        if same:
            connection.execute(text("DELETE FROM inbox"))
        return same


def _forget_by_chunks(store: Store) -> None:
    """The careful way: a short transaction for each chunk, so that intake never waits long."""
    last = 0
    while True:
        with store.read() as connection:
            chosen = text("SELECT seq FROM taken WHERE seq > :last ORDER BY seq LIMIT :chunk")
            numbers = connection.scalars(chosen, {"last": last, "chunk": CHUNK}).all()
        if not numbers:
            return
        with store.receive() as connection:
            gone = inbox.delete().where(inbox.c.seq.in_(bindparam("numbers", expanding=True)))
            connection.execute(gone, {"numbers": list(numbers)})
        last = numbers[-1]
