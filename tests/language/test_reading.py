"""What correct YAML is read into: every word in scope, with names and short forms resolved."""

from __future__ import annotations

import pytest

from flowscore.clock import DAY, HOUR, MINUTE, WEEK
from flowscore.language import actions as a
from flowscore.language import conditions as c
from flowscore.language import triggers as t
from flowscore.language.scenario import Reenroll
from flowscore.language.scoring import Cap, Range
from flowscore.language.words import Bounds, EventQuery, Sum, ValueTest, ValueTests


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
    "{email_not_clicked: {template: any, within: 1 day}}": c.MailIgnored(
        awaited="email_clicked", within=DAY
    ),
    "{email_replied: offer}": happened("email_replied", subjects=("offer",)),
    "{email_bounced: {where: {type: hard}, times: 2}}": happened(
        "email_bounced", where=(passing("type", **{"is": "hard"}),), times=Bounds(at_least=2)
    ),
    "{email_clicked: {link: ['https://Acme.example/Offer#top', '*/x?utm=A*']}}": happened(
        "email_clicked", links=("https://acme.example/offer", "*/x?utm=a*")
    ),
    "{event: {name: a, sum: {total: {at_least: 500}}}}": happened(
        "event", "a", times=Bounds(), sums=(Sum(name="total", bounds=Bounds(at_least=500)),)
    ),
    "{event: {name: a, sum: {total: {below: 5}, 'p.n': {above: 1}}, times: 2}}": happened(
        "event",
        "a",
        times=Bounds(at_least=2),
        sums=(Sum(name="total", bounds=Bounds(below=5)), Sum(name="p.n", bounds=Bounds(above=1))),
    ),
    "{page_visited: {path: /a, within: 30 days, older_than: 1 week}}": happened(
        "page_visited", "page_viewed", subjects=("/a",), within=30 * DAY, older_than=WEEK
    ),
    "{company: {industry: software, employees: {at_least: 50}}}": c.CompanyIs(
        attributes=(passing("industry", **{"is": "software"}), passing("employees", at_least=50))
    ),
    "{random: 12.5%}": c.Drawn(share=125_000, place="list/x/members"),
    "[{not: {random: 1%}}]": c.All(
        of=(c.Not(of=c.Drawn(share=10_000, place="list/x/members/0/not")),)
    ),
    "{score: {engagement: {at_least: 1}, base: {at_most: 2}}}": c.All(
        of=(
            c.ScoreIs(score="engagement", bounds=Bounds(at_least=1)),
            c.ScoreIs(score="base", bounds=Bounds(at_most=2)),
        )
    ),
    "{consent: email}": c.MayMail(),
    "{consent: [news, offers]}": c.MayMail(topics=("news", "offers")),
    "{consent: [email, news]}": c.AnyOf(of=(c.MayMail(), c.MayMail(topics=("news",)))),
}


SECOND = "---\nscore: base\nrules: [{name: a, points: 1, on: {event: a}}]\n"


