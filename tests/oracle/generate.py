"""Random projects, contacts and calls that are valid by construction and likely to interact."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from hypothesis import strategies as st

from .cases import Case
from .people import moment
from .values import duration, rfc3339

Document = dict[str, Any]

EVENTS = ("order_completed", "cart_updated", "lead_form")
PATHS = ("/pricing", "/blog/a", "/blog/b", "/Pricing/?utm=x", "/")
PATTERNS = ("/pricing", "/blog/*", "*", "/")
PLANS = ("trial", "pro", "free")
COUNTRIES = ("ES", "NO", "MX")
SPANS = ("1 hour", "2 hours", "3 hours", "6 hours", "1 day", "2 days")
STATIC = ("newbies", "vips")
TOPICS = ("news", "offers")
TEMPLATES = {"hello": "news", "offer": "offers", "receipt": "transactional"}
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Features:
    """What the cases may contain; switch parts off to look at the others alone."""

    anonymous: bool = True
    late: bool = True
    duplicates: bool = True
    mail: bool = True
    schedules: bool = True
    state_rules: bool = True
    scenarios: bool = True
    contacts: int = 4
    calls: int = 30
    quiet: bool = True
    until: bool = False  # waits until a time of day, which the product does not know yet


class Choices:
    """Where every choice comes from: Hypothesis, which shrinks, or a seeded generator."""

    def __init__(self, integer: Any) -> None:
        """`integer(n)` gives one of 0 … n - 1, small ones being the simple ones."""
        self.integer = integer

    def one(self, options: Sequence[Any]) -> Any:
        """One of the options, the first the simplest."""
        return options[self.integer(len(options))]

    def chance(self, of: int = 2) -> bool:
        """True once in so many times."""
        return bool(self.integer(of) == of - 1)

    def some(self, most: int, least: int = 0) -> range:
        """A range of least … most items."""
        return range(least + self.integer(most - least + 1))


@dataclass
class Words:
    """What the definitions made so far may name: scores and dynamic lists."""

    scores: list[str]
    lists: list[str]


class Writer:
    """Writes one case out of choices."""

    def __init__(self, choices: Choices, features: Features) -> None:
        """Choose the grid; everything else hangs on it."""
        self.pick, self.features = choices, features
        self.every = choices.one(("1 hour", "1 hour", "1 day", "30 minutes", "6 hours"))
        days = {"1 hour": 2, "30 minutes": 1, "6 hours": 5, "1 day": 8}[self.every]
        first = choices.one((datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 28, tzinfo=UTC)))
        self.first, self.last = first, first + timedelta(days=days)
        self.words = Words([], [])
        self.carried = self.entangled = False

    def case(self) -> Case:
        """A whole case."""
        documents: list[Document] = [self.policy()]
        documents += [{"list": name} for name in STATIC]
        for number in range(2):
            documents.append(self.score(f"score-{number}"))
            documents += [self.dynamic(f"list-{number}-{i}") for i in self.pick.some(2, 1)]
        if self.features.scenarios:
            documents += [self.scenario(f"flow-{i}") for i in self.pick.some(5, 1)]
        text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
        emails = [f"{name}@example.com" for name in "abcdefghijklmnop"[: self.features.contacts]]
        calls = self.calls(emails)
        templates = {
            name: f"---\nsubject: {name}\ntopic: {topic}\n---\n<p>Hello</p>\n"
            for name, topic in TEMPLATES.items()
        }
        return Case(
            {"project.yaml": text},
            [self.row(email, calls) for email in emails if not self.pick.chance(4)],
            calls,
            rfc3339(self.first) or "",
            rfc3339(self.last) or "",
            self.every,
            templates if self.features.mail else {},
            self.features.quiet,
        )

    # People and calls

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
        return {
            "email": email,
            "created_at": rfc3339(created) or "",
            "consent": self.pick.one(("yes", "", "no", "news", "news;offers")),
            "plan": self.pick.one(("", *PLANS)),
            "country": self.pick.one(COUNTRIES),
            "seats": self.pick.one(("", "17", "25", "08001")),
            "renewal_on": self.pick.one(("", "2026-03-03", "2026-03-29")),
            "timezone": self.pick.one(("", "Europe/Madrid", "America/Mexico_City")),
        }

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
        """Each call with the first moment of its person that was heard of at once."""
        heard: dict[str, datetime] = {}
        for call in made:
            person = str(call.get("userId") or call["anonymousId"]).removeprefix("v-")
            own = moment(call["timestamp"])
            assert own
            if "receivedAt" not in call:
                heard[person] = min(own, heard.get(person, own))
        ends = self.last + timedelta(days=9)
        return [
            (one, heard.get(str(one.get("userId") or one["anonymousId"]).removeprefix("v-"), ends))
            for one in made
        ]

    def on_time_at_first(self, call_and_beginning: tuple[Document, datetime]) -> Document:
        """No late news from before a contact's beginning (choice 50): it comes at once instead."""
        call, beginning = call_and_beginning
        own = moment(call["timestamp"])
        assert own
        if own <= beginning:
            call.pop("receivedAt", None)
        return call

    def call(self, message_id: str, email: str) -> Document:
        """One call of one person, known or still anonymous, perhaps late or from a fast clock."""
        slots = int((self.last - self.first + timedelta(days=1)) / QUARTER)
        happened = self.first - timedelta(days=1) + self.pick.integer(slots) * QUARTER
        if self.pick.chance(3):
            happened = happened.replace(minute=0)
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
        if self.features.anonymous and self.pick.chance(6):
            call["anonymousId"] = "v-" + email
            if call["type"] != "identify":
                del call["userId"]
        return call

    def fill(self, call: Document) -> None:
        """What the call says."""
        what = self.pick.integer(10)
        if what < 4:
            call["event"] = self.pick.one(EVENTS)
            call["properties"] = {
                "total": self.pick.one((10, 50, 99.5)),
                "plan": self.pick.one(PLANS),
            }
        elif what < 6:
            call["type"] = "page"
            call["properties"] = {"path": self.pick.one(PATHS)}
        elif what < 7 and self.features.mail:
            call["event"] = self.pick.one(("Email Opened", "Email Link Clicked"))
            call["properties"] = {"template": self.pick.one(tuple(TEMPLATES))}
            if self.pick.chance(4):
                call["properties"]["machine"] = True
        elif what < 8 and self.features.mail:
            call["event"] = self.pick.one(("Unsubscribed", "Subscribed"))
            call["properties"] = {"topic": self.pick.one(TOPICS)}
        else:
            call["type"] = "identify"
            call["traits"] = {"plan": self.pick.one(PLANS)}
            if self.pick.chance(3):
                call["traits"]["visits"] = self.pick.one((1, 5, 20))

    # Definitions

    def policy(self) -> Document:
        """The policy."""
        return {
            "policy": "default",
            "timezone": self.pick.one(("UTC", "Europe/Madrid")),
            "sender": {"name": "Acme", "address": "hello@acme.example"},
            "topics": list(TOPICS),
            "consent": self.pick.one(("required", "implied")),
        }

    def score(self, name: str) -> Document:
        """A score whose rules read only what was made before it."""
        rules = [self.rule(f"rule-{i}") for i in self.pick.some(4, 1)]
        document: Document = {"score": name, "rules": rules, "bands": {"hot": 20, "warm": 10}}
        if self.pick.chance(3):
            document["range"] = {"min": -10, "max": 25}
        if self.pick.chance(4):
            document["cap"] = {"points": 25, "per": self.pick.one(SPANS)}
        self.words.scores.append(name)
        return document

    def rule(self, name: str) -> Document:
        """One rule, `on` or `when`."""
        rule: Document = {"name": name, "points": self.pick.one((10, 5, -5, 2.5, 20))}
        if self.pick.chance(4):
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
        if self.features.state_rules and self.pick.chance(6):
            return self.state_trigger()
        if self.pick.chance(6):
            return [self.log_trigger(), self.log_trigger()]
        return self.log_trigger()

    def counting(self, options: Document, trigger: bool) -> Document:
        """`times`, `within` and `where` beside the name."""
        if self.pick.chance():
            options["times"] = self.pick.one(
                (2, 3) if trigger else (2, {"at_most": 0}, {"below": 3})
            )
        if self.pick.chance():
            options["within"] = self.pick.one(SPANS)
        return options

    def event(self, trigger: bool) -> Document:
        """An event, page or mail event, counted or plain."""
        kind = self.pick.integer(6)
        if kind == 4:
            return {"page_visited": self.counting({"path": self.pick.one(PATTERNS)}, trigger)}
        if kind == 5 and self.features.mail:
            key = self.pick.one(("email_opened", "email_clicked", "email_sent"))
            narrow = self.pick.one(
                ({"template": "hello"}, {"topic": "offers"}, {"template": "any"})
            )
            return {key: self.counting(dict(narrow), trigger)}
        options: Document = {"name": self.pick.one((*EVENTS, list(EVENTS[:2])))}
        if self.pick.chance(3):
            options["where"] = self.pick.one(
                ({"total": {"at_least": 50}}, {"plan": "PRO"}, {"plan": {"not_in": ["free"]}})
            )
        return {"event": self.counting(options, trigger)}

    def log_trigger(self) -> Document:
        """A trigger over events or deadlines."""
        kind = self.pick.integer(9)
        if kind == 5:
            return {
                "no_event": {
                    "name": self.pick.one(EVENTS),
                    "after": {"event": self.pick.one(EVENTS)},
                    "within": self.pick.one(SPANS),
                }
            }
        if kind == 6:
            return {"inactive": self.pick.one(SPANS)}
        if kind == 7 and self.features.mail:
            template = self.pick.one(("any", "hello"))
            return {"email_not_opened": {"template": template, "within": self.pick.one(SPANS)}}
        return self.event(True)

    def state_trigger(self) -> Document:
        """A trigger over the state: a score, a list, an attribute, creation."""
        kind = self.pick.integer(7)
        if kind < 3 and self.words.scores:
            bound = self.pick.one(({"reaches": 10}, {"reaches": "hot"}, {"falls_to": 0}))
            return {"score": {self.pick.one(self.words.scores): dict(bound)}}
        if kind == 3:
            return {"list_joined": self.pick.one((*self.words.lists, *STATIC))}
        if kind == 4:
            return {"list_left": self.pick.one((*self.words.lists, *STATIC))}
        if kind == 5:
            return {"attribute": {"visits": {"to": 5}}}
        change = self.pick.one(({"to": "pro"}, {"from": "trial"}, {"from": "free", "to": "pro"}))
        return {"attribute": {"plan": dict(change)}}

    def condition(self, depth: int) -> Document:
        """A condition that reads only what was made before."""
        kind = self.pick.integer(10)
        if depth and kind == 0:
            return {"not": self.condition(depth - 1)}
        if depth and kind == 1:
            return {
                self.pick.one(("any", "all")): [
                    self.condition(depth - 1),
                    self.condition(depth - 1),
                ]
            }
        if kind < 5 and self.words.scores:
            bound = self.pick.one(
                ({"at_least": 10}, {"below": 20}, {"above": 0}, {"at_most": "warm"})
            )
            return {"score": {self.pick.one(self.words.scores): dict(bound)}}
        if kind == 5:
            return {"in_list": self.pick.one((*STATIC, *self.words.lists))}
        if kind == 6:
            return {"inactive": self.pick.one(SPANS)}
        if kind == 7:
            return {"consent": self.pick.one(("email", "news"))}
        if kind == 8:
            return self.event(False)
        if kind == 9 and self.features.mail and self.pick.chance():
            return {"email_not_opened": {"template": "hello", "within": self.pick.one(SPANS)}}
        return {"attribute": dict(self.pick.one(ATTRIBUTES))}

    def dynamic(self, name: str) -> Document:
        """A dynamic list."""
        document = {"list": name, "members": [self.condition(2) for _ in self.pick.some(2, 1)]}
        self.words.lists.append(name)
        return document

    def scenario(self, name: str) -> Document:
        """A scenario; its steps feed the triggers of the others."""
        document: Document = {"scenario": name}
        kind = self.pick.integer(8)
        document["trigger"] = self.state_trigger() if kind < 3 else self.log_trigger()
        if kind == 6:
            document["trigger"] = [self.state_trigger(), self.event(True)]
        if kind == 7 and self.features.schedules:
            document["trigger"] = self.schedule()
        if kind == 0 and self.pick.chance(3):
            document["trigger"] = "contact_created"
        state = isinstance(document["trigger"], dict) and bool(
            {"score", "list_joined"} & set(document["trigger"])
        )
        if state and self.pick.chance(3):
            document["enroll_existing"] = True
        if self.pick.chance(3):
            document["conditions"] = [self.condition(1)]
        document["reenroll"] = self.pick.one(
            ("every_time", "when_finished", "never", {"after": "2 hours"}, {"after": "1 day"})
        )
        if self.pick.chance(4):
            document["priority"] = self.pick.one((5, -1))
        if self.pick.chance(12):
            document["enabled"] = False
        trigger = document["trigger"]
        self.carried = isinstance(trigger, dict) and "event" in trigger
        document["actions"] = self.steps(2)
        if document["reenroll"] == "every_time" and steps_feed(trigger):
            document["reenroll"] = "when_finished"
        if kind == 1 and not self.entangled and self.pick.chance(3):
            self.entangle(document)
        return document

    def entangle(self, document: Document) -> None:
        """Make one scenario feed itself, so that the bound on rounds is met (ruling 20)."""
        name = self.pick.one(STATIC)
        document |= {"trigger": {"list_joined": name}, "reenroll": "every_time"}
        document["actions"] = [{"remove_from_list": name}, {"add_to_list": name}, self.points()]
        self.carried, self.entangled = False, True

    def schedule(self) -> Document:
        """A schedule in some zone."""
        plan = self.pick.one(
            ({"cron": "0 9 * * *"}, {"cron": "30 2 * * *"}, {"cron": "0 */6 * * *"}, {"at": None})
        )
        if "at" in plan:
            plan = {"at": self.pick.one(("2026-03-02 10:00", "2026-03-29 02:30"))}
        return {
            "schedule": {**plan, "timezone": self.pick.one(("UTC", "contact", "Europe/Madrid"))}
        }

    def steps(self, depth: int) -> list[Document]:
        """A few steps."""
        return [self.step(depth) for _ in self.pick.some(4, 1)]

    def step(self, depth: int) -> Document:
        """One step, deep ones without branches and without mail where there is none."""
        kinds = [self.points, self.points, self.lists, self.lists, self.attribute, self.pause]
        kinds += [self.rare]
        if self.features.mail:
            kinds += [self.sending, self.sending]
        if depth:
            kinds += [lambda: self.branch(depth - 1)]
        step: Document = self.pick.one(kinds)()
        return step

    def points(self) -> Document:
        """Points from the scenario."""
        key = self.pick.one(("add_points", "add_points", "subtract_points"))
        score = self.pick.one(self.words.scores)
        return {key: {"score": score, "points": self.pick.one((5, 10, 20))}}

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
        found = "{{ event.plan | default('free') }}" if self.carried else "{{ contact.country }}"
        return {"set_attribute": {"plan": self.pick.one((*PLANS, found))}}

    def pause(self) -> Document:
        """A wait for a span, or until a time of day."""
        if self.features.until and self.pick.chance(3):
            days = self.pick.one(({}, {"days": ["mon", "sun"]}, {"timezone": "contact"}))
            return {"wait": {"until": self.pick.one(("09:00", "02:30")), **days}}
        return {"wait": self.pick.one((*SPANS, "30 minutes"))}

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
        template = self.pick.one(tuple(TEMPLATES))
        limits = self.pick.one(
            ({}, {"once_per": "1 day"}, {"unless_late_by": "30 minutes"}, {"once_per": "2 hours"})
        )
        return {"template": template, **limits} if limits else template


