"""What correct YAML is read into: every word in scope, with names and short forms resolved."""

from __future__ import annotations

import pytest

from flowscore.clock import DAY, HOUR, WEEK
from flowscore.language import actions as a
from flowscore.language import conditions as c
from flowscore.language import triggers as t
from flowscore.language.scenario import Reenroll
from flowscore.language.scoring import Cap, Range
from flowscore.language.words import Bounds, EventQuery, ValueTest, ValueTests


def passing(name, **operands) -> ValueTests:
    rows = tuple(ValueTest(operator=word, operand=value) for word, value in operands.items())
    return ValueTests(name=name, tests=rows)


def happened(word, *names, **query) -> c.Happened:
    return c.Happened(word=word, query=EventQuery(names=names or (word,), **query))


def on(word, *names, **query) -> t.OnEvent:
    return t.OnEvent(word=word, query=EventQuery(names=names or (word,), **query))


ONE, THREE = Bounds(at_least=1), Bounds(at_least=3)
PAID = ValueTests(name="paid", tests=(ValueTest(operator="is", operand=True),))

CONDITIONS = {
    "{all: [{inactive: 1 day}, {inactive: 2 days}]}": c.All(
        of=(c.Inactive(duration=DAY), c.Inactive(duration=2 * DAY))
    ),
    "[{inactive: 1 day}]": c.All(of=(c.Inactive(duration=DAY),)),
    "{any: [{inactive: 1 day}]}": c.AnyOf(of=(c.Inactive(duration=DAY),)),
    "{not: {inactive: 1 day}}": c.Not(of=c.Inactive(duration=DAY)),
    "{not: [{inactive: 1 day}]}": c.Not(of=c.All(of=(c.Inactive(duration=DAY),))),
    "{score: {engagement: {at_least: hot}}}": c.ScoreIs(
        score="engagement", bounds=Bounds(at_least=80)
    ),
    "{score: {at_least: -5, below: interested}}": c.ScoreIs(
        score="engagement", bounds=Bounds(at_least=-5, below=50)
    ),
    "{attribute: {country: NO}}": c.AttributeIs(attributes=(passing("country", **{"is": "NO"}),)),
    "{attribute: {zip: 08001}}": c.AttributeIs(attributes=(passing("zip", **{"is": "08001"}),)),
    "{attribute: {country: [ES, MX]}}": c.AttributeIs(
        attributes=(passing("country", **{"in": ("ES", "MX")}),)
    ),
    "{attribute: {age: {at_least: 18, below: 65.5}, vip: true}}": c.AttributeIs(
        attributes=(passing("age", at_least=18, below=65.5), passing("vip", **{"is": True}))
    ),
    "{attribute: {a: {starts_with: 28, ends_with: x, contains: y, matches: 'a|b'}}}": c.AttributeIs(
        attributes=(passing("a", starts_with="28", ends_with="x", contains="y", matches="a|b"),)
    ),
    "{attribute: {d: {before: 2026-01-31, after: '2026-01-01 10:00'}}}": c.AttributeIs(
        attributes=(passing("d", before="2026-01-31", after="2026-01-01 10:00"),)
    ),
    "{attribute: {d: {within: 1 day, ahead: 2 hours, older_than: 1 week}}}": c.AttributeIs(
        attributes=(passing("d", within=DAY, ahead=2 * HOUR, older_than=WEEK),)
    ),
    "{attribute: {a: {exists: false, is_not: 3, not_in: [1, 2]}}}": c.AttributeIs(
        attributes=(passing("a", exists=False, is_not=3, not_in=(1, 2)),)
    ),
    "{in_list: customers}": c.InList(lists=("customers",)),
    "{in_list: [customers, hot]}": c.InList(lists=("customers", "hot")),
    "{event: Order Completed}": happened("event", "order_completed"),
    "{event: [a, Email Link Clicked]}": happened("event", "a", "email_clicked"),
    "{event: {name: a, where: {paid: true}, times: 3, within: 30 days}}": happened(
        "event", "a", where=(PAID,), times=THREE, within=30 * DAY
    ),
    "{event: {name: a, times: {at_most: 0}}}": happened("event", "a", times=Bounds(at_most=0)),
    "{page_visited: '/Blog/*'}": happened("page_visited", "page_viewed", subjects=("/blog/*",)),
    "{page_visited: {path: ['https://a.example/Pricing/?x=1#y', /], times: 3}}": happened(
        "page_visited", "page_viewed", subjects=("/pricing", "/"), times=THREE
    ),
    "{email_sent: offer}": happened("email_sent", subjects=("offer",)),
    "{email_opened: any}": happened("email_opened"),
    "{email_clicked: {topic: transactional, machine: true}}": happened(
        "email_clicked", topics=("transactional",), machine=True
    ),
    "{email_opened: {template: [offer], topic: [news, offers]}}": happened(
        "email_opened", subjects=("offer",), topics=("news", "offers")
    ),
    "{email_not_opened: {within: 3 days}}": c.MailIgnored(awaited="email_opened", within=3 * DAY),
    "{email_not_opened: {template: offer, topic: offers, within: 1 day}}": c.MailIgnored(
        awaited="email_opened", templates=("offer",), topics=("offers",), within=DAY
    ),
    "{consent: email}": c.MayMail(),
    "{consent: [news, offers]}": c.MayMail(topics=("news", "offers")),
    "{consent: [email, news]}": c.AnyOf(of=(c.MayMail(), c.MayMail(topics=("news",)))),
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_read_a_condition(text, clean) -> None:
    project = clean(f"list: x\nmembers: {text}\n")
    assert repr(project.lists["x"].members) == repr(CONDITIONS[text])


def crossing(direction, threshold) -> t.ScoreCrosses:
    return t.ScoreCrosses(score="engagement", direction=direction, threshold=threshold)


TRIGGERS = {
    "manual": (t.Manual(),),
    "{manual: }": (t.Manual(),),
    "[contact_created, manual]": (t.ContactCreated(), t.Manual()),
    "{score: {engagement: {reaches: hot}}}": (crossing("reaches", 80),),
    "{score: {falls_to: -10}}": (crossing("falls_to", -10),),
    "{event: {name: a, where: {paid: true}, times: 3, within: 30 days}}": (
        on("event", "a", where=(PAID,), times=THREE, within=30 * DAY),
    ),
    "{event: {name: a, times: {above: 2}}}": (on("event", "a", times=THREE),),
    "{page_visited: /pricing}": (on("page_visited", "page_viewed", subjects=("/pricing",)),),
    "{email_opened: offer}": (on("email_opened", subjects=("offer",)),),
    "{email_clicked: {topic: offers}}": (on("email_clicked", topics=("offers",)),),
    "{no_event: {name: [a, b], after: {event: b}, within: 1 hour, same: i, where: {paid: true}}}": (
        t.NoEvent(
            awaited=EventQuery(names=("a", "b"), where=(PAID,)),
            after=EventQuery(names=("b",)),
            within=HOUR,
            same=("i",),
        ),
    ),
    "{email_not_opened: {template: any, within: 3 days}}": (
        t.MailNotAnswered(awaited="email_opened", within=3 * DAY),
    ),
    "{inactive: 60 days}": (t.GoneQuiet(duration=60 * DAY),),
    "{attribute: country}": (t.AttributeChanges(attribute="country"),),
    "{attribute: {country: {from: [ES, MX], to: FR}}}": (
        t.AttributeChanges(
            attribute="country",
            to=passing("country", **{"is": "FR"}),
            origin=passing("country", **{"in": ("ES", "MX")}),
        ),
    ),
    "{list_joined: customers}": (t.ListJoined(lists=("customers",)),),
    "{list_left: [customers, hot]}": (t.ListLeft(lists=("customers", "hot")),),
    "{schedule: {cron: '0  9 * * MON', timezone: Europe/Madrid}}": (
        t.Schedule(cron="0 9 * * MON", timezone="Europe/Madrid"),
    ),
    "{schedule: {at: 2026-11-27 10:00, timezone: contact}}": (
        t.Schedule(at="2026-11-27 10:00", timezone="contact"),
    ),
}


@pytest.mark.parametrize("text", TRIGGERS)
def test_read_a_trigger(text, clean) -> None:
    project = clean(
        f"scenario: x\ntrigger: {text}\nreenroll: {{after: 1 day}}\nactions: [{{exit: done}}]\n"
    )
    assert repr(project.scenarios["x"].trigger) == repr(TRIGGERS[text])


ACTIONS = {
    "add_points: 5": a.AddPoints(path="actions/0", score="engagement", points=5),
    "add_points: {score: engagement, points: 2.5, reason: came back}": a.AddPoints(
        path="actions/0", score="engagement", points=2.5, reason="came back"
    ),
    "subtract_points: 5": a.AddPoints(path="actions/0", score="engagement", points=-5),
    "add_to_list: [customers]": a.AddToList(path="actions/0", lists=("customers",)),
    "remove_from_list: customers": a.RemoveFromList(path="actions/0", lists=("customers",)),
    "move_to_list: {from: [customers], to: customers}": a.MoveToList(
        path="actions/0", origin=("customers",), to=("customers",)
    ),
    "set_attribute: {plan: trial, n: 3, tags: [x, y], at: '{{ event.at }}'}": a.SetAttribute(
        path="actions/0",
        values=(("plan", "trial"), ("n", 3), ("tags", ("x", "y")), ("at", "{{ event.at }}")),
    ),
    "send_email: offer": a.SendEmail(path="actions/0", templates=("offer",)),
    "send_email: {template: offer, unless_late_by: 2 days, once_per: 30 days}": a.SendEmail(
        path="actions/0", templates=("offer",), unless_late_by=2 * DAY, once_per=30 * DAY
    ),
    "wait: 36 hours": a.Wait(path="actions/0", duration=36 * HOUR),
    "exit: bought": a.Exit(path="actions/0", reason="bought"),
    "exit:": a.Exit(path="actions/0"),
    "{exit: x, id: leave, enabled: false}": a.Exit(path="leave", enabled=False, reason="x"),
    "{if: {inactive: 1 day}, then: [{exit: a}], else: [{wait: 1 day}, {exit: b, id: b}]}": a.If(
        path="actions/0",
        condition=c.Inactive(duration=DAY),
        then=(a.Exit(path="actions/0/then/0", reason="a"),),
        otherwise=(
            a.Wait(path="actions/0/else/0", duration=DAY),
            a.Exit(path="b", reason="b"),
        ),
    ),
}


@pytest.mark.parametrize("text", ACTIONS)
def test_read_an_action(text, clean) -> None:
    project = clean(f"scenario: x\ntrigger: manual\nactions:\n  - {text}\n")
    assert repr(project.scenarios["x"].actions[0]) == repr(ACTIONS[text])


def test_read_the_rest_of_a_scenario(clean) -> None:
    scenario = clean("""
        scenario: x
        description: "Who comes back"
        enabled: false
        trigger: {list_joined: customers}
        conditions: {inactive: 1 day}
        reenroll: {after: 90 days}
        enroll_existing: true
        priority: -3
        actions: [{exit: done}]
    """).scenarios["x"]
    assert (scenario.enabled, scenario.enroll_existing, scenario.priority) == (False, True, -3)
    assert repr(scenario.reenroll) == repr(Reenroll(mode="after", after=90 * DAY))
    assert scenario.description == "Who comes back"
    assert repr(scenario.conditions) == repr(c.Inactive(duration=DAY))


def test_read_a_score(clean) -> None:
    score = clean("""
        score: fit
        objective: Who suits us.
        range: {min: -10.5}
        cap: {points: 50, per: 1 week}
        bands: {low: 5, high: 40}
        rules:
          - {name: signup, points: 2, on: [{event: a}, contact_created], cap: {times: 1}}
          - {name: in-list, points: -2.5, on: {event: b}, conditions: [{in_list: customers}]}
          - {name: age, points: 3, when: {attribute: {age: {at_least: 18}}}, because: by law}
    """).scores["fit"]
    assert repr((score.range, score.cap)) == repr((Range(min=-10.5), Cap(points=50, per=WEEK)))
    assert score.bands == (("high", 40.0), ("low", 5.0))
    first, second, third = score.rules
    assert repr(first.on) == repr((on("event", "a"), t.ContactCreated()))
    assert repr(first.cap) == repr(Cap(times=1))
    assert second.points == -2.5
    assert repr(second.conditions) == repr(c.All(of=(c.InList(lists=("customers",)),)))
    assert third.because == "by law"
    assert third.on == ()


def test_read_the_policy(clean) -> None:
    policy = clean("list: x\nmembers: {in_list: customers}").policy
    assert (policy.name, policy.timezone, policy.consent) == (
        "default",
        "Europe/Madrid",
        "required",
    )
    assert policy.topics == ("news", "offers")
    assert policy.sender is not None
    assert policy.sender.address == "hello@acme.example"


def test_marks_point_at_the_words(clean) -> None:
    project = clean("""
        # a comment
        scenario: x
        trigger:
          - event: a
        conditions:
          - in_list:
              customers
        actions:
          - wait: 1 day
          - exit: b
    """)
    scenario = project.scenarios["x"]
    assert str(scenario.mark) == "scenarios/x.yaml:2:1"
    assert str(scenario.trigger[0].mark) == "scenarios/x.yaml:4:5"
    assert str(scenario.conditions.of[0].mark) == "scenarios/x.yaml:6:5"
    assert str(scenario.actions[1].mark) == "scenarios/x.yaml:10:5"
