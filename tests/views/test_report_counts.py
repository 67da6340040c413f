"""Each section of the report against counts made anew in plain Python over a random small world."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from flowscore.clock import DAY, HOUR
from flowscore.language.conditions import AttributeIs
from flowscore.language.lifecycle import Lifecycle, Stage
from flowscore.language.policy import FrequencyCap, Policy
from flowscore.language.project import Project
from flowscore.language.scenario import Scenario
from flowscore.language.scoring import Rule, Score
from flowscore.language.words import ValueTest, ValueTests
from flowscore.planning.phrases import phrase
from flowscore.store.tables import POINT, SHOWN
from flowscore.views.reporting.inquiry import Wishes
from flowscore.views.reporting.report import make_report

from .conftest import NOW, person
from .report_world import STAGES, TEMPLATES, World, made

if TYPE_CHECKING:
    from flowscore.store.database import Store

Row = dict[str, Any]
YOUNG = Rule(
    name="young",
    points=3,
    when=AttributeIs(
        attributes=(ValueTests(name="age", tests=(ValueTest(operator="below", operand=30),)),)
    ),
    because="we teach students",
)
PROJECT = Project(
    scores={"engagement": Score(name="engagement", rules=(YOUNG,))},
    scenarios={"welcome": Scenario(name="welcome", trigger=())},
    lifecycle=Lifecycle(name="buyer", stages=tuple(Stage(name=name) for name in STAGES)),
)
PERIODS = [(None, None), (NOW - 60 * DAY, NOW - 15 * DAY)]


class Naive:
    """The world, asked one contact at a time."""

    def __init__(self, world: World, since: int | None, until: int | None) -> None:
        self.world, self.leads = world, world.leads
        self.since, self.until = since, NOW if until is None else until

    def holds(self, at: int) -> bool:
        return at <= self.until and (self.since is None or at > self.since)

    @property
    def new(self) -> list[int]:
        return [number for number, row in self.leads.items() if self.holds(row["created_at"])]

    def stays(self, contact: int) -> list[Row]:
        """Real stays up to the end, the one in the first stage since creation before them."""
        first = {"stage": "lead", "entered_at": self.leads[contact]["created_at"]}
        rest = [row for row in self.world.of("stages", contact) if not row["skipped"]]
        return [first, *(row for row in rest if row["entered_at"] <= self.until)]

    def entered(self, stage: str) -> dict[int, int]:
        """When each first entered in the period; the first stage is entered by creation alone."""
        found: dict[int, int] = {}
        for contact in self.leads:
            stays = self.stays(contact)[: 1 if stage == "lead" else None]
            times = [s["entered_at"] for s in stays if s["stage"] == stage]
            if times := [at for at in times if self.holds(at)]:
                found[contact] = min(times)
        return found

    def after(self, contact: int, at: int, stages: tuple[str, ...]) -> int | None:
        times = [s["entered_at"] for s in self.stays(contact)[1:] if s["stage"] in stages]
        return min((one for one in times if one >= at), default=None)

    def stands(self, contact: int) -> str:
        for row in self.world.of("stages", contact):
            lasts = row["left_at"] is None or row["left_at"] > self.until
            if not row["skipped"] and row["entered_at"] <= self.until and lasts:
                return str(row["stage"])
        return "lead"

    def qualified_at(self, contact: int) -> int | None:
        times = [s["entered_at"] for s in self.stays(contact) if s["stage"] in ("sql", "customer")]
        return min(times, default=None)

    def events(self, contact: int, name: str) -> list[Row]:
        """In the order of time, up to the end."""
        found = self.world.of("events", contact, name=name)
        return sorted((e for e in found if e["own_at"] <= self.until), key=_order)

    def last_word(self, contact: int, in_period: bool = False) -> Row | None:
        said = self.events(contact, "sales_feedback")
        said = [e for e in said if not in_period or self.holds(e["own_at"])]
        return said[-1] if said else None


def _order(event: Row) -> tuple[int, int]:
    return event["own_at"], event["id"]


@pytest.fixture(params=[1])
def world(request: pytest.FixtureRequest, store: Store) -> World:
    found = made(request.param)
    found.write(store)
    return found


def report(store: Store, section: str, project: Project = PROJECT, **wishes: Any) -> Row:
    with store.read() as connection:
        told = make_report(connection, project, Wishes(**wishes), phrase, section)
    assert json.loads(json.dumps(told)) == told, "plain JSON on both databases"
    return told[section]


def each_period(world: World) -> list[tuple[Row, Naive]]:
    return [({"since": s, "until": u}, Naive(world, s, u)) for s, u in PERIODS]


def share(row: Row) -> tuple[int, int]:
    return row["count"], row["of"]


def hours(spans: list[int]) -> Row:
    found: Row = {"contacts": len(spans)}
    for name, part in (("first_quartile", 25), ("median", 50), ("third_quartile", 75)):
        found[name] = round(float(np.percentile(spans, part)) / HOUR, 4) if spans else None
    return found


# --- funnel -----------------------------------------------------------------------------------


def test_funnel_counts_who_entered_skipped_stands_and_went_on(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        told = report(store, "funnel", **asked)
        rows = {row["stage"]: row for row in told["stages"]}
        assert list(rows) == ["subscriber", *STAGES]
        standing = Counter(
            naive.stands(one)
            for one, row in naive.leads.items()
            if row["created_at"] <= naive.until
        )
        for place, stage in enumerate(STAGES):
            entered = naive.entered(stage)
            skipped = {
                row["contact_id"]
                for row in world.of("stages", stage=stage, skipped=True)
                if row["contact_id"] in naive.leads and naive.holds(row["entered_at"])
            }
            spans = _spans(naive, entered, STAGES[place + 1 :])
            row = rows[stage]
            assert row["entered"] == len(entered), stage
            assert row["skipped"] == len(skipped)
            assert row["inside"] == standing[stage]
            if stage == "customer":
                assert row["went_on"] is None
            else:
                assert share(row["went_on"]) == (len(spans), len(entered))
                assert row["hours_to_next"] == pytest.approx(hours(spans))


def _spans(naive: Naive, entered: dict[int, int], later: tuple[str, ...]) -> list[int]:
    went = {one: naive.after(one, at, later) for one, at in entered.items()}
    return [at - entered[one] for one, at in went.items() if at is not None]


def test_funnel_begins_with_who_agreed_to_mail(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        row = report(store, "funnel", **asked)["stages"][0]
        first = {
            one: min(given)
            for one in naive.leads
            if (given := [c["at"] for c in world.of("consents", one, granted=True)])
        }
        agreed = {one: at for one, at in first.items() if naive.holds(at)}
        assert row["stage"] == "subscriber"
        assert row["entered"] == len(agreed)
        assert share(row["went_on"])[0] == len(_spans(naive, agreed, STAGES[1:]))


def test_e01_conversion_is_customers_won_by_leads_of_the_same_period(
    store: Store, world: World
) -> None:
    for asked, naive in each_period(world):
        won, new = len(naive.entered("customer")), len(naive.new)
        told = report(store, "funnel", **asked)["conversion"]
        assert told == {"won": won, "leads": new, "rate": pytest.approx(won / new, abs=1e-6)}


# --- qualification ----------------------------------------------------------------------------


def test_b11_report_tells_which_leads_became_sql_and_which_did_not(
    store: Store, world: World
) -> None:
    for asked, naive in each_period(world):
        told = report(store, "qualification", **asked)
        at = {one: naive.qualified_at(one) for one in naive.leads}
        good = [one for one in naive.new if at[one] is not None]
        assert share(told["of_new_leads"]) == (len(good), len(naive.new))
        became = {naive.leads[o]["email"] for o, t in at.items() if t and naive.holds(t)}
        assert {row["contact"] for row in told["became"]} == became
        waiting = {naive.leads[one]["email"] for one in naive.new if at[one] is None}
        assert told["not_yet"]["contacts"] == len(waiting)
        shown = told["not_yet"]["furthest"]
        assert {row["contact"] for row in shown} == waiting
        places = [STAGES.index(row["stage"]) for row in shown]
        assert places == sorted(places, reverse=True)
        assert not {"sql", "customer"} & {row["stage"] for row in shown}


def test_b11_report_tells_how_those_who_qualified_ended(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        told = {row["stage"]: row for row in report(store, "qualification", **asked)["stages"]}
        assert list(told) == ["mql", "sql"]
        for stage, row in told.items():
            entered = naive.entered(stage)
            ends = Counter(_end(naive, one, stage, at) for one, at in entered.items())
            assert row["entered"] == len(entered)
            for name in ("customer", "not_qualified", "lost", "retreated", "open"):
                assert row[name] == ends[name], (stage, name)


def _end(naive: Naive, contact: int, stage: str, at: int) -> str:
    word = naive.last_word(contact)
    verdict = word["properties"]["verdict"] if word and word["own_at"] >= at else None
    if naive.after(contact, at, ("customer",)) is not None or verdict == "won":
        return "customer"
    if verdict in ("not_qualified", "lost"):
        return str(verdict)
    back = STAGES.index(naive.stands(contact)) < STAGES.index(stage)
    return "retreated" if back else "open"


def test_e14_meetings_cycle_and_revenue_are_measured(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        told = report(store, "qualification", **asked)
        at = {one: naive.qualified_at(one) for one in naive.leads}
        became = [one for one, t in at.items() if t and naive.holds(t)]
        met = [one for one in became if naive.events(one, "meeting_booked")]
        assert share(told["meetings"]["rate"]) == (len(met), len(became))
        bought = naive.entered("customer")
        spans = [
            one_at - naive.leads[one]["created_at"]
            for one in bought
            if (one_at := naive.after(one, 0, ("customer",))) is not None
        ]
        assert told["cycle"]["lead to customer"] == pytest.approx(hours(spans))
        won = [
            event["properties"].get("amount")
            for one in naive.leads
            for event in naive.events(one, "sales_feedback")
            if event["properties"]["verdict"] == "won" and naive.holds(event["own_at"])
        ]
        amounts = [amount for amount in won if amount is not None]
        assert (told["revenue"]["deals"], told["revenue"]["with_amount"]) == (
            len(won),
            len(amounts),
        )
        assert told["revenue"]["amount"] == pytest.approx(sum(amounts))


# --- feedback ---------------------------------------------------------------------------------


def test_e12_unqualified_that_reached_sales_are_counted(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        told = report(store, "feedback", **asked)
        sides: Counter[tuple[bool, str]] = Counter()
        for one in naive.leads:
            word, at = naive.last_word(one, in_period=True), naive.qualified_at(one)
            if word is not None:
                before = at is not None and at <= word["own_at"]
                sides[before, word["properties"]["verdict"]] += 1
        judged = {v: sides[True, v] for v in ("qualified", "won", "not_qualified")}
        others = {v: sides[False, v] for v in ("qualified", "won", "not_qualified")}
        against = told["against_the_model"]
        assert share(against["wrongly_qualified"]) == (
            judged["not_qualified"],
            sum(judged.values()),
        )
        assert share(against["missed"]) == (
            others["qualified"] + others["won"],
            sum(others.values()),
        )


def test_e11_feedback_is_counted_by_verdict_and_reason(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        told = report(store, "feedback", **asked)
        said = [
            event["properties"]
            for one in naive.leads
            for event in naive.events(one, "sales_feedback")
            if naive.holds(event["own_at"])
        ]
        times = Counter(one["verdict"] for one in said)
        assert {row["verdict"]: row["times"] for row in told["verdicts"]} == times
        last = Counter(
            word["properties"]["verdict"]
            for one in naive.leads
            if (word := naive.last_word(one, in_period=True))
        )
        assert {row["verdict"]: row["last_word_of"] for row in told["verdicts"]} == {
            verdict: last[verdict] for verdict in times
        }
        reasons = Counter(
            (one["verdict"], one.get("reason", "no reason given"))
            for one in said
            if one["verdict"] in ("not_qualified", "lost")
        )
        assert {(r["verdict"], r["reason"]): r["times"] for r in told["reasons"]} == reasons


def test_e12_rules_behind_leads_that_disappointed_are_named(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        points: defaultdict[str, float] = defaultdict(float)
        has: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for one in naive.leads:
            word, at = naive.last_word(one, in_period=True), naive.qualified_at(one)
            verdict = word["properties"]["verdict"] if word else ""
            bad = verdict == "not_qualified" and at is not None and at <= word["own_at"]
            if bad or verdict in ("qualified", "won"):
                for line in world.of("ledger", one):
                    if line["points"] > 0 and line["own_at"] <= word["own_at"]:
                        has["bad" if bad else "good", line["rule"]].add(one)
                        points[line["rule"]] += line["points"] / POINT if bad else 0
        told = report(store, "feedback", **asked)["rules_behind"]
        assert {row["rule"]: row["points"] for row in told} == {
            rule: sum_ for rule, sum_ in points.items() if sum_
        }
        for row in told:
            assert row["not_qualified"]["count"] == len(has["bad", row["rule"]])
            assert row["good"]["count"] == len(has["good", row["rule"]])


# --- scenarios --------------------------------------------------------------------------------


def test_scenarios_count_walks_steps_and_both_sides_of_the_holdout(
    store: Store, world: World
) -> None:
    for asked, naive in each_period(world):
        (told,) = report(store, "scenarios", **asked)["scenarios"]
        walks = [
            row
            for row in world.of("enrollments")
            if row["contact_id"] in naive.leads and naive.holds(row["entered_at"])
        ]
        states = Counter(_state(row, naive.until) for row in walks)
        assert told["entered"] == len(walks)
        assert {name: told[name] for name in states} == states
        for held, side in ((False, "treated"), (True, "holdout")):
            people = {row["contact_id"] for row in walks if row["held"] is held}
            won = {
                row["contact_id"]
                for row in walks
                if row["held"] is held and _state(row, naive.until) == "converted"
            }
            assert share(told[side]) == (len(won), len(people))
        ours = {row["id"] for row in walks if not row["held"]}
        steps = Counter(
            (step["step"], step["outcome"])
            for step in world.of("steps")
            if step["enrollment_id"] in ours and step["at"] <= naive.until
        )
        assert {(r["step"], r["outcome"]): r["did"] for r in told["steps"]} == steps
        refused = [
            row
            for row in world.of("decisions")
            if row["contact_id"] in naive.leads and naive.holds(row["at"])
        ]
        assert told["refused"] == len(refused)


def _state(row: Row, until: int) -> str:
    return str(row["outcome"]) if row["outcome"] and row["ended_at"] <= until else "inside"


# --- mails ------------------------------------------------------------------------------------


def test_t10_opens_and_clicks_by_machines_are_counted_apart(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        told = {row["template"]: row for row in report(store, "templates", **asked)["templates"]}
        for template, row in told.items():
            for word, name in (("opened", "email_opened"), ("clicked", "email_clicked")):
                for machine, side in ((False, "people"), (True, "machines")):
                    found = _events(naive, name, template, machine)
                    assert row[word][side] == {
                        "contacts": len({event["contact_id"] for event in found}),
                        "times": len(found),
                    }
            sent = _events(naive, "email_sent", template, False)
            assert (row["sent"], row["contacts"]) == (
                len(sent),
                len({event["contact_id"] for event in sent}),
            )
            assert row["opened"]["share"] == _share(row["opened"], row["contacts"])
            bounced = _events(naive, "email_bounced", template, False)
            assert row["bounced"] == len({event["contact_id"] for event in bounced})
            assert row["withheld"] == _withheld(naive, template)
            assert row["unsubscribed"] == len(_left(naive, template))


def _share(answered: Row, sent: int) -> Any:
    """Of whom the mail was sent to; none where others answered too."""
    found = answered["people"]["contacts"]
    return pytest.approx(found / sent, abs=1e-6) if sent and found <= sent else None


def test_t10_where_others_answered_than_were_sent_the_mail_there_is_no_share(store: Store) -> None:
    world = World(random.Random(0))
    world.add("state", key="watermark", value=NOW)
    for number in (1, 2, 3):
        world.add("contacts", **person(number, f"p{number}@x.example"))
        world.event(number, "email_clicked", NOW - HOUR, subject="guide")
    world.event(1, "email_sent", NOW - 2 * HOUR, subject="guide")
    world.write(store)
    told = report(store, "templates")
    [row] = told["templates"]
    assert (row["contacts"], row["clicked"]["people"]["contacts"]) == (1, 3)
    assert (row["clicked"]["share"], row["opened"]["share"]) == (None, 0)
    assert any("guide: more contacts answered" in note for note in told["notes"])


def _events(naive: Naive, name: str, template: str, machine: bool) -> list[Row]:
    return [
        event
        for event in naive.world.of("events", name=name, subject=template, machine=machine)
        if event["contact_id"] in naive.leads and naive.holds(event["own_at"])
    ]


def _withheld(naive: Naive, template: str) -> Counter[str]:
    return Counter(
        row["reason"].split(":")[0]
        for row in naive.world.of("messages", template=template, status="withheld")
        if row["contact_id"] in naive.leads and naive.holds(row["settled_at"])
    )


def _left(naive: Naive, template: str) -> set[int]:
    found = set()
    for one in naive.leads:
        for event in naive.events(one, "unsubscribed"):
            at = event["own_at"]
            sent = [e for e in naive.events(one, "email_sent") if at - 7 * DAY < e["own_at"] <= at]
            if naive.holds(at) and sent and sent[-1]["subject"] == template:
                found.add(one)
    return found


# --- sources ----------------------------------------------------------------------------------


def test_e09_sources_that_bring_leads_that_qualify(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        told, window = report(store, "sources", **asked), _window(naive)
        ripe = [o for o in naive.new if naive.leads[o]["created_at"] <= naive.until - window]
        good = [one for one in ripe if naive.qualified_at(one) is not None]
        assert told["hours_looked_at"] == pytest.approx(window / HOUR, abs=1e-3)
        assert share(told["all_leads"]) == (len(good), len(ripe))
        assert told["too_young"] == len(naive.new) - len(ripe)
        for kind in ("page", "source", "campaign", "referrer"):
            any_, first = _touched(naive, kind, ripe, window)
            rows = told[kind]["values"]
            assert {r["value"]: share(r["any_touch"]) for r in rows} == any_, kind
            seen = {r["value"]: share(r["first_touch"]) for r in rows}
            assert {value: one for value, one in seen.items() if one[1]} == first, kind
            named = tuple(sum(one[place] for one in first.values()) for place in (0, 1))
            assert share(told[kind]["named"]) == named


def _window(naive: Naive) -> float:
    spans = [
        at - naive.leads[one]["created_at"]
        for one in naive.leads
        if (at := naive.qualified_at(one)) is not None
    ]
    return float(np.percentile(spans, 75))


def _touched(naive: Naive, kind: str, ripe: list[int], window: float) -> tuple[Row, Row]:
    """(qualified, leads) by value: any touch, and the first."""
    any_: defaultdict[str, list[bool]] = defaultdict(list)
    first: defaultdict[str, list[bool]] = defaultdict(list)
    for one in ripe:
        qualified = naive.qualified_at(one) is not None
        end = naive.leads[one]["created_at"] + window
        touches = sorted((at, it) for at, it in _values(naive, one, kind) if at <= end)
        for value in dict.fromkeys(value for _, value in touches):
            any_[value].append(qualified)
        if touches:
            first[touches[0][1]].append(qualified)
    return tuple(
        {value: (sum(good), len(good)) for value, good in found.items()} for found in (any_, first)
    )  # type: ignore[return-value]


def _values(naive: Naive, contact: int, kind: str) -> list[tuple[int, str]]:
    found = []
    for event in naive.events(contact, "page_viewed"):
        said = event["properties"]
        campaign = said.get("context", {}).get("campaign", {})
        value = {
            "page": event["subject"],
            "source": campaign.get("source") or said.get("utm_source"),
            "campaign": campaign.get("name"),
            "referrer": "news.example" if "news.example" in said.get("referrer", "") else None,
        }[kind]
        if value:
            found.append((event["own_at"], value))
    if kind == "source":
        brought = naive.world.of("attributes", contact, name="source")
        found += [(row["set_at"], row["text"]) for row in brought]
    return found


# --- groups -----------------------------------------------------------------------------------


def test_f05_score_and_qualification_by_group(store: Store, world: World) -> None:
    for asked, naive in each_period(world):
        told = {row["attribute"]: row for row in report(store, "groups", **asked)["attributes"]}
        assert list(told) == ["age", "gender"]
        for name, row in told.items():
            people = _by_value(naive, name)
            shown = {value: those for value, those in people.items() if value and len(those) >= 10}
            assert row["unknown"] == len(people[None])
            assert row["too_small"] == len(people) - 1 - len(shown)
            assert {group["value"] for group in row["groups"]} == set(shown)
            for group in row["groups"]:
                those = shown[group["value"]]
                good = [one for one in those if naive.qualified_at(one) is not None]
                assert share(group["qualified"]) == (len(good), len(those))
                mean = sum(_balance(world, one) for one in those) / len(those)
                assert group["mean_scores"]["engagement"] == pytest.approx(mean, abs=0.006)


def _by_value(naive: Naive, name: str) -> dict[str | None, list[int]]:
    found: defaultdict[str | None, list[int]] = defaultdict(list)
    for one in naive.new:
        rows = naive.world.of("attributes", one, name=name)
        value: str | None = rows[0]["text"] if rows else None
        if value and name == "age":
            value = f"{int(value) // 10 * 10}-{int(value) // 10 * 10 + 9}"
        found[value].append(one)
    return found


def _balance(world: World, contact: int) -> float:
    return sum(row["balance"] for row in world.of("balances", contact)) / SHOWN


def test_f05_mean_scores_of_an_old_period_are_said_to_be_todays(store: Store) -> None:
    made(1, people=3).write(store)
    said = "mean scores are those of the last tick, not of the end of the period"
    for asked, is_said in (({}, False), ({"until": NOW - DAY}, True)):
        with store.read() as connection:
            told = make_report(connection, PROJECT, Wishes(**asked), phrase, "groups")
        assert (said in told["groups"]["notes"]) is is_said


def test_f05_rules_over_sensitive_attributes_are_named_with_their_reason(
    store: Store, world: World
) -> None:
    (rule,) = report(store, "groups")["rules"]
    assert (rule["rule"], rule["reads"]) == ("young", ["age"])
    assert rule["because"] == "we teach students"
    assert rule["when"] == "age is below 30"


def test_f04_report_says_how_much_one_person_is_written_to(store: Store, world: World) -> None:
    policy = Policy(frequency_caps=(FrequencyCap(emails=2, per=7 * DAY),))
    project = PROJECT.model_copy(update={"policy": policy})
    for asked, naive in each_period(world):
        told = report(store, "templates", project, **asked)["pressure"]
        each = Counter(
            event["contact_id"]
            for template in TEMPLATES
            for event in _events(naive, "email_sent", template, False)
        )
        assert (told["contacts"], told["mails"]) == (len(each), each.total())
        assert told["most_to_one"] == max(each.values())
        assert told["allowed"] == ["2 mails per 7 days"]
        assert told["withheld_by_cap"] == sum(_withheld(naive, t)["capped"] for t in TEMPLATES)
