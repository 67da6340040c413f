"""Whom a change would touch: contacts inside, points counted anew, lists that are refilled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, Table, func, select

from flowscore.engine import rejudging, staleness
from flowscore.engine.enrollment import stands_there
from flowscore.engine.moves import is_move
from flowscore.engine.patterns import Patterns
from flowscore.engine.refusals import refusals
from flowscore.language.words import walk
from flowscore.planning.differences import is_same
from flowscore.rules.conditions import holds
from flowscore.rules.happened import scaled
from flowscore.rules.who import Who
from flowscore.store.tables import (
    SHOWN,
    balances,
    cells,
    contacts,
    definitions,
    enrollments,
    ledger,
    members,
    messages,
    stages,
)

if TYPE_CHECKING:
    from flowscore.language.conditions import Condition
    from flowscore.language.project import Project
    from flowscore.language.scenario import ContactList, Scenario
    from flowscore.language.scoring import Score
    from flowscore.planning.standing import Standing
    from flowscore.rules.book import Book


@dataclass(frozen=True)
class Consequence:
    """`what` and `count` for programs (no count: it cannot be known before), the sentence for all.

    Counts are of contacts, but for `judged_anew` (ledger lines) and `waiting` (mails).
    """

    what: str
    count: int | None
    sentence: str


Found = Iterator[Consequence]


def consequences(kind: str, name: str, change: str, standing: Standing) -> Found:
    """What applying this change does to contacts; nothing before the first tick."""
    if standing.mark is not None:
        yield from OF_KIND[kind](name, change, standing)


def counted(number: int, one: str = "contact") -> str:
    """`1 contact`, `1,234 contacts`."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


# ---------------------------------------------------------------- scenarios


def _of_scenario(name: str, change: str, standing: Standing) -> Found:
    inside = _inside(standing, name)
    people = sum(inside.values())
    new = standing.new.scenarios.get(name)
    if people and change == "removed":
        yield Consequence("inside", people, f"{_are(people)} inside: {STANDS_STILL}")
    elif people and change == "added":
        said = f"{_are(people)} inside of an older version and {_verb(people, 'go', 'goes')} on"
        yield Consequence("inside", people, said)
    elif people and new is not None:
        yield from _of_walk(people, inside, standing, new)
    if new is not None:
        yield from _of_those_there(new, standing)


STANDS_STILL = "no step is done until the scenario is back; goals and exits still end them"


def _inside(standing: Standing, name: str) -> dict[int, int]:
    """Contacts inside a scenario, by the number of their version."""
    of = enrollments.c
    query = (
        select(definitions.c.version, func.count(of.contact_id.distinct()))
        .join(definitions, definitions.c.id == of.definition_id)
        .where(of.scenario == name, of.ended_at.is_(None))
        .group_by(definitions.c.version)
        .order_by(definitions.c.version)
    )
    return {row[0]: row[1] for row in standing.connection.execute(query)}


def _of_walk(people: int, inside: dict[int, int], standing: Standing, new: Scenario) -> Found:
    old, live = standing.old.scenarios[new.name], standing.live["scenario", new.name].version
    rest = _which_version(inside, live, _is_same_walk(old, new))
    yield Consequence("inside", people, f"{_are(people)} inside{rest}")
    if old.enabled and not new.enabled:
        yield Consequence("stopped", people, f"switched off: for {_them(people)} {STANDS_STILL}")
    if new.enabled and not old.enabled:
        said = f"switched on: for {_them(people)} every step that is due is done at the next tick"
        yield Consequence("resumed", people, said)


def _is_same_walk(old: Scenario, new: Scenario) -> bool:
    """People inside keep the steps, goal and exit of their version (ruling 129)."""
    kept = ("actions", "goal", "exit_when")
    return all(is_same(getattr(old, field), getattr(new, field)) for field in kept)


def _which_version(inside: dict[int, int], live: int, same: bool) -> str:
    finish = _verb(sum(inside.values()), "finish", "finishes")
    if len(inside) > 1:
        by_version = ", ".join(f"version {version}: {count:,}" for version, count in inside.items())
        return f" and {finish} on the version on which they entered ({by_version})"
    if live not in inside:
        return f" and {finish} on version {next(iter(inside))}"
    return "; their steps stay the same" if same else f" and {finish} on the old version"


def _of_those_there(scenario: Scenario, standing: Standing) -> Found:
    """Who enters because `enroll_existing` is newly live (ruling 45)."""
    if scenario.name not in standing.taken_in_anew:
        return
    when = "now"
    if (seen := standing.foresight) is not None:
        there, when = round(seen.existing.get(scenario.name, 0) * seen.each), "then"
        people = f"{seen.about}{_are(there)}"
    elif why := hidden(scenario.trigger, standing):
        yield Consequence("existing", None, f"enroll_existing: how many enter {why}")
        return
    else:
        there = standing.count(stands_there(scenario, standing.book))
        people = _are(there)
    said = f"enroll_existing: {people} in that state {when}; the next tick asks conditions and "
    yield Consequence("existing", there, f"{said}reenroll, and enrolls whom they let")


