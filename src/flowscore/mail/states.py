"""The states of a message in the words of the partial indexes, for all who ask for them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, literal_column, text

from flowscore.mail.scope import TRANSACTIONAL
from flowscore.store.tables import messages

# Written as the partial index says it, else SQLite would read every mail ever sent.
WAITING = text("messages.status IN ('queued', 'sending')")
QUEUED = and_(WAITING, messages.c.status == literal_column("'queued'"))
SENDING = and_(WAITING, messages.c.status == literal_column("'sending'"))
UNCERTAIN = messages.c.status == literal_column("'uncertain'")
CLAIMED = and_(SENDING, messages.c.claimed_by == bindparam("owner"))

# The rest is not handed over by mail servers.
IS_MAIL = messages.c.kind.in_(("email", "notify", "confirm"))
TO_CONTACT = messages.c.kind == "email"
MARKETING = and_(TO_CONTACT, messages.c.topic != TRANSACTIONAL)

FREE: dict[str, Any] = {"claimed_by": None, "lease_until": None, "handed_at": None}
NO_LONGER_WAITING: dict[str, Any] = {"waits": None, "waits_in": None}
