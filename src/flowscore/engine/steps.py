"""Steps: due enrollments walk through their version's places until they pause or end (phase 4).

`here` below are the enrollments that stand at one place; each verb acts on all of them at once.
Several enrollments of one contact in one scenario take turns, the oldest first (ruling 17).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Executable,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    update,
)

from flowscore.engine import lists, outbox, profile
from flowscore.engine.balances import rebalance
from flowscore.engine.scoring import LINE_COLUMNS, Scoring, points
from flowscore.engine.walk import Branch, Do, Jump, Place, program
from flowscore.engine.work import Work, rows_of, turned, walking
from flowscore.language import actions as words
from flowscore.language.scenario import Scenario
from flowscore.rules.book import Book
from flowscore.rules.conditions import holds, is_member
from flowscore.rules.who import Who
from flowscore.store.dialects import insert_from
from flowscore.store.tables import enrollments, ledger, steps

Verb = Callable[[Work], None]


@dataclass
class Path:
    """One version of a scenario, its places as verbs; `order` is the scenario's place (16)."""

    scenario: Scenario
    definition_id: int
    order: int
    book: Book
    scoring: Scoring
    topics: dict[str, str]  # template -> topic
    verbs: list[Verb] = field(default_factory=list)
    place: int = 0

    def here(self) -> Any:
        """The walking rows that stand at the place being built, in this turn."""
        return and_(
            walking.c.definition_id == self.definition_id,
            walking.c.turn == bindparam("this_turn", type_=BigInteger),
            walking.c.position == self.place,
        )

    whose: ClassVar[Who] = Who(walking.c.contact_id, walking.c.event_id, walking.c.own_at)


def build(
    scenario: Scenario,
    definition_id: int,
    order: int,
    book: Book,
    scoring: Scoring,
    topics: dict[str, str],
) -> Path:
    """The verbs of every place of a version."""
    path = Path(scenario, definition_id, order, book, scoring, topics)
    for path.place, place in enumerate(program(scenario.actions)):
        path.verbs.append(_verb(place, path))
    path.place = len(path.verbs)
    path.verbs.append(_ending(path, "finished", ""))
    return path


def _verb(place: Place, path: Path) -> Verb:
    match place:
        case Jump(to=to):
            return _running(_go(path, to))
        case Branch():
            return _branch(place, path)
        case Do(action=action):
            return act(action, path)


def _running(*statements: Executable) -> Verb:
    def verb(work: Work) -> None:
        for statement in statements:
            work.run(statement, this_turn=work.turn)

    return verb


def _go(path: Path, to: Any) -> Executable:
    return update(walking).where(path.here()).values(position=to)


def _done(path: Path, step: str, outcome: Any = "") -> Executable:
    """Statement: the step has been done by those who stand here."""
    rows = select(
        walking.c.enrollment_id, literal(step), cast(path.book.now, BigInteger), _text(outcome)
    ).where(path.here())
    return insert_from(steps, ["enrollment_id", "step", "at", "outcome"], rows)


def _text(value: Any) -> Any:
    return literal(value) if isinstance(value, str) else value


def _branch(place: Branch, path: Path) -> Verb:
    passes = case((holds(place.condition, path.book, path.whose), 1), else_=0)
    chosen = case((passes == 1, path.place + 1), else_=place.otherwise)
    told = _done(path, place.path, case((passes == 1, "then"), else_="else"))
    go = _go(path, chosen)

    def verb(work: Work) -> None:
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        work.run(go, this_turn=work.turn)

    return verb


def _then_on(path: Path, step: str, effect: Verb) -> Verb:
    """The effect, its record, and on to the next place."""
    told, go = _done(path, step), _go(path, path.place + 1)

    def verb(work: Work) -> None:
        effect(work)
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        work.run(go, this_turn=work.turn)

    return verb


@singledispatch
def act(action: words.Action, path: Path) -> Verb:
    """What a step does to all who stand at it; one function for each action."""
    raise TypeError(f"no verb for {type(action).__name__}")


@act.register
def _(action: words.AddPoints, path: Path) -> Verb:
    now = cast(path.book.now, BigInteger)
    rows = (
        select(
            walking.c.contact_id,
            literal(action.score),
            literal(path.scenario.name),
            literal("scenario"),
            cast(walking.c.enrollment_id, Text) + literal("/" + action.path),
            cast(literal(points(action.points)), BigInteger),
            now,
            now,
            cast(null(), BigInteger),
            cast(literal(path.definition_id), BigInteger),
            literal(action.reason),
        )
        .where(path.here())
        .order_by(walking.c.enrollment_id)
    )
    give = insert_from(ledger, LINE_COLUMNS, rows)

    def effect(work: Work) -> None:
        before = work.last(ledger)
        written = rows_of(work.run(give, this_turn=work.turn))
        work.counts.lines += written
        work.changed += written
        rebalance(work, path.scoring.rebalance, before)

    return _then_on(path, action.path, effect)


@act.register
def _(action: words.AddToList, path: Path) -> Verb:
    effects = [_mover(name, 1, action.path, path) for name in action.lists]
    return _then_on(path, action.path, _one_after_another(effects))


@act.register
def _(action: words.RemoveFromList, path: Path) -> Verb:
    effects = [_mover(name, 0, action.path, path) for name in action.lists]
    return _then_on(path, action.path, _one_after_another(effects))


