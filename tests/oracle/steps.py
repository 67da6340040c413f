"""What a step does when an enrollment walks over it (LANGUAGE 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from .conditions import holds
from .model import known
from .people import set_attribute
from .values import Plain, as_list, duration, localised, shown
from .world import Change, Contact, Enrollment, Line, Membership, Message, World

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXPRESSIONS = SandboxedEnvironment(undefined=StrictUndefined)
END_OF_TIME = "\U0010ffff"
"""A messageId after every other: what a step writes comes after what came in."""


class Walker:
    """Walks enrollments; what it changes is noticed in the next round."""

    def __init__(self, world: World) -> None:
        """Begin with nothing changed."""
        self.world = world
        self.changes: list[Change] = []
        self.moved = False
        self.round = 0

    def walk(self, enrollment: Enrollment) -> None:
        """Walk until the enrollment pauses or ends (ruling 17)."""
        self.moved = True
        reached = enrollment.due or self.world.now
        enrollment.due = None
        while enrollment.frames:
            steps, index, path = enrollment.frames.pop()
            if index == len(steps):
                continue
            enrollment.frames.append((steps, index + 1, path))
            step = dict(steps[index])
            if step.pop("enabled", True) is False:
                continue
            step.pop("id", None)
            self.act(enrollment, step, f"{path}/{index}", reached)
            if enrollment.due or enrollment.ended_at:
                return
        self.end(enrollment, "finished")

    def end(self, enrollment: Enrollment, outcome: str) -> None:
        """The walk is over at T (ruling 7)."""
        enrollment.ended_at, enrollment.outcome = self.world.now, outcome

    def act(
        self, enrollment: Enrollment, step: dict[str, Plain], path: str, reached: datetime
    ) -> None:
        """One step, by its key."""
        if "if" in step:
            known(step, "if", "then", "else")
            branch = "then" if holds(self.world, enrollment.contact, step["if"]) else "else"
            enrollment.frames.append((step.get(branch) or [], 0, f"{path}/{branch}"))
            return
        ((kind, value),) = step.items()
        if kind in ("add_points", "subtract_points"):
            self.add_points(enrollment.contact, value, 1 if kind == "add_points" else -1)
        elif kind == "send_email":
            self.queue(enrollment, value, path, reached)
        elif kind == "wait":
            self.wait(enrollment, value)
        elif kind == "exit":
            self.end(enrollment, "exited")
        elif kind == "set_attribute":
            self.set_attributes(enrollment, value, path)
        elif kind in self.LISTS:
            self.LISTS[kind](self, enrollment.contact, value)
        else:
            raise NotImplementedError(kind)

    def add_points(self, contact: Contact, value: Plain, sign: int) -> None:
        """A line of the scenario's own, dated T, without caps (ruling 57)."""
        options = value if isinstance(value, dict) else {"points": value}
        known(options, "score", "points", "reason")
        score = options.get("score") or self.world.project.only_score()
        points = sign * Decimal(str(options["points"]))
        contact.lines.append(Line(score, self.world.now, points, "scenario", None))

    def add_to_list(self, contact: Contact, value: Plain) -> None:
        """Join each list that the contact is not in (ruling 48)."""
        for name in as_list(value):
            if not contact.member(name):
                contact.memberships.append(Membership(name, self.world.now))
                self.note("list_joined", contact, name)

    def remove_from_list(self, contact: Contact, value: Plain) -> None:
        """Leave each list that the contact is in."""
        for name in as_list(value):
            for stay in contact.memberships:
                if stay.name == name and stay.left_at is None:
                    stay.left_at = self.world.now
                    self.note("list_left", contact, name)

    def move_to_list(self, contact: Contact, value: Plain) -> None:
        """Leave `from`, then join `to`, also when in none of `from` (ruling 48)."""
        known(value, "from", "to")
        target = as_list(value["to"])
        self.remove_from_list(contact, [n for n in as_list(value["from"]) if n not in target])
        self.add_to_list(contact, target)

    LISTS: dict[str, Callable[[Walker, Contact, Plain], None]] = {
        "add_to_list": add_to_list,
        "remove_from_list": remove_from_list,
        "move_to_list": move_to_list,
    }

    def note(self, kind: str, contact: Contact, name: str) -> None:
        """A change of a list, to be noticed in the next round (rulings 14 and 21)."""
        key = f"{kind}:{name}:{self.world.now}:{self.round}:{len(self.changes)}"
        self.changes.append(Change(kind, contact, self.world.now, name, None, None, key))

    def set_attributes(self, enrollment: Enrollment, values: dict[str, Plain], path: str) -> None:
        """Write attributes dated T; an undefined value leaves its attribute (ruling 95)."""
        now = self.world.now
        for name, value in values.items():
            try:
                value = self.evaluate(enrollment, value)
            except UndefinedError:
                continue
            key = f"step:{enrollment.key}:{path}:{now}:{self.round}"
            order = (now, now, END_OF_TIME)
            set_attribute(enrollment.contact, name, value, order, key, self.changes)

    def evaluate(self, enrollment: Enrollment, value: Plain) -> Plain:
        """A plain value, or a Jinja2 expression; a lone one keeps its type."""
        if not isinstance(value, str) or ("{{" not in value and "{%" not in value):
            return value
        scope = self.scope(enrollment)
        inner = value.strip()
        if inner.startswith("{{") and inner.endswith("}}") and inner.count("{{") == 1:
            compiled = EXPRESSIONS.compile_expression(inner[2:-2].strip(), undefined_to_none=False)
            result = compiled(**scope)
            if isinstance(result, StrictUndefined):
                raise UndefinedError(inner)
            return result
        return EXPRESSIONS.from_string(value).render(**scope)

    def scope(self, enrollment: Enrollment) -> dict[str, Any]:
        """What an expression sees: the contact's attributes, e-mail and scores, and the event."""
        contact = enrollment.contact
        present = {k: v for k, v in contact.attributes.items() if v is not None}
        scores = {s: shown(self.world.balance(contact, s)) for s in self.world.project.scores}
        person = {**present, "email": contact.email, "score": scores}
        return {"contact": person, "event": enrollment.event.properties if enrollment.event else {}}

    def wait(self, enrollment: Enrollment, value: Plain) -> None:
        """Pause for a span from this tick, or until the next such local time (rulings 39, 117)."""
        now = self.world.now
        if not isinstance(value, dict):
            enrollment.due = now + duration(value)
            return
        known(value, "until", "days", "timezone")
        due = self.next_opening(enrollment.contact, value)
        enrollment.due = due if due > now else None

    def next_opening(self, contact: Contact, value: dict[str, Plain]) -> datetime:
        """The first allowed local instant at or after T."""
        where = self.world.contact_zone(contact, value.get("timezone"))
        local = self.world.now.astimezone(where)
        days = [str(day).lower()[:3] for day in as_list(value.get("days"))] or list(DAYS)
        if "until" not in value and DAYS[local.weekday()] in days:
            return self.world.now
        clock = time.fromisoformat(value.get("until", "00:00"))
        for ahead in range(15):
            day = local.date() + timedelta(days=ahead)
            opening = localised(datetime.combine(day, clock), where)
            if DAYS[day.weekday()] in days and opening >= self.world.now:
                return opening.astimezone(UTC)
        raise ValueError(f"no such day: {value!r}")

    def queue(self, enrollment: Enrollment, value: Plain, path: str, reached: datetime) -> None:
        """Put mail into the outbox, or withhold it with the reason (rulings 76, 78 and 84)."""
        options = value if isinstance(value, dict) else {"template": value}
        known(options, "template", "unless_late_by", "once_per")
        late = options.get("unless_late_by")
        for template in as_list(options["template"]):
            message = Message(
                enrollment,
                path,
                template,
                self.world.now,
                reached,
                duration(late) if late else None,
            )
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
            other.template == message.template
            and other.enrollment.contact is message.enrollment.contact
            and other.status != "withheld"
            and (other.sent_at or other.queued_at) > self.world.now - span
            for other in self.world.messages
        )

    def refusal(self, contact: Contact, template: str) -> str | None:
        """Why this mail may not go, if it may not (rulings 76, 80, 83 and 84)."""
        if self.world.suppressed(contact):
            return "suppressed"
        topic = self.world.project.topics[template]
        if topic != "transactional" and not self.world.consents(contact, topic):
            return "no_consent"
        return None