# ---------------------------------------------------------------- scores


def _of_score(name: str, change: str, standing: Standing) -> Found:
    if change == "removed":
        people = _people_with(standing, ledger.c.score == name)
        said = f"{counted(people)} with points in it: they are kept, and count for nothing"
        yield Consequence("points_kept", people, said)
        return
    if name in standing.recomputed:
        yield from _of_recomputing(standing.new.scores[name], standing)
        yield from _of_readers(name, standing)
    elif name in standing.old.scores:
        yield from _of_bands(standing.old.scores[name], standing.new.scores[name], standing)


def _of_bands(old: Score, new: Score, standing: Standing) -> Found:
    """A number is tried by asking who is at it now: here, and where it was."""
    before = dict(old.bands)
    for band, number in new.bands:
        if number == before.get(band) or new.of == "company":
            continue
        people = _at(standing, new.name, number)
        said = f"{band}: {_are(people)} at {number:g} or more now"
        if band in before:
            said += f", {_at(standing, new.name, before[band]):,} at {before[band]:g} or more"
        yield Consequence("band", people, said)


def _at(standing: Standing, score: str, number: float) -> int:
    line = balances.c.balance >= scaled(number, SHOWN)
    return _count(standing, balances, balances.c.score == score, line)


def _of_recomputing(score: Score, standing: Standing) -> Found:
    old = standing.old.scores.get(score.name)
    if old is None:
        said = "its points are counted from all events in the log; nothing fires"
        yield Consequence("counted", None, said)
        return
    lines = rejudging.judged_anew(score, staleness.unchanged_rules(old, score))
    count, people = _count(standing, ledger, lines), _people_with(standing, lines)
    judged = f"{counted(count, 'ledger line')} of {counted(people)}"
    said = f"recomputed silently: {judged} judged anew from the log; nothing fires"
    yield Consequence("judged_anew", count, said)


def _of_readers(name: str, standing: Standing) -> Found:
    """Lists that stay as they are written and read a score that changes."""
    readers = [
        one.name
        for one in standing.new.lists.values()
        if one.name not in standing.refilled and name in _scores_in(one.members)
    ]
    if readers:
        said = f"asked again, since they read it: list {', '.join(readers)}; nothing fires"
        yield Consequence("asked_again", None, said)


# ---------------------------------------------------------------- grades, stages


def _of_grade(name: str, change: str, standing: Standing) -> Found:
    if change == "removed":
        people = _count(standing, cells, cells.c.grade == name)
        said = f"{counted(people)} with a cell of it: cells are forgotten; nothing fires"
        yield Consequence("cells", people, said)
    elif name in standing.order.grades:
        ways = standing.foresight.moves.cells.get(name, {}) if standing.foresight else {}
        yield _of_placing("graded", "cells", "cell", ways, standing)


def _of_lifecycle(name: str, change: str, standing: Standing) -> Found:
    if standing.new.lifecycle is None:
        here = _count(standing, stages, stages.c.left_at.is_(None))
        said = f"{counted(here)} beyond the first stage: these stays end; nothing fires"
        yield Consequence("stages", here, said)
    elif change != "removed" and standing.order.stages:
        ways = standing.foresight.moves.stages if standing.foresight else {}
        yield _of_placing("placed", "stages", "stage", ways, standing)


def _of_placing(
    done: str, what: str, where: str, ways: dict[str, int], standing: Standing
) -> Consequence:
    said = f"everybody is {done} anew, silently"
    if standing.foresight is None:
        return Consequence(what, None, f"{said}; nothing fires")
    moved = sum(number for way, number in ways.items() if is_move(way))
    people = round(moved * standing.foresight.each)
    change = f"{standing.foresight.about}{counted(people)} {_verb(people, 'change', 'changes')}"
    return Consequence(what, people, f"{said}: {change} {where}; nothing fires")


# ---------------------------------------------------------------- lists, the policy


def _of_list(name: str, change: str, standing: Standing) -> Found:
    now = _count(standing, members, members.c.list == name, members.c.left_at.is_(None))
    new = standing.new.lists.get(name)
    if new is None:
        said = f"{counted(now, 'member')}: nothing moves them any more" if now else ""
    elif new.members is None:
        said = f"{counted(now, 'member')}: they stay" if now and change == "changed" else ""
    else:
        yield _of_refilling(new, now, change, standing)
        return
    if said:
        yield Consequence("members", now, said)


