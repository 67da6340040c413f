"""A folder of files as one project: what is read, what is left out, and how quickly."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from flowscore.errors import FlowscoreError
from flowscore.language.project import digest, load_project, read_definition, read_stored

SCENARIO = """\
# Who left the cart.
scenario: cart   # our name for it
trigger: {event: cart_updated}
actions:
  - send_email: offer
"""


def said(problems) -> list[str]:
    return [f"{one.mark}: {one.message}" for one in problems if one.severity == "error"]


def test_t07_refuse_an_abbreviated_wait(load) -> None:
    project, problems = load(SCENARIO + "  - wait: 4 hrs\n")
    assert said(problems) == [
        (
            "scenarios/x.yaml:6:11: found '4 hrs', expected a duration: a whole number of minutes, "
            "hours, days or weeks, such as '3 days'"
        )
    ]
    assert problems[0].path == "actions/1/wait"
    assert problems[0].hint == "did you mean '4 hours'?"
    assert "cart" not in project.scenarios
    assert "base" in project.scenarios  # the others are read


def test_keep_the_source_of_each_definition(clean) -> None:
    project = clean(SCENARIO + "---\nlist: x\nmembers: {inactive: 1 day}\n")
    assert project.sources["scenario/cart"] == SCENARIO.partition("\n")[2]
    assert project.sources["list/x"] == "list: x\nmembers: {inactive: 1 day}\n"
    assert set(project.sources) == {
        "policy/default", "score/engagement", "list/customers", "list/hot", "scenario/base",
        "scenario/cart", "list/x",
    }  # fmt: skip


def test_read_a_stored_definition_again(clean) -> None:
    project = clean("list: x\nmembers: {inactive: 1 day}\n---\n" + SCENARIO)
    scenario = project.scenarios["cart"]
    again = read_definition(
        project.sources["scenario/cart"], scenario.mark.file, scenario.mark.line, project
    )
    assert again == scenario  # marks included
    assert str(again.mark) == "scenarios/x.yaml:5:1"


def test_say_what_a_stored_definition_lacks(clean) -> None:
    project = clean(SCENARIO)
    text = SCENARIO.replace("offer", "gone")
    with pytest.raises(FlowscoreError, match=r"x\.yaml:15:17: there is no template 'gone'"):
        read_definition(text, "x.yaml", 11, project)


def test_read_a_stored_project(clean) -> None:
    project = clean(SCENARIO)
    definitions = {
        "scenario": project.scenarios,
        "score": project.scores,
        "list": project.lists,
        "policy": {project.policy.name: project.policy},
    }
    texts = []
    for key, text in project.sources.items():
        kind, _, name = key.partition("/")
        mark = definitions[kind][name].mark
        texts.append((mark.file, mark.line, text))
    templates = {
        name: {"name": name, "topic": one.topic, "file": one.file}
        for name, one in project.templates.items()
    }
    assert read_stored(texts, templates) == project


def test_digest_the_meaning_alone(clean) -> None:
    base = digest(clean(SCENARIO).scenarios["cart"])
    spaced = SCENARIO.replace("{event: cart_updated}", "\n  event:\n    name: Cart Updated")
    assert digest(clean("\n# more\n\n" + spaced).scenarios["cart"]) == base
    described = SCENARIO + "description: why\n"
    assert digest(clean(described).scenarios["cart"]) == base
    for other in ("priority: 1\n", "enabled: false\n", "reenroll: every_time\n"):
        assert digest(clean(SCENARIO + other).scenarios["cart"]) != base
    assert digest(clean(SCENARIO.replace("event:", "email_opened:").replace(
        "cart_updated", "offer")).scenarios["cart"]) != base  # fmt: skip


def test_digest_tells_kinds_of_words_apart(clean) -> None:
    every = clean("list: x\nmembers: {all: [{inactive: 1 day}]}").lists["x"]
    some = clean("list: x\nmembers: {any: [{inactive: 1 day}]}").lists["x"]
    assert digest(every) != digest(some)


def test_read_the_other_files_when_one_is_broken(load) -> None:
    broken = "list: later\nmembers: {inactive: 1 day}\n---\nscore: lost\nrules: [\n"
    text = """
        scenario: y
        trigger: {list_joined: later}
        conditions: {score: {lost: {at_least: some-band}}}
        actions: [{add_points: {score: lost, points: 1}}]
    """
    project, problems = load(text, {"scenarios/broken.yml": broken})
    assert said(problems) == [
        "scenarios/broken.yml:6:1: found nothing where a value must stand"
    ]  # what the broken file defines is not said to be missing
    assert {"later", "hot"} <= set(project.lists)
    assert "y" in project.scenarios


def test_read_every_depth_and_both_endings(load) -> None:
    files = {
        "scenarios/a/b/c.yml": "list: deep\nmembers: {inactive: 1 day}",
        "scenarios/.hidden.yaml": "nonsense",
        "scenarios/notes.txt": "nonsense",
    }
    project, problems = load("list: x\nmembers: {in_list: deep}", files)
    assert problems == []
    assert project.lists["deep"].mark.file == "scenarios/a/b/c.yml"


def test_refuse_files_that_cannot_be_read(load, project_folder: Path) -> None:
    folder = project_folder / "scenarios"
    folder.mkdir(exist_ok=True)
    (folder / "big.yaml").write_bytes(b"# " + b"x" * (1 << 20))
    (folder / "gone.yaml").symlink_to(folder / "nowhere.yaml")
    (folder / "latin.yaml").write_bytes("list: x\ndescription: Año\n".encode("latin-1"))
    os.mkfifo(folder / "pipe.yaml")
    (folder / "wide.yaml").write_bytes("list: x\n".encode("utf-16"))
    _, problems = load("list: x\nmembers: {inactive: 1 day}")
    assert said(problems) == [
        "scenarios/big.yaml: the file is over 1 MiB",
        "scenarios/gone.yaml: cannot be read: No such file or directory",
        "scenarios/latin.yaml:2:15: byte 0xF1 is no UTF-8 (in Latin-1 it would be 'ñ')",
        "scenarios/pipe.yaml: this is no ordinary file",
        "scenarios/wide.yaml: the file is UTF-16, expected UTF-8",
    ]


def test_say_where_there_is_no_project(tmp_path: Path) -> None:
    project, problems = load_project(tmp_path)
    assert said(problems) == [f"scenarios: there is no folder 'scenarios' in {tmp_path}"]
    assert project.scenarios == {}


def test_say_a_mistake_behind_an_alias_once(load) -> None:
    _, problems = load("""
        scenario: y
        trigger: manual
        actions:
          - if: &who {in_list: custmers}
            then: [{exit: a}]
          - if: *who
            then: [{exit: b}]
    """)
    assert said(problems) == ["scenarios/x.yaml:4:24: there is no list 'custmers'"]


def test_find_every_mistake_of_a_definition(load) -> None:
    _, problems = load("""
        scenario: Y
        trigger: [manual, {evnt: x}]
        conditions: {any: [{in_list: custmers}, {attribute: {age: {gte: 3, lte: 9}}}]}
        actions:
          - if: {inactive: 3}
            then: [{wait: 3 d}, {sendmail: x}]
            else: [{exit: x, foo: 1}]
        filters: {}
    """)
    assert [(one.mark.line, one.mark.column) for one in problems] == [
        (1, 11), (2, 20), (3, 30), (3, 60), (3, 68), (5, 20), (6, 19), (6, 26), (7, 22), (8, 1),
    ]  # fmt: skip


def test_load_a_project_of_20_files_quickly(load, project_folder: Path) -> None:
    for number in range(20):
        text = f"scenario: s{number}\ntrigger: {{list_joined: customers}}\nactions:\n"
        text += (
            "  - if: {score: {engagement: {at_least: hot}}}\n    then: [{send_email: offer}]\n" * 8
        )
        path = project_folder / "scenarios" / f"{number}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    load("list: x\nmembers: {inactive: 1 day}")  # warm
    took = [_seconds(lambda: load_project(project_folder)) for _ in range(5)]
    parsing = [_seconds(lambda: _parse(project_folder)) for _ in range(5)]
    assert load_project(project_folder)[1] == []
    # Measured: 30 ms, 9 times what libyaml needs for the text; a busy machine slows both.
    assert min(took) < max(0.06, 20 * min(parsing))


def _seconds(act) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


def _parse(folder: Path) -> None:
    for path in folder.rglob("*.yaml"):
        list(yaml.parse(path.read_text(), Loader=yaml.CSafeLoader))


def test_import_nothing_heavy() -> None:
    heavy = (
        "sqlalchemy",
        "sqlmodel",
        "prefect",
        "fastapi",
        "jinja2",
        "re2",
        "cronsim",
        "jsonschema",
    )
    program = (
        "import sys, flowscore.language.project, flowscore.language.schema, "
        "flowscore.language.printing; "
        f"print([one for one in {heavy!r} if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
