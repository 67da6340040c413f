"""What sales is shown of each lead: where it stands, why, whose it is, and its last step."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from flowscore.language.project import Project
from flowscore.language.scoring import Grade, Score
from flowscore.rules.book import Book
from flowscore.rules.worth import present
from flowscore.store.companies import companies_of
from flowscore.store.tables import (
    attributes,
    balances,
    cells,
    company_balances,
    contacts,
    ledger,
    stages,
)
from flowscore.views.columns import shown_balance, shown_points
from flowscore.views.last_steps import last_feedback, last_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowscore.views.columns import Page

Told = dict[str, Any]
REASONS = 3


@dataclass(frozen=True)
class Teller:
    """Tells leads a page at a time, each thing by one statement for the whole page."""

    connection: Connection
    project: Project
    at: int
    score: Score
    grade: Grade | None

    def leads(self, page: Page, won: dict[int, int]) -> Iterator[Told]:
        """In the page's order; `won` are the points of the last 7 days (10⁻⁸)."""
        standing = self._cells(page)
        scores, reasons = self._balances(page), self._reasons(page)
        stage, owners = self._stages(page), self._owners(page)
        companies = companies_of(self.connection, page.ids)
        steps = last_steps(self.connection, page.ids)
        feedback = last_feedback(self.connection, page.ids)
        for contact, email in page.emails.items():
            yield {
                "contact": email,
                "cell": standing.get(contact),
                "green": bool(self.grade and standing.get(contact) in self.grade.green),
                "stage": stage.get(contact, self._first_stage),
                "scores": {name: scores[contact].get(name, 0) for name in self.project.scores},
                "won_in_7_days": shown_points(won[contact]),
                "reasons": reasons.get(contact, []),
                "last_step": steps.get(contact),
                "owner": owners.get(contact),
                "company": _name_of(companies.get(contact)),
                "feedback": feedback.get(contact),
            }

    # --- where they stand ---------------------------------------------------------------------

    def _cells(self, page: Page) -> dict[int, str]:
        if self.grade is None:
            return {}
        here = and_(cells.c.contact_id.in_(page.ids), cells.c.grade == self.grade.name)
        return self._pairs(select(cells.c.contact_id, cells.c.cell).where(here))

    @property
    def _first_stage(self) -> str | None:
        """Of whoever has no stay (ruling 28)."""
        return self.project.lifecycle.names[0] if self.project.lifecycle else None

    def _stages(self, page: Page) -> dict[int, str]:
        here = and_(stages.c.contact_id.in_(page.ids), stages.c.left_at.is_(None))
        return self._pairs(select(stages.c.contact_id, stages.c.stage).where(here))

    def _owners(self, page: Page) -> dict[int, Any]:
        mine = and_(attributes.c.name == "owner", attributes.c.element >= 0)
        query = select(attributes.c.contact_id, attributes.c.value)
        return self._pairs(query.where(attributes.c.contact_id.in_(page.ids), mine))

    def _pairs(self, query: Select[Any]) -> dict[int, Any]:
        return {row[0]: row[1] for row in self.connection.execute(query)}

    # --- points -------------------------------------------------------------------------------

    @cached_property
    def _shared(self) -> list[str]:
        """The scores that are a company's: its members read them (ruling 96)."""
        return [name for name, score in self.project.scores.items() if score.of == "company"]

    def _balances(self, page: Page) -> dict[int, Told]:
        found: dict[int, Told] = defaultdict(dict)
        own = select(balances.c.contact_id, balances.c.score, balances.c.balance)
        own = own.where(balances.c.contact_id.in_(page.ids), balances.c.score.not_in(self._shared))
        for contact, score, balance in self._points(own, self._of_companies(page)):
            found[contact][score] = shown_balance(balance)
        return found

    def _of_companies(self, page: Page) -> Select[Any] | None:
        if not self._shared:
            return None
        kept = company_balances.c
        query = select(contacts.c.id, kept.score, kept.balance)
        query = query.join(contacts, contacts.c.company_id == kept.company_id)
        return query.where(contacts.c.id.in_(page.ids), kept.score.in_(self._shared))

    def _points(self, *queries: Select[Any] | None) -> Iterator[Row[Any]]:
        for query in queries:
            if query is not None:
                yield from self.connection.execute(query)

    # --- why ----------------------------------------------------------------------------------

    def _reasons(self, page: Page) -> dict[int, list[Told]]:
        """Of each the rules and scenarios whose points are worth most now."""
        found: dict[int, list[Told]] = defaultdict(list)
        rows = list(self._points(self._own_worths(page), self._worths_of_companies(page)))
        for row in sorted(rows, key=lambda row: (-row.worth, row.score, row.rule)):
            if len(found[row.id]) < REASONS:
                found[row.id].append(_reason(row))
        return found

    def _own_worths(self, page: Page) -> Select[Any]:
        names = [name for name in self._ranked if name not in self._shared]
        lines = self._lines(names, ledger.c.contact_id.in_(page.ids)).subquery()
        query = select(contacts.c.id, *_worth_by_rule(lines))
        query = query.join(lines, lines.c.contact_id == contacts.c.id)
        return _most_worth(query, lines).where(_are(page))

    def _worths_of_companies(self, page: Page) -> Select[Any] | None:
        """A company's points are whatever its members won."""
        names = [name for name in self._ranked if name in self._shared]
        if not names:
            return None
        mate = contacts.alias()
        firms = select(contacts.c.company_id).where(_are(page))
        mates = select(mate.c.id).where(mate.c.company_id.in_(firms))
        lines = self._lines(names, ledger.c.contact_id.in_(mates)).subquery()
        query = (
            select(contacts.c.id, *_worth_by_rule(lines))
            .join(mate, mate.c.company_id == contacts.c.company_id)
            .join(lines, lines.c.contact_id == mate.c.id)
        )
        return _most_worth(query, lines).where(_are(page))

    def _lines(self, names: list[str], whose: ColumnElement[bool]) -> Select[Any]:
        book = Book.of(self.project, self.connection.dialect.name)
        every = present(self.project, book, self.at)
        return every.where(whose, ledger.c.score.in_(names))

    @property
    def _ranked(self) -> list[str]:
        return ranked(self.score, self.grade)


def ranked(score: Score, grade: Grade | None) -> list[str]:
    """The scores by which leads are ordered: fit and engagement, or the one there is."""
    return [grade.fit.score, score.name] if grade else [score.name]


def _worth_by_rule(lines: Any) -> list[ColumnElement[Any]]:
    return [
        lines.c.score,
        lines.c.rule,
        lines.c.kind,
        func.sum(lines.c.worth).label("worth"),
        func.count().label("times"),
    ]


def _most_worth(query: Select[Any], lines: Any) -> Select[Any]:
    by = (contacts.c.id, lines.c.score, lines.c.rule, lines.c.kind)
    return query.group_by(*by).having(func.sum(lines.c.worth) > 0)


def _are(page: Page) -> ColumnElement[bool]:
    return contacts.c.id.in_(page.ids)


def _reason(row: Any) -> Told:
    return {
        "rule": row.rule,
        "kind": "scenario" if row.kind == "scenario" else "rule",
        "score": row.score,
        "points": shown_points(round(row.worth)),
        "times": row.times,
    }


def _name_of(company: dict[str, Any] | None) -> str | None:
    """As its attributes call it, else the `groupId`."""
    return str(company.get("name") or company["id"]) if company else None
