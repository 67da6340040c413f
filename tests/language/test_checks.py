"""Rules over the whole project: circles and topics are mistakes, the rest are doubts."""

from __future__ import annotations

from pathlib import Path

import pytest

EXIT = "actions: [{exit: done}]\n"


def said(problems, severity="warning") -> list[str]:
    return [f"{p.mark}: {p.message}; {p.hint}" for p in problems if p.severity == severity]


def scenario(name: str, trigger: str, actions: str, reenroll: str = "every_time") -> str:
    return f"scenario: {name}\ntrigger: {trigger}\nreenroll: {reenroll}\nactions: [{actions}]\n"


LISTS = "list: one\n---\nlist: two\n---\nlist: readers\nmembers: {in_list: [one, two]}\n---\n"

FEEDING = {
    "score": ("{score: {reaches: 50}}", "{add_points: 10}"),
    "score-down": ("{score: {falls_to: -10}}", "{subtract_points: 5}"),
    "list": ("{list_joined: one}", "{remove_from_list: one}, {add_to_list: one}"),
    "list-left": ("{list_left: one}", "{move_to_list: {from: one, to: two}}"),
    "attribute": ("{attribute: {plan: {to: PRO}}}", "{set_attribute: {plan: pro}}"),
    "attribute-expression": ("{attribute: plan}", "{set_attribute: {plan: '{{ contact.x }}'}}"),
    "unopened": ("{email_not_opened: {within: 1 day}}", "{send_email: offer}"),
    "sent": ("{event: email_sent}", "{send_email: offer}"),
    "gains": ("{score: {gains: 5, within: 1 day}}", "{add_points: 10}"),
    "reset": ("{score: {falls_to: 5}}", "{reset_score: engagement}"),
    "owner": ("{attribute: owner}", "{assign_owner: {round_robin: [a@b.example, c@d.example]}}"),
    "subscribed": ("{subscribed: news}", "{unsubscribe: news}, {subscribe: news}"),
    "unsubscribed": ("{unsubscribed: news}", "{subscribe: news}, {unsubscribe: all}"),
    "unclicked": ("{email_not_clicked: {within: 1 day}}", "{send_email: offer}"),
    "no-event": (
        "{no_event: {name: a, after: {email_sent: offer}, within: 1 day}}",
        "{send_email: offer}",
    ),
    "own-event": ("{event: [x, list_joined]}", "{move_to_list: {from: one, to: two}}"),
    "own-event-consent": ("{event: subscribed}", "{subscribe: email}"),
    "enroll": ("{manual: }", "{enroll: loop}"),
    "waiting": (
        "{list_joined: one}",
        "{wait_for: {event: a, up_to: 1 day}, else: [{add_to_list: one}]}",
    ),
    "split": (
        "{list_joined: one}",
        "{split: [{name: a, share: 50%, actions: [{add_to_list: one}]}, {name: b, share: 50%}]}",
    ),
    "deep": ("{score: {reaches: 50}}", "{if: {in_list: one}, then: [{add_points: 1}]}"),
}


@pytest.mark.parametrize("name", FEEDING)
def test_t13_warn_of_a_scenario_that_feeds_itself(name, load) -> None:
    trigger, actions = FEEDING[name]
    project, problems = load(LISTS + scenario("loop", trigger, actions))
    found = [one for one in said(problems) if "without end" in one]
    assert len(found) == 1
    assert found[0].startswith("scenarios/x.yaml:9:11: scenario 'loop' can fire itself again")
    assert "line 11 feeds it" in found[0]
    assert "loop" in project.scenarios  # a doubt does not block


@pytest.mark.parametrize("reenroll", ["never", "{after: 30 days}"])
@pytest.mark.parametrize("name", FEEDING)
def test_t13_say_nothing_where_it_comes_to_rest(name, reenroll, load) -> None:
    text = LISTS + scenario("loop", *FEEDING[name], reenroll)
    assert not [one for one in said(load(text)[1]) if "without end" in one]


