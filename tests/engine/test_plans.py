"""Cost follows change: no statement of a tick looks at more of the store than what is new.

The plans are SQLite's own, taken while a real tick runs. They do not depend on how full the store
is, since the planner is told (store/statistics.py), so a nearly empty one shows them all.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
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
LONG = "attributes|balances|cells|consents|contacts|decisions|enrollments|events|identities"
LONG += "|ledger|marks|activity|companies|company_attributes|company_balances|fading"
# A walk over a whole table, or over all that share a name, a score, a list, or an age.
WIDE = re.compile(
    rf"SCAN ({LONG}|members|messages|stages|steps)(_\d+)?$"
    rf"|SCAN ({LONG}|members|messages|stages|steps)(_\d+)? USING (COVERING )?INDEX "
    r"(?!enrollments_due|ledger_resets)"
    rf"|SEARCH (?!fresh|changes)\w+ USING .*\((name|score|grade|stage|list|scenario|status)=\?\)"
    rf"|SEARCH (?!fresh|changes)\w+ USING .*\((name=\? AND )?(rowid|created_at|own_at)<\?\)"
)
# At a decay instant alone: the lines that still move, and who may lose by idling.
AT_DECAY = re.compile(r"SCAN (fading|activity|balances)( USING INDEX sqlite_autoindex_\w+)?: ")
# Asked once, when a project is compiled: who is inside of an older version.
ONCE = "SELECT DISTINCT enrollments.definition_id"


def calls_at(instant: int) -> Iterator[InboxRow]:
    """A little of everything that projects listen to."""
    at = {"timestamp": rfc3339(instant), "receivedAt": rfc3339(instant)}
    said = {
        "template": "letter",
        "topic": "news",
        "total": 90,
        "cart": 7,
        "link": "https://a/offer",
        "products": [{"sku": "PHOTO"}],
    }
    names = ("product_added", "order_completed", "email_sent", "email_opened", "email_clicked")
    calls: list[dict[str, Any]] = [{"event": name, "properties": said} for name in names]
    calls += [{"type": "page", "properties": {"path": p}} for p in ("/courses/1", "/pricing")]
    day = rfc3339(instant)[:10]
    traits = {"plan": "pro" if instant % 2 else "free", "birthday": f"1990{day[4:]}"}
    calls.append(
        {"type": "identify", "traits": traits | {"renewal": day, "timezone": "Asia/Tokyo"}}
    )
    firm = {"industry": "Software", "renewal": rfc3339(instant + DAY)}
    calls.append({"type": "group", "groupId": "acme", "traits": firm})
    for number, call in enumerate(calls):
        ids = {"messageId": f"{instant}-{number}", "userId": f"p{number % 3}@example.com"}
        row = read_call(call | ids | at, Reading(instant, as_live=True))
        assert isinstance(row, InboxRow), row
        yield row


# What the shipped projects leave out: calendars, sums, combinations, gains, companies.
WORDS = """
policy: default
consent: implied
timezone: Europe/Madrid
topics: [news]
---
score: engagement
rules:
  - {name: cart, points: 10, on: {event: product_added}}
  - {name: burst, points: 5, on: {score: {engagement: {gains: 15, within: 2 days}}}}
  - {name: renewal, points: 5, on: {date: {attribute: renewal, offset: -2 days}}}
---
score: plan
rules: [{name: pro, points: 10, when: {attribute: {plan: pro}}}]
---
grade: lead-grade
fit: {score: plan, A: 20, B: 10, C: 5}
engagement: {score: engagement, 4: 30, 3: 20, 2: 10}
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {grade: [A3, A4, B2]}, retreat: true}
  - {stage: sql, when: {event: {name: order_completed, times: 2, within: 2 days}}, retreat: true}
  - customer
---
scenario: sales
trigger: [{grade: {enters: [A4, B2, C1]}}, {stage: {enters: [mql, sql, customer]}}]
reenroll: every_time
goal: {stage: {enters: customer}}
actions: [{set_stage: customer}, {set_stage: {stage: lead, back: true}}]
---
list: leads
members: [{any: [{stage: lead}, {not: {stage: {at_least: sql}}}, {grade: [A4, B1]}]}]
---
scenario: dates
trigger:
  - date: {attribute: birthday, every: year, timezone: contact, at: 01:00}
  - date: {attribute: birthday, every: year, offset: -5 hours}
  - date: {attribute: renewal, offset: 90 minutes, timezone: contact}
  - date: {attribute: created_at, offset: 3 days, at: 01:00}
reenroll: every_time
actions: [{wait: 1 days}]
---
scenario: counts
trigger:
  - score: {engagement: {gains: 15, within: 2 days}}
  - event: {name: order_completed, sum: {total: {at_least: 100}}, same: [cart], within: 30 days}
  - event: {name: order_completed, sum: {total: {at_least: 100}}}
  - email_clicked: {link: "*/offer*"}
  - unsubscribed: [news, all]
reenroll: every_time
conditions:
  - event: {name: order_completed, within: 30 days, older_than: 1 days, times: {at_most: 9}}
  - not: {this_event: {cart: 7}}
