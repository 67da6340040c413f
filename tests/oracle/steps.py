"""How an enrollment walks: pauses, branches and ends (LANGUAGE 4)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from .conditions import holds
from .dates import dated_value, moments
from .effects import Effects
from .outbox import Outbox
from .reading import known
from .records import Awaiting, Contact, Enrollment
from .values import Plain, as_list, duration, localised, share
from .watching import Watch
from .world import World

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Walker:
    """Walks enrollments; what it changes is noticed in the next round."""

    def __init__(self, world: World, watch: Watch, outbox: Outbox) -> None:
        """Begin with nothing changed."""
        self.world, self.watch, self.outbox = world, watch, outbox
        self.effects = Effects(world)
        self.moved = False

    def walk(self, enrollment: Enrollment) -> None:
        """Walk until the enrollment pauses or ends (ruling 17)."""
        self.moved = True
        reached = enrollment.due or self.world.now
        enrollment.due = None
        if enrollment.awaiting:
            reached = self.resume(enrollment, enrollment.awaiting)
        while enrollment.frames:
            steps, index, path = enrollment.frames.pop()
            if index == len(steps):
                continue
            step = dict(steps[index])
            if step.pop("enabled", True) is False:
                enrollment.frames.append((steps, index + 1, path))
                continue
            if self.watch.must_leave(enrollment):
                self.end(enrollment, "exited")
                return
            enrollment.frames.append((steps, index + 1, path))
            self.act(enrollment, step, f"{path}/{index}", reached)
            if enrollment.due or enrollment.awaiting or enrollment.ended_at:
                return
        self.end(enrollment, "finished")

    def resume(self, enrollment: Enrollment, awaiting: Awaiting) -> datetime:
        """Go on after a `wait_for`; gives the instant at which the next step is due."""
        enrollment.awaiting = None
        branch = "then" if awaiting.came else "else"
        steps = awaiting.branches.get(branch) or []
        enrollment.frames.append((steps, 0, f"{awaiting.place}/{branch}"))
        return self.world.now if awaiting.came else awaiting.deadline

    def end(self, enrollment: Enrollment, outcome: str) -> None:
        """The walk is over at T (ruling 7)."""
        enrollment.ended_at, enrollment.outcome = self.world.now, outcome

    def act(
        self, enrollment: Enrollment, step: dict[str, Plain], path: str, reached: datetime
    ) -> None:
        """One step, by its key; a held-out contact walks without effects (ruling 43)."""
        name = str(step.pop("id", path))
        if "if" in step:
            known(step, "if", "then", "else")
            place = f"scenario/{enrollment.scenario}/{path}/if"
            branch = "then" if holds(self.world, enrollment.who, step["if"], place) else "else"
            enrollment.frames.append((step.get(branch) or [], 0, f"{path}/{branch}"))
            return
        if "wait_for" in step:
            known(step, "wait_for", "then", "else")
            self.wait_for(enrollment, step, path)
            return
        ((kind, value),) = step.items()
        if kind == "wait":
            self.wait(enrollment, value)
        elif kind == "exit":
            self.end(enrollment, "exited")
        elif kind == "split":
            self.split(enrollment, value, path, name)
        elif enrollment.held:
            return
        elif not self.effects.apply(enrollment, kind, value, name):
            self.outbox.put(enrollment, kind, value, path, reached)

    def split(self, enrollment: Enrollment, value: list[Plain], path: str, name: str) -> None:
        """The branch in whose share the contact is, by running sums (ruling 44)."""
        upto = 0
        for number, portion in enumerate(value):
            known(portion, "name", "share", "actions")
            upto += share(portion["share"])
            place = f"scenario/{enrollment.scenario}/{name}"
            if number + 1 == len(value) or self.world.drawn(enrollment.contact, place, upto):
                steps = portion.get("actions") or []
                enrollment.frames.append((steps, 0, f"{path}/split/{number}/actions"))
                return

    # Pauses

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

    def wait_for(self, enrollment: Enrollment, step: dict[str, Plain], path: str) -> None:
        """Pause until the trigger occurs, at most so long; a date may decide at once (92)."""
        now = self.world.now
        deadline = now + duration(step["wait_for"]["up_to"])
        awaiting = Awaiting(path, now, deadline, {k: step.get(k) for k in ("then", "else")})
        came = self.date_decides(enrollment, path)
        enrollment.awaiting = awaiting
        if came is not None:
            awaiting.came = came
            self.resume(enrollment, awaiting)

    def date_decides(self, enrollment: Enrollment, path: str) -> bool | None:
        """A date that is exactly T comes at once, one already past never (ruling 92)."""
        trigger = enrollment.version.awaited[path]
        if trigger.kind != "date":
            return None
        value, known_since = dated_value(self.world, trigger, enrollment.contact, enrollment.event)
        if known_since is None:
            return None
        found = list(moments(self.world, trigger, enrollment.contact, value))
        if self.world.now in found:
            return True
        return False if found and max(found) < self.world.now else None