def test_t13_warn_once_of_a_loop_through_two_scenarios(load) -> None:
    text = LISTS + "---\n".join(
        [
            scenario("ping", "{list_joined: one}", "{move_to_list: {from: one, to: two}}"),
            scenario("pong", "{list_joined: two}", "{move_to_list: {from: two, to: one}}"),
        ]
    )
    found = [one for one in said(load(text)[1]) if "without end" in one]
    assert len(found) == 1
    assert "scenario 'ping' → scenario 'pong' → scenario 'ping'" in found[0]


def test_t13_warn_of_scenarios_that_enroll_one_another(load) -> None:
    text = "---\n".join(
        [
            scenario("ping", "manual", "{wait: 1 day}, {enroll: pong}"),
            scenario("pong", "{event: a}", "{enroll: ping}"),
        ]
    )
    found = [one for one in said(load(text)[1]) if "without end" in one]
    assert len(found) == 1
    assert "scenario 'ping' → scenario 'pong' → scenario 'ping'" in found[0]


def test_t13_warn_of_rules_that_fire_one_another(load) -> None:
    _, problems = load("""
        score: swing
        rules:
          - {name: up, points: 9, on: {score: {swing: {falls_to: 1}}}}
          - {name: down, points: -9, on: {score: {swing: {reaches: 9}}}}
    """)
    found = [one for one in said(problems) if "without end" in one]
    assert len(found) == 1
    assert "rule 'down' of score 'swing'" in found[0]


def test_t13_say_nothing_of_another_value(load) -> None:
    text = scenario("x", "{attribute: {plan: {to: pro}}}", "{set_attribute: {plan: free}}")
    assert said(load(text)[1]) == []


THRESHOLDS = {
    "{score: {engagement: {reaches: 101}}}": "never gets above 100, expected to reach 101",
    "{score: {engagement: {reaches: -100}}}": "is never below -100",
    "{score: {engagement: {falls_to: -101}}}": "never gets below -100, expected to fall to -101",
    "{score: {engagement: {falls_to: 100}}}": "is never above 100",
    "{score: {small: {reaches: 31}}}": "'small' never gets above 30, expected to reach 31",
    "{score: {small: {falls_to: -6}}}": "'small' never gets below -5, expected to fall to -6",
}
SMALL = """score: small
rules:
  - {name: a, points: 5, on: {event: a}, cap: {times: 3}}
  - {name: b, points: 3, on: {event: b}, cap: {points: 5}}
  - {name: c, points: 10, when: {in_list: customers}}
  - {name: d, points: -5, on: {event: d}, cap: {times: 1}}
---
"""


@pytest.mark.parametrize("trigger", THRESHOLDS)
def test_warn_of_a_threshold_out_of_reach(trigger, load) -> None:
    _, problems = load(SMALL + scenario("x", trigger, "{exit: done}", "never"))
    assert [THRESHOLDS[trigger] in one for one in said(problems)] == [True]


@pytest.mark.parametrize("line", [30, 29, -4])
def test_say_nothing_of_a_threshold_in_reach(line, clean) -> None:
    clean(SMALL + scenario("x", f"{{score: {{small: {{reaches: {line}}}}}}}", "{exit: x}", "never"))


def test_count_what_scenarios_give(clean) -> None:
    gives = scenario("gives", "manual", "{add_points: {score: small, points: 1}}")
    clean(SMALL + gives + "---\n" + scenario("x", "{score: {small: {reaches: 99}}}", "{exit: x}"))


IMPOSSIBLE = {
    "{score: {engagement: {at_least: 101}}}": "'engagement' never gets above 100",
    "{score: {engagement: {above: 100}}}": "'engagement' never gets above 100",
    "{score: {engagement: {below: -100}}}": "'engagement' never gets below -100",
    "{score: {engagement: {at_least: 50, at_most: 20}}}": "its bounds exclude each other",
    "{attribute: {age: {above: 18, at_most: 18}}}": "the bounds of 'age' exclude each other",
    "{event: {name: a, times: {at_least: 3, below: 3}}}": "the bounds of `times` exclude",
}


@pytest.mark.parametrize("condition", IMPOSSIBLE)
def test_warn_of_a_condition_that_nobody_meets(condition, load) -> None:
    _, problems = load(f"list: x\nmembers:\n  - not: {condition}\n")
    assert [IMPOSSIBLE[condition] in one for one in said(problems)] == [True]
    assert problems[0].mark.line == 3


