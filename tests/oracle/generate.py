"""Random projects, contacts and calls that are valid by construction and likely to interact."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import yaml
from hypothesis import strategies as st

from .calling import Caller
from .cases import Case
from .features import (
    MAILS,
    NOTE,
    SPANS,
    STATIC,
    TOPICS,
    ZONES,
    Choices,
    Document,
    Features,
)
from .flows import Flows
from .ladders import INSTANTS, Ladders
from .values import duration, rfc3339

__all__ = ["Features", "cases", "large", "seeded"]


class Writer(Flows, Ladders):
    """Writes one case out of choices."""

    def __init__(self, choices: Choices, features: Features) -> None:
        """Choose the grid; everything else hangs on it."""
        self.every = choices.one(("1 hour", "1 hour", "1 day", "30 minutes", "6 hours"))
        first = choices.one((datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 28, tzinfo=UTC)))
        super().__init__(choices, features, first)
        self.caller = Caller(choices, features, self.every, first)

    def case(self) -> Case:
        """A whole case."""
        documents: list[Document] = [{"list": name} for name in STATIC]
        for number in range(2):
            documents.append(self.score(f"score-{number}"))
            documents += [self.dynamic(f"list-{number}-{i}") for i in self.pick.some(2, 1)]
        climbed = self.ladders()
        if climbed:
            documents += [*climbed, self.score("score-2"), self.dynamic("list-2-0")]
        documents.insert(0, self.policy())
        flows: list[Document] = []
        if self.features.scenarios:
            names = [f"flow-{i}" for i in self.pick.some(5, 2)]
            for place, name in enumerate(names):
                self.words.flows = names[place + 1 :]
                flows.append(self.scenario(name))
        emails = [f"{name}@example.com" for name in "abcdefghijklmnop"[: self.features.contacts]]
        calls = self.caller.calls(emails)
        return Case(
            {"project.yaml": as_yaml([*documents, *flows])},
            [self.caller.row(email, calls) for email in emails if not self.pick.chance(4)],
            calls,
            rfc3339(self.first) or "",
            rfc3339(self.caller.last) or "",
            self.every,
            self.templates(),
            self.features.quiet,
            self.second(documents, flows) if self.features.versions and flows else None,
        )

    def second(
        self, documents: list[Document], flows: list[Document]
    ) -> tuple[dict[str, str], str] | None:
        """Now and then another version: people inside finish on the one on which they entered."""
        if not self.pick.chance(3):
            return None
        step = duration(self.every)
        half = (self.caller.last - self.first) / 2 // step * step
        changed = []
        for place, flow in enumerate(flows):
            self.words.flows = [later["scenario"] for later in flows[place + 1 :]]
            changed.append(self.rewritten(flow) if self.pick.chance() else flow)
        if self.pick.chance():
            documents = [self.policy_like(documents[0]), *documents[1:]]
        if self.features.recomputes:
            documents = [self.reworked(document) for document in documents]
            ours = "decay_every" in documents[0] and "'idle'" not in str(documents)
            if ours and self.pick.chance(3):
                documents[0] = documents[0] | {"decay_every": self.pick.one(INSTANTS)}
        return {"project.yaml": as_yaml([*documents, *changed])}, rfc3339(self.first + half) or ""

    def policy_like(self, policy: Document) -> Document:
        """Other limits in the same zone."""
        kept = ("timezone", "consent", "decay_every")
        fresh = {key: value for key, value in self.policy().items() if key not in kept}
        return fresh | {key: policy[key] for key in kept if key in policy}

    def templates(self) -> dict[str, str]:
        """The mails, and the note to staff, which has no topic."""
        if not self.features.mail:
            return {}
        texts = {
            name: f"---\nsubject: {name}\ntopic: {topic}\n---\n<p>Hello</p>\n"
            for name, topic in MAILS.items()
        }
        if self.features.notes:
            texts[NOTE] = f"---\nsubject: {NOTE}\n---\n<p>Look</p>\n"
        return texts

    # Definitions

    def policy(self) -> Document:
        """The policy."""
        document: Document = {
            "policy": "default",
            "timezone": self.pick.one(self.zones()),
            "sender": {"name": "Acme", "address": "hello@acme.example"},
            "topics": list(TOPICS),
            "consent": self.pick.one(("required", "implied")),
        }
        if (self.features.decay or self.features.idle) and not self.pick.chance(3):
            document["decay_every"] = self.pick.one(INSTANTS)
        if self.features.suppress and self.pick.chance(4):
            document["suppress"] = self.condition(1)
        if self.features.caps and self.pick.chance():
            cap = {"emails": 1, "per": self.pick.one(SPANS[2:])}
            both = [cap, {"emails": 2, "per": "2 days"}]
            document["frequency_cap"] = self.pick.one((cap, both))
            if self.pick.chance():
                capped = ("drop", {"wait_up_to": "6 hours"}, {"wait_up_to": "1 day"})
                document["when_capped"] = self.pick.one(capped)
        if self.features.window and self.pick.chance():
            document["send_window"] = self.window()
        if self.features.pauses and self.pick.chance(5):
            limits = ({"bounces": "25%"}, {"complaints": "33.3%"}, {"bounces": "50%"})
            document["pause_when"] = {**self.pick.one(limits), "of_last": self.pick.one((2, 3, 4))}
        return document

    def zones(self) -> tuple[str, ...]:
        """Zones of the policy: in Beirut midnight itself is skipped in spring."""
        fading = self.features.decay or self.features.idle
        return ("UTC", "Europe/Madrid", *(["Asia/Beirut"] if fading else []))

    def window(self) -> Document:
        """When mail may go: by day, over midnight, at the hours that the clocks skip."""
        hours = (("09:00", "20:00"), ("22:00", "06:00"), ("02:30", "12:00"), ("20:00", "02:30"))
        opens, closes = self.pick.one(hours)
        found = {"from": opens, "to": closes, **self.pick.one(({}, {"days": ["mon", "sun"]}))}
        if self.pick.chance():
            found["timezone"] = self.pick.one(("contact", *ZONES))
        return found

    def score(self, name: str) -> Document:
        """A score whose rules read only what was made before it."""
        shared = self.features.company_scores and self.pick.chance(3)
        rules = [self.rule(f"rule-{i}", shared) for i in self.pick.some(4, 1)]
        document: Document = {"score": name, "rules": rules, "bands": {"hot": 20, "warm": 10}}
        if shared:
            document["of"] = "company"
        self.decay(document)
        if self.pick.chance(3):
            document["range"] = {"min": -10, "max": 25}
        if self.pick.chance(4):
            document["cap"] = {"points": 25, "per": self.pick.one(SPANS)}
        self.words.scores.append(name)
        return document

    def rule(self, name: str, shared: bool = False) -> Document:
        """One rule, `on` or `when`, which a company's score may not have."""
        rule: Document = {"name": name, "points": self.pick.one((10, 5, -5, 2.5, 20))}
        if not shared and self.pick.chance(4):
            return {**rule, "when": self.condition(1)}
        rule["on"] = self.rule_trigger()
        if self.pick.chance(4):
            rule["conditions"] = [self.condition(1)]
        if self.pick.chance(3):
            rule["cap"] = self.pick.one(
                ({"times": 1}, {"points": 15, "per": "1 day"}, {"times": 2, "per": "3 hours"})
            )
        return rule

    def rule_trigger(self) -> Document | list[Document]:
        """What gives points."""
        if self.features.gains and self.words.scores and self.pick.chance(10):
            return self.gain()
        if self.features.state_rules and self.pick.chance(6):
            return self.state_trigger()
        if self.pick.chance(6):
            return [self.log_trigger(), self.log_trigger()]
        return self.log_trigger()

    def dynamic(self, name: str) -> Document:
        """A dynamic list."""
        document = {"list": name, "members": [self.condition(2) for _ in self.pick.some(2, 1)]}
        self.words.lists.append(name)
        return document


def as_yaml(documents: list[Document]) -> str:
    """The text of a project's one file."""
    return yaml.dump_all(documents, Dumper=Unaliased, sort_keys=False, allow_unicode=True)


class Unaliased(yaml.SafeDumper):
    """Writes what stands twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never point to what was written before."""
        return True


@st.composite
def cases(draw: st.DrawFn, features: Features | None = None) -> Case:
    """Cases that Hypothesis can shrink."""
    choices = Choices(lambda n: draw(st.integers(0, n - 1)))
    return Writer(choices, features or Features()).case()


def seeded(seed: int, features: Features | None = None) -> Case:
    """The case of a seed: larger ones than Hypothesis likes to draw."""
    chance = random.Random(seed)
    return Writer(Choices(chance.randrange), features or Features()).case()


def large(seed: int) -> Case:
    """Ten contacts, a hundred calls and about two hundred ticks."""
    case = seeded(seed, Features(contacts=10, calls=100))
    step = duration("1 hour")
    until = datetime.fromisoformat(case.since) + 200 * step
    return replace(case, every="1 hour", until=rfc3339(until) or "")
