"""Phase 3 for who comes in: the gates at each occurrence of a scenario (rulings 35 and 36)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from .conditions import holds
from .funnel import stage_of
from .model import Scenario, crossing
from .records import Change, Contact, Enrollment, Occurrence, Who
from .triggers import noticed, outside
from .world import World

CROWD = 20_000
"""So many enrollments are no case to compare: entries double with every round."""


class Gates:
    """Judges occurrences; who passes is enrolled at T."""

    def __init__(self, world: World) -> None:
        """Begin with nobody inside."""
        self.world = world

    def enroll(
        self,
        scenarios: list[Scenario],
        number: int,
        changes: list[Change],
        before: datetime,
        looping: set[str],
        begins: set[str],
    ) -> set[str]:
        """Judge the occurrences of each scenario; gives the names of those entered."""
        names: set[str] = set()
        for scenario in scenarios:
            found = self.occurrences(scenario, number, changes, before)
            refused = scenario.name in looping
            for contact in self.world.contacts:
                ones = found[contact.number]
                if not ones and number == 1 and scenario.name in begins:
                    ones = self.existing(scenario, contact)
                for one in sorted(ones, key=lambda o: (o.at, o.position, o.key)):
                    if self.judge(scenario, contact, one, refused):
                        names.add(scenario.name)
        return names

    def occurrences(
        self, scenario: Scenario, number: int, changes: list[Change], before: datetime
    ) -> dict[int, list[Occurrence]]:
        """What this round brings to the scenario, by the number of the contact."""
        found: dict[int, list[Occurrence]] = defaultdict(list)
        for position, trigger in enumerate(scenario.triggers):
            if number == 1:
                for contact in self.world.contacts:
                    owner = f"scenario {scenario.name}"
                    found[contact.number] += outside(
                        self.world, owner, position, trigger, contact, before
                    )
            for contact, one in noticed(self.world, position, trigger, changes):
                found[contact.number].append(one)
        for change in changes:
            if change.kind == "enroll" and change.name == scenario.name:
                one = Occurrence(change.at, len(scenario.triggers), change.key, change.event)
                found[change.contact.number].append(one)
        return found

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
        who = Who(contact, one.event, one.at)
        place = f"scenario/{scenario.name}/conditions"
        passing = holds(self.world, who, scenario.conditions, place)
        if one.silent and not passing:
            return False
        reason = self.refusal(scenario, contact) or (None if passing else "conditions")
        if looping and reason is None:
            reason = "loop"
        if reason:
            self.world.decisions.append((contact, scenario.name, self.world.now, reason))
            return False
        if len(self.world.enrollments) >= CROWD:
            raise OverflowError(scenario.name)
        self.world.enrollments.append(self.entered(scenario, contact, one))
        return True

    def entered(self, scenario: Scenario, contact: Contact, one: Occurrence) -> Enrollment:
        """A new walk from the first step, perhaps without effects (ruling 43)."""
        place = f"scenario/{scenario.name}/holdout"
        return Enrollment(
            contact,
            scenario,
            self.world.now,
            one.key,
            one.event,
            one.at,
            [(list(scenario.actions), 0, "actions")],
            self.world.drawn(contact, place, scenario.holdout),
        )

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


def state_holds(world: World, contact: Contact, trigger: Any) -> bool:
    """Whether the state that a trigger enters holds already (ruling 107)."""
    if trigger.kind == "score":
        score, direction, bound = crossing(world.project, trigger)
        balance = world.balance(contact, score)
        return balance >= bound if direction == "reaches" else balance <= bound
    if trigger.kind == "grade":
        grade = trigger.options["grade"] or world.project.only_grade()
        return contact.cells.get(grade) in trigger.options["cells"]
    if trigger.kind == "stage":
        return stage_of(world, contact) in trigger.options["stages"]
    if trigger.kind == "list_joined":
        return any(contact.member(name) for name in trigger.options["lists"])
    if trigger.kind == "attribute" and "to" in trigger.options and "from" not in trigger.options:
        wanted = {"attribute": {trigger.options["name"]: trigger.options["to"]}}
        return holds(world, Who(contact), wanted, "")
    if trigger.kind in ("subscribed", "unsubscribed"):
        granted = trigger.kind == "subscribed"
        return any(contact.consent.get(t) is granted for t in trigger.options["topics"])
    if trigger.kind == "inactive":
        minutes = int(trigger.within.total_seconds() // 60)
        return holds(world, Who(contact), {"inactive": f"{minutes} minutes"}, "")
    raise NotImplementedError(f"enroll_existing with {trigger.kind}")