def _of_refilling(new: ContactList, now: int, change: str, standing: Standing) -> Consequence:
    before = "" if change == "added" else f"{counted(now, 'member')} → "
    about = ""
    assert new.members is not None
    if (seen := standing.foresight) is not None:
        then, about = seen.members(new.name, now), seen.about
    elif why := hidden(new.members, standing):
        held = "" if change == "added" else f" (now {counted(now, 'member')})"
        return Consequence("members", None, f"filled silently: how many join {why}{held}")
    else:
        then = standing.count(_fitting(new.members, standing.book))
    after = f"{then:,}" if before else counted(then, "member")
    return Consequence("members", then, f"filled silently: {before}{about}{after}; nothing fires")


def _fitting(condition: Condition, book: Book) -> Select[Any]:
    people = contacts.alias()  # conditions read the table itself
    return select(people.c.id).where(
        people.c.email.is_not(None),
        people.c.created_at <= book.now,
        holds(condition, book, Who(people.c.id)),
    )


def _of_policy(name: str, change: str, standing: Standing) -> Found:
    old, new = standing.old.policy, standing.new.policy
    if staleness.reads_anew(old, new):
        said = "every list and every `when` rule is asked again, silently"
        yield Consequence("asked_again", None, said)
    waiting = _count(standing, messages, messages.c.status == "queued")
    if staleness.fades_anew(old, new):
        said = "points fade at other instants: every balance is reckoned anew, silently"
        yield Consequence("fades_anew", None, said)
    if waiting:
        said = f"{counted(waiting, 'mail')} in the outbox: sent or withheld by the new policy"
        yield Consequence("waiting", waiting, said)


# ---------------------------------------------------------------- counting


def needs_trying(standing: Standing) -> bool:
    """Whether a look at the store does not tell what an apply would move."""
    order = standing.order
    refused = refusals(standing.connection, standing.applied, standing.new)
    if standing.mark is None or any(True for _ in refused):
        return False
    if order.scores or order.faded or order.grades or order.stages or order.whens:
        return True
    filled = [standing.new.lists[name].members for name in order.lists]
    begun = [standing.new.scenarios[name].trigger for name in standing.taken_in_anew]
    return any(hidden(words, standing) for words in (*filled, *begun))


def hidden(words: Any, standing: Standing) -> str:
    """Why a look at the store does not tell what a condition will find; nothing when it does."""
    if standing.unforeseen:
        return "is known after the apply"
    parts = words if isinstance(words, tuple) else (words,)
    scores = sorted({name for one in parts for name in _scores_in(one)} & standing.recomputed)
    lists = sorted({name for one in parts for name in _lists_in(one)} & _moving(standing))
    patterns = Patterns(parts, standing.book).all
    known = {one.expression for one in Patterns(_all_words(standing.old), standing.book).all}
    if scores or lists:
        changing = [f"score {name}" for name in scores] + [f"list {name}" for name in lists]
        return f"is known after the apply, since it reads {', '.join(changing)}"
    if any(one.expression not in known for one in patterns):
        return "is known after the apply, since its pattern is new"
    return ""


def _all_words(project: Project) -> list[Any]:
    stages_ = () if project.lifecycle is None else (project.lifecycle,)
    groups = (project.scores, project.lists, project.scenarios)
    return [*stages_, *(one for group in groups for one in group.values())]


def _moving(standing: Standing) -> set[str]:
    """The dynamic lists whose members an apply moves, by themselves or through what they read."""
    moving = set(standing.refilled)
    for one in standing.new.lists.values():  # in dependency order
        if _scores_in(one.members) & standing.recomputed or _lists_in(one.members) & moving:
            moving.add(one.name)
    return moving


def _scores_in(word: Any) -> set[str]:
    return {one.score for one in walk(word) if hasattr(one, "score")}


def _lists_in(word: Any) -> set[str]:
    return {name for one in walk(word) for name in getattr(one, "lists", ())}


def _count(standing: Standing, table: Table, *where: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(table).where(*where)
    if "contact_id" in table.c:
        query = query.join(contacts, contacts.c.id == table.c.contact_id)
        query = query.where(contacts.c.email.is_not(None))
    return standing.connection.execute(query).scalar_one()


def _people_with(standing: Standing, lines: ColumnElement[bool]) -> int:
    query = select(func.count(ledger.c.contact_id.distinct())).where(lines)
    return standing.connection.execute(query).scalar_one()


def _are(people: int) -> str:
    return f"{counted(people)} {_verb(people, 'are', 'is')}"


def _verb(people: int, many: str, one: str) -> str:
    return one if people == 1 else many


def _them(people: int) -> str:
    return "this contact" if people == 1 else f"these {counted(people)}"


OF_KIND: dict[str, Callable[[str, str, Standing], Found]] = {
    "scenario": _of_scenario,
    "score": _of_score,
    "grade": _of_grade,
    "lifecycle": _of_lifecycle,
    "list": _of_list,
    "policy": _of_policy,
}
