"""What a tick deals with: events, ledger lines, contacts, walks, mail, changes of state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .model import Scenario
from .values import Plain, path_of, reach, same_value

Order = tuple[datetime, datetime, str]
"""Own time, receipt, messageId: the order of events (ruling 10)."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
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
    seen: datetime = BEGINNING

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
    """One line of the ledger; `serial` is the order of writing, `written` its tick and round."""

    score: str
    at: datetime
    points: Decimal
    kind: str
    rule: str | None
    serial: int = 0
    written: tuple[datetime, int] = (BEGINNING, 0)
    key: str = ""


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
    cells: dict[str, str] = field(default_factory=dict)
    stage: str | None = None  # None: the first
    stage_given: bool = False  # set by a scenario: does not retreat
    stage_changes: list[tuple[datetime, str, str]] = field(default_factory=list)

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
