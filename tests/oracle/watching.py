"""Phase 3 for people inside: goals, exits, and what a `wait_for` waits for (rulings 37 to 41)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from .conditions import holds
from .dates import reminded
from .model import Scenario, Trigger
from .records import Awaiting, Change, Enrollment, Event, Occurrence
from .triggers import complete, counted, noticed, outside
from .world import World

Heard = dict[tuple[int, int], list[Occurrence]]
"""By the id of a trigger and the number of a contact: what this round noticed."""


class Watch:
    """Looks at everybody inside, and at who finished and may still convert."""

    def __init__(self, world: World) -> None:
        """Begin with nothing ended."""
        self.world = world
        self.moved = False

    def look(self, number: int, changes: list[Change], before: datetime) -> None:
        """Goals, then exits; what was waited for is only noted: steps come later."""
        self.moved = False
        versions = {id(e.version): e.version for e in self.world.enrollments}
        versions |= {id(s): s for s in self.world.project.scenarios.values()}
        heard = self.listen(list(versions.values()), number, changes, before)
        for one in self.world.enrollments:
            self.aim(one, number, heard, before)
        for one in self.world.enrollments:
            self.leave(one)
        for one in self.world.enrollments:
            if one.awaiting and one.ended_at is None:
                self.note(one, one.awaiting, number, heard, before)

    def listen(
        self, versions: list[Scenario], number: int, changes: list[Change], before: datetime
    ) -> Heard:
        """What this round brings to the triggers of goals and waits, whoever may be inside."""
        heard: Heard = defaultdict(list)
        for scenario in versions:
            for place, trigger in listened(scenario):
                if trigger.kind != "event" and "property" not in trigger.options:
                    owner = f"scenario {scenario.name} {scenario.version} {place}"
                    for contact, one in self.occurrences(owner, trigger, number, changes, before):
                        heard[id(trigger), contact].append(one)
        return heard

    def occurrences(
        self, owner: str, trigger: Trigger, number: int, changes: list[Change], before: datetime
    ) -> Iterator[tuple[int, Occurrence]]:
        """Deadlines and dates in round 1, changes of state in each."""
        if number == 1:
            for contact in self.world.contacts:
                for one in outside(self.world, owner, 0, trigger, contact, before):
                    yield contact.number, one
        for contact, one in noticed(self.world, 0, trigger, changes):
            yield contact.number, one

    def aim(self, one: Enrollment, number: int, heard: Heard, before: datetime) -> None:
        """The goal makes an enrollment converted, up to its term also after the last step."""
        goal = one.version.goal
        watched = one.ended_at is None or (one.outcome == "finished" and goal and goal.up_to)
        if goal is None or not watched:
            return
        term = one.entered_at + goal.up_to if goal.up_to else None
        if term is not None and before >= term:
            return
        if self.occurred(one, goal.trigger, one.entered_at, term, number, heard, before):
            self.moved = True
            one.converted_at, one.outcome = self.world.now, "converted"
            one.ended_at = one.ended_at or self.world.now

    def leave(self, one: Enrollment) -> None:
        """`exit_when`, asked of everybody inside (ruling 40)."""
        if one.ended_at is None and self.must_leave(one):
            self.moved = True
            one.ended_at, one.outcome = self.world.now, "exited"

    def must_leave(self, one: Enrollment) -> bool:
        """Whether `exit_when` holds."""
        condition = one.version.exit_when
        place = f"scenario/{one.scenario}/exit_when"
        return condition is not None and holds(self.world, one.who, condition, place)

    def note(
        self, one: Enrollment, awaiting: Awaiting, number: int, heard: Heard, before: datetime
    ) -> None:
        """What a `wait_for` waits for has come (ruling 38)."""
        trigger = one.version.awaited[awaiting.place]
        start, term = awaiting.start, awaiting.deadline
        if not awaiting.came and self.occurred(one, trigger, start, term, number, heard, before):
            self.moved = awaiting.came = True

    def occurred(
        self,
        one: Enrollment,
        trigger: Trigger,
        start: datetime,
        term: datetime | None,
        number: int,
        heard: Heard,
        before: datetime,
    ) -> bool:
        """Whether the trigger occurred, by own time, from the start to the term (ruling 37)."""
        if trigger.kind == "event":
            moments = [completed(self.world, one, trigger, start)] if number == 1 else []
        elif "property" in trigger.options:
            found = reminded(self.world, trigger, one.contact, one.event, before)
            moments = list(found) if number == 1 else []
        else:
            moments = [o.at for o in heard[id(trigger), one.contact.number]]
        return any(
            moment is not None and start <= moment and (term is None or moment <= term)
            for moment in moments
        )


def listened(scenario: Scenario) -> Iterator[tuple[str, Trigger]]:
    """The triggers of a scenario's goal and waits, by place."""
    if scenario.goal:
        yield "goal", scenario.goal.trigger
    yield from scenario.awaited.items()


def completed(world: World, one: Enrollment, trigger: Trigger, start: datetime) -> datetime | None:
    """When the count was first complete, over events since the start that came to be known later.

    What the tick of the start took in was noticed in its first round, before the start. This tick
    notices it: one of the events that complete it was taken in now.
    """
    events = trigger.events
    assert events
    window: list[Event] = []
    for event in sorted(one.contact.events, key=lambda e: e.order):
        if event.at < start or event.seen <= start or not world.fits(events, event):
            continue
        if not event.agrees(one.event, events.same):
            continue
        window = [*window, event] if counted(events) else [event]
        if events.within is not None:
            window = [other for other in window if other.at > event.at - events.within]
        if complete(events, window) and any(other.seen == world.now for other in window):
            return event.at
    return None
