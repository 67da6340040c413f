"""What a score as a whole loses while its contact does nothing (rulings 56 and 97)."""

from __future__ import annotations

from datetime import datetime, timedelta

from .fading import instants, last_instant
from .model import Idle
from .records import Contact
from .world import World


def settle(world: World, before: datetime) -> None:
    """Take the losses of each decay instant since the last tick, one after another."""
    policy = world.project.policy
    for moment in instants(policy, before, world.now):
        since = last_instant(policy, moment - timedelta(microseconds=1))
        for score in world.project.scores.values():
            for contact in world.contacts:
                if score.idle:
                    lose(world, contact, score.name, score.idle, since, moment)


def lose(
    world: World, contact: Contact, score: str, idle: Idle, since: datetime, moment: datetime
) -> None:
    """What the score loses at a decay instant for the deadlines in (since, moment]."""
    due = deadlines(idle, anchor(contact, moment) + idle.after, since, moment)
    raw = world.raw_balance(contact, score, moment)
    if idle.reset and due and raw:
        world.write(contact, score, moment, -raw, "reset", None)
    if idle.lose and due and raw > 0:
        world.write(contact, score, moment, -min(raw, idle.lose * due), "decay", None)


def deadlines(idle: Idle, first: datetime, since: datetime, moment: datetime) -> int:
    """How many of the deadlines first, first + every, … lie in (since, moment]."""
    if idle.every is None:
        return int(since < first <= moment)
    found = 0
    while first <= moment:
        found += first > since
        first += idle.every
    return found


def anchor(contact: Contact, moment: datetime) -> datetime:
    """The last behaviour at or before the instant, else the creation (ruling 25)."""
    done = [event.at for event in contact.events if event.behaviour and event.at <= moment]
    return max(done, default=contact.created_at)
