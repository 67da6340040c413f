"""What is known at one moment: contacts, the log, the ledger, memberships, enrollments, mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

from flowscore.rules.shares import limit, lot

from .model import EventFilter, Project, Scenario
from .values import Plain, passes, path_of, reach, rounded, same_value, wildcard, zone

Order = tuple[datetime, datetime, str]
"""Own time, receipt, messageId: the order of events (ruling 10)."""

NOT_BEHAVIOUR = frozenset(
    "email_sent email_bounced email_complained subscribed unsubscribed".split()
)
MACHINES_DO = frozenset("email_opened email_clicked".split())
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
    seen: datetime = datetime(1970, 1, 1, tzinfo=UTC)

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

    def property(self, name: str) -> list[Plain]:
        """The values at a dotted path; `path` is that of ruling 63."""
        return [self.path] if name == "path" else reach(self.properties, name)

    def agrees(self, other: Event | None, names: tuple[str, ...]) -> bool:
        """The same value of each of these properties; what is missing matches nothing (85)."""
        return not names or (
            other is not None
            and all(
                any(
                    same_value(mine, theirs)
                    for mine in self.property(name)
                    for theirs in other.property(name)
                )
                for name in names
            )
        )


@dataclass(frozen=True)
class Line:
    """One line of the ledger; `serial` is the order of writing."""

    score: str
    at: datetime
    points: Decimal
    kind: str
    rule: str | None
    serial: int = 0


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
class Company:
    """What `group` calls said of one company."""

    attributes: dict[str, Plain] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)


@dataclass
class Contact:
    """One person, or one anonymous visitor while `email` is None."""

    number: int
    email: str | None
    created_at: datetime
    identity: str = ""
    company: str | None = None
    company_order: Order | None = None
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
    marks: dict[Plain, Order] = field(default_factory=dict)
    anchors: dict[tuple[str, int], dict[str, Event]] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)

    def member(self, name: str) -> bool:
        """Whether the contact is in the list now."""
        return any(stay.name == name and stay.left_at is None for stay in self.memberships)


@dataclass(frozen=True)
class Who:
    """Of whom a condition is asked: inside a scenario, what enrolled them and its own time."""

    contact: Contact
    event: Event | None = None
    since: datetime | None = None


@dataclass
class Awaiting:
    """A `wait_for` that an enrollment stands at."""

    place: str
    start: datetime
    deadline: datetime
    branches: dict[str, Plain]
    came: bool = False
    beside: bool = False


@dataclass
class Enrollment:
    """One walk of one contact through a scenario, on the version on which it entered."""

    contact: Contact
    version: Scenario
    entered_at: datetime
    key: str
    event: Event | None
    since: datetime
    frames: list[tuple[list[Plain], int, str]]
    held: bool = False
    due: datetime | None = None
    awaiting: Awaiting | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    converted_at: datetime | None = None

    @property
    def scenario(self) -> str:
        """The scenario's name."""
        return self.version.name

    @property
    def who(self) -> Who:
        """Of whom its conditions are asked."""
        return Who(self.contact, self.event, self.since)


@dataclass
class Message:
    """One mail in the outbox, or a note to staff, or a call of a webhook."""

    enrollment: Enrollment
    step: str
    template: str
    queued_at: datetime
    due: datetime
    unless_late_by: timedelta | None
    kind: str = "email"
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
    event: Event | None = None


@dataclass
class World:
    """The whole state between two verbs of a tick."""

    project: Project
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    contacts: list[Contact] = field(default_factory=list)
    companies: dict[str, Company] = field(default_factory=dict)
    serial: int = 0
    looked: int = 0
    enrollments: list[Enrollment] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    decisions: list[tuple[Contact, str, datetime, str]] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """The policy's zone."""
        return self.project.policy.zone

    def write(
        self,
        contact: Contact,
        score: str,
        at: datetime,
        points: Decimal,
        kind: str,
        rule: str | None,
    ) -> None:
        """Add a line to the contact's ledger."""
        self.serial += 1
        contact.lines.append(Line(score, at, points, kind, rule, self.serial))

    def void(self, contact: Contact, line: Line) -> bool:
        """Whether a reset made the line worth nothing: dated before it, or written (54)."""
        return line.kind == "reset" or any(
            other.kind == "reset"
            and other.score == line.score
            and (other.at, other.serial) > (line.at, line.serial)
            for other in contact.lines
        )

    def raw_balance(self, contact: Contact, score: str) -> Decimal:
        """The sum of the lines that no reset made worthless."""
        lines = [line for line in contact.lines if line.score == score]
        if any(line.kind == "reset" for line in lines):
            lines = [line for line in lines if not self.void(contact, line)]
        return sum((line.points for line in lines), Decimal(0))

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
