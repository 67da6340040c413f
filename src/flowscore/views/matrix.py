"""A grade as a table of counts: how many contacts stand in each cell, and which to call first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from flowscore.language.scoring import cell_name
from flowscore.rules.scoring_words import legend
from flowscore.store.tables import cells, contacts

if TYPE_CHECKING:
    from flowscore.language.scoring import Grade

Row = dict[str, Any]


def in_calling_order(grade: Grade) -> tuple[str, ...]:
    """Every cell: the green ones first, of each the best fit first, in it the most active."""
    green = [cell for cell in grade.cells if cell in grade.green]
    return (*green, *(cell for cell in grade.cells if cell not in grade.green))


def matrix_of(connection: Connection, grade: Grade) -> Row:
    """The counts of contacts with an address, and what the letters and digits mean."""
    counts = count_cells(connection, grade)
    return {
        "grade": grade.name,
        "description": grade.description,
        "legend": legend(grade),
        "fit": [label for label, _ in grade.fit.labels],
        "engagement": [label for label, _ in grade.engagement.labels],
        "counts": {cell: counts.get(cell, 0) for cell in grade.cells},
        "green": [cell for cell in grade.cells if cell in grade.green],
    }


def count_cells(connection: Connection, grade: Grade) -> dict[str, int]:
    """From the index alone; the few who have no address are taken off."""
    query = (
        select(cells.c.cell, func.count()).where(cells.c.grade == grade.name).group_by(cells.c.cell)
    )
    counts = {row[0]: row[1] for row in connection.execute(query)}
    nameless = select(contacts.c.id).where(contacts.c.email_folded.is_(None))
    for cell, number in connection.execute(query.where(cells.c.contact_id.in_(nameless))):
        counts[cell] -= number
    return counts


def table_of(matrix: Row) -> tuple[list[str], list[list[str]]]:
    """Heads and rows, best fit and most active first; `*` marks the green cells."""
    fits, columns = matrix["fit"], matrix["engagement"]
    shown = {cell: f"{number:,}" for cell, number in matrix["counts"].items()}
    width = max(map(len, shown.values()))
    rows = []
    for fit in fits:
        names = [cell_name(fit, column) for column in columns]
        marks = ("*" if name in matrix["green"] else " " for name in names)
        rows.append([fit, *(f"{shown[n]:>{width}}{m}" for n, m in zip(names, marks, strict=True))])
    return ["", *(f"{column:>{width}} " for column in columns)], rows
