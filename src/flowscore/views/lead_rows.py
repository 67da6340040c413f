"""What sales is shown of each lead: where it stands, why, whose it is, and its last step."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from flowscore.language.project import Project
from flowscore.language.scoring import Grade, Score
from flowscore.rules.book import Book
from flowscore.rules.worth import present
from flowscore.store.companies import companies_of
from flowscore.store.tables import attributes, contacts, ledger
from flowscore.store.whereabouts import balances_of, cells_of, stages_of
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
        graded = cells_of(self.connection, page.ids)
        read = balances_of(self.connection, page.ids, self.project.company_scores)
        stage = stages_of(self.connection, page.ids)
        reasons, owners = self._reasons(page), self._owners(page)
        companies = companies_of(self.connection, page.ids)
        steps = last_steps(self.connection, page.ids)
        feedback = last_feedback(self.connection, page.ids)
        for contact, email in page.emails.items():
            cell = graded[contact].get(self.grade.name) if self.grade else None
            yield {
                "contact": email,
                "cell": cell,
                "green": bool(self.grade and cell in self.grade.green),
                "stage": stage.get(contact, self.project.first_stage) or None,
                "scores": {
                    name: shown_balance(read[contact].get(name, 0)) for name in self.project.scores
                },
                "won_in_7_days": shown_points(won[contact]),
                "reasons": reasons.get(contact, []),
                "last_step": steps.get(contact),
                "owner": owners.get(contact),
                "company": _name_of(companies.get(contact)),
                "feedback": feedback.get(contact),
            }

    # --- where they stand ---------------------------------------------------------------------

    def _owners(self, page: Page) -> dict[int, Any]:
        mine = and_(attributes.c.name == "owner", attributes.c.element >= 0)
        query = select(attributes.c.contact_id, attributes.c.value)
        rows = self.connection.execute(query.where(attributes.c.contact_id.in_(page.ids), mine))
        return {row.contact_id: row.value for row in rows}

    # --- points -------------------------------------------------------------------------------

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
        names = [name for name in self._ranked if name not in self.project.company_scores]
        lines = self._lines(names, ledger.c.contact_id.in_(page.ids)).subquery()
        query = select(contacts.c.id, *_worth_by_rule(lines))
        query = query.join(lines, lines.c.contact_id == contacts.c.id)
        return _most_worth(query, lines).where(_are(page))

    def _worths_of_companies(self, page: Page) -> Select[Any] | None:
        """A company's points are whatever its members won."""
        names = [name for name in self._ranked if name in self.project.company_scores]
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
