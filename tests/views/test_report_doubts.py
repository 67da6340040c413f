"""What the report says where numbers alone would mislead, and how it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flowscore.clock import DAY, HOUR, instant_of
from flowscore.errors import FlowscoreError
from flowscore.language.conditions import Inactive
from flowscore.language.lifecycle import Lifecycle, Stage
from flowscore.language.project import Project
from flowscore.language.scenario import Goal, Scenario
from flowscore.language.scoring import (
    Axis,
    Cap,
    Expires,
    Grade,
    HalfLife,
    Idle,
    Linear,
    Range,
    Rule,
    Score,
    Steady,
    Steps,
)
from flowscore.language.triggers import ContactCreated
from flowscore.planning.phrases import phrase
from flowscore.store import tables
from flowscore.store.forms import flatten
from flowscore.views.reporting.inquiry import Wishes
from flowscore.views.reporting.model import decay_text, rule_text
from flowscore.views.reporting.report import SECTIONS, make_report

from .conftest import NOW, Put, definition, person, walk

if TYPE_CHECKING:
    from flowscore.store.database import Store

Row = dict[str, Any]
BUYER = Lifecycle(
    name="buyer", stages=tuple(Stage(name=name) for name in ("lead", "mql", "sql", "customer"))
)
PROJECT = Project(lifecycle=BUYER)
BARE = Project()


@pytest.fixture(autouse=True)
def _ticked(put: Put) -> None:
    put(tables.state, {"key": "watermark", "value": NOW})


def report(store: Store, section: str, project: Project = PROJECT, **wishes: Any) -> Row:
    with store.read() as connection:
        return make_report(connection, project, Wishes(**wishes), phrase, section)


def people(put: Put, count: int, **more: Any) -> None:
    rows = (person(n, f"p{n}@x.example", NOW - 50 * DAY) | more for n in range(1, count + 1))
    put(tables.contacts, *rows)


def stay(contact: int, stage: str, at: int) -> Row:
    return {"contact_id": contact, "stage": stage, "entered_at": at, "cause": "", "skipped": False}


def event(number: int, contact: int, name: str, at: int, **properties: Any) -> Row:
    return {
        "message_id": f"m{number}", "contact_id": contact, "name": name, "own_at": at,
        "received_at": at, "seen_at": at, "machine": False, "behaviour": True,
        "historical": False, "subject": properties.pop("subject", None),
        "properties": properties, "forms": flatten(properties),
    }  # fmt: skip


# --- how it is asked --------------------------------------------------------------------------


def test_report_without_a_period_goes_up_to_the_last_tick(store: Store) -> None:
    told = report(store, "funnel")
    assert (told["since"], told["until"]) == (None, told["as_of"])
    later = report(store, "funnel", until=NOW + DAY)
    assert later["until"] == later["as_of"]


def test_report_of_a_period_that_ends_before_it_begins_is_refused(store: Store) -> None:
    with pytest.raises(FlowscoreError, match=r"--since .* is not before the end of the period"):
        report(store, "funnel", since=NOW, until=NOW)


def test_report_of_an_unknown_section_or_stage_says_which_there_are(store: Store) -> None:
    with pytest.raises(FlowscoreError, match="no section is called 'funel'; did you mean 'funnel'"):
        report(store, "funel")
    with pytest.raises(FlowscoreError, match="no stage is called 'sqls'; did you mean 'sql'"):
        report(store, "qualification", qualified="sqls")
    with pytest.raises(FlowscoreError, match="the live project has no lifecycle"):
        report(store, "qualification", BARE, qualified="sql")


def test_period_ends_with_its_last_instant_and_begins_after_its_first(
    store: Store, put: Put
) -> None:
    put(tables.contacts, *(person(n, f"p{n}@x.example", NOW - n * DAY) for n in (1, 2, 3)))
    told = report(store, "funnel", since=NOW - 3 * DAY, until=NOW - DAY)
    assert told["data"]["new_contacts"] == 2


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_an_empty_store_says_so(store: Store, section: str) -> None:
    for project in (PROJECT, BARE):
        assert report(store, section, project)[section]["notes"]


# --- whom the model calls qualified -----------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "wanted", "words"),
    [
        (("lead", "mql", "sql", "customer"), None, "reached stage sql or beyond"),
        (("lead", "mql", "customer"), None, "reached stage mql or beyond"),
        (("lead", "ready", "customer"), None, "reached stage ready or beyond"),
        (("lead", "mql", "sql", "customer"), "mql", "reached stage mql or beyond"),
        (("lead", "customer"), None, "reached stage customer"),
    ],
)
def test_b10_qualified_is_what_the_project_names(
    store: Store, names: tuple[str, ...], wanted: str | None, words: str
) -> None:
    when = Inactive(duration=DAY)
    stages = (Stage(name=names[0]), *(Stage(name=name, when=when) for name in names[1:]))
    project = Project(lifecycle=Lifecycle(name="buyer", stages=stages))
    told = report(store, "qualification", project, qualified=wanted)
    assert told["qualification"]["qualified_means"] == words


def test_b02_without_a_lifecycle_green_cells_qualify(store: Store, put: Put) -> None:
    axis = Axis(score="fit", labels=(("A", 50.0), ("B", None)))
    other = Axis(score="engagement", labels=(("4", 50.0), ("1", None)))
    grade = Grade(name="lead-grade", fit=axis, engagement=other, green=("A4",))
    people(put, 3)
    put(
        tables.cells,
        *(
            {"contact_id": n, "grade": "lead-grade", "cell": cell, "since": NOW}
            for n, cell in ((1, "A4"), (2, "A1"))
        ),
    )
    told = report(store, "qualification", Project(grades={"lead-grade": grade}))["qualification"]
    assert told["qualified_means"] == "stand in a green cell (lead-grade A4)"
    assert (told["of_new_leads"]["count"], told["of_new_leads"]["of"]) == (1, 3)
    assert [row["contact"] for row in told["became"]] == ["p1@x.example"]


def test_lists_have_as_many_rows_as_were_asked_for(store: Store, put: Put) -> None:
    people(put, 5)
    told = report(store, "qualification", limit=2)["qualification"]["not_yet"]
    assert (told["contacts"], len(told["furthest"])) == (5, 2)


# --- too thin, too short, too little known ----------------------------------------------------


def test_e15_few_customers_are_too_thin_to_judge(store: Store, put: Put) -> None:
    people(put, 40)
    put(tables.stages, *(stay(n, "customer", NOW - n * DAY) for n in range(1, 8)))
    said = "too thin to judge: 7 customers; at least 30 make this meaningful"
    assert said in report(store, "funnel")["funnel"]["notes"]


def test_e15_a_period_shorter_than_the_way_to_a_customer_is_said(store: Store, put: Put) -> None:
    people(put, 3)
    put(tables.stages, *(stay(n, "customer", NOW - 10 * DAY) for n in (1, 2, 3)))
    (note,) = (
        n for n in report(store, "funnel", since=NOW - 14 * DAY)["data"]["notes"] if "way" in n
    )
    assert note.startswith("the period of 14 days is shorter than the typical way from lead to ")
    assert "median 40 days" in note
    assert not any("way" in n for n in report(store, "funnel")["data"]["notes"])


def test_e15_contacts_of_whom_nothing_is_known_are_said(store: Store, put: Put) -> None:
    people(put, 40)
    put(tables.events, *(event(n, n, "download", NOW) for n in range(1, 31)))
    notes = report(store, "funnel")["data"]["notes"]
    said = "40 of 40 contacts (100.0 %) have no attribute at all: what scores fit sees nothing of"
    assert notes == [f"{said} them"]


def test_e15_entries_of_one_instant_tell_no_times(store: Store, put: Put) -> None:
    people(put, 40)
    put(tables.stages, *(stay(n, "mql", NOW - DAY) for n in range(1, 21)))
    (note,) = (n for n in report(store, "funnel")["funnel"]["notes"] if "instant" in n)
    assert note.startswith("20 of 20 entries are of one instant")


def test_e12_leads_that_never_convert_are_those_open_too_long(store: Store, put: Put) -> None:
    people(put, 60)
    put(tables.stages, *(stay(n, "sql", NOW - 40 * DAY) | {"left_at": NOW} for n in range(1, 41)))
    put(tables.stages, *(stay(n, "customer", NOW - 30 * DAY) for n in range(1, 41)))
    put(tables.stages, *(stay(n, "sql", NOW - (n - 45) * DAY) for n in range(50, 60)))
    told = report(store, "qualification")["qualification"]["never_convert"]
    assert told["longer_than_hours"] == 240
    assert (told["open"], told["stale"]) == (10, 4)


def test_e12_few_customers_say_nothing_of_those_still_open(store: Store, put: Put) -> None:
    people(put, 3)
    put(tables.stages, stay(1, "sql", NOW - DAY))
    told = report(store, "qualification")["qualification"]["never_convert"]
    assert (told["open"], told["stale"]) == (1, None)


def test_e14_a_meeting_that_nobody_sends_is_not_called_zero(store: Store, put: Put) -> None:
    people(put, 1)
    put(tables.stages, stay(1, "sql", NOW))
    told = report(store, "qualification")["qualification"]["meetings"]
    assert told == {"event": "meeting_booked", "known": False, "rate": None}
    put(tables.events, event(1, 1, "demo_held", NOW - DAY))
    told = report(store, "qualification", meeting="demo_held")["qualification"]["meetings"]
    assert (told["rate"]["count"], told["rate"]["of"]) == (1, 1)


# --- hints ------------------------------------------------------------------------------------


def test_e09_only_enough_leads_give_a_hint(store: Store, put: Put) -> None:
    people(put, 200)
    put(tables.stages, *(stay(n, "sql", NOW - DAY) for n in range(1, 61)))
    seen = [("/pricing", range(1, 81)), ("/jokes", range(101, 161)), ("/few", range(190, 200))]
    put(
        tables.events,
        *(
            event(1000 * place + n, n, "page_viewed", NOW - 40 * DAY, subject=path)
            for place, (path, those) in enumerate(seen)
            for n in those
        ),
    )
    told = report(store, "sources")["sources"]
    hints = {row["value"]: row["hint"] for row in told["page"]["values"]}
    assert hints == {"/pricing": "keep", "/jokes": "drop", "/few": "thin"}
    assert any("fewer than 30 leads" in note for note in told["notes"])


def test_e09_a_page_that_everybody_sees_gets_no_hint(store: Store, put: Put) -> None:
    """Whoever qualifies early has had less time to see it: that must not count against it."""
    people(put, 200)
    put(tables.stages, *(stay(n, "sql", NOW - 40 * DAY) for n in range(1, 101)))
    for day, path in ((5, "/a"), (20, "/b")):
        put(
            tables.events,
            *(
                event(1000 * day + n, n, "page_viewed", NOW - (50 - day) * DAY, subject=path)
                for n in range(1, 201)
            ),
        )
    told = report(store, "sources")["sources"]
    assert told["hours_looked_at"] == 240
    (row,) = told["page"]["values"]
    assert (row["value"], row["any_touch"]["share"], row["hint"]) == ("/a", 0.5, "")


def test_e09_many_values_are_said_to_give_false_alarms(store: Store, put: Put) -> None:
    people(put, 40)
    put(
        tables.events,
        *(
            event(100 * page + n, n, "page_viewed", NOW - 49 * DAY, subject=f"/{page}")
            for n in range(1, 41)
            for page in range(80)
        ),
    )
    said = "of 80 values held against the rest about 2 look worse by chance alone"
    assert said in report(store, "sources")["sources"]["notes"]


def test_e09_leads_too_young_to_have_qualified_are_left_out(store: Store, put: Put) -> None:
    people(put, 40)
    put(tables.contacts, *(person(n, f"p{n}@x.example", NOW - DAY) for n in range(41, 61)))
    put(tables.stages, *(stay(n, "sql", NOW - 40 * DAY) for n in range(1, 21)))
    told = report(store, "sources")["sources"]
    assert (told["all_leads"]["count"], told["all_leads"]["of"], told["too_young"]) == (20, 40, 20)
    assert "20 younger leads left out: too new to tell whether they qualify" in told["notes"]


def test_f05_small_groups_are_not_shown(store: Store, put: Put) -> None:
    people(put, 21)
    values = ["f"] * 10 + ["m"] * 9
    put(
        tables.attributes,
        *(
            {"contact_id": n, "name": "gender", "element": 0, "value": v, "text": v, "set_at": NOW}
            for n, v in enumerate(values, 1)
        ),
    )
    told = report(store, "groups")["groups"]
    (gender,) = told["attributes"]
    assert [(row["value"], row["contacts"]) for row in gender["groups"]] == [("f", 10)]
    assert (gender["unknown"], gender["too_small"]) == (2, 1)
    assert any("gender: 1 group of fewer than 10 contacts is not shown" in n for n in told["notes"])


def test_f05_days_of_birth_are_told_as_ages(store: Store, put: Put) -> None:
    from datetime import UTC, datetime

    people(put, 12)
    born = instant_of(datetime(1995, 1, 1, tzinfo=UTC))  # 29 years and 9 months
    put(
        tables.attributes,
        *(
            {"contact_id": n, "name": "birth_date", "element": 0, "value": "1995-01-01",
             "text": "1995-01-01", "local": born, "set_at": NOW}
            for n in range(1, 13)
        ),
    )  # fmt: skip
    (row,) = report(store, "groups")["groups"]["attributes"][0]["groups"]
    assert (row["value"], row["contacts"]) == ("age 20-29", 12)


# --- scenarios and mails ----------------------------------------------------------------------


def test_scenario_is_compared_with_its_holdout_in_a_plain_sentence(store: Store, put: Put) -> None:
    goal = Goal(trigger=ContactCreated())
    project = Project(scenarios={"welcome": Scenario(name="welcome", trigger=(), goal=goal)})
    people(put, 600)
    done = {"outcome": "converted", "converted_at": NOW, "ended_at": NOW}
    put(
        tables.enrollments,
        *(
            walk(n, n, held=n > 500, **(done if n <= 60 or 500 < n <= 508 else {}))
            for n in range(1, 601)
        ),
    )
    (told,) = report(store, "scenarios", project)["scenarios"]["scenarios"]
    assert told["said"] == (
        "converted 12.0 % against 8.0 % of the holdout: +4.0 points, "
        "95 % between \N{MINUS SIGN}3.5 and +9.0: may be chance"
    )


def test_e15_a_small_holdout_is_too_thin_to_judge(store: Store, put: Put) -> None:
    project = Project(scenarios={"welcome": Scenario(name="welcome", trigger=())})
    people(put, 3)
    done = {"outcome": "converted", "converted_at": NOW, "ended_at": NOW}
    put(tables.enrollments, walk(1, 1, **done), walk(2, 2, held=True))
    (told,) = report(store, "scenarios", project)["scenarios"]["scenarios"]
    thin = "(too thin to judge: 1 on one side; at least 30 make this meaningful)"
    assert told["said"].endswith(thin)


def test_mails_that_name_only_the_message_count_with_its_template(store: Store, put: Put) -> None:
    people(put, 1)
    put(
        tables.messages,
        {"key": "w1", "contact_id": 1, "scenario": "welcome", "step": "a", "template": "hello",
         "topic": "news", "entered_at": NOW, "queued_at": NOW, "due_at": NOW, "next_at": NOW,
         "status": "sent", "sent_at": NOW},
    )  # fmt: skip
    put(tables.events, event(1, 1, "email_opened", NOW) | {"mail_key": "w1"})
    (row,) = report(store, "templates")["templates"]["templates"]
    assert (row["template"], row["opened"]["people"]["contacts"]) == ("hello", 1)


# --- the model in plain words -----------------------------------------------------------------


def test_f06_the_model_is_told_in_plain_words(store: Store, put: Put) -> None:
    put(
        tables.definitions,
        definition(1, "score", "fit", retired_at=NOW),
        definition(2, "score", "fit", version=2),
        definition(3, "lifecycle", "buyer", retired_at=NOW),
        definition(4, "list", "l"),
    )
    score = Score(
        name="engagement", objective="Who is about to buy.", range=Range(min=-100, max=100),
        decay=HalfLife(half=30 * DAY), scale=(1, 10), bands=(("hot", 80.0),),
        rules=(Rule(name="r", points=5, when=Inactive(duration=60 * DAY)),),
    )  # fmt: skip
    project = Project(scores={"engagement": score}, lifecycle=BUYER)
    told = report(store, "model", project)["model"]
    (one,) = told["scores"]
    assert one["objective"] == "Who is about to buy."
    assert one["rules"][0]["said"] == "while no behaviour for 60 days"
    assert one["said"] == [
        "it is read from -100 to 100; what goes beyond is kept, and cut when it is read",
        "it is also shown on a scale of 1 to 10",
        "points lose half of what is left every 30 days",
    ]
    assert [row["said"] for row in told["lifecycle"]["stages"]] == [
        "everybody, from the start",
        *["only where a scenario sets it"] * 3,
    ]
    assert [(row["kind"], row["version"], row["is"]) for row in told["changes"]] == [
        ("lifecycle", 1, "removed"),
        ("score", 2, "live"),
        ("score", 1, "replaced"),
    ]


def test_e13_every_family_of_decay_has_its_words() -> None:
    score = Score(name="s")
    quiet = "after 30 days without any behaviour the score loses 10 points"
    assert [
        decay_text(one)
        for one in (
            None,
            Expires(after=90 * DAY),
            Linear(over=90 * DAY),
            Steps(lose=150_000, every=45 * DAY),
            Idle(after=30 * DAY, lose=10, every=7 * DAY),
            Idle(after=60 * DAY, reset=True),
            Steady(),
        )
    ] == [
        "its points do not fade",
        "points count for 90 days, then no more",
        "points fade evenly, to nothing after 90 days",
        "points lose 15% of what is left every 45 days",
        f"{quiet}, and again every 7 days, never below 0",
        "after 60 days without any behaviour the score begins anew at 0",
        "points do not fade",
    ]
    capped = Rule(
        name="r", points=1, on=(ContactCreated(),), cap=Cap(times=1, points=30, per=DAY),
        decay=Expires(after=2 * HOUR),
    )  # fmt: skip
    assert rule_text(score, capped) == (
        "for each contact created; at most 1 time and 30 points per day; points count for "
        "2 hours, then no more"
    )
