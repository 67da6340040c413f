"""Scores of companies: the sum over a company's present members (rulings 96, 115 and 130).

Lines and their sums are the contacts' own, so who changes company takes them along. What a
contact reads is the company's balance; it is brought up to date after the points of phase 1 and
before phase 2, and stands still while people walk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Insert,
    Update,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    update,
)

from flowscore.engine.balances import cut
from flowscore.engine.scratch import company_sums, touched_companies
from flowscore.store.dialects import insert_from, insert_or_update
from flowscore.store.tables import balances, changes, companies, company_balances, contacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowscore.engine.work import Work
    from flowscore.language.scoring import Score

LEFT = "left company"  # the kind of a change; its name is the company's id
SEEN = bindparam("companies_seen", type_=BigInteger)


@dataclass(frozen=True)
class KeptCompanies:
    """The statements that keep the balances of companies true."""

    names: tuple[str, ...]
    touch: Insert
    touch_all: Insert
    sum_up: Insert
    tell: Insert
    tell_movers: tuple[Insert, ...]
    write: Insert
    look: Update


def build(scores: Sequence[Score]) -> KeptCompanies | None:
    """The statements for the scores that are companies'; None where none is."""
    ours = [score for score in scores if score.of == "company"]
    if not ours:
        return None
    names = tuple(score.name for score in ours)
    reads = cut(ours, company_sums.c.score, company_sums.c.raw)
    return KeptCompanies(
        names=names,
        touch=_touch(names),
        touch_all=insert_from(touched_companies, ["company_id"], select(companies.c.id)),
        sum_up=_sum_up(names),
        tell=_tell(reads),
        tell_movers=tuple(_tell_movers(name) for name in names),
        write=_write(ours, reads),
        look=_look(names),
    )


def _touch(names: tuple[str, ...]) -> Insert:
    """Statement: companies of whose members something changed, and those somebody left."""
    moved = or_(
        and_(changes.c.kind == "score", changes.c.name.in_(names)),
        and_(changes.c.kind == "company", changes.c.name == ""),
    )
    joined = (
        select(contacts.c.company_id)
        .select_from(changes.join(contacts, contacts.c.id == changes.c.contact_id))
        .where(changes.c.id > SEEN, moved, contacts.c.company_id.is_not(None))
    )
    left = select(cast(changes.c.name, BigInteger)).where(
        changes.c.id > SEEN, changes.c.kind == LEFT
    )
    both = union(joined, left).subquery()
    return insert_from(touched_companies, ["company_id"], select(both.c[0]))


def _sum_up(names: tuple[str, ...]) -> Insert:
    """Statement: what the lines of present members add up to, for each touched company."""
    parts = [
        select(
            touched_companies.c.company_id,
            literal(name),
            cast(func.coalesce(func.sum(balances.c.raw), 0), BigInteger),
        )
        .select_from(
            touched_companies.outerjoin(
                contacts, contacts.c.company_id == touched_companies.c.company_id
            ).outerjoin(
                balances,
                and_(balances.c.contact_id == contacts.c.id, balances.c.score == name),
            )
        )
        .group_by(touched_companies.c.company_id)
        for name in names
    ]
    rows = parts[0] if len(parts) == 1 else select(union(*parts).subquery())
    return insert(company_sums).from_select(["company_id", "score", "raw"], rows)


STANDING = and_(
    company_balances.c.company_id == company_sums.c.company_id,
    company_balances.c.score == company_sums.c.score,
)


def _tell(reads: Any) -> Insert:
    """Statement: every member of a company whose balance is another than before."""
    rows = (
        select(literal("score"), company_sums.c.score, contacts.c.id)
        .select_from(
            company_sums.outerjoin(company_balances, STANDING).join(
                contacts, contacts.c.company_id == company_sums.c.company_id
            )
        )
        .where(func.coalesce(company_balances.c.balance, 0) != reads)
    )
    return insert(changes).from_select(["kind", "name", "contact_id"], rows)


def _tell_movers(name: str) -> Insert:
    """Statement: who changed company reads another balance."""
    rows = select(literal("score"), literal(name), changes.c.contact_id).where(
        changes.c.id > SEEN, changes.c.kind == "company", changes.c.name == ""
    )
    return insert(changes).from_select(["kind", "name", "contact_id"], rows)


def _write(ours: Sequence[Score], reads: Any) -> Insert:
    rows = select(
        company_sums.c.company_id,
        company_sums.c.score,
        company_sums.c.raw,
        reads,
        cast(literal(0), BigInteger),
    )
    return insert_or_update(
        company_balances,
        ["company_id", "score"],
        ["company_id", "score", "raw", "balance", "looked"],
        rows,
        lambda row: {"raw": row.raw, "balance": row.balance},
    )


def _look(names: tuple[str, ...]) -> Update:
    told = (
        select(contacts.c.company_id)
        .join(changes, changes.c.contact_id == contacts.c.id)
        .where(
            changes.c.kind == "score",
            changes.c.name.in_(names),
            changes.c.id > bindparam("changes_seen", type_=BigInteger),
            contacts.c.company_id.is_not(None),
        )
    )
    return (
        update(company_balances)
        .where(
            company_balances.c.looked != company_balances.c.balance,
            company_balances.c.company_id.in_(told),
        )
        .values(looked=company_balances.c.balance)
    )


# ---------------------------------------------------------------- verbs


def refresh(work: Work, kept: KeptCompanies | None, seen: int) -> None:
    """Bring up to date the balances of companies of which something changed after `seen`."""
    if kept is None:
        return
    watched = {("company", ""), *(("score", name) for name in kept.names)}
    if not (work.told_of(watched, seen) or work.told_of_kind(LEFT, seen)):
        return
    work.clear(touched_companies)
    if work.fill(touched_companies, kept.touch, companies_seen=seen):
        _bring_up_to_date(work, kept)
    for statement in kept.tell_movers:
        work.run(statement, companies_seen=seen)


def _bring_up_to_date(work: Work, kept: KeptCompanies) -> None:
    work.clear(company_sums)
    if work.fill(company_sums, kept.sum_up):
        work.run(kept.tell)
        work.run(kept.write)


def remember_looked(work: Work, kept: KeptCompanies | None, changes_seen: int) -> None:
    """The balances of this phase 3 are what the next crossing is held against (ruling 15)."""
    if kept is not None:
        work.run(kept.look, changes_seen=changes_seen)


def recompute(work: Work, kept: KeptCompanies | None) -> bool:
    """All companies anew, after their members; whether there are any."""
    if kept is None:
        return False
    work.clear(touched_companies)
    if work.fill(touched_companies, kept.touch_all):
        _bring_up_to_date(work, kept)
    return True
