"""Decay instants, and what a line is worth at an age (rulings 50, 51 and 126)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from .model import Decay, Policy
from .values import localised

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIDNIGHT = time()
FINEST = Decimal("0.00000001")


# Instants


def last_instant(policy: Policy, now: datetime) -> datetime:
    """The last decay instant at or before `now` (ruling 50)."""
    if policy.decay_every is not None:
        return EPOCH + (now - EPOCH) // policy.decay_every * policy.decay_every
    return next(
        moment for back in range(-1, 4) if (moment := midnight(policy.zone, now, back)) <= now
    )


def midnight(where: ZoneInfo, now: datetime, back: int) -> datetime:
    """The local 00:00 of so many days back."""
    day = now.astimezone(where).date() - timedelta(days=back)
    return localised(datetime.combine(day, MIDNIGHT), where).astimezone(UTC)


def instants(policy: Policy, before: datetime, now: datetime) -> list[datetime]:
    """The decay instants in (before, now], oldest first."""
    found: list[datetime] = []
    moment = last_instant(policy, now)
    while moment > before:
        found.insert(0, moment)
        moment = last_instant(policy, moment - timedelta(microseconds=1))
    return found


# Worth


def worth(points: Decimal, decay: Decay, age: timedelta) -> Decimal:
    """What is left of a line at an age, to 8 decimals (rulings 51 and 126)."""
    share = age / decay.span
    left = float(points)
    if decay.kind == "expire":
        left = left if age < decay.span else 0.0
    elif decay.kind == "linear":
        left *= max(0.0, 1 - share)
    elif decay.kind == "half_life":
        left *= 0.5**share
    else:
        left *= (1 - decay.lose / 1_000_000) ** (age // decay.span)
    return Decimal(f"{left:.15g}").quantize(FINEST, rounding=ROUND_HALF_UP)
