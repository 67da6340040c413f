"""How a statement that notices looks at the world: what is new, since when, and for what."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam

scratch = MetaData()

# Events that this phase has not looked at yet; filled by the tick before each phase.
fresh = Table(
    "fresh",
    scratch,
    Column("name", Text, primary_key=True),
    Column("event_id", BigInteger, primary_key=True),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)

# Contacts of whom a recompute judges the whole log anew, so many at a time.
batch = Table(
    "batch",
    scratch,
    Column("contact_id", BigInteger, primary_key=True),
    prefixes=["TEMPORARY"],
)

# Where this tick stands, handed in with its instants.
CHANGES_SEEN = bindparam("changes_seen", type_=BigInteger)  # changes up to this id are known
ROUND = bindparam("round", type_=BigInteger)
FIRST_ID = bindparam("first_id", type_=BigInteger)  # events from this id on are this tick's
LAST_CONTACT = bindparam("last_contact", type_=BigInteger)  # contacts that were there before


@dataclass(frozen=True)
class Sight:
    """How a SELECT looks at the world.

    `everything`: all history of the contacts in `batch` instead of what is new. `historical`:
    history that is just being taken in, silently (ruling 88). `for_points`: a deadline that was
    past when its anchor was first known still scores, though it enrolls nobody (rulings 88, 119).
    """

    everything: bool = False
    historical: bool = False
    for_points: bool = False
