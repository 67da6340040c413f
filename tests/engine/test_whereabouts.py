"""Rulings 96, 101, 103 and 108: cells, stages and companies' balances wherever they are shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.small import ANA, BEN
from engine.world import START
from flowscore.engine.registry import live_project
from flowscore.mail.contexts import Surroundings, load_people
from flowscore.mail.settings import MailSettings
from flowscore.views.export import Extract, write_export
from flowscore.views.listings import Wanted, list_contacts

if TYPE_CHECKING:
    from engine.world import World

WHOLE = """
    score: fit
    of: company
    rules: [{name: visit, points: 80, on: {event: visit}}]
    ---
    score: engagement
    rules: [{name: visit, points: 30, on: {event: visit}}]
    ---
    grade: lead-grade
    fit: {score: fit, A: 75, B: 50, C: 25}
    engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
    ---
    lifecycle: buyer
    stages: [lead, {stage: mql, when: {grade: A2}}]
    ---
    scenario: note
    trigger: {stage: {enters: mql}}
    actions: [{set_attribute: {seen: "{{ contact.stage }} {{ contact.grade['lead-grade'] }} {{ contact.score.fit }}"}}]
"""  # noqa: E501


def prepared(world: World) -> None:
    """Ana visits, Ben is her colleague who does nothing."""
    world.apply(WHOLE)
    for who in (ANA, BEN):
        world.group(who, "acme", START)
    world.track(ANA, "visit", START)
    world.tick(START)


def exported(world: World) -> dict[str, list[Any]]:
    """The files of an export."""
    folder = world.root / "out"
    with world.store.read() as connection:
        project = live_project(connection)
        scores = tuple(project.scores)
        asked = (START, project.company_scores, project.first_stage)
        names = write_export(Extract(connection, scores, *asked), folder, lambda _: None)
    return {
        name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        for name in names
    }


def test_export_shows_stage_grades_and_what_a_contact_reads(world: World) -> None:
    prepared(world)
    tables = exported(world)
    assert [(row["email"], row["stage"], row["grades"]) for row in tables["contacts"]] == [
        (ANA, "mql", {"lead-grade": "A2"}),
        (BEN, "lead", {"lead-grade": "A1"}),
    ]
    assert [(row["contact"], row["score"], row["balance"]) for row in tables["balances"]] == [
        (ANA, "engagement", 30),
        (ANA, "fit", 80),
        (BEN, "engagement", 0),
        (BEN, "fit", 80),
    ]
    changed = [row for row in tables["events"] if row["name"] == "stage_changed"]
    assert [row["properties"] for row in changed] == [{"from": "lead", "to": "mql"}]


def test_export_of_a_project_without_them_shows_none(world: World) -> None:
    world.apply("list: x\n")
    world.track(ANA, "visit", START)
    world.tick(START)
    (row,) = exported(world)["contacts"]
    assert (row["stage"], row["grades"]) == (None, {})


def test_listed_contacts_show_them_too(world: World) -> None:
    prepared(world)
    with world.store.read() as connection:
        rows = list(list_contacts(connection, live_project(connection), Wanted()))
    assert [(row["scores"], row["grades"], row["stage"]) for row in rows] == [
        ({"engagement": 30, "fit": 80}, {"lead-grade": "A2"}, "mql"),
        ({"engagement": 0, "fit": 80}, {"lead-grade": "A1"}, "lead"),
    ]


def test_templates_read_grade_stage_and_score(world: World) -> None:
    """Ruling 101: `contact.grade` and `contact.score` are mappings by name."""
    prepared(world)
    with world.store.read() as connection:
        around = Surroundings(live_project(connection), MailSettings(), "", START)
        people = load_people(connection, {1, 2}, around, with_ledger=False)
    read = {
        str(one["email"]): (one["stage"], dict(one["grade"]), dict(one["score"]))
        for one in people.values()
    }
    assert read == {
        ANA: ("mql", {"lead-grade": "A2"}, {"engagement": 30, "fit": 80}),
        BEN: ("lead", {"lead-grade": "A1"}, {"engagement": 0, "fit": 80}),
    }


def test_without_a_lifecycle_stage_is_an_attribute_as_any(world: World) -> None:
    world.apply("list: x\n")
    world.identify(ANA, START, stage="their own word")
    world.tick(START)
    with world.store.read() as connection:
        around = Surroundings(live_project(connection), MailSettings(), "", START)
        (person,) = load_people(connection, {1}, around, with_ledger=False).values()
    assert person["stage"] == "their own word"


def test_expressions_of_steps_read_them(world: World) -> None:
    """Ruling 103: in `set_attribute` as in webhooks."""
    prepared(world)
    assert world.rows("SELECT text FROM attributes WHERE name = 'seen'") == [("mql a2 80.0",)]
