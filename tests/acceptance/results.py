"""A company whose results are known: 400 leads of one spring, of whom 40 bought."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Project, Row

LEADS = 400
START = datetime(2026, 3, 2, tzinfo=UTC)
MODEL = """
score: engagement
objective: Who is about to buy a course for the team.
rules:
  - {name: newsletter, points: 10, on: {event: newsletter_subscribed}, cap: {times: 1}}
  - {name: pricing, points: 20, on: {page_visited: /pricing}, cap: {times: 1}}
  - name: grant
    points: 5
    when: {attribute: {gender: female}}
    because: the grant pays half of the course for women
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {page_visited: /pricing}}
  - {stage: sql, when: {event: free_trial_started}}
  - {stage: customer, when: {event: order_completed}}
---
scenario: trial-help
description: Whoever tries gets help.
trigger: {event: free_trial_started}
goal: {event: order_completed, up_to: 30 days}
holdout: 30%
actions: [{send_email: help}]
"""


def fill(project: Project) -> Project:
    """Import all of them and live through the spring, a tick a day."""
    project.scenario(MODEL).mail("help").apply()
    rows = (f"lead{n}@example.com,{day(n)},yes,{land(n)},{gender(n)}" for n in range(LEADS))
    project.people(header="email,created_at,consent,country,gender", rows=tuple(rows))
    project.happened(*(call for n in range(LEADS) for call in story(project, n)))
    return project.tick("2026-03-02", "2026-05-20", every="1d")


def day(n: int, after: float = 0) -> str:
    """So many days after the lead came."""
    return (START + timedelta(days=n // 8 + after)).strftime("%Y-%m-%dT%H:%M:%SZ")


def land(n: int) -> str:
    """Says nothing about who buys."""
    return "ES" if n % 3 else "PT"


def gender(n: int) -> str:
    """Two groups of 200."""
    return "female" if n % 2 else "male"


def tried(n: int) -> bool:
    """One in five took the trial."""
    return n % 5 == 0


def bought(n: int) -> bool:
    """One in ten; two in five of those who tried."""
    return n % 25 in (0, 10) or n % 50 == 1


def story(project: Project, n: int) -> Iterator[Row]:
    """What one lead did, and what sales found."""
    who = f"lead{n}@example.com"
    campaign = "webinar" if tried(n) or n % 10 == 3 else "giveaway"

    def did(event: str, after: float, **properties: Any) -> Row:
        return project.track(who, event, day(n, after), **properties)

    yield project.group(who, day(n), f"c{n}", industry="software" if n % 5 < 2 else "retail")
    yield {**did("", 0.5, path="/home", utm_campaign=campaign), "type": "page"}
    if n % 2:
        yield did("newsletter_subscribed", 1)
    if n % 4 == 0:
        yield did("email_clicked", 1.5, template="weekly")
    if n % 6 == 0:
        yield did("social_shared", 1.7)
    if n % 3 == 0:
        yield project.page(who, "/pricing", day(n, 2))
    if tried(n):
        yield from trial(n, did)
    if bought(n):
        yield did("order_completed", 10)
        yield did("sales_feedback", 10.5, verdict="won", amount=100)


def trial(n: int, did: Any) -> Iterator[Row]:
    """Some meet sales; some are students, and sales says so."""
    yield did("free_trial_started", 3)
    if n % 2 == 0:
        yield did("meeting_booked", 5)
    if not bought(n) and n % 3 == 0:
        yield did("sales_feedback", 6, verdict="not_qualified", reason="student")
