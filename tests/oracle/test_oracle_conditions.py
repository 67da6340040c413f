"""The oracle, ruling by ruling: the conditions beyond the core."""

from __future__ import annotations

import pytest

from .cases import run
from .small import case, entered, flow, group, play, stamp, stays, track
from .values import share

LIST = "list: l\nmembers: [%s]"


def in_list(condition: str, *calls: dict[str, object], **other: object) -> list[tuple[str, ...]]:
    """When Ana was in a list of those for whom the condition holds."""
    found = stays(play(LIST % condition, *calls, **other))
    return [tuple(str(part) for part in stay[1:]) for stay in found]


def test_company_is_that_of_the_newest_group_call() -> None:
    """Ruling 96: newest own time wins, for the membership and for each attribute."""
    calls = [
        group("acme", "02:00", industry="Software"),
        group("initech", "04:00"),
        group("acme", "03:00") | {"receivedAt": stamp("06:00")},
    ]
    assert in_list("{company: {industry: software}}", *calls) == [("02:00", "04:00")]


def test_without_company_no_attribute_has_a_value() -> None:
    """LANGUAGE 2: the same operators; absent passes only negatives."""
    assert in_list("{company: {employees: {exists: false}}}")[0][0] == "00:00"
    assert in_list("{company: {employees: {at_most: 5}}}") == []


def test_sum_without_times_makes_no_demand_on_the_count() -> None:
    """Ruling 94: non-numbers count 0; text that reads as a number is one (60)."""
    calls = [track("x", "01:00", total=40), track("x", "02:00", total="much")]
    calls += [track("x", "03:00", total="59.5"), track("x", "04:00", total=0.5)]
    assert in_list("{event: {name: x, sum: {total: {at_least: 100}}}}", *calls) == [
        ("04:00", "None")
    ]
    assert in_list("{event: {name: x, sum: {total: {below: 100}}}}", *calls) == [("00:00", "04:00")]
    both = "{event: {name: x, times: 2, sum: {total: {at_most: 40}}}}"
    assert in_list(both, *calls) == [("02:00", "03:00")]


def test_dots_reach_into_every_element() -> None:
    """LANGUAGE 2: `products.sku` reaches into objects and lists, any element."""
    bought = track("x", "01:00", items=[{"sku": "a", "price": 5}, {"sku": "B", "price": 60}])
    for where in ("items.sku: b", "items.price: {above: 50}", "items.price: 5"):
        assert in_list(f"{{event: {{name: x, where: {{{where}}}}}}}", bought)
    summed = "{event: {name: x, sum: {items.price: {at_least: 65, at_most: 65}}}}"
    assert in_list(summed, bought)[0][0] == "01:00"


def test_a_window_may_end_in_the_past() -> None:
    """Rulings 1 and 61: (T - within, T - older_than]; exactly `older_than` old is in."""
    window = "{event: {name: x, within: 4 hours, older_than: 2 hours}}"
    assert in_list(window, track("x", "01:00")) == [("03:00", "05:00")]


def test_since_entered_leaves_the_enrolling_event_out() -> None:
    """Ruling 69: own time in (the occurrence's own time, T]."""
    steps = (
        "[{wait: 2 hours}, {if: {event: {name: x, since: entered}}, then: [{add_to_list: box}]}]"
    )
    text = flow("{event: x}", steps)
    assert stays(play(text, track("x", "01:00"))) == []
    assert stays(play(text, track("x", "01:00"), track("x", "02:00"))) == [("box", "03:00", None)]
    # The own time counts, not the entry: an event between the two is since.
    late = track("x", "01:10", "02:30")
    assert stays(play(text, late, track("x", "01:40", "02:40"))) == [("box", "05:00", None)]


def test_same_compares_with_the_enrolling_event() -> None:
    """Ruling 85: compared like `is`; missing on either side is no match."""
    steps = "[{wait: 1 hour}, {if: {event: {name: y, same: [id]}}, then: [{add_to_list: box}]}]"
    text = flow("{event: x}", steps)
    assert stays(play(text, track("x", "01:00", id="A"), track("y", "02:00", id="a")))
    assert stays(play(text, track("x", "01:00", id=7), track("y", "02:00", id="7")))
    assert not stays(play(text, track("x", "01:00", id="A"), track("y", "02:00", id="b")))
    assert not stays(play(text, track("x", "01:00"), track("y", "02:00")))


