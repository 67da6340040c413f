"""Phase 3 for scores: balances that differ from those of the round before (15, 96 and 115)."""

from __future__ import annotations

from .ledger import NOTHING
from .records import Change, Contact, Line
from .world import World


def look(world: World, number: int) -> list[Change]:
    """What moved, of each contact, or of each company where the score is a company's."""
    changes: list[Change] = []
    for score in world.project.scores.values():
        if score.company:
            changes += of_companies(world, score.name, number)
        else:
            changes += of_contacts(world, score.name, number)
    return changes


def of_contacts(world: World, score: str, number: int) -> list[Change]:
    """One change for each contact whose balance moved."""
    changes: list[Change] = []
    for contact in world.contacts:
        old, new = contact.seen_balances.get(score, NOTHING), world.balance(contact, score)
        if old != new:
            contact.seen_balances[score] = new
            key = f"score:{score}:{world.now}:{number}"
            changes.append(Change("score", contact, world.now, score, old, new, key))
    return changes


def of_companies(world: World, score: str, number: int) -> list[Change]:
    """One change for each company: of the member whose line came last, if there is one."""
    changes: list[Change] = []
    known = {one.company for one in world.contacts if one.company}
    known |= {company for company, name in world.company_seen if name == score}
    for company in sorted(known):
        old = world.company_seen.get((company, score), NOTHING)
        new = world.cut(score, world.company_sum(company, score))
        world.company_seen[company, score] = new
        who = last_to_write(world, company, score)
        if old != new and who is not None:
            key = f"score:{score}:{company}:{world.now}:{number}"
            changes.append(Change("score", who, world.now, score, old, new, key))
    return changes


def last_to_write(world: World, company: str, score: str) -> Contact | None:
    """The member with the greatest line by (tick, round, own time, position, e-mail)."""
    lines = [
        ((*line.written, line.at, position(world, line), (one.email or "").casefold()), one)
        for one in world.members(company)
        for line in one.lines
        if line.score == score
    ]
    return max(lines, key=lambda pair: pair[0])[1] if lines else None


def position(world: World, line: Line) -> int:
    """The place of the line's rule; what scenarios write comes after all rules."""
    rules = world.project.scores[line.score].rules
    return next((rule.position for rule in rules if rule.name == line.rule), len(rules))
