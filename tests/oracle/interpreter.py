"""Runs the ticks of a grid over a project, slowly and from the rulings alone (LANGUAGE 9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from graphlib import TopologicalSorter
from typing import Any

from .conditions import FILTERS, holds
from .model import Project, Rule, Scenario, crossing, read_project
from .people import People
from .steps import Walker
from .triggers import noticed, outside
from .values import Plain, as_list, duration
from .world import (
    Change,
    Contact,
    Enrollment,
    Event,
    Line,
    Membership,
    Message,
    Occurrence,
    World,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROUNDS = 20
CROWD = 20_000
"""So many enrollments are no case to compare: entries double with every round."""
STATES = ("score", "list_joined", "list_left")
Award = tuple[Rule, Contact, Occurrence]


class Interpreter:
    """One project, its contacts and calls, walked tick by tick."""

    def __init__(
        self, project: Project, rows: list[dict[str, str]], raws: list[dict[str, Any]], quiet: bool
    ) -> None:
        """Take the project live and put everything into the inbox; no tick has run."""
        self.world = World(project)
        self.people = People(self.world, [dict(row) for row in rows], quiet)
        self.people.receive(raws)
        self.walker = Walker(self.world)
        self.rules = [rule for score in project.scores.values() for rule in score.rules]
        self.scenarios = sorted(project.scenarios.values(), key=self.turn)
        self.dynamic = [name for name in in_order(project.lists, "in_list") if project.lists[name]]
        self.scored = in_order({s.name: [r.when for r in s.rules] for s in project.scores.values()})
        self.watermark: datetime | None = None
        self.awaiting: list[Award] = []
        self.looped: set[str] = set()

    def turn(self, scenario: Scenario) -> tuple[int, int, Decimal, str]:
        """The order in which scenarios act (rulings 16 and 91)."""
        bounds: dict[str, list[Decimal]] = defaultdict(list)
        for trigger in scenario.triggers:
            if trigger.kind == "score":
                _, direction, bound = crossing(self.world.project, trigger)
                bounds[direction].append(bound)
        if bounds["reaches"]:
            return (-scenario.priority, 1, min(bounds["reaches"]), scenario.name)
        if bounds["falls_to"]:
            return (-scenario.priority, 2, -max(bounds["falls_to"]), scenario.name)
        return (-scenario.priority, 0, Decimal(0), scenario.name)

    def run(self, since: datetime, until: datetime, every: timedelta) -> None:
        """Every tick of the grid in [since, until], each followed by its delivery (ruling 2)."""
        tick = EPOCH + -(-(since - EPOCH) // every) * every
        while tick <= until:
            self.tick(tick, self.watermark or tick - every)
            self.deliver()
            self.watermark = tick
            tick += every

    def tick(self, now: datetime, before: datetime) -> None:
        """One tick: rounds until nothing new happens (rulings 13, 14 and 20)."""
        self.world.now = now
        arrived: list[Change] = []
        self.people.take_in(arrived)
        self.awaiting = self.outer_awards(arrived, before)
        changes = arrived
        entered_late: set[str] = set()
        for number in range(1, ROUNDS + 2):
            self.walker.moved, self.walker.round = False, number
            moved = self.award(changes if number > 1 else [])
            seen = self.refresh(number) + self.look(number)
            changes += seen
            entered = self.enroll(number, changes, before, entered_late)
            if number == 1:
                self.announce()
            if number > 10:
                entered_late |= entered
            self.awaiting = self.state_awards(changes)
            moved = moved or bool(seen) or bool(entered) or bool(self.awaiting)
            if number > ROUNDS:
                self.awaiting = []
                return
            changes = self.walk(number)
            if not (moved or self.walker.moved):
                return

    def announce(self) -> None:
        """Who was created is so once, when first known by an address."""
        for contact in self.world.contacts:
            contact.announced = contact.announced or contact.email is not None

    # Phase 1

    def outer_awards(self, arrived: list[Change], before: datetime) -> list[Award]:
        """What events, deadlines and arrived attributes bring to rules, in round 1."""
        found: list[Award] = []
        for rule in self.rules:
            owner = f"rule {rule.score} {rule.name}"
            for position, trigger in enumerate(rule.triggers):
                if trigger.kind == "schedule":
                    raise NotImplementedError("schedule in a rule")
                for contact in self.world.contacts:
                    for one in outside(self.world, owner, position, trigger, contact, before):
                        found.append((rule, contact, one))
        return found + self.attribute_awards(arrived)

    def attribute_awards(self, changes: list[Change]) -> list[Award]:
        """What changed attributes bring to rules."""
        return [
            (rule, contact, one)
            for rule in self.rules
            for position, trigger in enumerate(rule.triggers)
            if trigger.kind == "attribute"
            for contact, one in noticed(self.world, position, trigger, changes)
        ]

    def state_awards(self, changes: list[Change]) -> list[Award]:
        """What phase 3 notices for rules, to be awarded in the next round (ruling 58)."""
        return [
            (rule, contact, one)
            for rule in self.rules
            for position, trigger in enumerate(rule.triggers)
            if trigger.kind in STATES
            for contact, one in noticed(self.world, position, trigger, changes)
        ]

    def award(self, changes: list[Change]) -> bool:
        """Phase 1: lines of `on` rules, then of `when` (rulings 52, 55 and 115)."""
        awards = self.awaiting + self.attribute_awards(changes)
        lines = 0
        allowed: list[Award] = []
        for rule, contact, one in awards:
            key = (f"{rule.score}/{rule.name}", one.key)
            if key not in contact.used:
                contact.used.add(key)
                if holds(self.world, contact, rule.conditions):
                    allowed.append((rule, contact, one))
        for rule, contact, one in sorted(allowed, key=lambda a: (a[2].at, a[0].position, a[2].key)):
            points = self.left_over(rule, contact, one.at)
            if points:
                contact.lines.append(Line(rule.score, one.at, points, "rule", rule.name))
                lines += 1
        for score in self.scored:
            for rule in self.world.project.scores[score].rules:
                if rule.when is not None:
                    lines += sum(self.stand(rule, contact) for contact in self.world.contacts)
        return lines > 0

    def stand(self, rule: Rule, contact: Contact) -> bool:
        """The points of a `when` stand while it is true (ruling 52)."""
        place = (rule.score, rule.name)
        true = holds(self.world, contact, rule.when)
        if true == (place in contact.standing):
            return False
        points = rule.points if true else -rule.points
        contact.standing ^= {place}
        contact.lines.append(Line(rule.score, self.world.now, points, "rule", rule.name))
        return True

    def left_over(self, rule: Rule, contact: Contact, at: datetime) -> Decimal:
        """The award after the rule's cap and the score's (ruling 55)."""
        on_rules = {r.name for r in self.world.project.scores[rule.score].rules if r.triggers}
        of_score = [ln for ln in contact.lines if ln.score == rule.score and ln.kind == "rule"]
        size = abs(rule.points)
        if rule.cap:
            own = [ln for ln in of_score if ln.rule == rule.name]
            size = capped(rule.cap, own, size, at)
        score_cap = self.world.project.scores[rule.score].cap
        if score_cap and rule.points > 0:
            won = [ln for ln in of_score if ln.points > 0 and ln.rule in on_rules]
            size = capped(score_cap, won, size, at)
        return size if rule.points > 0 else -size

    # Phase 2

    def refresh(self, number: int) -> list[Change]:
        """Phase 2: dynamic lists, in dependency order; the difference between two looks."""
        changes: list[Change] = []
        now = self.world.now
        for name in self.dynamic:
            for contact in self.world.contacts:
                inside = holds(self.world, contact, self.world.project.lists[name])
                was = contact.member(name)
                if inside and not was:
                    contact.memberships.append(Membership(name, now))
                elif was and not inside:
                    for stay in contact.memberships:
                        if stay.name == name and stay.left_at is None:
                            stay.left_at = now
                if inside != (name in contact.seen_lists):
                    contact.seen_lists ^= {name}
                    kind = "list_joined" if inside else "list_left"
                    key = f"{kind}:{name}:{now}:{number}"
                    changes.append(Change(kind, contact, now, name, None, None, key))
        return changes

    # Phase 3

    def look(self, number: int) -> list[Change]:
        """Balances that differ from those at phase 3 of the round before (ruling 15)."""
        changes: list[Change] = []
        now = self.world.now
        for score in self.world.project.scores:
            for contact in self.world.contacts:
                old = contact.seen_balances.get(score, Decimal(0))
                new = self.world.balance(contact, score)
                if old != new:
                    contact.seen_balances[score] = new
                    key = f"score:{score}:{now}:{number}"
                    changes.append(Change("score", contact, now, score, old, new, key))
        return changes

    def enroll(
        self, number: int, changes: list[Change], before: datetime, entered_late: set[str]
    ) -> set[str]:
        """Phase 3: judge the occurrences of each scenario; gives the names of those entered."""
        names: set[str] = set()
        for scenario in self.scenarios:
            found: dict[int, list[Occurrence]] = defaultdict(list)
            for position, trigger in enumerate(scenario.triggers):
                if number == 1:
                    for contact in self.world.contacts:
                        owner = f"scenario {scenario.name}"
                        found[contact.number] += outside(
                            self.world, owner, position, trigger, contact, before
                        )
                for contact, one in noticed_by(self.world, position, trigger, changes):
                    found[contact.number].append(one)
            refused = number > ROUNDS and scenario.name in entered_late
            for contact in self.world.contacts:
                ones = found[contact.number]
                if not ones and number == 1 and self.watermark is None:
                    ones = self.existing(scenario, contact)
                for one in sorted(ones, key=lambda o: (o.at, o.position, o.key)):
                    if self.judge(scenario, contact, one, refused):
                        names.add(scenario.name)
        return names

    def existing(self, scenario: Scenario, contact: Contact) -> list[Occurrence]:
        """The state holds already in the first live tick (rulings 45 and 107)."""
        if not scenario.enroll_existing:
            return []
        if any(state_holds(self.world, contact, trigger) for trigger in scenario.triggers):
            return [Occurrence(self.world.now, 0, "existing")]
        return []

    def judge(self, scenario: Scenario, contact: Contact, one: Occurrence, looping: bool) -> bool:
        """The gates: enabled, reenroll, conditions (rulings 19b, 33 and 35)."""
        key = (f"scenario {scenario.name}", one.key)
        if key in contact.used:
            return False
        contact.used.add(key)
        if not scenario.enabled or contact.email is None:
            return False
        passing = holds(self.world, contact, scenario.conditions)
        if one.silent and not passing:
            return False
        reason = self.refusal(scenario, contact) or (None if passing else "conditions")
        if looping and reason is None:
            reason = "loop"
            self.looped.add(scenario.name)
        if reason:
            self.world.decisions.append((contact, scenario.name, self.world.now, reason))
            return False
        if len(self.world.enrollments) >= CROWD:
            raise OverflowError(scenario.name)
        frames: list[tuple[list[Plain], int, str]] = [(list(scenario.actions), 0, "actions")]
        self.world.enrollments.append(
            Enrollment(contact, scenario.name, self.world.now, one.key, one.event, frames)
        )
        return True

    def refusal(self, scenario: Scenario, contact: Contact) -> str | None:
        """Whether `reenroll` refuses (rulings 35 and 36)."""
        mine = [
            e
            for e in self.world.enrollments
            if e.contact is contact and e.scenario == scenario.name
        ]
        inside = any(e.ended_at is None for e in mine)
        if not mine or scenario.reenroll == "every_time":
            return None
        if scenario.reenroll == "never" or inside:
            return "reenroll"
        if isinstance(scenario.reenroll, timedelta):
            last = max(e.entered_at for e in mine)
            return "reenroll" if self.world.now - last < scenario.reenroll else None
        return None

    # Phase 4

    def walk(self, number: int) -> list[Change]:
        """Phase 4: due steps, scenario by scenario, the oldest enrollment first (17 and 130)."""
        self.walker.changes = []
        for scenario in self.scenarios:
            if not scenario.enabled:
                continue
            ready = [
                e
                for e in self.world.enrollments
                if e.scenario == scenario.name
                and e.ended_at is None
                and (e.due is None or e.due <= self.world.now)
            ]
            for enrollment in sorted(ready, key=oldest):
                self.walker.walk(enrollment)
        return self.walker.changes

    # After the tick

    def deliver(self) -> None:
        """Send what may go with now = T; `email_sent` is noticed in the next tick (ruling 72)."""
        place = {scenario.name: i for i, scenario in enumerate(self.scenarios)}

        def turn(message: Message) -> tuple[int, datetime, int, tuple[datetime, str, str], str]:
            scenario = self.world.project.scenarios[message.enrollment.scenario]
            return (
                -scenario.priority,
                message.queued_at,
                place[scenario.name],
                oldest(message.enrollment),
                message.step,
            )

        waiting = [m for m in self.world.messages if m.status == "queued"]
        for message in sorted(waiting, key=turn):
            self.send(message)

    def send(self, message: Message) -> None:
        """Judge one mail again at the moment of sending, and send it (rulings 75 and 84)."""
        now, contact = self.world.now, message.enrollment.contact
        reason = self.walker.refusal(contact, message.template)
        late = message.unless_late_by
        if reason is None and late is not None and now - message.due > late:
            reason = "late"
        if reason:
            message.status, message.reason = "withheld", reason
            return
        message.status, message.sent_at = "sent", now
        name = f"flowscore:{self.world.messages.index(message)}"
        topic = self.world.project.topics[message.template]
        properties = {"template": message.template, "topic": topic, "message_id": name}
        self.people.own.append((contact, Event("email_sent", now, now, name, properties, topic)))


def noticed_by(
    world: World, position: int, trigger: Any, changes: list[Change]
) -> list[tuple[Contact, Occurrence]]:
    """State changes for a scenario's trigger."""
    if trigger.kind not in (*STATES, "attribute"):
        return []
    return list(noticed(world, position, trigger, changes))


