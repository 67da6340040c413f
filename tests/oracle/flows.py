"""Draws scenarios and their steps, which feed the triggers of one another."""

from __future__ import annotations

from typing import Any

from .features import EVENTS, MAILS, NOTE, PLANS, SPANS, STATIC, TOPICS, Document
from .phrases import Phrases

EVENTLESS = ("score", "grade", "inactive", "date", "schedule", "manual")
STATES = {"score", "list_joined", "subscribed", "grade", "stage"}
UP_TO = ("2 days", "1 day", "6 hours", "3 days", "2 hours", "90 minutes")
SHARES = (("50%", "50%"), ("20%", "30%", "50%"), ("12.5%", "87.5%"), ("100%", "0%"))


class Flows(Phrases):
    """Draws what happens to whom."""

    entangled, identified = False, 0

    def scenario(self, name: str) -> Document:
        """A scenario; its steps feed the triggers of the others."""
        document: Document = {"scenario": name}
        kind = self.pick.integer(8)
        document["trigger"] = trigger = self.trigger(kind)
        kinds = kinds_of(trigger)
        state = {"score", "list_joined", "subscribed", "grade", "stage"} & kinds and not is_gain(
            trigger
        )
        if state and not isinstance(trigger, list) and self.pick.chance(3):
            document["enroll_existing"] = True
        self.carried, self.inside = not kinds <= set(EVENTLESS), True
        if self.pick.chance(3):
            document["conditions"] = [self.condition(1)]
        document["reenroll"] = self.pick.one(
            ("every_time", "when_finished", "never", {"after": "2 hours"}, {"after": "1 day"})
        )
        if self.pick.chance(4):
            document["priority"] = self.pick.one((5, -1))
        if self.pick.chance(12):
            document["enabled"] = False
        self.endings(document)
        document["actions"] = self.steps(2)
        if {"goal", "exit_when"} & set(document) and not self.pick.chance(3):
            place = self.pick.integer(len(document["actions"]) + 1)
            document["actions"].insert(place, self.pause())
        if self.features.waits and self.pick.chance(3):
            place = self.pick.integer(len(document["actions"]) + 1)
            document["actions"].insert(place, self.waiting(1))
        if document["reenroll"] == "every_time" and steps_feed(kinds):
            document["reenroll"] = "when_finished"
        if kind == 1 and not self.entangled and self.pick.chance(3):
            self.entangle(document)
        self.carried = self.inside = False
        return document

    def rewritten(self, flow: Document) -> Document:
        """The scenario with other steps and ends, by the same triggers."""
        kept = ("scenario", "trigger", "conditions", "reenroll", "enroll_existing")
        document = {key: flow[key] for key in kept if key in flow}
        self.carried = not kinds_of(flow["trigger"]) <= set(EVENTLESS)
        self.inside = True
        if self.pick.chance(3):
            document["enabled"] = False
        if self.pick.chance(3):
            document["priority"] = 3
        self.endings(document)
        document["actions"] = self.steps(2)
        self.carried = self.inside = False
        return document

    def trigger(self, kind: int) -> Any:
        """What starts the scenario."""
        if kind == 0 and self.pick.chance(3):
            return "contact_created"
        if kind == 1 and self.features.gains:
            return self.gain()
        if kind < 3:
            return self.state_trigger()
        if kind in (3, 4):
            return {"event": self.pick.one((*EVENTS, list(EVENTS)))}
        if kind == 6:
            return [self.state_trigger(), self.event(True)]
        if kind == 7 and self.features.schedules:
            return self.schedule()
        return self.log_trigger()

    def endings(self, document: Document) -> None:
        """Goal, exit and holdout."""
        if self.features.goals and self.pick.chance():
            document["goal"] = self.awaited()
            if not self.pick.chance(3):
                document["goal"] |= {"up_to": self.pick.one(UP_TO)}
        if self.features.exits and self.pick.chance(3):
            document["exit_when"] = self.condition(1)
        if self.features.holdouts and self.pick.chance(4):
            document["holdout"] = self.pick.one(("50%", "10%"))

    def entangle(self, document: Document) -> None:
        """Make one scenario feed itself, so that the bound on rounds is met (ruling 20)."""
        name = self.pick.one(STATIC)
        for key in ("conditions", "goal", "exit_when", "enroll_existing"):
            document.pop(key, None)
        document |= {"trigger": {"list_joined": name}, "reenroll": "every_time"}
        document["actions"] = [{"remove_from_list": name}, {"add_to_list": name}, self.points()]
        self.entangled = True

    # Steps

    def steps(self, depth: int) -> list[Document]:
        """A few steps."""
        return [self.step(depth) for _ in self.pick.some(4, 1)]

    def step(self, depth: int) -> Document:
        """One step, deep ones without branches and without mail where there is none."""
        kinds = [self.points, self.points, self.lists, self.lists, self.attribute, self.pause]
        kinds += [self.pause, self.rare]
        if self.features.mail:
            kinds += [self.sending] * 4
        if depth:
            kinds += [lambda: self.branch(depth - 1)]
        kinds += self.younger(depth)
        step: Document = self.pick.one(kinds)()
        if self.pick.chance(8):
            self.identified += 1
            step = {"id": f"step-{self.identified}", **step}
        return step

    def younger(self, depth: int) -> list[Any]:
        """The steps beyond the core."""
        has = self.features
        pairs: list[tuple[bool, Any]] = [
            (has.resets, self.reset),
            (bool(self.words.stages), self.stage_set),
            (bool(self.words.stages), self.stage_set),
            (has.consents, self.consent),
            (has.owners, self.owner),
            (has.notes and has.mail, self.note),
            (has.webhooks, self.webhook),
            (has.enrolls and bool(self.words.flows), self.enroll),
            (has.waits and bool(depth), lambda: self.waiting(depth - 1)),
            (has.waits and bool(depth), lambda: self.waiting(depth - 1)),
            (has.splits and bool(depth), lambda: self.split(depth - 1)),
        ]
        return [draw for may, draw in pairs if may]

    def points(self) -> Document:
        """Points from the scenario."""
        key = self.pick.one(("add_points", "add_points", "subtract_points"))
        score = self.pick.one(self.words.scores)
        return {key: {"score": score, "points": self.pick.one((5, 10, 20))}}

    def reset(self) -> Document:
        """A score back to nothing."""
        scores = self.words.scores
        return {"reset_score": self.pick.one((*scores, list(scores)))}

    def stage_set(self) -> Document:
        """Into a stage of the lifecycle, now and then back."""
        name = self.pick.one(self.words.stages[1:])
        back = {"stage": self.pick.one(self.words.stages), "back": True}
        return {"set_stage": self.pick.one((name, name, back))}

    def lists(self) -> Document:
        """A change of static lists."""
        step: Document = self.pick.one(
            (
                {"add_to_list": self.pick.one((*STATIC, list(STATIC)))},
                {"remove_from_list": self.pick.one(STATIC)},
                {"move_to_list": {"from": ["newbies"], "to": "vips"}},
            )
        )
        return step

    def attribute(self) -> Document:
        """A written attribute, plain or from an expression."""
        found = "{{ contact.country }}"
        if self.carried:
            found = "{{ event.plan | default('free') }}"
        return {"set_attribute": {"plan": self.pick.one((*PLANS, found))}}

    def consent(self) -> Document:
        """A word of consent."""
        key = self.pick.one(("subscribe", "unsubscribe"))
        topics = (*TOPICS, "email", list(TOPICS)) + (("all",) if key == "unsubscribe" else ())
        return {key: self.pick.one(topics)}

    def owner(self) -> Document:
        """Somebody to look after the contact."""
        turns = {"round_robin": ["ana@acme.example", "luis@acme.example", "eva@acme.example"]}
        return {"assign_owner": self.pick.one((turns, turns, "ana@acme.example"))}

    def note(self) -> Document:
        """A mail to staff."""
        to = self.pick.one(("sales@acme.example", ["ana@acme.example", "luis@acme.example"]))
        return {"notify": {"to": to, "template": NOTE}}

    def webhook(self) -> Document:
        """A call of another system."""
        return {"webhook": {"url": "https://crm.acme.example/leads", "body": {"plan": "x"}}}

    def enroll(self) -> Document:
        """Into a scenario that comes later, so that none goes in circles."""
        return {"enroll": self.pick.one(self.words.flows)}

    def pause(self) -> Document:
        """A wait for a span, or until a time of day."""
        if self.features.until and self.pick.chance(3):
            days = self.pick.one(({}, {"days": ["mon", "sun"]}, {"timezone": "contact"}))
            until = self.pick.one(({"until": "09:00"}, {"until": "02:30"}, {"days": ["tue"]}))
            return {"wait": {**days, **until}}
        return {"wait": self.pick.one((*SPANS, "30 minutes"))}

    def waiting(self, depth: int) -> Document:
        """Until something occurs."""
        if self.features.dates and self.pick.chance(6):
            trigger: Document = {"date": self.date(inside=True)}
        else:
            trigger = self.awaited()
        found: Document = {"wait_for": {**trigger, "up_to": self.pick.one(UP_TO)}}
        if not self.pick.chance(5):
            found["then"] = self.steps(depth)
        if not self.pick.chance(5):
            found["else"] = self.steps(depth)
        return found

    def split(self, depth: int) -> Document:
        """At random, the same way for the same contact."""
        shares = self.pick.one(SHARES)
        return {
            "split": [
                {"name": f"way-{i}", "share": share, "actions": self.steps(depth)}
                for i, share in enumerate(shares)
            ]
        }

    def rare(self) -> Document:
        """An early end, or a step that is switched off."""
        if self.pick.chance():
            return {"exit": "enough"}
        return {"enabled": False, **self.points()}

    def sending(self) -> Document:
        """A mail."""
        return {"send_email": self.mail()}

    def branch(self, depth: int) -> Document:
        """Two ways on."""
        return {"if": self.condition(1), "then": self.steps(depth), "else": self.steps(depth)}

    def mail(self) -> str | Document:
        """A mail, with or without its own limits."""
        template = self.pick.one(tuple(MAILS))
        limits = self.pick.one(
            ({}, {"once_per": "1 day"}, {"unless_late_by": "30 minutes"}, {"once_per": "2 hours"})
        )
        return {"template": template, **limits} if limits else template


def kinds_of(trigger: Any) -> set[str]:
    """The words of a trigger, or of several."""
    triggers = trigger if isinstance(trigger, list) else [trigger]
    return {kind for one in triggers for kind in (one if isinstance(one, dict) else [one])}


def is_gain(trigger: Any) -> bool:
    """Whether it asks for points won: no state."""
    return isinstance(trigger, dict) and "gains" in str(trigger.get("score"))


def steps_feed(kinds: set[str]) -> bool:
    """Whether one step can fire the trigger many times in a round: entries would double."""
    fed = {"list_joined", "list_left", "attribute", "subscribed", "unsubscribed", "stage"}
    return bool(kinds & fed)
