"""`pause_when`: sending stops when too much of what was sent lately did harm (ruling 79)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)

from flowscore.clock import rfc3339
from flowscore.engine.outbox import PAUSED
from flowscore.language.words import WHOLE_SHARE
from flowscore.rules.book import NEVER, Book
from flowscore.store.tables import events, messages, state

if TYPE_CHECKING:
    from flowscore.language.policy import PauseWhen
    from flowscore.store.database import Store

COUNTED_AFTER = "pause counts after"  # the key for when the last mail before the resume was sent
HARD = ("hard", "permanent")


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when sending is paused, and why."""

    at: int
    why: str

    def __str__(self) -> str:
        return (
            f"sending is paused since {rfc3339(self.at)}: {self.why}. Look into it with `flowscore "
            "outbox --status failed`, then let it go on with `flowscore outbox resume`"
        )


def find_pause(connection: Connection) -> Pause | None:
    """The pause that stands, if one does."""
    kept = _kept(connection, PAUSED)
    return Pause(kept["at"], kept["why"]) if kept else None


def pause_if_needed(connection: Connection, limits: PauseWhen, now: int) -> Pause | None:
    """Pause where a limit is reached; a pause that stands stays as it is."""
    why = _why(connection, limits)
    if why is None:
        return None
    pause = find_pause(connection) or Pause(now, why)
    _keep(connection, PAUSED, asdict(pause))
    return pause


def needs_pause(connection: Connection, limits: PauseWhen) -> bool:
    """Whether a limit is reached; reads only."""
    return _why(connection, limits) is not None


def resume(connection: Connection) -> Pause | None:
    """Lift the pause; from here on only mails sent from now on count. Gives what was lifted."""
    lifted = find_pause(connection)
    if lifted is not None:
        connection.execute(delete(state).where(state.c.key == PAUSED))
        _keep(connection, COUNTED_AFTER, _newest(connection))
    return lifted


def lift(store: Store) -> str | None:
    """`resume` in a transaction of its own; gives why the pause stood."""
    with store.transact() as connection:
        lifted = resume(connection)
    return lifted.why if lifted else None


def _why(connection: Connection, limits: PauseWhen) -> str | None:
    """The limit that is reached, as a sentence; None as long as too few were sent."""
    after = _kept(connection, COUNTED_AFTER)
    asked = {"after": NEVER if after is None else after, "most": limits.of_last}
    sent, bounced, complained = connection.execute(_harm(connection.dialect.name), asked).one()
    if sent < limits.of_last:
        return None
    for count, limit, word in (
        (bounced, limits.bounces, "bounced"),
        (complained, limits.complaints, "brought complaints"),
    ):
        if limit is not None and count * WHOLE_SHARE >= limit * sent:
            return (
                f"{count:,} of the last {sent:,} mails {word}, and the policy stops at "
                f"{limit / (WHOLE_SHARE // 100):g}%"
            )
    return None


# --- the last mails and what became of them -------------------------------------------------------

MAIL = messages.c.kind == "email"
SENT = and_(MAIL, messages.c.status == "sent")
# A server that refuses an address for good bounces the mail at the door: it was sent all the same.
REFUSED = and_(
    MAIL, messages.c.status == literal_column("'failed'"), messages.c.reason.like("bounced:%")
)
WHEN = {True: (messages.c.settled_at, REFUSED), False: (messages.c.sent_at, SENT)}


@lru_cache(maxsize=2)
def _harm(dialect: str) -> Select[tuple[int, int, int]]:
    """How many of the last mails, of how many of them something says a bounce or a complaint."""
    lately = _lately()
    bounced = or_(lately.c.refused, _came(lately, "email_bounced", _is_hard(Book(dialect))))
    complained = _came(lately, "email_complained")
    return select(func.count(), _times(bounced), _times(complained)).select_from(lately)


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _lately() -> CTE:
    """The last mails to contacts, and whether they were refused at the door."""
    both = union_all(*(select(_last(refused).subquery()) for refused in WHEN)).subquery()
    newest = (both.c.went_at.desc(), both.c.id.desc())
    return select(both).order_by(*newest).limit(bindparam("most")).cte("lately")


def _last(refused: bool) -> Select[Any]:
    at, these = WHEN[refused]
    columns = [messages.c[name] for name in ("id", "key", "contact_id", "template")]
    return (
        select(*columns, at.label("went_at"), (true() if refused else false()).label("refused"))
        .where(these, at > bindparam("after", type_=BigInteger))
        .order_by(at.desc(), messages.c.id.desc())
        .limit(bindparam("most"))
    )


def _is_hard(book: Book) -> ColumnElement[bool]:
    """A bounce without a type is hard (ruling 83)."""
    return func.coalesce(book.first_text(events.c.forms, "type"), HARD[0]).in_(HARD)


def _came(lately: CTE, name: str, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """An event of that name speaks of the mail."""
    mine = or_(events.c.mail_key == lately.c.key, and_(~_names_ours(), _is_latest(lately)))
    return exists(
        select(1)
        .where(events.c.contact_id == lately.c.contact_id, events.c.name == name, mine, *where)
        .correlate(lately)
    )


def _names_ours() -> ColumnElement[bool]:
    """The event names a mail of ours by its key."""
    named = messages.alias()
    return exists(select(1).where(named.c.key == events.c.mail_key).correlate(events))


def _is_latest(lately: CTE) -> ColumnElement[bool]:
    """Else it is about the latest mail before it, of its template where it names one."""
    later = messages.alias()
    newer = exists(
        select(1)
        .where(
            later.c.contact_id == lately.c.contact_id,
            later.c.kind == "email",
            later.c.sent_at <= events.c.own_at,
            or_(events.c.subject.is_(None), later.c.template == events.c.subject),
            tuple_(later.c.sent_at, later.c.id) > tuple_(lately.c.went_at, lately.c.id),
        )
        .correlate(lately, events)
    )
    named = or_(events.c.subject.is_(None), events.c.subject == lately.c.template)
    return and_(named, events.c.own_at >= lately.c.went_at, ~newer)


def _newest(connection: Connection) -> int:
    """When the last mail went that could count."""
    found = [connection.scalar(select(func.max(at)).where(these)) for at, these in WHEN.values()]
    return max((at for at in found if at is not None), default=NEVER)


# --- what the store keeps of it -------------------------------------------------------------------


def _kept(connection: Connection, key: str) -> Any:
    return connection.scalar(select(state.c.value).where(state.c.key == key))


def _keep(connection: Connection, key: str, value: Any) -> None:
    connection.execute(delete(state).where(state.c.key == key))
    connection.execute(insert(state).values(key=key, value=value))
