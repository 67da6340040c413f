"""Cost follows change: no statement of a tick looks at more of the store than what is new.

The plans are SQLite's own, taken while a real tick runs. They do not depend on how full the store
is, since the planner is told (store/statistics.py), so a nearly empty one shows them all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from flowscore.clock import DAY, HOUR, rfc3339
from flowscore.engine.registry import apply_project
from flowscore.engine.tick import run_ticks
from flowscore.language.project import load_project
from flowscore.store.calls import read_call
from flowscore.store.database import open_store
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow, receive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowscore.store.database import Store

ROOT = Path(__file__).parents[2]
NOW = 20_000 * DAY
LONG = "attributes|balances|consents|contacts|decisions|enrollments|events|identities|ledger|marks"
# A walk over a whole table, or over all that share a name, a score, a list, or an age.
WIDE = re.compile(
    rf"SCAN ({LONG}|members|messages|steps)(_\d+)?$"
    rf"|SCAN ({LONG}|members|messages|steps)(_\d+)? USING (COVERING )?INDEX (?!enrollments_due)"
    rf"|SEARCH (?!fresh|changes)\w+ USING .*\((name|score|list|scenario|status)=\?\)"
    rf"|SEARCH (?!fresh|changes)\w+ USING .*\((name=\? AND )?(rowid|created_at|own_at)<\?\)"
)
# Asked once, when a project is compiled: who is inside of an older version.
ONCE = "SELECT DISTINCT enrollments.definition_id"


def calls_at(instant: int) -> Iterator[InboxRow]:
    """A little of everything that projects listen to."""
    at = {"timestamp": rfc3339(instant), "receivedAt": rfc3339(instant)}
    said = {"template": "letter", "topic": "news", "total": 90, "products": [{"sku": "PHOTO"}]}
    names = ("product_added", "order_completed", "email_sent", "email_opened", "email_clicked")
    calls: list[dict[str, Any]] = [{"event": name, "properties": said} for name in names]
    calls += [{"type": "page", "properties": {"path": p}} for p in ("/courses/1", "/pricing")]
    calls.append({"type": "identify", "traits": {"plan": "pro" if instant % 2 else "free"}})
    for number, call in enumerate(calls):
        ids = {"messageId": f"{instant}-{number}", "userId": f"p{number % 3}@example.com"}
        row = read_call(call | ids | at, Reading(instant, as_live=True))
        assert isinstance(row, InboxRow), row
        yield row


@pytest.fixture(params=["benchmarks/project", "."])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store with a project and a few days behind it."""
    store = open_store(tmp_path / "flowscore.db", create=True)
    project, _ = load_project(ROOT / request.param)
    apply_project(store, project, NOW)
    for day in range(4):
        receive(store, calls_at(NOW + day * DAY + day))
        run_ticks(store, from_=NOW + (day + 1) * DAY, until=NOW + (day + 1) * DAY, step=HOUR)
    yield store
    store.close()


def wide_plans(store: Store, statements: dict[str, Any]) -> list[str]:
    """The statements that walk over more than what changed, with the line of the plan."""
    found = []
    with store.read() as connection:
        for words, values in statements.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values)
            lines = [line[3] for line in plan if WIDE.search(line[3])]
            found += [f"{line}: {' '.join(words.split())}" for line in lines]
    return found


def test_a_tick_walks_over_nothing_but_what_is_new(busy: Store) -> None:
    """Where this fails: mend the statement or the index, not this pattern."""
    statements: dict[str, Any] = {}

    @event.listens_for(busy.engine, "after_cursor_execute")
    def note(_: Any, cursor: Any, words: str, values: Any, context: Any, many: bool) -> None:
        asks = words.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"))
        if asks and not many and not words.startswith(ONCE):
            statements[words] = values

    receive(busy, calls_at(NOW + 4 * DAY + 5))
    report = run_ticks(busy, from_=NOW + 5 * DAY, until=NOW + 5 * DAY, step=HOUR)
    event.remove(busy.engine, "after_cursor_execute", note)
    assert report.counts.events and report.counts.lines
    assert len(statements) > 100
    assert wide_plans(busy, statements) == []
