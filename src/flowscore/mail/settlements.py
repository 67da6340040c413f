"""What an attempt to hand a mail over means for its row: pure decisions, no clock, no store."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flowscore.clock import HOUR, MINUTE
from flowscore.mail.transport import Outcome, Refused, Sent, Uncertain

# Nine waits, two days in all; then the mail has failed.
BACKOFF = (
    1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 1 * HOUR,
    2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, 20 * HOUR,
)  # fmt: skip
# Policy and security refusals (RFC 3463 5.7.x, «relay denied») speak of us, not of the mailbox.
ABOUT_US = re.compile(r"#?5\.7\.\d+")


@dataclass(frozen=True, slots=True)
class Settlement:
    """The row's new state; instants in microseconds. `stops` says why the batch ends here."""

    message_id: int
    status: str
    attempts: int
    next_at: int
    reason: str | None = None
    response: str | None = None
    sent_at: int | None = None
    settled_at: int | None = None
    handed_at: int | None = None
    waits: str | None = None
    waits_in: str | None = None
    stops: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A mail about to be handed over for the n-th time."""

    message_id: int
    attempts: int  # made before this one
    now: int


def settle(attempt: Attempt, outcome: Outcome) -> Settlement:
    """Sent, failed, to be tried again, or uncertain."""
    if isinstance(outcome, Sent):
        return _end(attempt, "sent", response=outcome.response, sent=True)
    if isinstance(outcome, Uncertain):
        return _uncertain(attempt, outcome)
    if outcome.scope == "recipient" and outcome.permanent and not _about_us(outcome):
        return _end(attempt, "failed", reason=_why_failed(outcome), response=str(outcome))
    if outcome.scope == "server":
        return _again(attempt, outcome, attempt.attempts, MINUTE, str(outcome))
    return _try_later(attempt, outcome)


def withhold(attempt: Attempt, reason: str) -> Settlement:
    """It will not be sent, and this is why."""
    return _end(attempt, "withheld", reason=reason, tries=0)


def put_off(attempt: Attempt, until: int, why: str, zone: str | None = None) -> Settlement:
    """It may go, only not yet; nothing was tried. `why` is `window` or `capped`."""
    return Settlement(
        attempt.message_id, "queued", attempt.attempts, until, waits=why, waits_in=zone
    )


def _about_us(refused: Refused) -> bool:
    return refused.code in (503, 530, 535) or bool(ABOUT_US.match(refused.text))


def _why_failed(refused: Refused) -> str:
    """A hard bounce suppresses the contact; an address that cannot be written does not."""
    return f"bounced: {refused}" if refused.code else f"address: {refused}"


def _try_later(attempt: Attempt, refused: Refused) -> Settlement:
    """With growing pauses; a refusal for good of all our mail ends the batch too."""
    stops = str(refused) if refused.permanent else ""
    if attempt.attempts >= len(BACKOFF):
        reason = f"gave up after {attempt.attempts + 1} attempts: {refused}"
        return _end(attempt, "failed", reason=reason, response=str(refused), stops=stops)
    pause = BACKOFF[attempt.attempts]
    return _again(attempt, refused, attempt.attempts + 1, pause, stops)


def _again(attempt: Attempt, refused: Refused, attempts: int, pause: int, stops: str) -> Settlement:
    return Settlement(
        attempt.message_id,
        "queued",
        attempts,
        attempt.now + pause,
        response=str(refused),
        stops=stops,
    )


def _uncertain(attempt: Attempt, outcome: Uncertain) -> Settlement:
    """For a person, or for `resend`; a server that hangs up like this gets no more for now."""
    pause = BACKOFF[min(attempt.attempts, len(BACKOFF) - 1)]
    return Settlement(
        attempt.message_id,
        "uncertain",
        attempt.attempts + 1,
        attempt.now + pause,
        reason=outcome.text,
        settled_at=attempt.now,
        handed_at=attempt.now,
        stops=outcome.text,
    )


def _end(
    attempt: Attempt,
    status: str,
    *,
    reason: str | None = None,
    response: str | None = None,
    sent: bool = False,
    tries: int = 1,
    stops: str = "",
) -> Settlement:
    return Settlement(
        attempt.message_id,
        status,
        attempt.attempts + tries,
        attempt.now,
        reason=reason,
        response=response,
        sent_at=attempt.now if sent else None,
        settled_at=attempt.now,
        stops=stops,
    )
