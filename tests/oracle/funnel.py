"""Phase 2 before the lists: cells of grades, then stages of the lifecycle (LANGUAGE 5)."""

from __future__ import annotations

from .conditions import holds
from .model import Lifecycle
from .records import Change, Contact, Event, Who
from .world import World


def refresh(world: World, number: int) -> list[Change]:
    """The cells and stages that differ from those of the round before (rulings 13 and 21)."""
    return regrade(world, number) + restage(world, number)


def regrade(world: World, number: int) -> list[Change]:
    """Each contact's cell in each grade."""
    changes: list[Change] = []
    for grade in world.project.grades.values():
        for contact in world.contacts:
            fit, engagement = (
                axis.label(world.balance(contact, axis.score))
                for axis in (grade.fit, grade.engagement)
            )
            cell = fit + engagement if len(fit + engagement) == 2 else f"{fit}-{engagement}"
            old = contact.cells.get(grade.name)
            if cell != old:
                contact.cells[grade.name] = cell
                key = f"grade:{grade.name}:{world.now}:{number}"
                changes.append(Change("grade", contact, world.now, grade.name, old, cell, key))
    return changes


def restage(world: World, number: int) -> list[Change]:
    """Forward to the furthest stage that holds, or back from one that lets go."""
    lifecycle = world.project.lifecycle
    changes: list[Change] = []
    for contact in world.contacts if lifecycle else ():
        assert lifecycle
        here = place_of(contact, lifecycle)
        there = destination(world, contact, lifecycle, here)
        if there != here:
            name = lifecycle.stages[there].name
            changes.append(enter(world, contact, name, False, f"{number}"))
    return changes


def destination(world: World, contact: Contact, lifecycle: Lifecycle, here: int) -> int:
    """The place of the stage in which the contact belongs now (LANGUAGE 5, ruling 49)."""
    holding = [
        place
        for place, stage in enumerate(lifecycle.stages)
        if stage.when is not None
        and holds(
            world,
            Who(contact),
            stage.when,
            f"lifecycle/{lifecycle.name}/stages/{place}/when",
        )
    ]
    if holding and holding[-1] > here:
        return holding[-1]
    lets_go = lifecycle.stages[here].retreat and not contact.stage_given
    if not lets_go or here in holding:
        return here
    return max((place for place in holding if place < here), default=0)


def place_of(contact: Contact, lifecycle: Lifecycle) -> int:
    """Where the contact stands; in the first stage from its creation on (ruling 28)."""
    return 0 if contact.stage is None else lifecycle.place(contact.stage)


def stage_of(world: World, contact: Contact) -> str | None:
    """The name of the contact's stage; None where the project has no lifecycle."""
    lifecycle = world.project.lifecycle
    return lifecycle.stages[place_of(contact, lifecycle)].name if lifecycle else None


def enter(world: World, contact: Contact, stage: str, given: bool, mark: str) -> Change:
    """Put the contact into a stage, with the event that says so (ruling 110)."""
    old = stage_of(world, contact)
    contact.stage, contact.stage_given = stage, given
    contact.stage_changes.append((world.now, str(old), stage))
    key = f"stage:{world.now}:{mark}"
    event = Event("stage_changed", world.now, world.now, key, {"from": old, "to": stage})
    return Change("stage", contact, world.now, stage, old, stage, key, event)
