"""Draws conditions and triggers that are valid where they stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .features import (
    EVENTS,
    PATTERNS,
    SPANS,
    STATIC,
    TOPICS,
    ZONES,
    Choices,
    Document,
    Features,
    Words,
)

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
COMPANIES: tuple[Document, ...] = (
    {"industry": "Software"},
    {"employees": {"at_least": 50}},
    {"industry": {"is_not": "retail"}},
    {"employees": {"exists": False}},
)
THIS_EVENT: tuple[Document, ...] = (
    {"total": {"at_least": 50}},
    {"plan": ["pro", "free"]},
    {"cart_id": {"exists": True}},
    {"template": "hello"},
    {"path": "/pricing"},
    {"topic": {"exists": True}},
    {"list": {"starts_with": "v"}},
    {"to": "pro"},
)
OFFSETS = ("-1 day", "1 day", "-2 hours", "90 minutes", "1 week")


class Phrases:
    """Draws what stands under conditions and triggers."""

    def __init__(self, pick: Choices, features: Features, first: datetime) -> None:
        """Nothing is defined yet, and no scenario is being written."""
        self.pick, self.features, self.first = pick, features, first
        self.words = Words()
        self.inside = self.carried = False

    # Events

    def counting(self, options: Document, trigger: bool) -> Document:
        """`times`, `within` and `where` beside the name."""
        if self.pick.chance():
            options["times"] = self.pick.one(
                (2, 3) if trigger else (2, {"at_most": 0}, {"below": 3})
            )
        if self.pick.chance():
            options["within"] = self.pick.one(SPANS)
        if not trigger:
            self.windowed(options)
        return options

    def windowed(self, options: Document) -> None:
        """Windows that end in the past, or begin with the entry; agreement with what enrolled."""
        if self.features.windows and self.pick.chance(4):
            options["older_than"] = self.pick.one(SPANS[:3])
        elif self.features.windows and self.inside and self.pick.chance(3):
            options.pop("within", None)
            options["since"] = "entered"

    def summed(self, options: Document, trigger: bool) -> None:
        """`sum` beside or instead of `times`, and `same`."""
        if self.features.sums and self.pick.chance(4):
            bounds = ({"at_least": 100}, {"above": 60})
            name = "items.price" if self.features.dotted and self.pick.chance(3) else "total"
            more = () if trigger else ({"below": 60}, {"at_least": 10, "at_most": 99.5})
            options["sum"] = {name: dict(self.pick.one((*bounds, *more)))}
        if self.features.same and self.pick.chance(3):
            counted = "sum" in options or "times" in options
            if counted if trigger and not self.inside else self.carried:
                options["same"] = self.pick.one(("cart_id", ["cart_id", "plan"], ["plan"]))

    def event(self, trigger: bool) -> Document:
        """An event, page or mail event, counted or plain."""
        kind = self.pick.integer(6)
        if kind == 4:
            return {"page_visited": self.counting({"path": self.pick.one(PATTERNS)}, trigger)}
        if kind == 5 and self.features.mail:
            return self.mail_event(trigger)
        options: Document = {"name": self.pick.one((*EVENTS, list(EVENTS[:2])))}
        if self.pick.chance(3):
            options["where"] = self.where()
        self.counting(options, trigger)
        self.summed(options, trigger)
        return {"event": options}

    def where(self) -> Document:
        """Tests of properties."""
        options = [{"total": {"at_least": 50}}, {"plan": "PRO"}, {"plan": {"not_in": ["free"]}}]
        if self.features.dotted:
            options += [
                {"items.sku": "b"},
                {"items.price": {"above": 50}},
                {"shop.city": {"in": ["oslo"]}},
            ]
        return dict(self.pick.one(options))

    def mail_event(self, trigger: bool) -> Document:
        """A mail event, narrowed by template, topic or link."""
        keys = ["email_opened", "email_clicked", "email_sent"]
        narrow: list[Document] = [{"template": "hello"}, {"topic": "offers"}, {"template": "any"}]
        if self.features.mail_words:
            keys += ["email_replied", "email_bounced", "email_clicked"]
            narrow += [{"topic": ["transactional", "news"]}, {"template": ["hello", "offer"]}]
        key = self.pick.one(keys)
        options = dict(self.pick.one(narrow))
        if self.features.mail_words and key == "email_clicked" and self.pick.chance():
            links = ("*/offer", "https://acme.example/news", "*utm=1*", "*/offer?utm=*")
            options = {"link": self.pick.one(links)}
        if self.features.mail_words and key in ("email_opened", "email_clicked"):
            options |= {"machine": True} if self.pick.chance(3) else {}
        return {key: self.counting(options, trigger)}

    # Triggers

    def log_trigger(self) -> Document:
        """A trigger over events, deadlines or dates."""
        kind = self.pick.integer(9)
        if kind == 5:
            return {"no_event": self.absence()}
        if kind == 6:
            return {"inactive": self.pick.one(SPANS)}
        if kind == 7 and self.features.mail:
            return self.left_alone(self.pick.one(("any", "hello")))
        if kind == 8 and self.features.dates and self.pick.chance():
            return {"date": self.date()}
        return self.event(True)

    def left_alone(self, template: str) -> Document:
        """A mail that nobody opened, or clicked."""
        word = "email_not_opened"
        if self.features.mail_words:
            word = self.pick.one((word, "email_not_clicked"))
        return {word: {"template": template, "within": self.pick.one(SPANS)}}

    def absence(self) -> Document:
        """What a `no_event` waits for."""
        found: Document = {
            "name": self.pick.one(EVENTS),
            "after": {"event": self.pick.one(EVENTS)},
            "within": self.pick.one(SPANS),
        }
        if self.features.same:
            if self.pick.chance(3):
                found["name"] = list(EVENTS[:2])
            if self.pick.chance(3):
                found["same"] = self.pick.one(("cart_id", ["plan"]))
            if self.pick.chance(4):
                found["where"] = self.where()
        return found

    def date(self, inside: bool = False) -> Document:
        """Around a date of the contact's, or in `wait_for` of the event's."""
        found: Document = {"attribute": self.pick.one(("renewal_on", "renewal_on", "created_at"))}
        if inside and self.carried and self.pick.chance():
            found = {"property": "starts_at"}
        if self.pick.chance():
            found["offset"] = self.pick.one(OFFSETS)
        if (
            not str(found.get("offset", "day")).endswith(("hours", "minutes"))
            and self.pick.chance()
        ):
            found["at"] = self.pick.one(("10:00", "00:00", "02:30"))
        if self.pick.chance():
            found["timezone"] = self.pick.one((*ZONES, "contact"))
        if self.pick.chance(3):
            found["every"] = "year"
        return found

    def state_trigger(self) -> Document:
        """A trigger over the state: a score, a list, an attribute, consent, creation."""
        if (self.words.grades or self.words.stages) and self.pick.chance(3):
            return self.climb()
        kind = self.pick.integer(8)
        if kind < 3 and self.words.scores:
            bounds: list[Document] = [{"reaches": 10}, {"reaches": "hot"}, {"falls_to": 0}]
            return {"score": {self.pick.one(self.words.scores): dict(self.pick.one(bounds))}}
        if kind == 3:
            return {"list_joined": self.pick.one((*self.words.lists, *STATIC))}
        if kind == 4:
            return {"list_left": self.pick.one((*self.words.lists, *STATIC))}
        if kind == 5:
            return {"attribute": {"visits": {"to": 5}}}
        if kind == 7 and self.features.consents:
            word = self.pick.one(("subscribed", "unsubscribed"))
            names = (*TOPICS, "email", list(TOPICS)) + (("all",) if word[0] == "u" else ())
            return {word: self.pick.one(names)}
        change = self.pick.one(({"to": "pro"}, {"from": "trial"}, {"from": "free", "to": "pro"}))
        return {"attribute": {"plan": dict(change)}}

    def gain(self) -> Document:
        """So many points in a short time."""
        within, points = self.pick.one(SPANS), self.pick.one((10, 15, 30))
        return {"score": {self.pick.one(self.words.scores): {"gains": points, "within": within}}}

    def awaited(self) -> Document:
        """What a goal or a `wait_for` waits for: often what calls and steps are full of."""
        kind = self.pick.integer(14)
        if kind < 5:
            return {"event": self.pick.one((list(EVENTS), list(EVENTS[:2]), EVENTS[0]))}
        if kind < 7:
            return {"page_visited": "*"}
        if kind < 9:
            return self.likely_change()
        if kind == 9 and self.features.mail:
            return self.mail_event(True)
        if kind == 10 and self.features.gains:
            return self.gain()
        if kind == 11:
            return self.state_trigger()
        return self.event(True) if kind == 12 else self.log_trigger()

    def likely_change(self) -> Document:
        """A change that steps make."""
        options: list[Document] = [
            {"list_joined": list(STATIC)},
            {"list_left": list(STATIC)},
            {"attribute": {"plan": {}}},
        ]
        if self.words.grades or self.words.stages:
            options += [self.climb()]
        if self.features.consents:
            options += [{"subscribed": list(TOPICS)}, {"unsubscribed": ["email", *TOPICS]}]
        return dict(self.pick.one(options))

    def schedule(self) -> Document:
        """A schedule in some zone."""
        plan: Document = self.pick.one(
            ({"cron": "0 9 * * *"}, {"cron": "30 2 * * *"}, {"cron": "0 */6 * * *"}, {"at": None})
        )
        if "at" in plan:
            plan = {"at": self.pick.one(("2026-03-02 10:00", "2026-03-29 02:30"))}
        return {
            "schedule": {**plan, "timezone": self.pick.one(("UTC", "contact", "Europe/Madrid"))}
        }

    # Conditions

    def condition(self, depth: int) -> Document:
        """A condition that reads only what was made before."""
        if (self.words.grades or self.words.stages) and self.pick.chance(4):
            return self.standing()
        kind = self.pick.integer(11)
        if depth and kind < 2:
            both = [self.condition(depth - 1), self.condition(depth - 1)]
            return {"not": both[0]} if kind else {self.pick.one(("any", "all")): both}
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
            return self.left_alone("hello")
        if kind == 10:
            return self.rarer()
        return {"attribute": dict(self.pick.one(ATTRIBUTES))}

    def standing(self) -> Document:
        """Where the contact stands in a grade or in the lifecycle."""
        if self.words.stages and (not self.words.grades or self.pick.chance()):
            stages = self.words.stages
            name = self.pick.one(stages[1:])
            return {"stage": self.pick.one((name, {"at_least": name}, stages[:2]))}
        return self.in_cells()

    def in_cells(self) -> Document:
        """A few cells of a grade."""
        return {"grade": self.of_grade(lambda some: some)}

    def climb(self) -> Document:
        """Entering cells or stages."""
        if self.words.stages and (not self.words.grades or self.pick.chance()):
            stages = self.words.stages
            return {"stage": {"enters": self.pick.one((*stages[1:], stages[:2], stages[0]))}}
        return {"grade": self.of_grade(lambda some: {"enters": some})}

    def of_grade(self, wrap: Callable[[Any], Any]) -> Any:
        """Some cells, below the grade's name where there are several."""
        name = self.pick.one(tuple(self.words.grades))
        cells = self.words.grades[name]
        most = self.pick.some(5, 1)
        some = wrap(self.pick.one((cells[: len(most)], cells[::3], cells[1], cells[-3:])))
        return some if len(self.words.grades) == 1 else {name: some}

    def rarer(self) -> Document:
        """One of the younger conditions, as far as they may stand here."""
        options: list[Any] = []
        if self.features.company:
            options += [{"company": one} for one in COMPANIES]
        if self.features.random:
            options += [{"random": share} for share in ("50%", "12.5%")]
        if self.features.this_event and self.inside and self.carried:
            options += [{"this_event": one} for one in THIS_EVENT]
        return dict(self.pick.one(options or [{"attribute": {"plan": "pro"}}]))
