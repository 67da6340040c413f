"""What steps change: points, lists, attributes, consent, owners (LANGUAGE 4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from .funnel import enter, place_of
from .people import set_attribute, set_consent
from .reading import known
from .records import Change, Contact, Enrollment, Event, Membership
from .values import Plain, as_list, shown
from .world import World

EXPRESSIONS = SandboxedEnvironment(undefined=StrictUndefined)
END_OF_TIME = "\U0010ffff"
"""A messageId after every other: what a step writes comes after what came in."""


class Effects:
    """Changes the world as steps say; what changed is noticed in the next round."""

    def __init__(self, world: World) -> None:
        """Begin with nothing changed."""
        self.world = world
        self.changes: list[Change] = []
        self.round = 0
        self.turns: dict[tuple[str, str], int] = defaultdict(int)

    def apply(self, enrollment: Enrollment, kind: str, value: Plain, path: str) -> bool:
        """Do it, if it is one of these."""
        to_contact: dict[str, Callable[[Contact, Plain], None]] = {
            "add_points": lambda contact, value: self.add_points(contact, value, 1),
            "subtract_points": lambda contact, value: self.add_points(contact, value, -1),
            "reset_score": self.reset,
            "set_stage": self.set_stage,
            "add_to_list": self.add_to_list,
            "remove_from_list": self.remove_from_list,
            "move_to_list": self.move_to_list,
        }
        inside: dict[str, Callable[[Enrollment, Plain, str], None]] = {
            "set_attribute": self.set_attributes,
            "assign_owner": self.assign,
            "enroll": self.enroll,
            "subscribe": lambda *one: self.consent(*one, granted=True),
            "unsubscribe": lambda *one: self.consent(*one, granted=False),
        }
        if kind in to_contact:
            to_contact[kind](enrollment.contact, value)
        elif kind in inside:
            inside[kind](enrollment, value, path)
        return kind in to_contact or kind in inside

    def add_points(self, contact: Contact, value: Plain, sign: int) -> None:
        """A line of the scenario's own, dated T, without caps (ruling 57)."""
        options = value if isinstance(value, dict) else {"points": value}
        known(options, "score", "points", "reason")
        score = options.get("score") or self.world.project.only_score()
        points = sign * Decimal(str(options["points"]))
        self.world.write(contact, score, self.world.now, points, "scenario", None)

    def reset(self, contact: Contact, value: Plain) -> None:
        """A line after which everything before is worth nothing (ruling 54)."""
        for score in as_list(value):
            for one in self.world.colleagues(contact, score):
                points = -self.world.raw_balance(one, score)
                self.world.write(one, score, self.world.now, points, "reset", None)

    def set_stage(self, contact: Contact, value: Plain) -> None:
        """Forward, or also back where the step says so; into the same one is no change (49)."""
        options = value if isinstance(value, dict) else {"stage": value}
        known(options, "stage", "back")
        lifecycle = self.world.project.lifecycle
        assert lifecycle
        here, there = place_of(contact, lifecycle), lifecycle.place(options["stage"])
        if there > here or (there < here and options.get("back")):
            mark = f"{self.round}:{len(self.changes)}"
            self.changes.append(enter(self.world, contact, options["stage"], True, mark))

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

    def note(self, kind: str, contact: Contact, name: str) -> None:
        """A change of a list, to be noticed in the next round (rulings 14 and 21)."""
        key = f"{kind}:{name}:{self.world.now}:{self.round}:{len(self.changes)}"
        self.changes.append(listed(self.world, kind, contact, name, key))

    def set_attributes(self, enrollment: Enrollment, values: dict[str, Plain], path: str) -> None:
        """Write attributes dated T; an undefined value leaves its attribute (ruling 95)."""
        for name, value in values.items():
            try:
                value = self.evaluate(enrollment, value)
            except UndefinedError:
                continue
            self.set_one(enrollment, name, value, path)

    def set_one(self, enrollment: Enrollment, name: str, value: Plain, path: str) -> None:
        """Write one attribute dated T, after all that came in."""
        now = self.world.now
        key = f"step:{enrollment.scenario}:{enrollment.key}:{path}:{now}:{self.round}"
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

    def assign(self, enrollment: Enrollment, value: Plain, path: str) -> None:
        """Attribute `owner`: the one address, or whose turn it is at this step (ruling 130)."""
        if isinstance(value, dict):
            known(value, "round_robin")
            owners = as_list(value["round_robin"])
            place = (enrollment.scenario, path)
            value = owners[self.turns[place] % len(owners)]
            self.turns[place] += 1
        self.set_one(enrollment, "owner", value, path)

    def consent(self, enrollment: Enrollment, value: Plain, path: str, granted: bool) -> None:
        """A word of consent dated T for each topic, in order (rulings 81 and 93)."""
        now = self.world.now
        for topic in as_list(value):
            kind = "subscribed" if granted else "unsubscribed"
            key = f"step:{enrollment.scenario}:{enrollment.key}:{path}:{now}:{topic}"
            event = Event(kind, now, now, END_OF_TIME, {"topic": topic})
            set_consent(self.world, enrollment.contact, topic, granted, event, self.changes, key)

    def enroll(self, enrollment: Enrollment, value: Plain, path: str) -> None:
        """A manual occurrence for each scenario named, with this one's event (46 and 86)."""
        for name in as_list(value):
            key = f"enroll:{enrollment.scenario}:{enrollment.key}:{path}:{name}"
            one = (enrollment.contact, self.world.now, name, None, None, key, enrollment.event)
            self.changes.append(Change("enroll", *one))


def listed(world: World, kind: str, contact: Contact, name: str, key: str) -> Change:
    """A change of membership, with the event that stands for it (ruling 110)."""
    event = Event(kind, world.now, world.now, key, {"list": name})
    return Change(kind, contact, world.now, name, None, None, key, event)