def test_this_event_is_what_enrolled() -> None:
    """Rulings 86 and 110: the completing event, the anchor, flowscore's own."""
    text = flow("{event: {name: x, times: 2}}", more="conditions: [{this_event: {n: 2}}]")
    assert entered(play(text, track("x", "01:00", n=1), track("x", "02:00", n=2)))
    quiet = "{no_event: {name: y, after: {event: x}, within: 1 hour}}"
    text = flow(quiet, more="conditions: [{this_event: {n: 1}}]\nreenroll: every_time")
    calls = (track("x", "01:00", n=1), track("x", "01:30", n=2))
    assert entered(play(text, *calls)) == [("f", "02:00")]
    text = flow("{list_joined: l}", more="conditions: [{this_event: {list: l}}]")
    assert entered(play(text + "list: l\nmembers: [{event: x}]", track("x", "01:00")))
    text = flow("{inactive: 2 hours}", more="conditions: [{this_event: {n: {exists: false}}}]")
    assert not entered(play(text, track("x", "01:00")))


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        ("{email_clicked: {link: 'https://a.example/Offer'}}", True),
        ("{email_clicked: {link: '*/offer'}}", True),
        ("{email_clicked: {link: '*utm*'}}", False),
        ("{email_clicked: {link: '*/offer?utm=1'}}", True),
        ("{email_clicked: {topic: news}}", True),
        ("{email_clicked: {topic: [offers, transactional]}}", False),
        ("{email_opened: hello}", False),
        ("{email_opened: {template: hello, machine: true}}", True),
        ("{email_replied: any}", True),
        ("{email_bounced: {template: hello, times: 2}}", False),
    ],
)
def test_mail_words(asked: str, met: bool) -> None:
    """Rulings 34, 99 and 118: links without query, topics of the template, people unless said."""
    link = "https://a.example/offer?utm=1#top"
    calls = [
        track("Email Link Clicked", "01:00", template="hello", link=link),
        track("Email Opened", "01:00", template="hello", machine=True),
        track("Email Replied", "01:00", template="hello"),
        track("Email Bounced", "01:00", template="hello", type="soft"),
    ]
    assert bool(in_list(asked, *calls)) is met


def test_email_not_clicked_looks_at_the_latest_mail() -> None:
    """Rulings 30 and 65: not clicked in (s, s + within]; an open is no click."""
    text = flow("{event: x}", "[{send_email: hello}]") + LIST
    text %= "{email_not_clicked: {template: hello, within: 2 hours}}"
    opened = track("Email Opened", "02:00", template="hello")
    clicked = track("Email Link Clicked", "03:00", template="hello")
    assert stays(play(text, track("x", "01:00"), opened)) == [("l", "03:00", None)]
    assert stays(play(text, track("x", "01:00"), clicked)) == []


def test_random_is_stable_and_independent_between_places() -> None:
    """Rulings 44 and 131: a pure function of the contact and the place."""
    people = [{"email": f"p{i}@example.com", "created_at": stamp("00:00")} for i in range(400)]
    text = "list: a\nmembers: [{random: 30%}]\n---\nlist: b\nmembers: [{random: 30%}]"
    found = stays(play(text, people=people, until=stamp("01:00")))
    in_a = sum(stay[0] == "a" for stay in found)
    assert 90 < in_a < 150 and 90 < len(found) - in_a < 150
    world = run(case(text, people=people, until=stamp("00:00"))).world
    both = [c for c in world.contacts if c.member("a") and c.member("b")]
    assert 15 < len(both) < 60


def test_shares_are_written_with_a_sign() -> None:
    """LANGUAGE 1: `12.5%`."""
    assert share("12.5%") == 125_000 and share("100%") == 1_000_000


def test_ahead_is_still_to_come() -> None:
    """Rulings 1 and 61: (T, T + d]; exactly now is no longer ahead."""
    found = in_list("{attribute: {d: {ahead: 2 hours}}}", ana={"d": "2026-01-02T05:00:00Z"})
    assert found == [("03:00", "05:00")]