def test_warn_of_a_list_that_nobody_joins_or_leaves(load) -> None:
    lists = "list: one\n---\nlist: two\n---\nlist: readers\n---\nlist: more\n---\n"
    text = lists + scenario("x", "[{list_joined: one}, {list_left: [one, two]}]", "{exit: x}")
    text += "---\nlist: y\nmembers: {in_list: [readers, more]}\n"
    assert [one.split("; ")[0] for one in said(load(text)[1])] == [
        (
            "scenarios/x.yaml:10:12: this trigger can never fire: "
            "no step puts anybody on the list 'one'"
        ),
        (
            "scenarios/x.yaml:10:32: this trigger can never fire: "
            "no step takes anybody off the list 'one' or 'two'"
        ),
        (
            "scenarios/x.yaml:15:11: this condition can never hold: "
            "no step puts anybody on the list 'readers' or 'more'"
        ),
    ]


def test_warn_of_what_nobody_uses(load) -> None:
    files = {
        "templates/email/extra.md": "---\nsubject: x\ntopic: news\n---\nx",
        "templates/email/extra.es.md": "---\nsubject: x\n---\nx",
        "templates/email/_layout.html": "x",
    }
    _, problems = load("list: lonely\n---\nlist: dynamic\nmembers: {inactive: 1 day}", files)
    assert [one.split(";")[0] for one in said(problems)] == [
        "scenarios/x.yaml:1:1: nothing reads the static list 'lonely'",
        "templates/email/extra.md: no step sends the template 'extra'",
    ]


def test_count_a_disabled_step_as_use(clean) -> None:
    files = {"templates/email/extra.md": "---\nsubject: x\ntopic: news\n---\nx"}
    text = "scenario: x\ntrigger: manual\nactions: [{send_email: extra, enabled: false}]"
    clean(text, files)


def test_warn_of_text_encoded_twice(load) -> None:
    twice = "Año – café".encode().decode("cp1252")
    _, problems = load(f"list: x\ndescription: {twice}\nmembers: {{inactive: 1 day}}")
    assert [one.split(";")[0] for one in said(problems)] == [
        "scenarios/x.yaml:2:15: found 'Ã±', most likely 'ñ'",
        "scenarios/x.yaml:2:19: found 'â€“', most likely '–'",
        "scenarios/x.yaml:2:26: found 'Ã©', most likely 'é'",
    ]


def test_leave_right_accents_alone(clean) -> None:
    clean("list: x\ndescription: Ãéí São ÂÊ «ñ» Â. ÇÃO\nmembers: {inactive: 1 day}")


def test_refuse_a_circle_of_lists(load) -> None:
    project, problems = load("""
        list: b
        members: {in_list: c}
        ---
        list: a
        members: {any: [{in_list: b}, {inactive: 1 day}]}
        ---
        list: c
        members: [{not: {in_list: a}}]
    """)
    assert [one.split(";")[0] for one in said(problems, "error")] == [
        (
            "scenarios/x.yaml:4:1: these read one another in a circle: "
            "list 'a' → list 'b' → list 'c' → list 'a'"
        )
    ]
    assert set(project.lists) == {"customers", "hot"}


def test_refuse_a_circle_through_a_score(load) -> None:
    _, problems = load("""
        score: s
        rules: [{name: in, points: 5, when: {in_list: x}}]
        ---
        list: x
        members: {score: {s: {at_least: 5}}}
    """)
    assert ["list 'x' → score 's' → list 'x'" in one for one in said(problems, "error")] == [True]


def test_order_lists_by_what_they_read(clean) -> None:
    project = clean("""
        list: a
        members: {in_list: z}
        ---
        list: z
        members: {in_list: m}
        ---
        list: m
        members: {inactive: 1 day}
    """)
    assert list(project.lists) == ["customers", "m", "hot", "z", "a"]


