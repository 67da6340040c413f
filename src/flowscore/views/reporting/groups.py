"""Score and qualification by group, for attributes that must not decide who is served (F05)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    select,
)

from flowscore.clock import DAY
from flowscore.language.grammar.sensitive import is_sensitive, sensitive_places
from flowscore.rules.explain import sentence
from flowscore.store.tables import SHOWN, attributes, balances, company_balances, contacts
from flowscore.views.reporting.certainty import Difference, Share, too_thin
from flowscore.views.reporting.inquiry import Inquiry, leads_still_there
from flowscore.views.reporting.qualified import NOBODY_SAYS, Qualified, find_qualified

if TYPE_CHECKING:
    from flowscore.language.scoring import Score

Row = dict[str, Any]
SMALLEST = 10
"""Smaller groups are not shown: one could tell from them who is meant."""
BAND = 10
"""Numbers are told in bands: ages 20-29, 30-39."""
YEAR = 365.25 * DAY
MANY = 100
"""Values of one attribute that are shown, at most."""


def groups(inquiry: Inquiry) -> Row:
    """Each sensitive attribute that somebody has, by value; and the rules that read one."""
    qualified = find_qualified(inquiry)
    told = [_attribute(inquiry, name, qualified) for name in sensitive_names(inquiry)]
    read = list(_rules(inquiry))
    return {
        "qualified_means": qualified.words or None,
        "attributes": told,
        "rules": read,
        "notes": [*_as_of(inquiry), *_doubts(told, read, qualified)],
    }


def sensitive_names(inquiry: Inquiry) -> list[str]:
    """The sensitive ones among all attributes that anybody has, one look at the index for each."""
    found: list[str] = []
    name = _next_name(inquiry, None)
    while name is not None:
        if is_sensitive(name):
            found.append(name)
        name = _next_name(inquiry, name)
    return found


def _next_name(inquiry: Inquiry, last: str | None) -> str | None:
    query = select(attributes.c.name).order_by(attributes.c.name).limit(1)
    query = query if last is None else query.where(attributes.c.name > last)
    return inquiry.connection.execute(query).scalar()


# --- by value ---------------------------------------------------------------------------------


def _attribute(inquiry: Inquiry, name: str, qualified: Qualified) -> Row:
    rows = inquiry.rows(_by_group(inquiry, name, qualified))
    shown = [row for row in rows if row.value is not None and row.people >= SMALLEST]
    told = [_group(inquiry, row) for row in shown[:MANY]]
    return {
        "attribute": name,
        "groups": told,
        "unknown": next((row.people for row in rows if row.value is None), 0),
        "too_small": len([row for row in rows if row.value is not None]) - len(shown),
        "largest_gap": _gap(shown) if qualified.who is not None else None,
    }


def _by_group(inquiry: Inquiry, name: str, qualified: Qualified) -> Select[Any]:
    """People, qualified ones and mean balances of the leads of the period, by value."""
    of = attributes.c
    new, model = leads_still_there(inquiry.period).subquery(), qualified.people.subquery()
    value = _value(inquiry, name)
    has = and_(of.contact_id == new.c.contact_id, of.name == name, of.element == 0)
    each = (
        select(
            value.label("value"),
            case((model.c.contact_id.is_not(None), 1), else_=0).label("good"),
            *(_balance(score, new.c.contact_id) for score in inquiry.project.scores.values()),
        )
        .select_from(new)
        .outerjoin(attributes, has)
        .outerjoin(model, model.c.contact_id == new.c.contact_id)
    ).subquery()
    people = func.count().label("people")
    means = (
        func.avg(cast(each.c[_column(name)], Float)).label(_column(name))
        for name in inquiry.project.scores
    )
    query = select(each.c.value, people, func.sum(each.c.good).label("good"), *means)
    return query.group_by(each.c.value).order_by(people.desc(), each.c.value)


def _column(score: str) -> str:
    return f"score_{score}"


def _value(inquiry: Inquiry, name: str) -> ColumnElement[Any]:
    """The text; a number by its band, a day of birth by the age at the end of the period."""
    of = attributes.c
    born = func.coalesce(of.instant, of.local)
    lived = cast(inquiry.period.until - born, Float) / (YEAR * BAND)
    band = cast(func.floor(of.number / BAND), BigInteger) * BAND
    decade = cast(func.floor(lived), BigInteger) * BAND
    return case(
        (of.number.is_not(None), _band(band)),
        (born.is_not(None), "age " + _band(decade)),
        else_=of.text,
    )


def _band(low: ColumnElement[int]) -> ColumnElement[str]:
    return cast(low, Text) + "-" + cast(low + BAND - 1, Text)


def _balance(score: Score, contact: ColumnElement[int]) -> ColumnElement[Any]:
    """What the contact reads, in 10⁻⁴ points."""
    if score.of == "company":
        of = company_balances.c
        query = (
            select(of.balance)
            .join(contacts, contacts.c.company_id == of.company_id)
            .where(contacts.c.id == contact, of.score == score.name)
            .correlate_except(company_balances, contacts)
        )
    else:
        query = (
            select(balances.c.balance)
            .where(balances.c.contact_id == contact, balances.c.score == score.name)
            .correlate_except(balances)
        )
    return func.coalesce(query.scalar_subquery(), 0).label(_column(score.name))


def _group(inquiry: Inquiry, row: Any) -> Row:
    values = row._asdict()
    return {
        "value": row.value,
        "contacts": row.people,
        "qualified": Share(int(row.good), row.people).as_row(),
        "mean_scores": {
            name: round(float(values[_column(name)]) / SHOWN, 2) for name in inquiry.project.scores
        },
    }


def _gap(rows: list[Any]) -> Row | None:
    """Between the group that qualifies most and the one that qualifies least."""
    if len(rows) < 2:
        return None
    by_share = sorted(rows, key=lambda row: row.good / row.people)
    least, most = by_share[0], by_share[-1]
    gap = Difference(Share(int(most.good), most.people), Share(int(least.good), least.people))
    return {"most": most.value, "least": least.value, **gap.as_row(), "said": str(gap)}


# --- the rules that read them -----------------------------------------------------------------


def _rules(inquiry: Inquiry) -> Iterator[Row]:
    """Every rule over a sensitive attribute, with the reason that its author gave (ruling 105)."""
    for score in inquiry.project.scores.values():
        for rule in score.rules:
            if named := sorted({name for name, _ in sensitive_places(rule)}):
                asked = rule.when if rule.when is not None else rule.conditions
                yield {
                    "score": score.name,
                    "rule": rule.name,
                    "points": rule.points,
                    "reads": named,
                    "when": sentence(asked) if asked is not None else None,
                    "because": rule.because,
                    "where": str(rule.mark),
                }


def _as_of(inquiry: Inquiry) -> Iterator[str]:
    """Balances are kept as they are, not as they were."""
    if inquiry.period.until < inquiry.as_of and inquiry.project.scores:
        yield "mean scores are those of the last tick, not of the end of the period"


def _doubts(told: list[Row], read: list[Row], qualified: Qualified) -> Iterator[str]:
    if qualified.who is None:
        yield NOBODY_SAYS
    if not told:
        yield "no contact has a sensitive attribute (gender, age, origin …): no group to compare"
    if not read:
        yield "no rule reads a sensitive attribute"
    for one in told:
        if one["too_small"]:
            many = one["too_small"]
            yield (
                f"{one['attribute']}: {many} group{'' if many == 1 else 's'} of fewer than "
                f"{SMALLEST} contacts {'is' if many == 1 else 'are'} not shown, so that nobody can "
                "be told from it"
            )
        small = min((group["contacts"] for group in one["groups"]), default=0)
        if len(one["groups"]) > 1 and Share(0, small).is_thin:
            yield f"{one['attribute']}: its smallest group is {too_thin(small, 'contact')}"