@pytest.mark.parametrize("text", CONDITIONS)
def test_read_a_condition(text, clean) -> None:
    second = SECOND if "base:" in text else ""
    project = clean(f"list: x\nmembers: {text}\n{second}")
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
    "{score: {engagement: {gains: 30, within: 2 days}}}": (
        t.ScoreGains(score="engagement", points=30, within=2 * DAY),
    ),
    "{score: {gains: 2.5, within: 90 minutes}}": (
        t.ScoreGains(score="engagement", points=2.5, within=90 * MINUTE),
    ),
    "{event: {name: a, times: 3, same: [path, x]}}": (
        on("event", "a", times=THREE, same=("path", "x")),
    ),
    "{event: {name: a, sum: {total: {above: 100}}, within: 1 week}}": (
        on(
            "event",
            "a",
            times=Bounds(),
            sums=(Sum(name="total", bounds=Bounds(above=100)),),
            within=WEEK,
        ),
    ),
    "{email_replied: {topic: news}}": (on("email_replied", topics=("news",)),),
    "{email_bounced: any}": (on("email_bounced"),),
    "{email_clicked: {link: '*/pricing*'}}": (on("email_clicked", links=("*/pricing*",)),),
    "{no_event: {name: a, after: {email_replied: any}, within: 1 hour}}": (
        t.NoEvent(
            awaited=EventQuery(names=("a",)),
            after=EventQuery(names=("email_replied",)),
            within=HOUR,
        ),
    ),
    "{email_not_clicked: {template: offer, within: 3 days}}": (
        t.MailNotAnswered(awaited="email_clicked", templates=("offer",), within=3 * DAY),
    ),
    "{subscribed: news}": (t.ConsentChanges(word="subscribed", topics=("news",)),),
    "{subscribed: [email, offers]}": (
        t.ConsentChanges(word="subscribed", topics=("email", "offers")),
    ),
    "{unsubscribed: all}": (t.ConsentChanges(word="unsubscribed", topics=("all",)),),
    "{date: {attribute: born_on}}": (t.DateComes(name="born_on"),),
    "{date: {attribute: a, offset: -2 weeks, at: 08:30, timezone: contact, every: year}}": (
        t.DateComes(name="a", days=-14, at=8 * HOUR + 30 * MINUTE, timezone="contact", yearly=True),
    ),
    "{date: {attribute: a, offset: 0 days, at: '00:00', timezone: Europe/Madrid}}": (
        t.DateComes(name="a", at=0, timezone="Europe/Madrid"),
    ),
    "{date: {attribute: a, offset: -90 minutes}}": (
        t.DateComes(name="a", days=None, offset=-90 * MINUTE),
    ),
    "{date: {attribute: a, offset: 2 hours}}": (t.DateComes(name="a", days=None, offset=2 * HOUR),),
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
    "reset_score: engagement": a.ResetScore(path="actions/0", scores=("engagement",)),
    "subscribe: [news, email]": a.ChangeConsent(
        path="actions/0", topics=("news", "email"), granted=True
    ),
    "unsubscribe: all": a.ChangeConsent(path="actions/0", topics=("all",), granted=False),
    "notify: {to: [sales@acme.example, owner], template: offer}": a.Notify(
        path="actions/0", to=("sales@acme.example", "owner"), templates=("offer",)
    ),
    "assign_owner: Ana@acme.example": a.AssignOwner(path="actions/0", owners=("Ana@acme.example",)),
    "assign_owner: {round_robin: [a@b.example, c@d.example]}": a.AssignOwner(
        path="actions/0", owners=("a@b.example", "c@d.example"), round_robin=True
    ),
    "webhook: {url: 'https://crm.example/leads?k=1'}": a.CallWebhook(
        path="actions/0", url="https://crm.example/leads?k=1"
    ),
    "webhook: {url: '${A}/x', body: [1, 'ñ', {b: null, a: '{{ event.x }}'}], headers: {X: 3}}": (
        a.CallWebhook(
            path="actions/0",
            url="${A}/x",
            body='[1,"ñ",{"a":"{{ event.x }}","b":null}]',
            headers=(("X", "3"),),
        )
    ),
    "wait: {until: 09:00}": a.Wait(path="actions/0", until=9 * HOUR),
    "wait: {until: '23:59', days: [tue, mon], timezone: contact}": a.Wait(
        path="actions/0", until=23 * HOUR + 59 * MINUTE, days=(0, 1), timezone="contact"
    ),
    "wait: {days: sun}": a.Wait(path="actions/0", days=(6,)),
    "wait_for: {email_opened: offer, up_to: 7 days}": a.WaitFor(
        path="actions/0", trigger=on("email_opened", subjects=("offer",)), up_to=7 * DAY
    ),
    "{wait_for: {event: {name: a, times: 3}, up_to: 1 day}, then: [{exit: y}], else: [exit: n]}": (
        a.WaitFor(
            path="actions/0",
            trigger=on("event", "a", times=THREE),
            up_to=DAY,
            then=(a.Exit(path="actions/0/then/0", reason="y"),),
            otherwise=(a.Exit(path="actions/0/else/0", reason="n"),),
        )
    ),
    "split: [{name: a, share: 33.3%, actions: [{exit: x}]}, {name: b, share: 66.7%}]": a.Split(
        path="actions/0",
        branches=(
            a.Portion(
                name="a",
                share=333_000,
                actions=(a.Exit(path="actions/0/split/0/actions/0", reason="x"),),
            ),
            a.Portion(name="b", share=667_000),
        ),
    ),
    "enroll: [base, second]": a.EnrollIn(path="actions/0", scenarios=("base", "second")),
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


OTHER = "---\nscenario: second\ntrigger: manual\nactions: [{exit: done}]\n"


@pytest.mark.parametrize("text", ACTIONS)
def test_read_an_action(text, clean) -> None:
    project = clean(f"scenario: x\ntrigger: manual\nactions:\n  - {text}\n{OTHER}")
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
