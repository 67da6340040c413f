"""Steps: due enrollments walk through their version's places until they pause or end (phase 4).

Several enrollments of one contact in one scenario take turns, the oldest first (ruling 17).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    and_,
    bindparam,
    case,
    func,
    insert,
    null,
    select,
)

from flowscore.engine import owners
from flowscore.engine.effects import act
from flowscore.engine.path import Path, Verb, ending, go, record, running
from flowscore.engine.pauses import await_occurrence
from flowscore.engine.scratch import walking
from flowscore.engine.walk import Await, Branch, Do, Fork, Jump, Place, program
from flowscore.engine.work import Work, rows_of
from flowscore.rules.conditions import holds
from flowscore.rules.shares import portions
from flowscore.store.tables import contacts, enrollments

if TYPE_CHECKING:
    from flowscore.language.conditions import Condition


def build(path: Path) -> Path:
    """The verbs of every place of a version."""
    exit_when = path.scenario.exit_when
    for number, place in enumerate(program(path.scenario.actions)):
        path.place = number
        verb = _verb(place, path)
        if exit_when is not None and not isinstance(place, Jump):
            verb = _asking_first(exit_when, path, verb)
        path.verbs.append(verb)
    path.place = len(path.verbs)
    path.verbs.append(ending(path, "finished", ""))
    return path


def _verb(place: Place, path: Path) -> Verb:
    match place:
        case Jump(to=to):
            return running(go(path, to))
        case Branch():
            passes = holds(place.condition, path.book, path.whose)
            return _fork(path, place.path, [("then", path.place + 1, passes)], place.otherwise)
        case Fork(ways=ways):
            shares = [share for _, share, _ in ways]
            drawn = portions(_lot_of(path, place.path), shares, path.whose.contact)
            chosen = [(name, to, one) for (name, _, to), one in zip(ways, drawn, strict=True)]
            return _fork(path, place.path, chosen, ways[-1][2])
        case Await():
            return await_occurrence(place, path)
        case Do(action=action):
            return act(action, path)


def _lot_of(path: Path, step: str) -> str:
    return f"scenario/{path.scenario.name}/{step}"


def _fork(path: Path, step: str, ways: list[tuple[str, int, Any]], otherwise: int) -> Verb:
    """Each goes the first way whose predicate holds: (what is recorded, where to, predicate)."""
    flags = [case((passes, 1), else_=0) == 1 for _, _, passes in ways]
    names = [(flag, name) for flag, (name, _, _) in zip(flags, ways, strict=True)]
    places = [(flag, to) for flag, (_, to, _) in zip(flags, ways, strict=True)]
    told = record(path, step, case(*names, else_="else"))
    on = go(path, case(*places, else_=otherwise))

    def verb(work: Work) -> None:
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        work.run(on, this_turn=work.turn)

    return verb


def _asking_first(exit_when: Condition, path: Path, verb: Verb) -> Verb:
    """Before each step `exit_when` is asked; who comes back from a wait stands at no new one."""
    arrived = and_(path.here(), walking.c.came.is_(None))
    leaving = and_(arrived, holds(exit_when, path.book, path.whose))
    exits = ending(path, "exited", "exit_when", leaving)

    def asking(work: Work) -> None:
        exits(work)
        verb(work)

    return asking


# ---------------------------------------------------------------- the verb


def walk(work: Work, paths: dict[int, Path]) -> None:
    """Phase 4: scenario by scenario in order, everyone due walks until it pauses or ends."""
    enabled = [id_ for id_, path in paths.items() if path.scenario.enabled]
    work.clear(walking)
    if not work.fill(walking, DUE, enabled=enabled):
        return
    if work.run(SECOND_TURNS).scalar():
        owners.keep_turns_in_order(work, paths)
    groups = [(paths[id_].order, turn, id_) for id_, turn in work.run(TURNS)]
    for _, work.turn, id_ in sorted(groups):
        _walk_group(work, paths[id_])


def _walk_group(work: Work, path: Path) -> None:
    here = {"version": path.definition_id, "this_turn": work.turn}
    while (place := work.run(NEAREST, **here).scalar()) is not None:
        path.verbs[place](work)


SECOND_TURNS = select(select(1).where(walking.c.turn > 1).exists())
TURNS = select(walking.c.definition_id, walking.c.turn).distinct()
NEAREST = select(func.min(walking.c.position)).where(
    walking.c.definition_id == bindparam("version", type_=BigInteger),
    walking.c.turn == bindparam("this_turn", type_=BigInteger),
)


def _due() -> Any:
    """Statement: the enrollments whose next step is due begin to walk (order: ruling 130)."""
    turn = func.row_number().over(
        partition_by=(enrollments.c.scenario, enrollments.c.contact_id),
        order_by=(enrollments.c.entered_at, enrollments.c.key, enrollments.c.id),
    )
    came = case((enrollments.c.awaiting_since.is_(null()), null()), else_=enrollments.c.came)
    rows = select(
        enrollments.c.id,
        enrollments.c.contact_id,
        enrollments.c.definition_id,
        enrollments.c.position,
        enrollments.c.due_at,
        turn,
        enrollments.c.event_id,
        enrollments.c.own_at,
        enrollments.c.held,
        came,
        enrollments.c.entered_at,
        contacts.c.email_folded,
        enrollments.c.key,
    ).where(
        contacts.c.id == enrollments.c.contact_id,
        enrollments.c.ended_at.is_(null()),
        enrollments.c.due_at <= bindparam("now", type_=BigInteger),
        enrollments.c.definition_id.in_(bindparam("enabled", expanding=True)),
    )
    columns = [
        "enrollment_id", "contact_id", "definition_id", "position", "due_at", "turn", "event_id",
        "own_at", "held", "came", "entered_at", "email", "key",
    ]  # fmt: skip
    return insert(walking).from_select(columns, rows)


DUE = _due()
