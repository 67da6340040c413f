"""When something is due next: each clock-driven source names its instant by one look-up.

So the grid jumps over empty instants; a test holds the outcome equal to walking them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection, exists, func, null, select, text

from flowscore.clock import datetime_of, instant_of_local, known_zone
from flowscore.engine import dates, schedule
from flowscore.engine.outbox import is_paused
from flowscore.engine.recompute import is_pending
from flowscore.engine.registry import TAKES_IN
from flowscore.engine.states import read_state
from flowscore.language.triggers import DateComes, Schedule
from flowscore.rules.book import NEVER
from flowscore.rules.instants import next_decay
from flowscore.store.intake import NEW, UNTAKEN
from flowscore.store.tables import changes, enrollments, fading, inbox, messages, taken

if TYPE_CHECKING:
    from flowscore.engine.program import Program
    from flowscore.rules.watch import Edge


# In the very words of their partial indexes, else SQLite does not know them again.
QUIET = text("quiet")
# A quiet row is taken at once if it makes a contact; of somebody known it waits for its receipt.
NEWCOMER = text(f"SELECT 1 FROM inbox i WHERE i.quiet AND {UNTAKEN} AND {NEW} LIMIT 1")
UNSAID = text("NOT sent_event AND status IN ('sent', 'failed')")
WAITING = text("status IN ('queued', 'sending')")


def next_due(
    connection: Connection, program: Program, mark: int | None, step: int, delivers: bool
) -> int | None:
    """The first instant at which a tick has something to do; None if nothing ever is.

    An instant at or before the watermark means: at the very next tick.
    """
    if mark is None:
        return NEVER
    sources = [
        _arrivals(connection),
        _carried(connection),
        _activations(connection, program, mark),
        _steps_due(connection, program),
        _mail(connection, mark, delivers),
        _calendars(connection, program, mark),
        _edges(connection, program, mark),
        _decay(connection, program, mark),
    ]
    return min((due for source in sources for due in source if due is not None), default=None)


def _arrivals(connection: Connection) -> Iterator[int | None]:
    untaken = ~exists().where(taken.c.seq == inbox.c.seq)
    coming = select(inbox.c.received_at).where(untaken).order_by(inbox.c.received_at).limit(1)
    yield connection.execute(coming).scalar()
    waiting = exists().select_from(inbox).where(QUIET)
    if connection.execute(select(waiting)).scalar() and connection.execute(NEWCOMER).scalar():
        yield NEVER


def _carried(connection: Connection) -> Iterator[int | None]:
    if is_pending(connection):  # a recompute was stopped: whoever ticks goes on with it
        yield NEVER
    if connection.execute(select(exists().select_from(changes))).scalar():
        yield NEVER


def _activations(connection: Connection, program: Program, mark: int) -> Iterator[int | None]:
    """Scenarios that take in who stands there already: just applied, or asked to (ruling 45)."""
    if read_state(connection, TAKES_IN):
        yield NEVER
    for entry in program.entries:
        takes_in = entry.scenario.enroll_existing and entry.first_activation
        if takes_in and entry.live_from == mark:
            yield NEVER


def _steps_due(connection: Connection, program: Program) -> Iterator[int | None]:
    enabled = [id_ for id_, path in program.paths.items() if path.scenario.enabled]
    inside = enrollments.c.ended_at.is_(null())
    due = select(enrollments.c.due_at).where(inside, enrollments.c.definition_id.in_(enabled))
    yield connection.execute(due.order_by(enrollments.c.due_at).limit(1)).scalar()


def _mail(connection: Connection, mark: int, delivers: bool) -> Iterator[int | None]:
    """What was sent becomes an event at the next tick; what waits is tried at a delivery."""
    yield connection.execute(select(func.min(messages.c.settled_at)).where(UNSAID)).scalar()
    if delivers:
        waiting = select(func.min(messages.c.next_at)).where(WAITING)
        if is_paused(connection):
            waiting = waiting.where(messages.c.kind == "webhook")
        yield connection.execute(waiting).scalar()


def _calendars(connection: Connection, program: Program, mark: int) -> Iterator[int | None]:
    asked = [one for one in program.triggers if isinstance(one, (Schedule, DateComes))]
    of_contacts = any(one.timezone == "contact" for one in asked)
    zones = schedule.contact_zones(connection) if of_contacts else []
    policy_zone = program.book.policy.timezone
    for trigger in dict.fromkeys(asked):
        if isinstance(trigger, Schedule):
            yield schedule.next_instant(trigger, policy_zone, zones, mark)
        else:
            yield dates.next_instant(connection, trigger, policy_zone, zones, mark)


def _decay(connection: Connection, program: Program, mark: int) -> Iterator[int | None]:
    """The next decay instant at which a line of the working set loses anything."""
    if program.scoring.losing:
        yield next_decay(program.book.policy, mark)
    if program.scoring.fading is None:
        return
    moves = connection.execute(select(func.min(fading.c.next_at))).scalar()
    if moves is not None:
        policy = program.book.policy
        # What moved at or before the watermark has moved: the next instant is a later one.
        yield next_decay(policy, max(mark, moves - 1))


def _edges(connection: Connection, program: Program, mark: int) -> Iterator[int | None]:
    book = program.book
    prepared = book.prepared(book.next_edges(), connection.dialect)
    assert prepared is not None
    found = prepared.run(connection, book.instants(mark, mark)).one()
    for one, instant in zip(program.edges, found, strict=True):
        if instant is not None:
            yield _instant(program, one.edge, instant)


def _instant(program: Program, edge: Edge, found: int) -> int:
    """The instant of the edge; a wall-clock time is read in the policy's zone."""
    if not edge.local:
        return int(found) + edge.offset
    wall = datetime_of(int(found)).replace(tzinfo=None)
    return instant_of_local(wall, known_zone(program.book.policy.timezone)) + edge.offset