SEND = "scenario: x\ntrigger: manual\nactions: [{send_email: other}]"
FRONTS = {
    "---\nsubject: x\n---\n": "templates/email/other.html:1:1: no topic in the front matter, and "
    "scenarios/x.yaml:3:11 sends this mail",
    "no front matter": "templates/email/other.html:1:1: no topic in the front matter",
    "---\nsubject: x\ntopic: ofers\n---\n": "templates/email/other.html:3:8: there is no topic "
    "'ofers' in the policy; did you mean 'offers'?",
}


@pytest.mark.parametrize("front", FRONTS)
def test_refuse_a_template_without_a_known_topic(front, load) -> None:
    _, problems = load(SEND, {"templates/email/other.html": front})
    assert len(said(problems, "error")) == 1
    assert said(problems, "error")[0].startswith(FRONTS[front])


def test_accept_transactional_mail(clean) -> None:
    front = "---\nsubject: x\ntopic: transactional\n---\n"
    project = clean(SEND, {"templates/email/other.html": front})
    assert project.templates["other"].topic == "transactional"


def test_warn_of_mail_from_nobody(load) -> None:
    files = {"scenarios/base.yaml": "policy: p\ntopics: [offers]\n"}
    text = "scenario: x\ntrigger: manual\nactions: [{send_email: offer}]"
    assert said(load(text, files)[1]) == [
        (
            "scenarios/x.yaml:3:11: mail is sent, and no policy says from whom; "
            "add `sender: {name: …, address: …}` to the policy"
        )
    ]


def test_leave_an_unreadable_template_to_the_mail_room(load, project_folder: Path) -> None:
    folder = project_folder / "templates" / "email"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "other.html").write_bytes("---\nsubject: Año\n---\n".encode("latin-1"))
    assert load(SEND)[1] == []  # its name is known; what is wrong with it is said once, there


def test_warn_of_steps_that_nobody_reaches(load) -> None:
    _, problems = load("""
        scenario: x
        trigger: manual
        actions:
          - if: {inactive: 1 day}
            then:
              - exit: here
              - wait: 1 day
              - wait: 2 days
          - {exit: switched off, enabled: false}
          - exit: end
    """)
    assert said(problems) == [
        "scenarios/x.yaml:7:9: nobody reaches this step: an `exit` stands before it; see line 6"
    ]


def test_warn_of_a_change_to_the_same_value(load) -> None:
    text = scenario("x", "{attribute: {plan: {from: pro, to: pro}}}", "{exit: x}")
    assert ["'plan' stays what it was" in one for one in said(load(text)[1])] == [True]


POLICIES = {
    "timezone: Madrid": (2, 11, "did you mean 'Europe/Madrid'?"),
    "timezone: contact": (2, 11, "a zone of the IANA list"),
    "topics: [news, transactional]": (2, 16, "it is built in: leave it out"),
    "topics: [all]": (2, 10, "'all' is no name for a topic"),
    "topics: [News Letter]": (2, 10, "did you mean 'news-letter'?"),
    "consent: explicit": (2, 10, "found 'explicit', expected required, implied"),
    "sender: Acme <a@b.example>": (2, 9, "the sender: a mapping with name, address, reply_to"),
    "sender: {address: Acme <a@b.example>}": (2, 19, "write the address alone"),
    "sender: {name: Acme}": (2, 9, "needs the key 'address'"),
    "decay_every: hourly": (2, 14, "did you mean '1 hour'?"),
    "quiet_hours: {}": (2, 1, "did you mean 'send_window'?"),
}


@pytest.mark.parametrize("line", POLICIES)
def test_refuse_a_wrong_policy(line, load) -> None:
    row, column, words = POLICIES[line]
    files = {"scenarios/base.yaml": "list: customers\n", "templates/email/offer.html": "---\n---\n"}
    problems = [one for one in load(f"policy: p\n{line}\n", files)[1] if one.severity == "error"]
    assert [(one.mark.line, one.mark.column) for one in problems] == [(row, column)]
    assert words in f"{problems[0].message}; {problems[0].hint}"


def test_warn_of_an_operator_in_a_text(load) -> None:
    text = 'list: x\nmembers: {event: {name: a, where: {price: ">= 50", to: "-> home"}}}'
    assert said(load(text)[1]) == [
        "scenarios/x.yaml:2:43: '>= 50' is compared as a text; did you mean {at_least: 50}?"
    ]
