"""What an answer means for a webhook's row: pure decisions, no clock, no store."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from flowscore.clock import DAY, HOUR, MINUTE, SECOND, instant_of
from flowscore.mail.settlements import Attempt, Settlement
from flowscore.mail.webhooks.courier import Answered, Barred, Hindered, Outcome, Silent, Written

# The schedule that Standard Webhooks suggests, on a grid of minutes: nine waits, three days.
BACKOFF = (
    1 * MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR,
    5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
LONGEST_PAUSE = DAY  # whatever a receiver asks for
FOR_NOW = (408, 409, 425, 429)  # of the 4xx; every other one stays as it is
SHOWN = 500  # characters of a body are kept


def settle(attempt: Attempt, outcome: Outcome, at: int) -> Settlement:
    """Sent, failed, or to be tried again; `at` is the instant of the answer."""
    if isinstance(outcome, Barred):
        return _fail(attempt, outcome.why)
    if isinstance(outcome, Written):
        return _sent(attempt, f"written to {outcome.where}")
    if isinstance(outcome, Hindered):
        return put_off(attempt, outcome.why)
    if isinstance(outcome, Silent):
        return later(attempt, outcome.why)
    return _answered(attempt, outcome, at)


def _answered(attempt: Attempt, outcome: Answered, at: int) -> Settlement:
    said = f"{outcome.status} {clean(outcome.text)}".strip()
    if 200 <= outcome.status < 300:
        return _sent(attempt, said)
    if 300 <= outcome.status < 400:
        return _fail(attempt, _redirected(outcome), said)
    if outcome.status in FOR_NOW or outcome.status >= 500:
        pause = asked_pause(outcome.retry_after, at)
        return later(attempt, f"answered {outcome.status}", said, pause)
    return _fail(attempt, f"answered {outcome.status}", said)


def clean(text: str) -> str:
    """The beginning of a text in one line, without anything that steers a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:SHOWN]


def asked_pause(retry_after: str, at: int) -> int:
    """What `Retry-After` asks for (RFC 9110: seconds, or a date), within bounds."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * SECOND, LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
        then = instant_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return 0
    return max(0, min(then - at, LONGEST_PAUSE))


def later(attempt: Attempt, why: str, said: str | None = None, pause: int = 0) -> Settlement:
    """With growing pauses, at least as long as the receiver asked for; at last it has failed."""
    if attempt.attempts >= len(BACKOFF):
        return _fail(attempt, f"gave up after {attempt.attempts + 1} attempts: {why}", said)
    return Settlement(
        attempt.message_id,
        "queued",
        attempt.attempts + 1,
        attempt.now + max(BACKOFF[attempt.attempts], pause),
        reason=clean(why),
        response=said,
    )


def put_off(attempt: Attempt, why: str) -> Settlement:
    """Not tried, since its receiver is silent or the disk full; that costs no attempt."""
    return Settlement(
        attempt.message_id, "queued", attempt.attempts, attempt.now + MINUTE, reason=clean(why)
    )


def _redirected(answer: Answered) -> str:
    where = f" to {clean(answer.location)[:200]}" if answer.location else ""
    return f"answered {answer.status}: redirects{where} are not followed; name the new url"


def _sent(attempt: Attempt, said: str) -> Settlement:
    return Settlement(
        attempt.message_id,
        "sent",
        attempt.attempts + 1,
        attempt.now,
        response=said,
        sent_at=attempt.now,
        settled_at=attempt.now,
    )


def _fail(attempt: Attempt, why: str, said: str | None = None) -> Settlement:
    return Settlement(
        attempt.message_id,
        "failed",
        attempt.attempts + 1,
        attempt.now,
        reason=clean(why),
        response=said,
        settled_at=attempt.now,
    )