def oldest(enrollment: Enrollment) -> tuple[datetime, str, str]:
    """Oldest first (ruling 130)."""
    return (enrollment.entered_at, (enrollment.contact.email or "").casefold(), enrollment.key)


def capped(cap: Mapping[str, Plain], lines: list[Line], size: Decimal, at: datetime) -> Decimal:
    """What a cap leaves of an award at `at`, looking back over (at - per, at] (ruling 55)."""
    if "per" in cap:
        since = at - duration(cap["per"])
        lines = [line for line in lines if since < line.at <= at]
    if "times" in cap and len(lines) >= int(cap["times"]):
        return Decimal(0)
    if "points" in cap:
        spent = sum((abs(line.points) for line in lines), Decimal(0))
        size = min(size, max(Decimal(0), abs(Decimal(str(cap["points"]))) - spent))
    return size


def state_holds(world: World, contact: Contact, trigger: Any) -> bool:
    """Whether the state that a trigger enters holds already (ruling 107)."""
    if trigger.kind == "score":
        score, direction, bound = crossing(world.project, trigger)
        balance = world.balance(contact, score)
        return balance >= bound if direction == "reaches" else balance <= bound
    if trigger.kind == "list_joined":
        return any(contact.member(name) for name in trigger.options["lists"])
    if trigger.kind == "attribute" and "to" in trigger.options and "from" not in trigger.options:
        return holds(
            world, contact, {"attribute": {trigger.options["name"]: trigger.options["to"]}}
        )
    if trigger.kind == "inactive":
        minutes = int(trigger.within.total_seconds() // 60)
        return holds(world, contact, {"inactive": f"{minutes} minutes"})
    raise NotImplementedError(f"enroll_existing with {trigger.kind}")


def in_order(definitions: Mapping[str, Plain], leaf: str = "score") -> list[str]:
    """Names such that each comes after those that its conditions read; else by name."""
    graph = TopologicalSorter(
        {
            name: {other for other in sorted(reads(conditions, leaf)) if other in definitions}
            for name, conditions in sorted(definitions.items())
        }
    )
    return list(graph.static_order())


def reads(condition: Plain, leaf: str) -> set[str]:
    """The names that a condition reads at leaves of one kind."""
    if isinstance(condition, list):
        return set().union(*(reads(one, leaf) for one in condition)) if condition else set()
    if not isinstance(condition, dict):
        return set()
    found: set[str] = set()
    for key, value in condition.items():
        if key == leaf:
            found |= set(value) if isinstance(value, dict) else set(as_list(value))
        elif key in ("all", "any", "not"):
            found |= reads(value, leaf)
    return found


def interpret(
    files: Mapping[str, str],
    templates: Mapping[str, str],
    contacts: list[dict[str, str]],
    events: list[dict[str, Any]],
    grid: tuple[datetime, datetime, timedelta],
    quiet: bool = True,
) -> Interpreter:
    """Run a whole project over a grid (from, until, every)."""
    FILTERS.clear()
    interpreter = Interpreter(read_project(files, templates), contacts, events, quiet)
    interpreter.run(*grid)
    return interpreter
