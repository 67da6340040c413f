"""Draws people and their calls: late, doubled, anonymous, and often exactly at a bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .features import (
    COUNTRIES,
    EVENTS,
    MAILS,
    PATHS,
    PLANS,
    QUARTER,
    SPANS,
    TOPICS,
    ZONES,
    Choices,
    Document,
    Features,
)
from .people import moment
from .values import duration, rfc3339

LINKS = ("https://acme.example/offer?utm=1#top", "https://acme.example/News", "/local")
DATES = ("2026-03-03", "2026-03-29", "2024-02-29", "2026-03-02T10:00:00Z", "soon")


class Caller:
    """Draws the rows of the contacts and the calls."""

    def __init__(self, pick: Choices, features: Features, every: str, first: datetime) -> None:
        """The grid begins at `first`."""
        self.pick, self.features, self.every, self.first = pick, features, every, first
        days = {"1 hour": 2, "30 minutes": 1, "6 hours": 5, "1 day": 8}[every]
        self.last = first + timedelta(days=days)
        self.moments: list[datetime] = []

    def row(self, email: str, calls: list[Document]) -> dict[str, str]:
        """A contact known before all of its calls."""
        mine = [
            c for c in calls if c.get("userId") == email or c.get("anonymousId") == "v-" + email
        ]
        own = [
            min(x for x in (moment(c["timestamp"]), moment(c.get("receivedAt"))) if x) for c in mine
        ]
        latest = self.first + 8 * QUARTER
        created = min([*own, self.pick.one((latest, self.first, self.first - timedelta(days=2)))])
        row = {
            "email": email,
            "created_at": rfc3339(created) or "",
            "consent": self.pick.one(("yes", "", "no", "news", "news;offers")),
            "plan": self.pick.one(("", *PLANS)),
            "country": self.pick.one(COUNTRIES),
            "seats": self.pick.one(("", "17", "25", "08001")),
            "renewal_on": self.pick.one(("", *DATES)),
            "timezone": self.pick.one(("", *ZONES[1:], "Mars/Base")),
        }
        if self.features.notes:
            row["owner"] = self.pick.one(("", "ana@acme.example"))
        return row

    def calls(self, emails: list[str]) -> list[Document]:
        """Calls in the order of receipt, repeated ones after the first."""
        most = self.features.calls
        made = [self.call(f"m{i}", self.pick.one(emails)) for i in self.pick.some(most, most // 2)]
        if self.features.duplicates:
            for call in [c for c in made if self.pick.chance(10)]:
                again = dict(call)
                again["receivedAt"] = rfc3339(receipt(call) + self.pick.integer(8) * QUARTER)
                made.append(again)
        return sorted(map(self.on_time_at_first, self.with_beginnings(made)), key=receipt)

    def with_beginnings(self, made: list[Document]) -> list[tuple[Document, datetime]]:
        """Each call with the first moment of its person, or visitor, that was heard of at once."""
        heard: dict[str, datetime] = {}
        for call in made:
            own = moment(call["timestamp"])
            assert own
            for name in names(call) if "receivedAt" not in call else ():
                heard[name] = min(own, heard.get(name, own))
        ends = self.last + timedelta(days=9)
        return [(one, max(heard.get(name, ends) for name in names(one))) for one in made]

    def on_time_at_first(self, call_and_beginning: tuple[Document, datetime]) -> Document:
        """No late news from before a contact's beginning (choice 50): it comes at once instead."""
        call, beginning = call_and_beginning
        own = moment(call["timestamp"])
        assert own
        if own <= beginning:
            call.pop("receivedAt", None)
        return call

    def happened(self) -> datetime:
        """A quarter of an hour, often an instant of the grid, or exactly a span after another."""
        if self.moments and self.pick.chance(4):
            after: datetime = self.pick.one(self.moments[-6:]) + duration(self.pick.one(SPANS))
            return min(after, self.last)
        start = self.first - timedelta(days=1)
        found = start + self.pick.integer(int((self.last - start) / QUARTER)) * QUARTER
        if self.pick.chance(3):
            found = found.replace(minute=0)
        if self.pick.chance(4):
            step = duration(self.every)
            found -= (found - datetime(1970, 1, 1, tzinfo=UTC)) % step
        return found

    def call(self, message_id: str, email: str) -> Document:
        """One call of one person, known or still anonymous, perhaps late or from a fast clock."""
        happened = self.happened()
        self.moments.append(happened)
        call: Document = {
            "type": "track",
            "messageId": message_id,
            "timestamp": rfc3339(happened),
            "userId": email,
        }
        if self.features.late and self.pick.chance(4):
            delay = self.pick.one((2, 4, 8, 24, 100, -2))
            call["receivedAt"] = rfc3339(happened + delay * QUARTER)
        self.fill(call)
        answers = "Bounced" in str(call.get("event")) or "Spam" in str(call.get("event"))
        if self.features.anonymous and not answers and self.pick.chance(6):
            call["anonymousId"] = "v-" + email
            if call["type"] != "identify":
                del call["userId"]
        return call

    def fill(self, call: Document) -> None:
        """What the call says."""
        what = self.pick.integer(11)
        if self.features.company_scores and self.pick.chance(8):
            what = 8
        if what < 4 or what == 10:
            call["event"] = self.pick.one(EVENTS)
            call["properties"] = self.properties()
        elif what < 6:
            call["type"] = "page"
            call["properties"] = {"path": self.pick.one(PATHS)}
        elif what < 7 and self.features.mail:
            self.about_mail(call)
        elif what < 8 and self.features.mail:
            call["event"] = self.pick.one(("Unsubscribed", "Subscribed"))
            all_topics = self.features.consents and call["event"] == "Unsubscribed"
            topics = (*TOPICS, "email", "all") if all_topics else TOPICS
            call["properties"] = {"topic": self.pick.one(topics)}
        elif what == 8 and (self.features.company or self.features.company_scores):
            call["type"] = "group"
            call["groupId"] = self.pick.one(("acme", "initech"))
            call["traits"] = {"industry": self.pick.one(("software", "retail"))}
            if self.pick.chance():
                call["traits"]["employees"] = self.pick.one((10, 50, 200))
        else:
            self.about_person(call)

    def about_mail(self, call: Document) -> None:
        """An answer to a mail, by a person or a machine."""
        names = ["Email Opened", "Email Link Clicked"]
        if self.features.pauses:
            names += ["Email Marked as Spam", "Email Bounced"]
        if self.features.mail_words:
            names += ["Email Replied", "Email Opened", "Email Link Clicked", "Email Bounced"]
        call["event"] = self.pick.one(names)
        call["properties"] = {"template": self.pick.one(tuple(MAILS))}
        if call["event"] == "Email Bounced":
            call["properties"]["type"] = self.pick.one(("soft", "soft", "hard"))
        elif self.pick.chance(4):
            call["properties"]["machine"] = True
        if self.features.mail_words and call["event"] == "Email Link Clicked":
            call["properties"]["link"] = self.pick.one(LINKS)

    def about_person(self, call: Document) -> None:
        """Traits."""
        call["type"] = "identify"
        call["traits"] = {"plan": self.pick.one(PLANS)}
        if self.pick.chance(3):
            call["traits"]["visits"] = self.pick.one((1, 5, 20))
        if self.features.dates and self.pick.chance(3):
            call["traits"]["renewal_on"] = self.a_date()

    def properties(self) -> Document:
        """What an event carries."""
        found: Document = {
            "total": self.pick.one((10, 50, 99.5)),
            "plan": self.pick.one(PLANS),
        }
        if self.features.sums and self.pick.chance(5):
            found["total"] = self.pick.one(("40", "much", -20))
        if self.features.same and not self.pick.chance(4):
            found["cart_id"] = self.pick.one(("c1", "C1", 7, "7"))
        if self.features.dotted and self.pick.chance():
            items = [
                {"sku": self.pick.one(("a", "B")), "price": self.pick.one((5, 60))}
                for _ in self.pick.some(2, 0)
            ]
            found["items"] = items
            found["shop"] = {"city": self.pick.one(("Sevilla", "Oslo"))}
        if self.features.dates and self.pick.chance(3):
            found["starts_at"] = self.a_date()
        return found

    def a_date(self) -> str:
        """A date near the grid: a day, or an instant that is often one of the grid's."""
        if self.pick.chance():
            return str(self.pick.one(DATES))
        hours = self.pick.integer(72)
        return rfc3339(self.first + timedelta(hours=hours)) or ""


def names(call: Document) -> list[str]:
    """By what the call knows its person."""
    return [str(call[key]) for key in ("userId", "anonymousId") if key in call]


def receipt(call: Document) -> datetime:
    """When the call is received, as live."""
    found = moment(call.get("receivedAt")) or moment(call["timestamp"])
    assert found
    return found
