"""What whole scenarios and policies are read into, and what only makes sense inside them."""

from __future__ import annotations

import pytest

from flowscore.clock import DAY, HOUR, WEEK
from flowscore.language import actions as a
from flowscore.language import conditions as c
from flowscore.language import triggers as t
from flowscore.language.policy import CAPPED_WAIT, FrequencyCap, PauseWhen, SendWindow
from flowscore.language.scenario import Goal
from flowscore.language.words import Bounds, EventQuery, ValueTest, ValueTests, walk

WHOLE = """
    scenario: x
    trigger: {event: cart_updated}
    conditions: {random: 50%}
    goal: {event: {name: order_completed, same: cart_id}, up_to: 3 weeks}
    exit_when: {event: {name: cart_emptied, since: entered, same: [cart_id]}}
    holdout: 10%
    actions:
      - if: [{this_event: {total: {at_least: 50}}}, {random: 0.5%}]
        then: [{send_email: offer}]
      - wait_for: {date: {property: starts_at, offset: -2 hours}, up_to: 30 days}
"""


def test_read_the_whole_of_a_scenario(clean) -> None:
    scenario = clean(WHOLE).scenarios["x"]
    order = EventQuery(names=("order_completed",), same=("cart_id",))
    assert repr(scenario.goal) == repr(
        Goal(trigger=t.OnEvent(word="event", query=order), up_to=3 * WEEK)
    )
    emptied = EventQuery(names=("cart_emptied",), since_entry=True, same=("cart_id",))
    assert repr(scenario.exit_when) == repr(c.Happened(word="event", query=emptied))
    assert scenario.holdout == 100_000
    total = ValueTests(name="total", tests=(ValueTest(operator="at_least", operand=50),))
    assert repr(scenario.actions[0].condition.of[0]) == repr(c.ThisEvent(properties=(total,)))
    starts = t.DateComes(name="starts_at", of_event=True, days=None, offset=-2 * HOUR)
    assert repr(scenario.actions[1]) == repr(
        a.WaitFor(path="actions/1", trigger=starts, up_to=30 * DAY)
    )


def test_a_share_is_drawn_for_its_place(clean) -> None:
    scenario = clean(WHOLE).scenarios["x"]
    drawn = [word for word in walk(scenario) if isinstance(word, c.Drawn)]
    assert [(one.share, one.place) for one in drawn] == [
        (500_000, "scenario/x/conditions"),
        (5_000, "scenario/x/actions/0/if/1"),
    ]


GOALS = {
    "{subscribed: news}": Goal(trigger=t.ConsentChanges(word="subscribed", topics=("news",))),
    "{page_visited: {path: /thanks, times: 2}, up_to: 1 day}": Goal(
        trigger=t.OnEvent(
            word="page_visited",
            query=EventQuery(
                names=("page_viewed",), subjects=("/thanks",), times=Bounds(at_least=2)
            ),
        ),
        up_to=DAY,
    ),
}


@pytest.mark.parametrize("text", GOALS)
def test_read_a_goal(text, clean) -> None:
    project = clean(f"scenario: x\ntrigger: manual\ngoal: {text}\nactions: [{{wait: 1 day}}]\n")
    assert repr(project.scenarios["x"].goal) == repr(GOALS[text])


POLICY = """\
policy: default
sender: {name: Acme, address: hello@acme.example}
topics: [offers]
"""
POLICIES = {
    "suppress: {attribute: {country: CU}}": (
        "suppress",
        c.AttributeIs(
            attributes=(
                ValueTests(name="country", tests=(ValueTest(operator="is", operand="CU"),)),
            )
        ),
    ),
    "frequency_cap: {emails: 1, per: 1 day}": (
        "frequency_caps",
        (FrequencyCap(emails=1, per=DAY),),
    ),
    "frequency_cap: [{emails: 1, per: 1 day}, {emails: 3, per: 1 week}]": (
        "frequency_caps",
        (FrequencyCap(emails=1, per=DAY), FrequencyCap(emails=3, per=WEEK)),
    ),
    "consent: implied": ("capped_wait", CAPPED_WAIT),
    "when_capped: drop": ("capped_wait", None),
    "when_capped: {wait_up_to: 5 hours}": ("capped_wait", 5 * HOUR),
    "send_window: {from: 09:00, to: 20:00}": (
        "send_window",
        SendWindow(opens=9 * HOUR, closes=20 * HOUR),
    ),
    "send_window: {days: [fri, mon], from: '22:00', to: 06:00, timezone: contact}": (
        "send_window",
        SendWindow(days=(0, 4), opens=22 * HOUR, closes=6 * HOUR, timezone="contact"),
    ),
    "pause_when: {bounces: 5%, of_last: 100}": (
        "pause_when",
        PauseWhen(bounces=50_000, of_last=100),
    ),
    "pause_when: {bounces: 5%, complaints: 0.1%, of_last: 1000}": (
        "pause_when",
        PauseWhen(bounces=50_000, complaints=1_000, of_last=1000),
    ),
}


@pytest.mark.parametrize("line", POLICIES)
def test_read_a_policy(line, clean) -> None:
    field, expected = POLICIES[line]
    send = "scenario: x\ntrigger: manual\nactions: [{send_email: offer}]\n"
    files = {"scenarios/base.yaml": f"{POLICY}{line}\n"}
    assert repr(getattr(clean(send, files).policy, field)) == repr(expected)


EVENTLESS = [
    "{score: {engagement: {reaches: 50}}}",
    "{score: {gains: 3, within: 1 day}}",
    "{inactive: 3 days}",
    "{date: {attribute: a}}",
    "{schedule: {cron: '0 9 * * *'}}",
    "manual",
]
CARRYING = [
    "{event: a}",
    "{page_visited: /a}",
    "{email_not_opened: {within: 1 day}}",
    "{no_event: {name: a, after: {event: b}, within: 1 day}}",
    "contact_created",
    "{attribute: plan}",
    "{subscribed: news}",
    "{list_joined: hot}",
    "[manual, {event: a}]",
]
ASKING = {
    "conditions: {this_event: {a: 1}}": "`this_event` asks for the event",
    "exit_when: {event: {name: a, same: x, since: entered}}": "`same` asks for the event",
    "goal: {event: {name: a, same: x}, up_to: 1 day}": "`same` asks for the event",
}


def entering(trigger: str, line: str) -> str:
    return f"scenario: x\ntrigger: {trigger}\nreenroll: never\n{line}\nactions: [{{wait: 1 day}}]\n"


@pytest.mark.parametrize("line", ASKING)
@pytest.mark.parametrize("trigger", EVENTLESS)
def test_refuse_to_ask_of_an_event_that_nothing_carries(trigger, line, load) -> None:
    problems = [one for one in load(entering(trigger, line))[1] if one.severity == "error"]
    assert [(one.mark.line, ASKING[line] in one.message) for one in problems] == [(4, True)]


@pytest.mark.parametrize("line", ASKING)
@pytest.mark.parametrize("trigger", CARRYING)
def test_ask_of_the_event_that_enrolled(trigger, line, load) -> None:
    assert [one for one in load(entering(trigger, line))[1] if one.severity == "error"] == []


def test_ask_since_entry_whatever_enrolled(clean) -> None:
    clean(entering("manual", "exit_when: {event: {name: a, since: entered}}"))


def test_an_anchor_agrees_with_what_is_awaited_in_a_goal_too(clean) -> None:
    line = "goal: {no_event: {name: a, after: {event: b}, within: 1 day, same: x}, up_to: 9 days}"
    clean(entering("manual", line))
