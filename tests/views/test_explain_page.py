"""The page: whole, alone, safe to send, and saying what the document says."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from engine.world import START
from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.views.explain_lines import sheet
from flowscore.views.explain_page import page_of

from .explained import ANA, Explained

Row = dict[str, Any]
EVIL = "<script>alert('x')</script>"
PROJECT = """
score: fit
rules: [{name: boss, points: 80, when: {attribute: {job_title: {contains: boss}}}}]
---
score: engagement
objective: Who is about to buy.
range: {min: 0, max: 60}
scale: 1-10
decay: {half_life: 30 days}
rules:
  - {name: visit, points: 10, on: {event: visited}}
  - {name: no-thanks, points: -3, on: {event: declined}}
bands: {hot: 50, warm: 20}
---
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 50, 3: 30, 2: 10}
green: [A3]
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {grade: [A2, A3]}}
  - {stage: sql, when: {any: [{grade: A4}, {not: {event: visited}}]}}
"""
VOID = {"meta", "br", "input", "hr", "img", "link"}


class Reader(HTMLParser):
    """Reads the page strictly: every element that opens is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture
def told(world: Explained) -> Row:
    world.apply(PROJECT)
    world.identify(ANA, START, job_title=f"boss {EVIL}")
    for day in range(5):
        world.track(ANA, "visited", START + day * DAY, page=EVIL)
    world.track(ANA, "declined", START + MINUTE)
    world.tick(START + 5 * DAY + HOUR, step=DAY)
    return world.explain()


def test_d07_the_page_can_be_sent_to_a_rep(told: Row) -> None:
    page = page_of(told)
    text = " ".join(" ".join(read(page).words).split())
    score = next(one for one in told["scores"] if one["score"] == "engagement")
    assert f"{sheet(score).total / 100:,.2f}" in text
    for words in (
        ANA,
        "A = fit from 75, B from 50, C from 25, D below",
        "green: worth a call",
        "Who is about to buy.",
        "what they told us",
        "half of it is gone every 30 days",
        "scenarios/all.yaml:",
        "Next: sql",
        "not: visited",
        "what has faded of the points above",
    ):
        assert words in text, words


def test_the_page_needs_nothing_but_itself(told: Row) -> None:
    page = page_of(told)
    reader = read(page)
    assert not reader.seen & {"script", "link", "img", "iframe", "form", "object"}
    assert not {name for name, _ in reader.attributes} & {"src", "href", "action", "onclick"}
    assert not re.search(r"https?:|//[a-z]|url\(|@import", page.replace(f"{ANA}", ""))
    for needed in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem", "viewport"):
        assert needed in page


def test_f03_what_a_contact_wrote_is_only_text(told: Row) -> None:
    page = page_of(told)
    assert EVIL not in page
    assert "script" not in read(page).seen
    assert "&lt;script&gt;alert" in page


def test_the_printed_figures_add_up_on_the_page_too(told: Row) -> None:
    page = page_of(told, newest=2)
    for table in re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL):
        *lines, total = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        for column in (0, 1):
            cells = [
                re.findall(r'<td class="points[^"]*">([^<]*)<', row) for row in (*lines, total)
            ]
            figures = [float(row[column].replace(",", "") or 0) for row in cells if row[column:]]
            if figures:
                assert round(sum(figures[:-1]), 2) == figures[-1]


def test_a_contact_of_whom_nothing_is_known_has_a_page(world: Explained) -> None:
    world.apply("list: l\n")
    world.people("eva@x.example,2026-01-01")
    world.tick(START)
    text = " ".join(read(page_of(world.explain("eva@x.example"))).words)
    assert "none recorded" in text