@act.register
def _(action: words.MoveToList, path: Path) -> Verb:
    out = [_mover(name, 0, action.path, path) for name in action.origin if name not in action.to]
    into = [_mover(name, 1, action.path, path) for name in action.to]
    return _then_on(path, action.path, _one_after_another(out + into))


def _one_after_another(effects: list[Verb]) -> Verb:
    def effect(work: Work) -> None:
        for one in effects:
            one(work)

    return effect


def _mover(name: str, joins: int, step: str, path: Path) -> Verb:
    """Into the list (1) or out of it (0): only who is not so already moves (ruling 48)."""
    moves = lists.moves(name, literal(f"scenario/{path.scenario.name}#{step}"), path.book)
    member = is_member((name,), walking.c.contact_id)
    rows = select(walking.c.contact_id, literal(joins)).where(
        path.here(), ~member if joins else member
    )
    find = insert(turned).from_select(["contact_id", "holds"], rows)

    def effect(work: Work) -> None:
        work.clear(turned)
        if work.fill(turned, find, this_turn=work.turn):
            place = f"{work.now}/{work.round}/{path.definition_id}/{step}/{work.turn}"
            lists.move(work, moves, place)

    return effect


@act.register
def _(action: words.SetAttribute, path: Path) -> Verb:
    standing = select(walking.c.enrollment_id, walking.c.contact_id, enrollments.c.event_id).where(
        path.here(), enrollments.c.id == walking.c.enrollment_id
    )

    on = _then_on(path, action.path, lambda _: None)

    def verb(work: Work) -> None:
        rows = work.run(standing, this_turn=work.turn).all()
        left = profile.set_attributes(work, action, rows)
        on(work)
        profile.record_left(work, action.path, left)

    return verb


@act.register
def _(action: words.SendEmail, path: Path) -> Verb:
    queued = [
        outbox.queue(
            action, name, place, path.scenario, path.order, path.topics, path.book, path.here()
        )
        for place, name in enumerate(action.templates)
    ]

    def effect(work: Work) -> None:
        for statement in queued:
            work.counts.queued += rows_of(work.run(statement, this_turn=work.turn))

    return _then_on(path, action.path, effect)


@act.register
def _(action: words.Wait, path: Path) -> Verb:
    told = _done(path, action.path)
    pause = (
        update(enrollments)
        .where(enrollments.c.id.in_(select(walking.c.enrollment_id).where(path.here())))
        .values(position=path.place + 1, due_at=cast(path.book.now, BigInteger) + action.duration)
    )
    leave = delete(walking).where(path.here())

    def verb(work: Work) -> None:
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        work.run(pause, this_turn=work.turn)
        work.run(leave, this_turn=work.turn)

    return verb


@act.register
def _(action: words.Exit, path: Path) -> Verb:
    told = _done(path, action.path)
    end = _ending(path, "exited", action.reason or "exit")

    def verb(work: Work) -> None:
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        end(work)

    return verb


def _ending(path: Path, outcome: str, reason: str) -> Verb:
    """The walk of those who stand here is over."""
    end = (
        update(enrollments)
        .where(enrollments.c.id.in_(select(walking.c.enrollment_id).where(path.here())))
        .values(
            ended_at=cast(path.book.now, BigInteger),
            outcome=outcome,
            reason=reason,
            position=path.place,
        )
    )
    leave = delete(walking).where(path.here())

    def verb(work: Work) -> None:
        ended = rows_of(work.run(end, this_turn=work.turn))
        work.counts.ended += ended
        work.changed += ended
        work.run(leave, this_turn=work.turn)

    return verb


# ---------------------------------------------------------------- the verb


def walk(work: Work, paths: dict[int, Path]) -> None:
    """Phase 4: scenario by scenario in order, everyone due walks until it pauses or ends."""
    enabled = [id_ for id_, path in paths.items() if path.scenario.enabled]
    work.clear(walking)
    if not work.fill(walking, DUE, enabled=enabled):
        return
    groups = [(paths[id_].order, turn, id_) for id_, turn in work.run(TURNS)]
    for _, work.turn, id_ in sorted(groups):
        _walk_group(work, paths[id_])


def _walk_group(work: Work, path: Path) -> None:
    here = {"version": path.definition_id, "this_turn": work.turn}
    while (place := work.run(NEAREST, **here).scalar()) is not None:
        path.verbs[place](work)


TURNS = select(walking.c.definition_id, walking.c.turn).distinct()
NEAREST = select(func.min(walking.c.position)).where(
    walking.c.definition_id == bindparam("version", type_=BigInteger),
    walking.c.turn == bindparam("this_turn", type_=BigInteger),
)


def _due() -> Any:
    """Statement: the enrollments whose next step is due begin to walk."""
    turn = func.row_number().over(
        partition_by=(enrollments.c.scenario, enrollments.c.contact_id),
        order_by=(enrollments.c.entered_at, enrollments.c.key, enrollments.c.id),
    )
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
        case((enrollments.c.awaiting_since.is_(null()), null()), else_=enrollments.c.came),
    ).where(
        enrollments.c.ended_at.is_(null()),
        enrollments.c.due_at <= bindparam("now", type_=BigInteger),
        enrollments.c.definition_id.in_(bindparam("enabled", expanding=True)),
    )
    columns = [
        "enrollment_id", "contact_id", "definition_id", "position", "due_at", "turn", "event_id",
        "own_at", "held", "came",
    ]  # fmt: skip
    return insert(walking).from_select(columns, rows)


DUE = _due()
