"""The fixed instants at which points fade (ruling 50): daily, or as often as the policy says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from flowscore.clock import datetime_of, known_zone, local_midnight

if TYPE_CHECKING:
    from flowscore.language.policy import Policy


def last_decay(policy: Policy, at: int) -> int:
    """The last decay instant at or before this one."""
    if policy.decay_every is not None:
        return at // policy.decay_every * policy.decay_every
    zone = known_zone(policy.timezone)
    day = datetime_of(at).astimezone(zone).date()
    found = local_midnight(day, zone)
    # Where midnight itself is skipped or doubled, the day may begin after the instant.
    return found if found <= at else local_midnight(day - timedelta(days=1), zone)


def next_decay(policy: Policy, after: int) -> int:
    """The first decay instant after this one."""
    if policy.decay_every is not None:
        return (after // policy.decay_every + 1) * policy.decay_every
    zone = known_zone(policy.timezone)
    day = datetime_of(after).astimezone(zone).date()
    starts = (local_midnight(day + timedelta(days=ahead), zone) for ahead in range(4))
    return next(start for start in starts if start > after)


def decays_between(policy: Policy, prev: int, now: int) -> Iterator[int]:
    """The decay instants in (prev, now], in order."""
    found = next_decay(policy, prev)
    while found <= now:
        yield found
        found = next_decay(policy, found)
