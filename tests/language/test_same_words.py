"""Names are spelled alike where events come in and where files are read (rulings 63 and 64)."""

from __future__ import annotations

import pytest

from flowscore.language.grammar.events import event_slug
from flowscore.language.grammar.paths import page_path
from flowscore.store.calls import plain_path, slug

NAMES = [
    "Order Completed", "order_completed", "  Cart--Updated!  ", "Email Link Clicked",
    "Email Marked as Spam", "Unsubscribed", "Ünïcode Ñame 2", "ORDER.completed/now", "a_b__c",
]  # fmt: skip
PATHS = ["/", "/Blog/*", "/blog/", "/a//", "/x?y=1#z", "#top", "", "/Straße/ÑU", "*", "/a/*/b/"]


@pytest.mark.parametrize("name", NAMES)
def test_spell_events_alike(name) -> None:
    assert event_slug(name) == slug(name)


@pytest.mark.parametrize("path", PATHS)
def test_spell_paths_alike(path) -> None:
    assert page_path(path) == plain_path(path)


def test_compare_the_property_path_as_a_page(clean) -> None:
    project = clean("""
        list: x
        members:
          - event: {name: seen, where: {path: "/Blog/?x=1", title: "/Blog/"}}
          - event: {name: seen, where: {path: {in: [/A/, 3], contains: "/A/"}}}
    """)
    first, second = project.lists["x"].members.of
    assert [one.tests[0].operand for one in first.query.where] == ["/blog", "/Blog/"]
    assert [one.operand for one in second.query.where[0].tests] == [("/a", 3), "/A/"]


def test_refuse_an_address_that_is_none(load) -> None:
    _, problems = load("list: x\nmembers: {page_visited: 'https://[a'}\n")
    assert "a path or an address" in problems[0].message
