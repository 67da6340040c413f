"""The queue for sales: its order, its matrix and what it tells, against a naive reading."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy

from flowscore.clock import DAY, HOUR
from flowscore.errors import FlowscoreError
from flowscore.language.lifecycle import Lifecycle, Stage
from flowscore.language.project import Project
from flowscore.language.scenario import ContactList
from flowscore.language.scoring import Axis, Grade, HalfLife, Rule, Score
from flowscore.store import tables
from flowscore.store.database import open_store
from flowscore.store.forms import flatten
from flowscore.store.tables import POINT
from flowscore.views.leads import Asked, open_queue
from flowscore.views.matrix import in_calling_order, table_of
from flowscore.views.settled import customer_stage

from .conftest import NOW, Put, balance, line, mail, person

if TYPE_CHECKING:
    from flowscore.store.database import Store

THREE_DAYS_AGO = "2024-10-01T00:00:00Z"
LINES = (("4", 75.0), ("3", 50.0), ("2", 25.0), ("1", None))
LETTERS = (("A", 75.0), ("B", 50.0), ("C", 25.0), ("D", None))
FIT = Axis(score="fit", labels=LETTERS)
MATRIX = Grade(
    name="lead-grade",
    fit=FIT,
    engagement=Axis(score="engagement", labels=LINES),
    green=("B4", "A4", "A3"),
)
PROJECT = Project(
    scores={
        "fit": Score(name="fit"),
        "engagement": Score(name="engagement", bands=(("hot", 80.0),)),
    },
    grades={"lead-grade": MATRIX},
    lifecycle=Lifecycle(
        name="buyer", stages=(Stage(name="lead"), Stage(name="mql"), Stage(name="sql"))
    ),
    lists={"hot": ContactList(name="hot")},
)
UNGRADED = Project(scores={"engagement": PROJECT.scores["engagement"]})


def queue(store: Store, project: Project = PROJECT, **asked: Any) -> list[dict[str, Any]]:
    limit, offset = asked.pop("limit", None), asked.pop("offset", 0)
    with store.read() as connection:
        return list(open_queue(connection, project, Asked(**asked)).rows(limit, offset))


def names(store: Store, project: Project = PROJECT, **asked: Any) -> list[str]:
    return [lead["contact"].partition("@")[0] for lead in queue(store, project, **asked)]


def matrix(store: Store, project: Project = PROJECT) -> dict[str, Any]:
    with store.read() as connection:
        found = open_queue(connection, project, Asked()).matrix
    assert found
    return found


def cell(contact: int, name: str, grade: str = "lead-grade") -> dict[str, Any]:
    return {"contact_id": contact, "grade": grade, "cell": name, "since": NOW - DAY}


def stay(contact: int, stage: str, left_at: int | None = None) -> dict[str, Any]:
    return {
        "contact_id": contact,
        "stage": stage,
        "entered_at": NOW - 3 * DAY,
        "left_at": left_at,
        "cause": "lifecycle",
        "skipped": False,
    }


def event(number: int, contact: int, name: str, at: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "message_id": f"e{number}",
        "contact_id": contact,
        "name": name,
        "machine": False,
        "behaviour": name != "sales_feedback",
        "own_at": at,
        "received_at": at,
        "seen_at": at,
        "historical": False,
        "properties": {},
        "forms": {},
        **more,
    }


def attribute(contact: int, name: str, value: str) -> dict[str, Any]:
    return {
        "contact_id": contact,
        "name": name,
        "element": 0,
        "value": value,
        "set_at": NOW - DAY,
        "text": value.casefold(),
    }


@pytest.fixture
def six(put: Put) -> Put:
    """Six people in four cells, a visitor in the best one, and the watermark at NOW."""
    put(tables.contacts, *(person(n, f"{name}@x.example") for n, name in enumerate("abcdef", 1)))
    put(tables.contacts, person(9, None))
    put(tables.state, {"key": "watermark", "value": NOW})
    places = {1: "D1", 2: "A4", 3: "A4", 4: "B4", 5: "A2", 6: "A4", 9: "A4"}
    put(tables.cells, *(cell(contact, name) for contact, name in places.items()))
    return put


# --- the order --------------------------------------------------------------------------------


def test_b02_green_cells_come_first_then_the_order_of_the_cells() -> None:
    order = in_calling_order(MATRIX)
    assert order[:5] == ("A4", "A3", "B4", "A2", "A1")
    assert order[-1] == "D1"
    assert sorted(order) == sorted(MATRIX.cells)


def test_d06_by_cell_then_points_of_seven_days_then_balance_then_address(
    store: Store, six: Put
) -> None:
    six(tables.balances, balance(2, 80, 80), balance(3, 90, 90), balance(6, 80, 80))
    assert names(store) == ["c", "b", "f", "d", "e", "a"]
    six(tables.ledger, line(6, 5, NOW - DAY), line(2, 4, NOW - DAY), line(1, 99, NOW - DAY))
    assert names(store) == ["f", "b", "c", "d", "e", "a"]


def test_momentum_is_what_was_won_in_the_last_seven_days(store: Store, six: Put) -> None:
    """(T − 7 days, T], face value: nothing that was lost, faded or reset; any gift."""
    six(
        tables.ledger,
        line(2, 10, NOW - 7 * DAY),
        line(2, 1, NOW - 7 * DAY + 1),
        line(2, 2, NOW),
        line(2, 4, NOW + 1),
        line(2, -50, NOW - DAY, key="lost"),
        line(2, 20, NOW - DAY, "reset", key="from below"),
        line(2, 3, NOW - DAY, "scenario", key="gift"),
        line(2, 5, NOW - DAY, "when", key="when"),
        line(2, 7, NOW - DAY, score="fit"),
    )
    assert {lead["contact"]: lead["won_in_7_days"] for lead in queue(store)}["b@x.example"] == 11


def test_a_page_is_a_part_of_the_whole(store: Store, six: Put) -> None:
    six(tables.ledger, line(6, 5, NOW - DAY))
    whole = queue(store)
    for limit in range(1, 7):
        for offset in range(7):
            part = queue(store, limit=limit, offset=offset)
            assert part == whole[offset : offset + limit], (limit, offset)


def test_visitors_are_not_listed_and_nobody_of_tomorrow(store: Store, six: Put) -> None:
    six(tables.contacts, person(10, "tomorrow@x.example", NOW + DAY))
    six(tables.cells, cell(10, "A4"))
    assert len(names(store)) == 6


def test_without_a_grade_the_score_orders_and_momentum_decides_a_draw(
    store: Store, six: Put
) -> None:
    six(tables.balances, *(balance(n, points, points) for n, points in
                           {1: 10, 2: 40, 3: 20, 4: 20, 9: 99}.items()))  # fmt: skip
    six(tables.ledger, line(4, 5, NOW - DAY))
    assert names(store, UNGRADED) == ["b", "d", "c", "a"]
    for limit in range(1, 5):
        assert names(store, UNGRADED, limit=limit, offset=1) == ["d", "c", "a"][:limit]
    assert queue(store, UNGRADED)[0]["cell"] is None


def test_a_company_s_score_orders_its_people_alike(store: Store, six: Put) -> None:
    """Who reads a company's balance has its colleagues' points behind them (ruling 96)."""
    firm = Score(name="engagement", of="company")
    project = Project(scores={"engagement": firm})
    six(tables.companies, {"id": 7, "key": "acme"})
    for contact in (2, 5):
        six(tables.contacts, person(contact + 20, f"m{contact}@x.example") | {"company_id": 7})
    six(
        tables.company_balances,
        {"company_id": 7, "score": "engagement", "raw": 30 * POINT, "balance": 300_000,
         "looked": 0},
    )  # fmt: skip
    six(tables.ledger, line(22, 30, NOW - DAY))
    found = queue(store, project)
    assert [lead["contact"] for lead in found] == ["m2@x.example", "m5@x.example"]
    for lead in found:
        assert lead["scores"] == {"engagement": 30}
        assert lead["won_in_7_days"] == 30
        assert lead["reasons"][0]["rule"] == "cart"
        assert lead["company"] == "acme"


# --- the matrix -------------------------------------------------------------------------------


def test_b01_the_matrix_counts_contacts_with_an_address(store: Store, six: Put) -> None:
    found = matrix(store)
    assert {name: n for name, n in found["counts"].items() if n} == {
        "A4": 3, "B4": 1, "A2": 1, "D1": 1,
    }  # fmt: skip
    assert list(found["counts"]) == list(MATRIX.cells)
    assert found["green"] == ["A4", "A3", "B4"]
    assert found["legend"].startswith("A = fit from 75")
    assert "4 = engagement from 75 (the most active)" in found["legend"]


def test_b01_the_table_has_the_best_corner_first_and_marks_green(store: Store, six: Put) -> None:
    heads, rows = table_of(matrix(store))
    assert [head.strip() for head in heads] == ["", "4", "3", "2", "1"]
    assert rows[0] == ["A", "3*", "0*", "1 ", "0 "]
    assert rows[3] == ["D", "0 ", "0 ", "0 ", "1 "]


def test_b03_own_words_and_a_turned_axis(store: Store, six: Put) -> None:
    own = Grade(
        name="lead-grade",
        fit=Axis(score="fit", labels=(("ideal", 75.0), ("poor", None))),
        engagement=Axis(
            score="engagement", labels=(("1", 75.0), ("2", 50.0), ("3", None)), turned=True
        ),
        green=("ideal-1",),
    )
    project = Project(scores=PROJECT.scores, grades={"lead-grade": own})
    six(tables.contacts, *(person(30 + n, f"own{n}@x.example") for n in range(2)))
    six(tables.cells, cell(30, "poor-3"), cell(31, "ideal-1"))
    found = matrix(store, project)
    assert found["counts"]["ideal-1"] == 1
    assert found["counts"]["poor-3"] == 1
    assert "1 = engagement from 75 (the most active)" in found["legend"]
    assert names(store, project)[0] == "own1"
    assert names(store, project, cells=("IDEAL-1",)) == ["own1"]


# --- filters ----------------------------------------------------------------------------------


def test_filters(store: Store, six: Put) -> None:
    six(tables.stages, stay(2, "mql"), stay(3, "mql", NOW), stay(4, "sql"))
    six(
        tables.attributes,
        attribute(2, "owner", "Ana@x.example"),
        attribute(3, "owner", "luis@x.example"),
        attribute(5, "owner", "") | {"element": -1, "text": None},
    )
    joined = {"list": "hot", "joined_at": NOW - DAY, "cause": ""}
    six(tables.members, {**joined, "contact_id": 3}, {**joined, "contact_id": 4, "left_at": NOW})
    six(tables.balances, balance(2, 80, 80), balance(4, 79, 79), balance(6, -3, -3),
        balance(3, 10, 10, "fit"))  # fmt: skip
    assert names(store, cells=("green",)) == ["b", "c", "f", "d"]
    assert names(store, cells=("b4", "D1")) == ["d", "a"]
    assert names(store, stages=("mql",)) == ["b"]
    assert names(store, stages=("lead",)) == ["c", "f", "e", "a"]
    assert names(store, stages=("lead", "sql")) == ["c", "f", "d", "e", "a"]
    assert names(store, in_list="hot") == ["c"]
    assert names(store, owner="ANA@x.example") == ["b"]
    assert names(store, owner="none") == ["f", "d", "e", "a"]
    assert names(store, at_least="hot") == ["b"]
    assert names(store, at_least="0") == ["b", "c", "d", "e", "a"]
    assert names(store, score="fit", at_least="5") == ["c"]
    assert names(store, stages=("lead",), cells=("green",), limit=1, offset=1) == ["f"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"grade": "led-grade"}, "no grade is called 'led-grade'; did you mean 'lead-grade'?"),
        ({"cells": ("E5",)}, "no cell is called 'E5'"),
        ({"stages": ("mqll",)}, "no stage is called 'mqll'; did you mean 'mql'?"),
        ({"stages": ("nope",)}, "no stage is called 'nope'; there are: lead, mql, sql"),
        ({"in_list": "hott"}, "no list is called 'hott'; did you mean 'hot'?"),
        ({"score": "fitt"}, "no score is called 'fitt'; did you mean 'fit'?"),
        ({"at_least": "warm"}, "found 'warm', expected a number or a band of engagement (hot)"),
        ({"at_least": "nan"}, "found 'nan', expected a number"),
    ],
)
def test_a_name_that_is_not_there_is_told(
    store: Store, six: Put, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(FlowscoreError) as error:
        names(store, **asked)
    assert said in str(error.value)


def test_of_several_grades_or_scores_one_is_to_be_named(store: Store, six: Put) -> None:
    two = Project(scores=PROJECT.scores, grades={"a": MATRIX, "b": MATRIX})
    with pytest.raises(FlowscoreError, match="which grade"):
        names(store, two)
    with pytest.raises(FlowscoreError, match="which score"):
        names(store, Project(scores=PROJECT.scores))
    with pytest.raises(FlowscoreError, match="needs a grade"):
        names(store, UNGRADED, cells=("A4",))
    with pytest.raises(FlowscoreError, match="needs stages, and this project has none"):
        names(store, UNGRADED, stages=("mql",))
    with pytest.raises(FlowscoreError, match="no score is live"):
        names(store, Project())


# --- who is no lead any more ------------------------------------------------------------------

SOLD = PROJECT.model_copy(
    update={"lifecycle": Lifecycle(name="buyer", stages=tuple(
        Stage(name=name) for name in ("lead", "mql", "sql", "customer")))}
)  # fmt: skip


def verdict(number: int, contact: int, said: str, at: int) -> dict[str, Any]:
    properties = {"verdict": said}
    more = {"properties": properties, "forms": flatten(properties)}
    return event(number, contact, "sales_feedback", at, **more)


def left_out(store: Store, project: Project = SOLD, **asked: Any) -> Any:
    with store.read() as connection:
        return open_queue(connection, project, Asked(**asked)).left_out


@pytest.fixture
def sold(six: Put) -> Put:
    """B is a customer, C was one; of D sales said no, of E no and then yes, of F won."""
    six(tables.stages, stay(2, "customer"), stay(3, "customer", NOW), stay(4, "sql"))
    six(tables.stages, stay(9, "customer"))
    six(
        tables.events,
        verdict(1, 4, "qualified", NOW - 3 * DAY),
        verdict(2, 4, "not_qualified", NOW - 2 * DAY),
        verdict(3, 5, "lost", NOW - 2 * DAY),
        verdict(4, 5, "qualified", NOW - DAY),
        verdict(5, 6, "lost", NOW - DAY),
        verdict(6, 6, "won", NOW - DAY),
    )
    return six


def test_d06_customers_and_closed_leads_are_left_out_and_counted(store: Store, sold: Put) -> None:
    assert names(store, SOLD) == ["c", "e", "a"]
    assert left_out(store) == {"stage": "customer", "in_stage": 1, "closed": 2}
    assert names(store, SOLD, cells=("A4",)) == ["c"]
    assert left_out(store, cells=("A4",)) == {"stage": "customer", "in_stage": 1, "closed": 1}
    for limit, offset in [(1, 0), (1, 1), (2, 1), (3, 2), (9, 3)]:
        page = names(store, SOLD, limit=limit, offset=offset)
        assert page == ["c", "e", "a"][offset : offset + limit]


def test_a_lost_lead_that_earns_a_stage_again_is_one_again(store: Store, six: Put) -> None:
    """Not by being set back, and not a customer."""
    six(
        tables.stages,
        stay(2, "mql") | {"entered_at": NOW - DAY},
        stay(3, "lead") | {"entered_at": NOW - DAY, "cause": "scenario/sent-back#actions-0"},
        stay(6, "sql") | {"entered_at": NOW - DAY},
        stay(5, "sql"),
    )
    said = {2: "not_qualified", 3: "not_qualified", 6: "won", 5: "lost"}
    six(tables.events, *(verdict(n, n, word, NOW - 2 * DAY) for n, word in said.items()))
    assert names(store, SOLD) == ["b", "d", "a"]
    assert left_out(store) == {"stage": "customer", "in_stage": 0, "closed": 3}


def test_whoever_asks_for_a_stage_a_list_or_everybody_gets_them(store: Store, sold: Put) -> None:
    sold(tables.members, {"list": "hot", "joined_at": NOW - DAY, "cause": "", "contact_id": 6})
    assert names(store, SOLD, stages=("customer",)) == ["b"]
    assert names(store, SOLD, in_list="hot") == ["f"]
    assert names(store, SOLD, everybody=True) == ["b", "c", "f", "d", "e", "a"]
    assert left_out(store, everybody=True) is None


def test_without_a_grade_the_same_are_left_out(store: Store, sold: Put) -> None:
    sold(tables.balances, *(balance(n, 10 * n, 10 * n) for n in (1, 2, 3, 4)))
    bare = SOLD.model_copy(update={"grades": {}, "scores": UNGRADED.scores})
    assert names(store, bare) == ["c", "a"]
    assert names(store, bare, limit=1, offset=1) == ["a"]
    assert left_out(store, bare) == {"stage": "customer", "in_stage": 1, "closed": 1}


@pytest.mark.parametrize(
    ("stages", "last"),
    [
        (("lead", "mql", "sql", "customer"), "customer"),
        (("subscriber", "mql", "buyer"), "buyer"),
        (("lead", "sql"), None),
        (("lead", "mql"), None),
        (("lead",), None),
    ],
)
def test_the_last_stage_is_of_customers_where_that_of_sales_comes_before_it(
    stages: tuple[str, ...], last: str | None
) -> None:
    """Else the queue would hide whom it is for."""
    every = tuple(Stage(name=name) for name in stages)
    assert customer_stage(Lifecycle(name="buyer", stages=every)) == last
    assert customer_stage(None) is None


# --- what is told -----------------------------------------------------------------------------


def test_d07_the_three_strongest_reasons_at_their_present_worth(store: Store, six: Put) -> None:
    fading = Score(
        name="engagement",
        rules=(Rule(name="old", points=40.0), Rule(name="cart", points=10.0)),
        decay=HalfLife(half=DAY),
    )
    project = PROJECT.model_copy(update={"scores": {**PROJECT.scores, "engagement": fading}})
    six(
        tables.ledger,
        line(2, 40, NOW - 10 * DAY, rule="old", key="1"),
        line(2, 10, NOW, key="2"),
        line(2, 10, NOW, key="3"),
        line(2, 12, NOW, "when", rule="phone", score="fit", key="4"),
        line(2, 9, NOW, "scenario", rule="nurture", key="5"),
        line(2, -30, NOW, rule="unopened", key="6"),
    )
    lead = queue(store, project, limit=1)[0]
    assert lead["contact"] == "b@x.example"
    assert [(one["rule"], one["kind"], one["points"], one["times"]) for one in lead["reasons"]] == [
        ("cart", "rule", 20, 2),
        ("phone", "rule", 12, 1),
        ("nurture", "scenario", 9, 1),
    ]


def test_d08_the_last_step_of_the_journey(store: Store, six: Put) -> None:
    def last(n: int) -> tuple[str, str, str | None]:
        step = queue(store, limit=1)[0]["last_step"]
        return step["kind"], step["what"], step["about"]

    six(tables.ledger, line(2, 5, NOW - DAY))
    assert queue(store, limit=1)[0]["last_step"] is None
    six(tables.events, event(1, 2, "page_viewed", NOW - 5 * DAY, subject="/pricing"),
        event(2, 2, "email_sent", NOW - HOUR, behaviour=False))  # fmt: skip
    assert last(1) == ("event", "page_viewed", "/pricing")
    six(tables.messages, mail(1, 2, status="sent", sent_at=NOW - 4 * DAY), mail(2, 2))
    assert last(2) == ("mail", "hello", None)
    six(tables.stages, stay(2, "mql"))
    assert last(3) == ("stage", "mql", None)
    said = {"verdict": "lost", "reason": "budget", "amount": None, "by": "luis@x.example"}
    six(tables.events, event(3, 2, "sales_feedback", NOW - DAY, properties=said))
    assert last(4) == ("stage", "mql", None), "what sales said is no step of the buyer"
    assert queue(store, limit=1)[0]["feedback"] == {**said, "at": "2024-10-03T00:00:00Z"}


def test_what_is_told_of_a_lead(store: Store, six: Put) -> None:
    six(tables.companies, {"id": 7, "key": "acme-7"})
    six(tables.contacts, person(20, "z@x.example") | {"company_id": 7})
    six(tables.company_attributes, {"company_id": 7, "name": "name", "element": 0,
                                    "value": "Acme", "set_at": NOW})  # fmt: skip
    six(tables.cells, cell(20, "A4"))
    six(tables.ledger, line(20, 5.5, NOW - DAY))
    six(tables.balances, balance(20, 85.25, 85.25), balance(20, 90, 90, "fit"))
    six(tables.attributes, attribute(20, "owner", "Ana@x.example"))
    six(tables.stages, stay(20, "sql"))
    assert queue(store, limit=1) == [
        {
            "contact": "z@x.example",
            "cell": "A4",
            "green": True,
            "stage": "sql",
            "scores": {"fit": 90, "engagement": 85.25},
            "won_in_7_days": 5.5,
            "reasons": [
                {"rule": "cart", "kind": "rule", "score": "engagement", "points": 5.5, "times": 1}
            ],
            "last_step": {"kind": "stage", "what": "sql", "about": None, "at": THREE_DAYS_AGO},
            "owner": "Ana@x.example",
            "company": "Acme",
            "feedback": None,
        }
    ]  # fmt: skip
    assert queue(store, offset=1, limit=1)[0]["stage"] == "lead", "the first, without any stay"


# --- a random store, read naively -------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_the_queue_of_a_random_store(store: Store, put: Put, seed: int) -> None:
    pick = random.Random(seed)
    put(tables.state, {"key": "watermark", "value": NOW})
    order = in_calling_order(MATRIX)
    wanted, counts = [], dict.fromkeys(MATRIX.cells, 0)
    for n in range(1, 80):
        named = pick.random() < 0.9
        place, points = pick.choice(MATRIX.cells), pick.choice([0, 10, 20, 30])
        email = f"p{pick.randrange(1000):03}-{n}@x.example"
        put(tables.contacts, person(n, email if named else None))
        put(tables.cells, cell(n, place), cell(n, "D1", "another"))
        if points:
            put(tables.balances, balance(n, points, points))
        won = 0
        for number in range(pick.randrange(3)):
            ago, gain = pick.choice([1, 6, 8]), pick.choice([-5, 5, 10])
            put(tables.ledger, line(n, gain, NOW - ago * DAY, key=str(number)))
            won += gain if gain > 0 and ago < 7 else 0
        if named:
            wanted.append((order.index(place), -won, -points, email))
            counts[place] += 1
    assert matrix(store)["counts"] == counts
    emails = [row[-1] for row in sorted(wanted)]
    assert [lead["contact"] for lead in queue(store)] == emails
    for limit, offset in [*((7, n) for n in range(0, 70, 7)), *((1, n) for n in range(0, 70, 3))]:
        page = [lead["contact"] for lead in queue(store, limit=limit, offset=offset)]
        assert page == emails[offset : offset + limit]
    for place in ("A4", "B4"):
        here = [email for number, *_, email in sorted(wanted) if order[number] == place]
        page = queue(store, cells=(place,), limit=2, offset=1)
        assert [lead["contact"] for lead in page] == here[1:3]
    ranked = sorted((balance_, won, email) for _, won, balance_, email in wanted if balance_)
    by_score = [lead["contact"] for lead in queue(store, UNGRADED)]
    assert by_score == [email for *_, email in ranked]
    assert [lead["contact"] for lead in queue(store, UNGRADED, limit=9, offset=4)] == by_score[4:13]


# --- cost -------------------------------------------------------------------------------------


SOMEBODY = (
    (tables.contacts, person(2, "b@x.example")),
    (tables.state, {"key": "watermark", "value": NOW}),
    (tables.cells, cell(2, "A4")),
    (tables.balances, balance(2, 80, 80)),
    (tables.ledger, line(2, 5, NOW - DAY)),
    (tables.stages, stay(2, "sql")),
    (tables.events, verdict(1, 2, "qualified", NOW - DAY)),
    (tables.attributes, attribute(2, "owner", "luis@x.example")),
)


@pytest.mark.parametrize(
    ("project", "asked"),
    [
        (PROJECT, {}),
        (PROJECT, {"cells": ("green",)}),
        (PROJECT, {"stages": ("sql",), "limit": 2}),
        (PROJECT, {"owner": "luis@x.example"}),
        (PROJECT, {"at_least": "hot"}),
        (UNGRADED, {}),
        (SOLD, {}),
    ],
    ids=["first page", "green", "stage", "owner", "points", "no grade", "leads only"],
)
def test_no_page_walks_over_a_whole_table(
    migrated_sqlite: Path, tmp_path: Path, project: Project, asked: dict[str, Any]
) -> None:
    """A million leads are as good as a thousand: ranges of indexes, and rows by their key."""
    shutil.copytree(migrated_sqlite, tmp_path, dirs_exist_ok=True)
    with closing(open_store(tmp_path / "flowscore.db")) as store:
        with store.transact() as connection:
            for table, row in SOMEBODY:
                connection.execute(table.insert().values(**row))
        said: list[tuple[str, Any]] = []
        sqlalchemy.event.listen(
            store.engine, "before_cursor_execute", lambda *seen: said.append((seen[2], seen[3]))
        )
        assert len(queue(store, project, **{"limit": 20, **asked})) == 1
        with store.read() as connection:
            plans = [
                row[3]
                for text, given in [*said]
                if text.startswith("SELECT")
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)
            ]
    walked = {plan.split()[1] for plan in plans if plan.startswith("SCAN")}
    assert walked & set(tables.SQLModel.metadata.tables) == set()
    assert any("COVERING INDEX ledger_won" in plan for plan in plans)
