"""Marketing mail that may go, only not yet: its send window is shut, or a cap is reached.

Such a mail is queued again for the instant at which it could go at the earliest, so that it
costs nothing until then; what is decided is what asking at every tick would decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, exists, select, update

from flowscore.mail import caps, claims, gates
from flowscore.mail.scope import reader_zone
from flowscore.mail.settlements import Attempt, Settlement, put_off, withhold
from flowscore.mail.states import CLAIMED, MARKETING, QUEUED
from flowscore.mail.windows import opening
from flowscore.store.tables import attributes, messages

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from flowscore.language.policy import Policy
    from flowscore.language.project import Project

ZONE = and_(
    attributes.c.contact_id == messages.c.contact_id,
    attributes.c.name == "timezone",
    attributes.c.element == 0,
)
ZONE_AS_SAID = cast(attributes.c.value, Text)
CANDIDATES = (
    select(
        messages.c.id,
        messages.c.attempts,
        messages.c.queued_at,
        (messages.c.due_at + messages.c.unless_late_by).label("latest"),
        attributes.c.value.label("zone"),
        ZONE_AS_SAID.label("zone_as_said"),
    )
    .outerjoin(attributes, ZONE)
    .where(CLAIMED, MARKETING)
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claimed marketing mail; after `latest` it would be late. `zone` is the contact's word."""

    message_id: int
    attempts: int
    queued_at: int
    latest: int | None
    zone: Any
    zone_as_said: str | None

    def wait(self, until: int, why: str, now: int, zone: str | None = None) -> Settlement:
        """Queued again for that instant, or for the one at which it is late if that is sooner."""
        late = until if self.latest is None else self.latest + 1
        return put_off(Attempt(self.message_id, self.attempts, now), min(until, late), why, zone)


def hold_back(connection: Connection, owner: str, policy: Policy, now: int) -> list[Settlement]:
    """Settle the owner's claims that may not go at `now`: they wait, or were capped too long.

    The window first, since a mail that waits for it is not tried (rulings 74, 84).
    """
    if policy.send_window is None and not policy.frequency_caps:
        return []
    mails = [Candidate(*row) for row in connection.execute(CANDIDATES, {"owner": owner})]
    held = _shut(mails, policy, now)
    shut = {one.message_id for one in held}
    held += _capped(connection, [one for one in mails if one.message_id not in shut], policy, now)
    claims.settle_alike(connection, held, owner)
    return held


def _shut(mails: Sequence[Candidate], policy: Policy, now: int) -> list[Settlement]:
    """Those whose window is shut; they wait without limit."""
    window, own = policy.send_window, _is_own(policy)
    if window is None:
        return []
    held = []
    for mail in mails:
        opens = opening(window, _zone(mail, policy), now)
        if opens > now:
            held.append(mail.wait(opens, "window", now, mail.zone_as_said if own else None))
    return held


def _zone(mail: Candidate, policy: Policy) -> ZoneInfo:
    """Of the window; a contact's zone that no one knows is the policy's (ruling 77)."""
    if _is_own(policy):
        return reader_zone(None if mail.zone is None else str(mail.zone), policy.timezone)
    assert policy.send_window is not None
    return reader_zone(policy.send_window.timezone, policy.timezone)


def _capped(
    connection: Connection, mails: Sequence[Candidate], policy: Policy, now: int
) -> list[Settlement]:
    """Those that a cap holds back: they wait for room, or were tried for long enough (74)."""
    if not policy.frequency_caps or not mails:
        return []
    numbers = [one.message_id for one in mails]
    full = caps.room_again(connection, numbers, policy.frequency_caps, now)
    return [
        _judge(one, full[one.message_id], policy.capped_wait, now)
        for one in mails
        if one.message_id in full
    ]


def _judge(mail: Candidate, room_at: int, patience: int | None, now: int) -> Settlement:
    if patience is None or now >= mail.queued_at + patience:
        return withhold(Attempt(mail.message_id, mail.attempts, now), "capped")
    return mail.wait(min(room_at, mail.queued_at + patience), "capped", now)


# --- who moved ------------------------------------------------------------------------------------

_says_now = select(ZONE_AS_SAID).where(ZONE).correlate(messages).scalar_subquery()
MOVED: ColumnElement[bool] = and_(
    QUEUED, messages.c.waits == "window", messages.c.waits_in.is_distinct_from(_says_now)
)
SOMEBODY_MOVED = select(exists().where(MOVED))
ASK_MOVED = update(messages).where(MOVED).values(next_at=messages.c.queued_at)


def are_outdated(connection: Connection, project: Project, now: int) -> bool:
    """Whether a mail waits in vain, or for the window of a zone that is no longer its contact's."""
    if gates.some_wait_in_vain(connection, project, now):
        return True
    return _is_own(project.policy) and bool(connection.scalar(SOMEBODY_MOVED))


def ask_moved(connection: Connection, policy: Policy) -> None:
    """Let such mails be due: their window may open sooner now."""
    if _is_own(policy):
        connection.execute(ASK_MOVED)


def _is_own(policy: Policy) -> bool:
    """Whether each contact's own zone tells when the window is open."""
    return policy.send_window is not None and policy.send_window.timezone == "contact"
