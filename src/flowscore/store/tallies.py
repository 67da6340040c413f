"""Counts the opens and clicks of contacts who are tracked anonymously: sums of a day, of nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.clock import DAY

if TYPE_CHECKING:
    from flowscore.store.desk import Desk

TALLY = "tally"  # the kind of line: its template is the subject, its link a property


def count(desk: Desk) -> None:
    """Add the lines up, then let them go: they name no contact.

    A line counts once, since the tick that takes it keeps its number (`taken`) until it is
    deleted from the inbox.
    """
    inbox, link = desk.spelling.inbox, desk.spelling.pick("i.properties", "link")
    desk.run(f"""
        INSERT INTO tallies (template, name, link, machine, day, number)
        SELECT i.subject, i.name, coalesce({link}, ''), i.machine, i.own_at / {DAY} * {DAY},
               count(*)
        FROM due d CROSS JOIN {inbox} i
        WHERE d.kind = '{TALLY}' AND i.seq = d.seq
        GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (template, name, link, machine, day)
        DO UPDATE SET number = tallies.number + excluded.number
    """)
    desk.run(f"DELETE FROM due WHERE kind = '{TALLY}'")
