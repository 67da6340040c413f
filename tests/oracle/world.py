"""What is known at one moment: contacts, the log, the ledger, memberships, enrollments, mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

from flowscore.rules.shares import limit, lot

from .ledger import Ledger
from .model import EventFilter
from .records import MACHINES_DO, Change, Company, Contact, Enrollment, Event, Message
from .values import Plain, passes, wildcard, zone


@dataclass
class World(Ledger):
    """The whole state between two verbs of a tick."""

    companies: dict[str, Company] = field(default_factory=dict)
    company_seen: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    looked: int = 0
    history: list[Change] = field(default_factory=list)
    enrollments: list[Enrollment] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    decisions: list[tuple[Contact, str, datetime, str]] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """The policy's zone."""
        return self.project.policy.zone

    def contact_zone(self, contact: Contact, name: str | None) -> ZoneInfo:
        """A zone by name; `contact` is the contact's own, left out is the policy's (ruling 100)."""
        if name == "contact":
            return zone(contact.attributes.get("timezone"), self.zone)
        return zone(name, self.zone)

    def attribute(self, contact: Contact, name: str) -> list[Plain]:
        """The elements of an attribute's value; none when absent."""
        if name == "created_at":
            return [contact.created_at]
        if name == "email":
            return [contact.email]
        value = contact.attributes.get(name)
        return value if isinstance(value, list) else [value]

    def company(self, contact: Contact, name: str) -> list[Plain]:
        """The elements of a value of the contact's company; none without company."""
        known = self.companies.get(contact.company or "")
        value = known.attributes.get(name) if known else None
        return value if isinstance(value, list) else [value]

    @staticmethod
    def lot(contact: Contact, place: str) -> int:
        """The contact's lot at a place, from the draws of its first identity (ruling 131)."""
        digest = sha256(contact.identity.encode()).digest()
        draws = [int.from_bytes(digest[i : i + 4]) & 0x7FFFFFFF for i in (0, 4)]
        return int(lot(place, *draws))

    def drawn(self, contact: Contact, place: str, share: int) -> bool:
        """Whether the contact belongs to the share of this place (ruling 44)."""
        return self.lot(contact, place) < limit(share)

    def suppressed(self, contact: Contact) -> bool:
        """Whether a hard bounce or a complaint stands against the address."""
        return any(
            event.name == "email_complained"
            or (event.name == "email_bounced" and event.properties.get("type", "hard") == "hard")
            for event in contact.events
        )

    def consents(self, contact: Contact, topic: str) -> bool:
        """Whether mail on the topic (`email`: in general) may go (rulings 81, 82 and 114)."""
        word = contact.consent.get(topic)
        if word is None:
            word = contact.consent.get("email")
        return word if word is not None else self.project.policy.consent == "implied"

    def fits(self, events: EventFilter, event: Event) -> bool:
        """Whether the filter counts the event."""
        if event.name not in events.names:
            return False
        if event.name in MACHINES_DO and not events.machine and not event.human:
            return False
        if events.paths is not None and not self._path_fits(events.paths, event):
            return False
        if (
            events.templates is not None
            and event.properties.get("template") not in events.templates
        ):
            return False
        if events.topics is not None and event.topic not in events.topics:
            return False
        if events.links is not None and not self._link_fits(events.links, event):
            return False
        return all(
            passes(event.property(name), wanted, self.now, self.zone)
            for name, wanted in events.where.items()
        )

    @staticmethod
    def _path_fits(patterns: tuple[str, ...], event: Event) -> bool:
        path = event.path
        return path is not None and any(wildcard(pattern, path) for pattern in patterns)

    @staticmethod
    def _link_fits(patterns: tuple[str, ...], event: Event) -> bool:
        link = str(event.properties.get("link") or event.properties.get("url") or "").lower()
        bare = link.split("#")[0].split("?")[0]
        return any(
            wildcard(pattern.lower(), link.split("#")[0] if "?" in pattern else bare)
            for pattern in patterns
        )