ATTRIBUTES: tuple[Document, ...] = (
    {"plan": "pro"},
    {"plan": {"is_not": "Trial"}},
    {"plan": {"in": ["trial", "free"]}},
    {"country": "no"},
    {"country": {"matches": "^(e|m)"}},
    {"seats": {"at_least": 18}},
    {"seats": {"exists": True}},
    {"seats": {"starts_with": "0"}},
    {"visits": {"above": 1, "below": 20}},
    {"renewal_on": {"within": "2 days"}},
    {"renewal_on": {"ahead": "1 day"}},
    {"renewal_on": {"before": "2026-03-29"}},
    {"created_at": {"older_than": "1 day"}},
    {"created_at": {"within": "2 days"}},
    {"email": {"contains": "A@"}},
)


def steps_feed(trigger: Any) -> bool:
    """Whether one step can fire the trigger many times in a round: entries would double."""
    triggers = trigger if isinstance(trigger, list) else [trigger]
    kinds = {kind for one in triggers if isinstance(one, dict) for kind in one}
    return bool(kinds & {"list_joined", "list_left", "attribute"})


def receipt(call: Document) -> datetime:
    """When the call is received, as live."""
    found = moment(call.get("receivedAt")) or moment(call["timestamp"])
    assert found
    return found


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