goal: {event: {name: order_completed, times: 2, sum: {total: {at_least: 100}}}, up_to: 9 days}
exit_when: {event: {name: order_completed, since: entered, same: [cart], times: 9}}
actions:
  - wait_for: {date: {property: starts}, up_to: 3 days}
    then: [{wait: 1 days}]
    else: [{wait: 2 days}]
---
list: firms
members: [{company: {industry: {matches: soft}, renewal: {ahead: 3 days}}}, {random: 50%}]
---
list: buyers
members: [{event: {name: order_completed, sum: {total: {at_least: 500}}, within: 90 days}}]
---
list: two-names
members:
  - event: {name: [order_completed, product_added], times: {at_most: 3}, older_than: 1 day}
---
list: many-names
members:
  - event: {name: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, product_added], times: 2}
"""

FADING = """
score: engagement
decay: {half_life: 30 days}
rules:
  - {name: cart, points: 10, on: {event: product_added}}
  - {name: open, points: 2, on: {event: email_opened}, decay: {linear: 5 days}}
  - {name: click, points: 2, on: {event: email_clicked}, decay: {expire: 2 days}}
  - {name: page, points: 2, on: {page_visited: "/*"}, decay: {step: {lose: 10%, every: 1 day}}}
---
score: tired
decay: {idle: {after: 2 days, lose: 1, every: 1 day}}
rules: [{name: r, points: 10, on: {event: product_added}}]
---
score: gone
decay: {idle: {after: 2 days, reset: true}}
rules: [{name: r, points: 10, on: {event: product_added}}]
---
score: account
of: company
decay: {linear: 30 days}
rules: [{name: r, points: 10, on: {event: product_added}}]
---
list: hot
members: [{score: {account: {at_least: 5}}}]
"""


@pytest.fixture(params=["benchmarks/project", ".", "every word", "fading"])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store with a project and a few days behind it."""
    store = open_store(tmp_path / "flowscore.db", create=True)
    folder = ROOT / request.param
    words = {"every word": WORDS, "fading": FADING}.get(request.param)
    if words is not None:
        folder = tmp_path / "project"
        (folder / "scenarios").mkdir(parents=True)
        (folder / "scenarios" / "words.yaml").write_text(words)
    project, problems = load_project(folder)
    assert not [one for one in problems if one.severity == "error"]
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


def seek_scans(store: Store, statements: dict[str, Any]) -> list[str]:
    """The statements in which SQLite would skip through an index to the next name of a list.

    SQLite 3.40 (and others) forgets the upper bound behind such a list, and counts too much. It
    does so where the planner is told that few rows share the column before: `store/statistics.py`.
    """
    found = []
    with store.read() as connection:
        for words, values in statements.items():
            codes = connection.exec_driver_sql(f"EXPLAIN {words}", values)
            if any(code[1] == "SeekScan" for code in codes):
                found.append(" ".join(words.split()))
    return found


@contextmanager
def noted(store: Store) -> Iterator[dict[str, Any]]:
    """Every statement that is run meanwhile, with its values."""
    statements: dict[str, Any] = {}

    def note(_: Any, cursor: Any, words: str, values: Any, context: Any, many: bool) -> None:
        asks = words.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"))
        if asks and not many and not words.startswith(ONCE):
            statements[words] = values

    event.listen(store.engine, "after_cursor_execute", note)
    yield statements
    event.remove(store.engine, "after_cursor_execute", note)


def test_a_tick_walks_over_nothing_but_what_is_new(busy: Store) -> None:
    """Where this fails: mend the statement or the index, not this pattern."""
    receive(busy, calls_at(NOW + 4 * DAY + 5))
    with noted(busy) as statements:
        report = run_ticks(busy, from_=NOW + 5 * DAY, until=NOW + 5 * DAY, step=HOUR)
    assert report.counts.events and report.counts.lines
    assert len(statements) > 70
    assert [one for one in wide_plans(busy, statements) if not AT_DECAY.match(one)] == []
    assert seek_scans(busy, statements) == []


def test_between_two_decay_instants_nothing_that_fades_is_looked_at(busy: Store) -> None:
    """What still moves is walked over once for each of them, by no other tick."""
    soon = NOW + 4 * DAY + 6 * HOUR
    receive(busy, calls_at(NOW + 4 * DAY + 5))
    with noted(busy) as statements:
        report = run_ticks(busy, from_=soon, until=soon, step=HOUR)
    assert report.counts.lines
    assert wide_plans(busy, statements) == []


def test_newcomers_have_nothing_that_would_have_to_be_added_up(busy: Store) -> None:
    """Only who took another's points over is reckoned anew."""
    soon = NOW + 4 * DAY + 6 * HOUR
    call = {
        "type": "track",
        "event": "product_added",
        "messageId": "new",
        "userId": "new@x.example",
    }
    row = read_call(call | {"receivedAt": rfc3339(soon)}, Reading(soon, as_live=True))
    assert isinstance(row, InboxRow), row
    receive(busy, [row])
    with noted(busy) as statements:
        run_ticks(busy, from_=soon, until=soon, step=HOUR)
    assert not [words for words in statements if words.startswith("UPDATE balances SET raw")]
