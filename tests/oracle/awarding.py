"""Occurrences of rules become lines, as far as caps let them (rulings 55, 95 and 115)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from .conditions import holds
from .model import Rule
from .records import Contact, Line, Occurrence, Who
from .values import Plain, duration
from .world import World

Award = tuple[Rule, Contact, Occurrence]


def give(world: World, awards: list[Award]) -> int:
    """Write the lines of occurrences not used before; conditions are asked before the first."""
    lines = 0
    allowed: list[Award] = []
    for rule, contact, one in awards:
        key = (f"{rule.score}/{rule.name}", one.key)
        if key not in contact.used:
            contact.used.add(key)
            place = f"score/{rule.score}/rules/{rule.position}/conditions"
            if holds(world, Who(contact), rule.conditions, place):
                allowed.append((rule, contact, one))
    for rule, contact, one in sorted(allowed, key=turn_of_award):
        points = left_over(world, rule, contact, one.at)
        if points:
            world.write(contact, rule.score, one.at, points, "rule", rule.name, one.key)
            lines += 1
    return lines


def left_over(world: World, rule: Rule, contact: Contact, at: datetime) -> Decimal:
    """The award after the rule's cap and the score's (ruling 55)."""
    on_rules = {r.name for r in world.project.scores[rule.score].rules if r.triggers}
    of_score = [
        line
        for colleague in world.colleagues(contact, rule.score)
        for line in colleague.lines
        if line.score == rule.score and line.kind == "rule"
    ]
    size = abs(rule.points)
    if rule.cap:
        own = [ln for ln in of_score if ln.rule == rule.name]
        size = capped(rule.cap, own, size, at)
    score_cap = world.project.scores[rule.score].cap
    if score_cap and rule.points > 0:
        won = [ln for ln in of_score if ln.points > 0 and ln.rule in on_rules]
        size = capped(score_cap, won, size, at)
    return size if rule.points > 0 else -size


def turn_of_award(award: Award) -> tuple[datetime, int, str, str]:
    """By own time, rule position, e-mail (ruling 115)."""
    rule, contact, one = award
    return one.at, rule.position, (contact.email or "").casefold(), one.key


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
