"""Warnings over the whole language: what can never come, never runs, or is asked of the past."""

from __future__ import annotations

import pytest

from flowscore.language.outside import unseen_events, unset_variables

HEAD = "scenario: x\ntrigger: {event: cart_updated}\n"
WAIT = "actions: [{wait: 1 day}]\n"


def said(problems) -> list[str]:
    return [f"{p.mark}: {p.message}; {p.hint}" for p in problems if p.severity == "warning"]


# What is written behind HEAD (from line 3 on), where it is said, and words of it.
DOUBTS: dict[str, tuple[str, str, str]] = {
    # goals
    "goal-created": (
        "goal: {contact_created: , up_to: 3 days}\n" + WAIT,
        "3:8",
        "nothing can wait for this goal: who is inside has been created already",
    ),
    "goal-manual": ("goal: manual\n" + WAIT, "3:1", "`manual` is how people enter"),
    "wait-for-created": (
        "actions: [{wait_for: {contact_created: true, up_to: 1 day}}]",
        "3:23",
        "nothing can wait for this wait_for",
    ),
    "goal-without-time": (
        "goal: {event: order_completed}\nactions: [{send_email: offer}]",
        "3:1",
        "the scenario never pauses, so nobody stays in it; add `up_to: 21 days`",
    ),
    "goal-without-time-wait-off": (
        "goal: {event: order_completed}\nactions: [{wait: 1 day, enabled: false}]",
        "3:1",
        "the scenario never pauses",
    ),
    "goal-threshold": (
        "goal: {score: {engagement: {reaches: 101}}, up_to: 1 day}\n" + WAIT,
        "3:16",
        "this trigger can never fire: 'engagement' never gets above 100",
    ),
    "then-of-the-goal": (
        (
            "goal: {email_clicked: offer, up_to: 9 days}\n"
            "actions: [{wait_for: {email_clicked: offer, up_to: 2 days}, then: [{exit: a}]}]"
        ),
        "4:11",
        "`then` never runs: what it waits for is the goal",
    ),
    "then-of-a-wider-goal": (
        (
            "goal: {event: [order_completed, paid]}\n"
            "actions: [{wait_for: {event: {name: paid, where: {n: 1}, times: 2}, up_to: 1 day}, "
            "then: [{exit: a}]}]"
        ),
        "4:11",
        "`then` never runs",
    ),
    "then-of-the-same-list": (
        (
            "goal: {list_joined: hot}\n"
            "actions: [{wait_for: {list_joined: hot, up_to: 1 day}, then: [{exit: a}]}]"
        ),
        "4:11",
        "`then` never runs",
    ),
    # exits
    "exit-over-the-past": (
        "exit_when: {event: order_completed}\n" + WAIT,
        "3:13",
        "counts what happened before the contact entered too; write `since: entered`",
    ),
    "exit-over-the-past-within": (
        "exit_when: [{any: [{page_visited: {path: /a, within: 3 days}}]}]\n" + WAIT,
        "3:21",
        "since: entered",
    ),
    "exit-over-the-past-twice-denied": (
        "exit_when: {not: {event: {name: a, times: {at_most: 0}}}}\n" + WAIT,
        "3:19",
        "since: entered",
    ),
    "since-on-entering": (
        "conditions: {event: {name: a, since: entered}}\n" + WAIT,
        "3:14",
        "asked on entering, when nothing has happened since",
    ),
    # what nobody meets
    "sum-bounds": (
        "conditions: {event: {name: a, sum: {total: {at_least: 5, below: 5}}}}\n" + WAIT,
        "3:14",
        "can never hold: the bounds of `sum` exclude each other",
    ),
    "window-without-time": (
        "conditions: {event: {name: a, within: 7 days, older_than: 1 week}}\n" + WAIT,
        "3:14",
        "`within` and `older_than` leave no time between them",
    ),
    "company-bounds": (
        "conditions: {company: {size: {above: 9, below: 3}}}\n" + WAIT,
        "3:14",
        "the bounds of 'size' exclude each other",
    ),
    "this-event-bounds": (
        "conditions: {this_event: {n: {above: 9, below: 3}}}\n" + WAIT,
        "3:14",
        "the bounds of 'n' exclude each other",
    ),
    "nobody-drawn": ("conditions: {random: 0%}\n" + WAIT, "3:14", "a share of 0% is nobody"),
    # steps
    "exit-in-a-split": (
        (
            "actions: [{split: [{name: a, share: 50%, actions: [{exit: y}, {exit: n}]}, "
            "{name: b, share: 50%}]}]"
        ),
        "3:63",
        "nobody reaches this step",
    ),
    "exit-in-then": (
        "actions: [{wait_for: {event: a, up_to: 1 day}, then: [{exit: y}, {exit: n}]}]",
        "3:66",
        "nobody reaches this step",
    ),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_warn_of_what_is_hardly_meant(name, load) -> None:
    text, place, words = DOUBTS[name]
    project, problems = load(HEAD + text)
    assert [one.partition(": ")[0] for one in said(problems)] == [f"scenarios/x.yaml:{place}"]
    assert words in said(problems)[0]
    assert "x" in project.scenarios


FINE = {
    "goal-with-time": "goal: {event: a, up_to: 3 days}\nactions: [{send_email: offer}]",
    "goal-while-waiting": "goal: {event: a}\nactions: [{wait_for: {event: b, up_to: 1 day}}]",
    "else-of-the-goal": "goal: {event: a}\n"
    "actions: [{wait_for: {event: a, up_to: 1 day}, else: [{exit: silent}]}]",
    "another-mail": "goal: {email_clicked: offer}\n"
    "actions: [{wait_for: {email_clicked: any, up_to: 1 day}, then: [{exit: a}]}]",
    "a-goal-that-ends-before": "goal: {event: a, up_to: 1 day}\n"
    "actions: [{wait: 2 days}, {wait_for: {event: a, up_to: 3 days}, then: [{exit: a}]}]",
    "exit-since": "exit_when: {event: {name: a, since: entered}}\n" + WAIT,
    "exit-for-want": "exit_when: {event: {name: a, within: 3 days, times: {at_most: 0}}}\n" + WAIT,
    "exit-denied": "exit_when: {not: {page_visited: {path: /a, within: 3 days}}}\n" + WAIT,
    "exit-ruled-out": "conditions: {not: {event: a}}\nexit_when: {event: a}\n" + WAIT,
    "exit-over-a-state": "exit_when: {attribute: {plan: pro}}\n" + WAIT,
    "window": "conditions: {event: {name: a, within: 8 days, older_than: 1 week}}\n" + WAIT,
}


@pytest.mark.parametrize("name", FINE)
def test_say_nothing_of_what_makes_sense(name, load) -> None:
    assert said(load(HEAD + FINE[name])[1]) == []


def test_warn_of_points_that_cannot_be_won_in_time(load) -> None:
    _, problems = load("""
        score: small
        rules:
          - {name: a, points: 5, on: {event: a}, cap: {times: 3}}
          - {name: b, points: 9, on: {event: b}, cap: {points: 10, per: 2 days}}
          - {name: c, points: -5, on: {event: c}}
        ---
        scenario: x
        trigger: [{score: {small: {gains: 26, within: 2 days}}},
                  {score: {small: {gains: 25, within: 2 days}}},
                  {score: {small: {gains: 99, within: 3 days}}}]
        actions: [{exit: done}]
    """)
    assert said(problems) == [
        (
            "scenarios/x.yaml:8:20: this trigger can never fire: "
            "'small' gains at most 25 in that time; "
        )
    ]


def test_a_reset_lets_points_taken_back_fall_below_zero(clean) -> None:
    clean("""
        score: small
        rules: [{name: a, points: 5, when: {attribute: {plan: pro}}}]
        ---
        scenario: x
        trigger: {score: {small: {falls_to: -5}}}
        actions: [{reset_score: small}]
    """)


def test_warn_of_a_date_before_there_is_anybody(load) -> None:
    text = """
        scenario: x
        trigger: [{date: {attribute: created_at, offset: -3 days}},
                  {date: {attribute: created_at, offset: 3 days}}]
        actions: [{exit: done}]
    """
    assert [one.partition("; ")[0] for one in said(load(text)[1])] == [
        "scenarios/x.yaml:2:12: this trigger can never fire: it lies before the contact is created"
    ]


def test_warn_of_a_cap_that_never_binds(load) -> None:
    base = "policy: p\ntopics: [offers]\nsender: {address: a@b.example}\n"
    caps = "frequency_cap: [{emails: 3, per: 1 day}, {emails: 2, per: 7 days}]\n"
    send = "scenario: x\ntrigger: manual\nactions: [{send_email: offer}]"
    assert said(load(send, {"scenarios/base.yaml": base + caps})[1]) == [
        (
            "scenarios/base.yaml:4:17: this cap is never reached: another allows no more over a "
            "longer time; see line 4"
        )
    ]


def test_the_policy_reads_lists_and_is_read_for_doubts(load) -> None:
    base = "policy: p\ntopics: [offers]\nsuppress: [{in_list: never}, {random: 0%}]\n"
    text = "list: never\n---\nscenario: x\ntrigger: manual\n"
    text += "actions: [{notify: {to: owner, template: offer}}]"
    problems = load(text, {"scenarios/base.yaml": base})[1]
    assert [one.partition("; ")[0] for one in said(problems)] == [
        (
            "scenarios/base.yaml:3:13: this condition can never hold: no step puts anybody on the "
            "list 'never'"
        ),
        "scenarios/base.yaml:3:31: this condition can never hold: a share of 0% is nobody",
        "scenarios/x.yaml:5:11: mail is sent, and no policy says from whom",
    ]


def test_a_notified_template_is_used_and_needs_no_topic(clean) -> None:
    files = {"templates/email/hot.md": "---\nsubject: x\n---\nx"}
    clean("scenario: x\ntrigger: manual\nactions: [{notify: {to: owner, template: hot}}]", files)


def test_say_nothing_of_what_a_broken_definition_may_do(load) -> None:
    files = {"templates/email/extra.md": "---\nsubject: x\ntopic: news\n---\nx"}
    text = """
        list: called
        ---
        scenario: x
        trigger: {list_joined: called}
        actions: [{send_email: extra}, {add_to_list: called}, {wait: 4 hrs}]
    """
    assert [one.severity for one in load(text, files)[1]] == ["error"]


EVENTS = """
    scenario: x
    trigger:
      - event: [order_completd, Cart Updated]
      - page_visited: /pricing
      - no_event: {name: paid, after: {event: list_joined}, within: 1 day}
    reenroll: never
    conditions: {event: {name: seen, times: {at_most: 0}}}
    actions: [{wait_for: {event: order_completed, up_to: 1 day}}]
"""


def test_warn_of_events_that_never_came_in(clean) -> None:
    project = clean(EVENTS)
    known = {"cart_updated", "order_completed", "email_sent", "page_viewed"}
    assert [one.partition(";")[0] for one in said(unseen_events(project, known))] == [
        "scenarios/x.yaml:3:12: no event 'order_completd' has ever come in",
        "scenarios/x.yaml:5:5: no event 'paid' has ever come in",
        "scenarios/x.yaml:7:21: no event 'seen' has ever come in",
    ]
    assert "did you mean 'order_completed'?" in said(unseen_events(project, known))[0]


def test_say_nothing_of_events_before_any_came_in(clean) -> None:
    assert list(unseen_events(clean(EVENTS), ())) == []


def test_warn_of_variables_that_are_not_set(clean) -> None:
    project = clean("""
        scenario: x
        trigger: manual
        actions:
          - webhook:
              url: "${CRM}/x"
              body: {a: ["${KEY}"]}
              headers: {X: "a ${TOKEN} ${FLOWSCORE_SECRET}"}
          - {webhook: {url: "${GONE}"}, enabled: false}
    """)
    values = {"CRM": "https://a.example", "KEY": "", "TOKEN": "t", "FLOWSCORE_SECRET": "s"}
    assert [one.partition(";")[0] for one in said(unset_variables(project, values))] == [
        "scenarios/x.yaml:4:5: ${KEY} is not set",
        "scenarios/x.yaml:4:5: ${FLOWSCORE_SECRET} is not set",
        "scenarios/x.yaml:8:5: ${GONE} is not set",
    ]
