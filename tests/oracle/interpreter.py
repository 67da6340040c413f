"""Runs the ticks of a grid over a project, slowly and from the rulings alone (LANGUAGE 9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from graphlib import TopologicalSorter
from typing import Any

from . import crossings, funnel
from .awarding import Award, give
from .conditions import FILTERS, holds
from .definitions import read_project
from .effects import listed
from .entering import Gates
from .idling import settle
from .model import Project, Rule, Scenario, crossing, gains
from .outbox import Outbox, oldest
from .people import People
from .recomputing import changed_scores, look_anew, recompute
from .records import Change, Contact, Enrollment, Membership, Who
from .steps import Walker
from .triggers import noticed, outside
from .values import Plain, as_list
from .watching import Watch
from .world import World

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROUNDS = 20
STATES = ("score", "grade", "stage", "list_joined", "list_left")
ARRIVING = ("attribute", "subscribed", "unsubscribed")


class Interpreter:
    """One project, its contacts and calls, walked tick by tick."""

    def __init__(
        self, project: Project, rows: list[dict[str, str]], raws: list[dict[str, Any]], quiet: bool
    ) -> None:
        """Take the project live and put everything into the inbox; no tick has run."""
        self.world = World(project)
        self.people = People(self.world, [dict(row) for row in rows], quiet)
        self.people.receive(raws)
        self.outbox = Outbox(self.world, self.people)
        self.watch = Watch(self.world)
        self.gates = Gates(self.world)
        self.walker = Walker(self.world, self.watch, self.outbox)
        self.watermark: datetime | None = None
        self.begun: set[str] = set()  # scenarios that a tick found switched on
        self.awaiting: list[Award] = []
        self.adopt(project)

    def adopt(self, project: Project) -> None:
        """Take a version of the project live, from here on (ruling 129)."""
        self.world.project = project
        self.rules = [rule for score in project.scores.values() for rule in score.rules]
        self.scenarios = sorted(project.scenarios.values(), key=self.turn)
        self.dynamic = [name for name in in_order(project.lists, "in_list") if project.lists[name]]
        self.scored = in_order({s.name: [r.when for r in s.rules] for s in project.scores.values()})

    def renew(self, project: Project) -> None:
        """Take a second version live: what changed is judged anew and fires nothing (128)."""
        changed = changed_scores(self.world.project, project)
        self.adopt(project)
        for score in changed:
            recompute(self.world, score, self.people.became)
        self.world.round = 0
        if changed:
            self.ask_when()
        look_anew(self.world, list(project.scores.values()))
        for change in funnel.refresh(self.world, 0):
            if change.kind == "stage":
                change.contact.stage_changes.pop()
        self.refresh(0)

    def enabled(self) -> set[str]:
        """The scenarios that are switched on."""
        return {one.name for one in self.scenarios if one.enabled}

    def turn(self, scenario: Scenario) -> tuple[int, int, Decimal, str]:
        """The order in which scenarios act (rulings 16 and 91)."""
        bounds: dict[str, list[Decimal]] = defaultdict(list)
        for trigger in scenario.triggers:
            if trigger.kind == "score" and not gains(trigger):
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
            self.outbox.deliver({s.name: i for i, s in enumerate(self.scenarios)})
            self.watermark = tick
            self.begun |= self.enabled()
            tick += every

    def tick(self, now: datetime, before: datetime) -> None:
        """One tick: rounds until nothing new happens (rulings 13, 14 and 20)."""
        self.world.now = now
        arrived: list[Change] = []
        self.people.take_in(arrived)
        settle(self.world, before)
        self.awaiting = self.outer_awards(arrived, before)
        changes = arrived
        entered_late: set[str] = set()
        for number in range(1, ROUNDS + 2):
            self.walker.moved, self.walker.effects.round = False, number
            self.world.round = number
            moved = self.award(changes if number > 1 else [])
            seen = funnel.refresh(self.world, number) + self.refresh(number)
            seen += crossings.look(self.world, number)
            changes += seen
            self.world.history += [change for change in changes if change.event]
            self.watch.look(number, changes, before)
            late = entered_late if number > ROUNDS else set()
            begins = self.enabled() - self.begun
            entered = self.gates.enroll(self.scenarios, number, changes, before, late, begins)
            if number == 1:
                self.announce()
            if number > 10:
                entered_late |= entered
            self.awaiting = self.state_awards(changes)
            self.world.looked = self.world.serial
            moved = moved or bool(seen) or bool(entered) or bool(self.awaiting)
            moved = moved or self.watch.moved
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
            if trigger.kind in ARRIVING
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
        lines = give(self.world, self.awaiting + self.attribute_awards(changes))
        return self.ask_when() or lines > 0

    def ask_when(self) -> bool:
        """Every `when`, scores that others read first; whether anything was written."""
        lines = 0
        for score in self.scored:
            for rule in self.world.project.scores[score].rules:
                if rule.when is not None:
                    lines += sum(self.stand(rule, contact) for contact in self.world.contacts)
        return lines > 0

    def stand(self, rule: Rule, contact: Contact) -> bool:
        """The points of a `when` stand while it is true (ruling 52)."""
        place = (rule.score, rule.name)
        path = f"score/{rule.score}/rules/{rule.position}/when"
        true = holds(self.world, Who(contact), rule.when, path)
        if true == (place in contact.standing):
            return False
        points = rule.points if true else -rule.points
        contact.standing ^= {place}
        self.world.write(contact, rule.score, self.world.now, points, "rule", rule.name)
        return True

    # Phase 2

    def refresh(self, number: int) -> list[Change]:
        """The end of phase 2: dynamic lists in dependency order, each against its last look."""
        changes: list[Change] = []
        now = self.world.now
        for name in self.dynamic:
            for contact in self.world.contacts:
                members = self.world.project.lists[name]
                inside = holds(self.world, Who(contact), members, f"list/{name}/members")
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
                    changes.append(listed(self.world, kind, contact, name, key))
        return changes

    # Phase 4, after phase 3 in `watching` and `entering`

    def walk(self, number: int) -> list[Change]:
        """Phase 4: due steps, scenario by scenario, the oldest enrollment first (17 and 130)."""
        effects = self.walker.effects
        effects.changes = []
        self.world.freeze()
        for scenario in self.scenarios:
            if not scenario.enabled:
                continue
            ready = [
                e
                for e in self.world.enrollments
                if e.scenario == scenario.name and e.ended_at is None and self.is_due(e)
            ]
            for enrollment in sorted(ready, key=oldest):
                self.walker.walk(enrollment)
        self.world.frozen = None
        return effects.changes

    def is_due(self, enrollment: Enrollment) -> bool:
        """Whether the wait is over, or what was waited for has come, or is waited for no more."""
        if enrollment.awaiting:
            return enrollment.awaiting.came or enrollment.awaiting.deadline <= self.world.now
        return enrollment.due is None or enrollment.due <= self.world.now


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
    later: tuple[Mapping[str, str], datetime] | None = None,
) -> Interpreter:
    """Run a project over a grid (from, until, every), with other files `later` from an instant."""
    FILTERS.clear()
    interpreter = Interpreter(read_project(files, templates), contacts, events, quiet)
    since, until, every = grid
    if later:
        interpreter.run(since, later[1], every)
        interpreter.renew(read_project(later[0], templates, 1))
        since = later[1] + timedelta(microseconds=1)
    interpreter.run(since, until, every)
    return interpreter
