"""What a step does to all who stand at it: one function for each action."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text, and_, cast, func, insert, literal, null, or_, select

from flowscore.engine import consenting, lists, outbox, owners, pauses, profile
from flowscore.engine.balances import LINE_COLUMNS
from flowscore.engine.booking import book_lines, book_resets
from flowscore.engine.journeys import STAY, into_staged, move, moves, place_of
from flowscore.engine.path import Path, Verb, ending, one_after_another, record, then_on
from flowscore.engine.scoring import points
from flowscore.engine.scratch import requested, staged, turned, walking
from flowscore.engine.work import Work, rows_of
from flowscore.language import actions as words
from flowscore.rules.conditions import is_member
from flowscore.rules.traits import colleagues
from flowscore.store.dialects import insert_from
from flowscore.store.tables import balances, contacts, ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Insert


@singledispatch
def act(action: words.Action, path: Path) -> Verb:
    """What a step does to all who stand at it; one function for each action."""
    raise TypeError(f"no verb for {type(action).__name__}")


# ---------------------------------------------------------------- points


@act.register
def _(action: words.AddPoints, path: Path) -> Verb:
    worth = cast(literal(points(action.points)), BigInteger)
    line = _line(path, action.path, action.score, "scenario", worth, action.reason)
    return then_on(path, action.path, _writing(path, line))


@act.register
def _(action: words.ResetScore, path: Path) -> Verb:
    """Also of a balance of 0: what is dated before it and comes in late is void (ruling 54)."""
    effects = []
    for score in action.scores:
        if score in path.book.company_scores:
            effects.append(_writing(path, _company_reset(path, action, score), book_resets))
            continue
        raw = select(balances.c.raw).where(
            balances.c.contact_id == walking.c.contact_id, balances.c.score == score
        )
        less = -func.coalesce(raw.correlate(walking).scalar_subquery(), 0)
        line = _line(path, _reset_step(action, score), score, "reset", cast(less, BigInteger), "")
        effects.append(_writing(path, line, book_resets))
    return then_on(path, action.path, one_after_another(effects))


def _reset_step(action: words.ResetScore, score: str) -> str:
    return action.path if len(action.scores) == 1 else f"{action.path}/{score}"


def _company_reset(path: Path, action: words.ResetScore, score: str) -> Insert:
    """Statement: a line for everybody who is with the company, each for what is theirs (96)."""
    member = contacts.alias()
    raw = select(balances.c.raw).where(
        balances.c.contact_id == member.c.id, balances.c.score == score
    )
    less = -func.coalesce(raw.correlate(member).scalar_subquery(), 0)
    one = func.min(walking.c.enrollment_id)  # two colleagues at the same step reset it once
    mine = or_(
        member.c.id == walking.c.contact_id,
        member.c.id.in_(colleagues(walking.c.contact_id)),
    )
    rows = (
        select(
            member.c.id,
            literal(score),
            literal(path.scenario.name),
            literal("reset"),
            cast(one, Text) + literal("/" + _reset_step(action, score)),
            cast(less, BigInteger),
            path.now,
            path.now,
            cast(null(), BigInteger),
            cast(literal(path.definition_id), BigInteger),
            literal(""),
        )
        .select_from(walking.join(member, mine))
        .where(path.touched())
        .group_by(member.c.id)
        .order_by(func.coalesce(member.c.email_folded, ""))  # whose line comes last (115)
    )
    return insert_from(ledger, LINE_COLUMNS, rows)


def _line(path: Path, step: str, score: str, kind: str, worth: Any, reason: str) -> Insert:
    """Statement: a line of the ledger, dated T, for each whom the step touches."""
    # In a company's score it matters whose line came last (ruling 115).
    first = [walking.c.email] if score in path.book.company_scores else []
    order = [*first, walking.c.enrollment_id]
    rows = (
        select(
            walking.c.contact_id,
            literal(score),
            literal(path.scenario.name),
            literal(kind),
            cast(walking.c.enrollment_id, Text) + literal("/" + step),
            worth,
            path.now,
            path.now,
            cast(null(), BigInteger),
            cast(literal(path.definition_id), BigInteger),
            literal(reason),
        )
        .where(path.touched())
        .order_by(*order)
    )
    return insert_from(ledger, LINE_COLUMNS, rows)


def _writing(path: Path, line: Insert, book: Callable[..., None] = book_lines) -> Verb:
    def effect(work: Work) -> None:
        before = work.last(ledger)
        written = rows_of(work.run(line, this_turn=work.turn))
        work.counts.lines += written
        work.changed += written
        book(work, path.scoring.booking, before)

    return effect


# ---------------------------------------------------------------- lists


@act.register
def _(action: words.AddToList, path: Path) -> Verb:
    effects = [_mover(name, 1, action.path, path) for name in action.lists]
    return then_on(path, action.path, one_after_another(effects))


@act.register
def _(action: words.RemoveFromList, path: Path) -> Verb:
    effects = [_mover(name, 0, action.path, path) for name in action.lists]
    return then_on(path, action.path, one_after_another(effects))


@act.register
def _(action: words.MoveToList, path: Path) -> Verb:
    out = [_mover(name, 0, action.path, path) for name in action.origin if name not in action.to]
    into = [_mover(name, 1, action.path, path) for name in action.to]
    return then_on(path, action.path, one_after_another(out + into))


def _mover(name: str, joins: int, step: str, path: Path) -> Verb:
    """Into the list (1) or out of it (0): only who is not so already moves (ruling 48)."""
    carry = lists.moves(name, literal(f"scenario/{path.scenario.name}#{step}"), path.book)
    member = is_member((name,), walking.c.contact_id)
    rows = select(walking.c.contact_id, literal(joins)).where(
        path.touched(), ~member if joins else member
    )
    find = insert(turned).from_select(["contact_id", "holds"], rows)

    def effect(work: Work) -> None:
        work.clear(turned)
        if work.fill(turned, find, this_turn=work.turn):
            lists.move(work, carry, _place_of_events(work, path, step))

    return effect


def _place_of_events(work: Work, path: Path, step: str) -> str:
    """What tells the events of one step in one turn from all others."""
    return f"{work.now}/{work.round}/{path.definition_id}/{step}/{work.turn}"


# ---------------------------------------------------------------- the lifecycle


@act.register
def _(action: words.SetStage, path: Path) -> Verb:
    """Forward only, unless `back`; who is there already stays as they are (rulings 48, 49)."""
    here = and_(STAY.c.contact_id == walking.c.contact_id, STAY.c.left_at.is_(null()))
    origin, target = place_of(path.stages, STAY.c.stage), path.stages.index(action.stage)
    cause = f"scenario/{path.scenario.name}#{action.path}"
    rows = (
        select(walking.c.contact_id, origin, literal(target), literal(cause))
        .select_from(walking.outerjoin(STAY, here))
        .where(path.touched(), origin != target if action.back else origin < target)
    )
    find, carry = into_staged(rows), moves(path.stages, path.book)

    def effect(work: Work) -> None:
        work.clear(staged)
        if moved := work.fill(staged, find, this_turn=work.turn):
            move(work, carry, _place_of_events(work, path, action.path))
            work.changed += moved

    return then_on(path, action.path, effect)


# ---------------------------------------------------------------- the contact


@act.register
def _(action: words.SetAttribute, path: Path) -> Verb:
    standing = select(walking.c.enrollment_id, walking.c.contact_id, walking.c.event_id)
    standing = standing.where(path.touched())
    on = then_on(path, action.path, lambda _: None)

    def verb(work: Work) -> None:
        rows = work.run(standing, this_turn=work.turn).all()
        left = profile.set_attributes(work, action, rows)
        on(work)
        profile.record_left(work, action.path, left)

    return verb


@act.register
def _(action: words.AssignOwner, path: Path) -> Verb:
    return then_on(path, action.path, owners.assign(action, path))


@act.register
def _(action: words.ChangeConsent, path: Path) -> Verb:
    return then_on(path, action.path, consenting.change(action, path))


# ---------------------------------------------------------------- messages


@act.register
def _(action: words.SendEmail, path: Path) -> Verb:
    queued = [outbox.mail(action, name, n, path) for n, name in enumerate(action.templates)]
    return then_on(path, action.path, _queueing(*queued))


@act.register
def _(action: words.Notify, path: Path) -> Verb:
    pairs = [(template, to) for template in action.templates for to in action.to]
    queued = [outbox.notice(action, pair, n, path) for n, pair in enumerate(pairs)]
    return then_on(path, action.path, _queueing(*queued))


@act.register
def _(action: words.CallWebhook, path: Path) -> Verb:
    return then_on(path, action.path, outbox.webhook(action, path))


def _queueing(*statements: Insert) -> Verb:
    def effect(work: Work) -> None:
        for statement in statements:
            work.counts.queued += rows_of(work.run(statement, this_turn=work.turn))

    return effect


# ---------------------------------------------------------------- the walk itself


@act.register
def _(action: words.Wait, path: Path) -> Verb:
    return pauses.wait(action, path)


@act.register
def _(action: words.EnrollIn, path: Path) -> Verb:
    """An occurrence by hand for the next round, with this enrollment's event (rulings 46, 86)."""
    asking = [_request(name, action.path, path) for name in action.scenarios]

    def effect(work: Work) -> None:
        for statement in asking:
            work.changed += work.fill(requested, statement, this_turn=work.turn)

    return then_on(path, action.path, effect)


def _request(scenario: str, step: str, path: Path) -> Insert:
    key = literal("enroll:") + cast(walking.c.enrollment_id, Text) + literal("/" + step)
    rows = select(literal(scenario), walking.c.contact_id, path.now, key, walking.c.event_id)
    columns = ["scenario", "contact_id", "own_at", "key", "event_id"]
    return insert(requested).from_select(columns, rows.where(path.touched()))


@act.register
def _(action: words.Exit, path: Path) -> Verb:
    told = record(path, action.path)
    end = ending(path, "exited", action.reason or "exit")

    def verb(work: Work) -> None:
        work.count_steps(rows_of(work.run(told, this_turn=work.turn)))
        end(work)

    return verb
