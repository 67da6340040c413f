"""Mail under the policy: what is queued, withheld, kept waiting and sent (LANGUAGE 6)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from .conditions import holds
from .people import People
from .reading import known
from .records import Contact, Enrollment, Event, Message, Who
from .values import Plain, as_list, duration, localised, share
from .world import World

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Outbox:
    """Queues mail in a walk and delivers it after the tick."""

    def __init__(self, world: World, people: People) -> None:
        """What is sent is put into the log through `people`."""
        self.world, self.people = world, people
        self.sent: list[Message] = []
        self.paused = False

    # In a walk

    def put(
        self, enrollment: Enrollment, kind: str, value: Plain, path: str, reached: datetime
    ) -> None:
        """Queue what a step sends."""
        if kind == "send_email":
            self.queue(enrollment, value, path, reached)
        elif kind == "notify":
            known(value, "to", "template")
            for template in as_list(value["template"]):
                self.add(enrollment, path, template, "notify")
        elif kind == "webhook":
            known(value, "url", "body", "headers")
            self.add(enrollment, path, "", "webhook")
        else:
            raise NotImplementedError(kind)

    def add(self, enrollment: Enrollment, path: str, template: str, kind: str) -> None:
        """Queue what no policy holds back."""
        now = self.world.now
        self.world.messages.append(Message(enrollment, path, template, now, now, None, kind))

    def queue(self, enrollment: Enrollment, value: Plain, path: str, reached: datetime) -> None:
        """Put mail into the outbox, or withhold it with the reason (rulings 76, 78 and 84)."""
        options = value if isinstance(value, dict) else {"template": value}
        known(options, "template", "unless_late_by", "once_per")
        late = options.get("unless_late_by")
        for template in as_list(options["template"]):
            late_by = duration(late) if late else None
            message = Message(enrollment, path, template, self.world.now, reached, late_by)
            message.reason = self.refusal(enrollment.contact, template)
            if message.reason is None and "once_per" in options:
                span = duration(options["once_per"])
                message.reason = "once_per" if self.recent(message, span) else None
            if message.reason:
                message.status = "withheld"
            self.world.messages.append(message)

    def recent(self, message: Message, span: timedelta) -> bool:
        """Whether the same template was queued or sent, not withheld, in (T - d, T] (ruling 78)."""
        return any(
            other.kind == "email"
            and other.template == message.template
            and other.enrollment.contact is message.enrollment.contact
            and other.status != "withheld"
            and (other.sent_at or other.queued_at) > self.world.now - span
            for other in self.world.messages
        )

    def refusal(self, contact: Contact, template: str) -> str | None:
        """Why this mail may not go, if it may not (rulings 76, 80, 83 and 84)."""
        suppress = self.world.project.policy.suppress
        if self.world.suppressed(contact) or (
            suppress is not None
            and holds(self.world, Who(contact), suppress, "policy/default/suppress")
        ):
            return "suppressed"
        if self.marketing(template):
            topic = self.world.project.topics[template] or ""
            return None if self.world.consents(contact, topic) else "no_consent"
        return None

    def marketing(self, template: str) -> bool:
        """Whether consent, caps and window hold for it (ruling 80)."""
        return self.world.project.topics[template] != "transactional"

    # After the tick

    def deliver(self, place: dict[str, int]) -> None:
        """Send what may go with now = T; `email_sent` is noticed in the next tick (ruling 72)."""

        def turn(numbered: tuple[int, Message]) -> tuple[object, ...]:
            number, message = numbered
            scenario = message.enrollment.scenario
            newest = self.world.project.scenarios.get(scenario, message.enrollment.version)
            return (
                -newest.priority,
                message.queued_at,
                place.get(scenario, len(place)),
                oldest(message.enrollment),
                in_document(message.step),
                number,
            )

        self.paused = self.paused or self.harmful()
        numbered = enumerate(self.world.messages)
        for _, message in sorted(((n, m) for n, m in numbered if m.status == "queued"), key=turn):
            if message.kind == "webhook" or not self.paused:
                self.send(message)

    def harmful(self) -> bool:
        """Whether too many of the last mails bounced or brought complaints (ruling 79)."""
        limits = self.world.project.policy.pause
        if limits is None or len(self.sent) < limits["of_last"]:
            return False
        last = self.sent[-limits["of_last"] :]
        return any(
            key in limits
            and sum(self.blamed(mail, name) for mail in last) * 1_000_000
            >= share(limits[key]) * len(last)
            for key, name in (("bounces", "email_bounced"), ("complaints", "email_complained"))
        )

    def blamed(self, mail: Message, name: str) -> bool:
        """Whether such an event is about this mail: the latest before it, of its template."""
        return any(
            event.name == name
            and (name == "email_complained" or event.properties.get("type", "hard") == "hard")
            and self.latest_before(event, mail.enrollment.contact) is mail
            for event in mail.enrollment.contact.events
        )

    def latest_before(self, event: Event, contact: Contact) -> Message | None:
        """The latest mail to the contact at or before the event, of the template it names."""
        template = event.properties.get("template")
        found = [
            mail
            for mail in self.sent
            if mail.enrollment.contact is contact
            and mail.sent_at is not None
            and mail.sent_at <= event.at
            and template in (None, mail.template)
        ]
        return found[-1] if found else None

    def send(self, message: Message) -> None:
        """Judge one mail again at the moment of sending, and send it (rulings 74, 75 and 84)."""
        now, contact = self.world.now, message.enrollment.contact
        if message.kind != "email":
            message.status, message.sent_at = "sent", now
            return
        reason = self.refusal(contact, message.template)
        late = message.unless_late_by
        if reason is None and late is not None and now - message.due > late:
            reason = "late"
        if reason is None and self.marketing(message.template):
            if not self.open(contact):
                return
            if self.capped(contact):
                wait = self.world.project.policy.capped_wait
                if wait is not None and now < message.queued_at + wait:
                    return
                reason = "capped"
        if reason:
            message.status, message.reason = "withheld", reason
            return
        message.status, message.sent_at = "sent", now
        self.sent.append(message)
        name = f"flowscore:{self.world.messages.index(message)}"
        topic = self.world.project.topics[message.template]
        properties = {"template": message.template, "topic": topic, "message_id": name}
        self.people.own.append((contact, Event("email_sent", now, now, name, properties, topic)))

    def capped(self, contact: Contact) -> bool:
        """Whether a cap is reached by what was sent in (T - per, T] (ruling 73)."""
        sent = [
            message.sent_at
            for message in self.world.messages
            if message.kind == "email"
            and message.sent_at is not None
            and message.enrollment.contact is contact
            and self.marketing(message.template)
        ]
        return any(
            sum(moment > self.world.now - per for moment in sent) >= most
            for most, per in self.world.project.policy.caps
        )

    def open(self, contact: Contact) -> bool:
        """Whether T is in the send window; over midnight its day is the opening one (32, 77)."""
        window = self.world.project.policy.window
        if window is None:
            return True
        where = self.world.contact_zone(contact, window.timezone)
        opens, closes = time.fromisoformat(window.opens), time.fromisoformat(window.closes)
        today = self.world.now.astimezone(where).date()
        for day in (today - timedelta(days=1), today):
            end = day if closes > opens else day + timedelta(days=1)
            first = localised(datetime.combine(day, opens), where)
            last = localised(datetime.combine(end, closes), where)
            allowed = not window.days or WEEK[day.weekday()] in window.days
            if allowed and first <= self.world.now < last:
                return True
        return False


def oldest(enrollment: Enrollment) -> tuple[datetime, str, str]:
    """Oldest first (ruling 130)."""
    return (enrollment.entered_at, (enrollment.contact.email or "").casefold(), enrollment.key)


def in_document(path: str) -> list[tuple[int, str]]:
    """A step's place, so that 10 comes after 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in path.split("/")]
