"""A changed score is judged anew from all that is known, silently (rulings 8 and 128)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .awarding import Award, give
from .model import Project, Rule, Score
from .records import Change, Contact, Line, Occurrence
from .triggers import noticed, outside
from .world import World

KEPT = ("score", "grade")
"""What rules react to that is not in the log: their lines stay as they are."""


def changed_scores(old: Project, new: Project) -> list[Score]:
    """The scores of which a rule, a cap or the decay is another."""
    return [
        score
        for name, score in new.scores.items()
        if name in old.scores and meaning(score) != meaning(old.scores[name])
    ]


def meaning(score: Score) -> tuple[object, ...]:
    """What a recompute hangs on."""
    return score.rules, score.cap, score.decay, score.idle, score.company


def recompute(world: World, score: Score, became: dict[int, Contact]) -> None:
    """Write the lines of rules that read the log anew, by own time."""
    rules = [rule for rule in score.rules if rule.triggers and reads_log(rule)]
    names = {rule.name for rule in rules}
    before: dict[tuple[int, str, str], Line] = {}
    for contact in world.contacts:
        for line in [one for one in contact.lines if one.score == score.name]:
            if line.rule in names:
                contact.lines.remove(line)
                before[contact.number, str(line.rule), line.key] = line
        for rule in rules:
            forget(contact, rule)
    history = [replace(c, contact=named(c.contact, became)) for c in world.history]
    give(world, [one for rule in rules for one in judged(world, rule, history)])
    for contact in world.contacts:
        contact.lines = [as_before(contact, line, before) for line in contact.lines]


def reads_log(rule: Rule) -> bool:
    """Whether all that the rule reacts to stands in the log."""
    return not any(trigger.kind in KEPT for trigger in rule.triggers)


def forget(contact: Contact, rule: Rule) -> None:
    """Unlearn what the rule has used of this contact's events."""
    owner = f"rule {rule.score} {rule.name}"
    contact.used = {
        (place, key)
        for place, key in contact.used
        if place != f"{rule.score}/{rule.name}" and not place.startswith(f"('{owner}',")
    }
    owners = (owner, f"anchors of {owner}")
    contact.anchors = {k: v for k, v in contact.anchors.items() if k[0] not in owners}
    contact.marks = {k: v for k, v in contact.marks.items() if k[0] != owner}


def judged(world: World, rule: Rule, history: list[Change]) -> Iterator[Award]:
    """Everything that ever occurred for the rule, with all events known."""
    owner = f"rule {rule.score} {rule.name}"
    for position, trigger in enumerate(rule.triggers):
        for contact in world.contacts:
            if trigger.kind == "contact_created":
                if contact.announced and contact.quiet_until is None:
                    yield rule, contact, Occurrence(contact.created_at, position, "created")
                continue
            for one in outside(world, owner, position, trigger, contact, world.now):
                yield rule, contact, one
        for contact, one in noticed(world, position, trigger, history):
            yield rule, contact, one


def named(contact: Contact, became: dict[int, Contact]) -> Contact:
    """Whom a visitor turned out to be."""
    return became.get(contact.number, contact)


def as_before(contact: Contact, line: Line, before: dict[tuple[int, str, str], Line]) -> Line:
    """A line that stood before keeps its place in the order of writing, for resets (54)."""
    old = before.get((contact.number, str(line.rule), line.key)) if line.key else None
    if old is None or old.score != line.score:
        return line
    return replace(line, serial=old.serial, written=old.written)


def look_anew(world: World, scores: list[Score]) -> None:
    """The balances last looked at become the new ones."""
    for score in scores:
        for contact in world.contacts:
            if not score.company:
                contact.seen_balances[score.name] = world.balance(contact, score.name)
        if score.company:
            for company in {one.company for one in world.contacts if one.company}:
                world.company_seen[company, score.name] = world.cut(
                    score.name, world.company_sum(company, score.name)
                )
    world.looked = world.serial
