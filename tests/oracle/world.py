"""What is known at one moment: contacts, the log, the ledger, memberships, enrollments, mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from .model import EventFilter, Project
from .values import Plain, passes, path_of, reach, rounded, wildcard, zone

Order = tuple[datetime, datetime, str]
"""Own time, receipt, messageId: the order of events (ruling 10)."""

NOT_BEHAVIOUR = frozenset(
    "email_sent email_bounced email_complained subscribed unsubscribed".split()
)
PERSONAL_MAIL = frozenset("email_opened email_clicked email_replied".split())


@dataclass(frozen=True)
class Event:
    """One event of the log."""

    name: str
    at: datetime
    received: datetime
    message_id: str
    properties: dict[str, Plain]
    topic: str | None = None

    @property
    def order(self) -> Order:
        """Its place among all events."""
        return (self.at, self.received, self.message_id)

    @property
    def human(self) -> bool:
        """Whether a person did it, as far as the event says (ruling 34)."""
        return self.properties.get("machine") is not True

    @property
    def behaviour(self) -> bool:
        """Whether it counts as activity (ruling 26)."""
        if self.name in PERSONAL_MAIL:
            return self.human
        return self.name not in NOT_BEHAVIOUR

    @property
    def path(self) -> str | None:
        """The page's path (ruling 63)."""
        return path_of(self.properties)


@dataclass(frozen=True)
class Line:
    """One line of the ledger."""

    score: str
    at: datetime
    points: Decimal
    kind: str
    rule: str | None


@dataclass
class Membership:
    """One stay in a list."""

    name: str
    joined_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True)
class Occurrence:
    """A moment for one contact, with a key that is never used twice."""

    at: datetime
    position: int
    key: str
    event: Event | None = None
    silent: bool = False


@dataclass
class Contact:
    """One person, or one anonymous visitor while `email` is None."""

    number: int
    email: str | None
    created_at: datetime
    quiet_until: datetime | None = None
    announced: bool = False
    attributes: dict[str, Plain] = field(default_factory=dict)
    attribute_orders: dict[str, Order] = field(default_factory=dict)
    consent: dict[str, bool] = field(default_factory=dict)
    consent_orders: dict[str, Order] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    standing: set[tuple[str, str]] = field(default_factory=set)
    memberships: list[Membership] = field(default_factory=list)
    seen_lists: set[str] = field(default_factory=set)
    seen_balances: dict[str, Decimal] = field(default_factory=dict)
    marks: dict[tuple[str, int], Order] = field(default_factory=dict)
    anchors: dict[tuple[str, int], dict[str, Event]] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)

    def member(self, name: str) -> bool:
        """Whether the contact is in the list now."""
        return any(stay.name == name and stay.left_at is None for stay in self.memberships)


@dataclass
class Enrollment:
    """One walk of one contact through a scenario."""

    contact: Contact
    scenario: str
    entered_at: datetime
    key: str
    event: Event | None
    frames: list[tuple[list[Plain], int, str]]
    due: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None


@dataclass
class Message:
    """One mail in the outbox."""

    enrollment: Enrollment
    step: str
    template: str
    queued_at: datetime
    due: datetime
    unless_late_by: timedelta | None
    status: str = "queued"
    sent_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Change:
    """A change of state that triggers may notice in this round."""

    kind: str
    contact: Contact
    at: datetime
    name: str
    old: Plain
    new: Plain
    key: str


@dataclass
class World:
    """The whole state between two verbs of a tick."""

    project: Project
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    contacts: list[Contact] = field(default_factory=list)
    enrollments: list[Enrollment] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    decisions: list[tuple[Contact, str, datetime, str]] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """The policy's zone."""
        return self.project.policy.zone

    def raw_balance(self, contact: Contact, score: str) -> Decimal:
        """The sum of the contact's lines."""
        return sum((ln.points for ln in contact.lines if ln.score == score), Decimal(0))

    def balance(self, contact: Contact, score: str) -> Decimal:
        """What is read: the sum, rounded and cut to the range (rulings 51 and 53)."""
        definition, value = self.project.scores[score], self.raw_balance(contact, score)
        if definition.high is not None:
            value = min(value, definition.high)
        if definition.low is not None:
            value = max(value, definition.low)
        return rounded(value)

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
        if event.name in PERSONAL_MAIL and not events.machine and not event.human:
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
            passes(self._property(event, name), wanted, self.now, self.zone)
            for name, wanted in events.where.items()
        )

    @staticmethod
    def _property(event: Event, name: str) -> list[Plain]:
        return [event.path] if name == "path" else reach(event.properties, name)

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


def order_key(event: Event) -> Order:
    """Sort key of the log."""
    return event.order
