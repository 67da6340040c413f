"""A store that the release before wrote: it is upgraded, nothing in it changes, people go on."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from engine.small import ANA, BEN
from engine.world import START, World
from flowscore.clock import HOUR
from flowscore.store import schema
from flowscore.store.database import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCENARIO = """\
scenario: s
trigger: {event: {name: order, times: {at_least: 1}, where: {total: {above: 5}}}}
conditions: [{not: {page_visited: {path: /out, within: 2 days}}}]
reenroll: {after: 2 days}
actions:
  - send_email: {template: t, once_per: 2 days}
  - wait: 10 hours
  - if: {email_not_opened: {template: t, within: 3 hours}}
    then: [{add_to_list: l}]
    else: [{set_attribute: {plan: "{{ event.plan }}"}}]
"""
POLICY = "policy: default\nconsent: implied\ntopics: [news]\n"
# As the release wrote them: a digest that came out otherwise would be a change to every user.
LIVE = (
    (1, "list", "l", "list: l\n",
     "22955cf76e0937f706f0992b92c0035272eb5eafc33d44ec9c659b67b1582908"),
    (2, "scenario", "s", SCENARIO,
     "7fe79d1d1b959e0ec1628957115afb074143fc2aea0be0d5456537cdbac74712"),
    (3, "policy", "default", POLICY,
     "b84811ffde6c75b40691d90d674ca032a63ecf0bd32da7147e6b8e100c26deaf"),
)  # fmt: skip
ROWS = """
INSERT INTO contacts (email, email_folded, user_id, known, created_at, draw_a, draw_b)
VALUES ('{ana}', '{ana}', 'u1', {true}, {start}, 1689169421, 1874370013);
INSERT INTO identities (kind, value, contact_id)
VALUES ('email', '{ana}', 1), ('user', 'u1', 1), ('anonymous', 'v', 1);
INSERT INTO consents (contact_id, topic, granted, at, source)
VALUES (1, 'news', {true}, {start}, '');
INSERT INTO calls (message_id, kind, own_at, received_at, seen_at, waiting, content)
VALUES ('a', 'alias', {start}, {start}, {start}, 'alias',
        '{{"type": "alias", "userId": "u1", "previousId": "u0"}}');
INSERT INTO events (message_id, contact_id, name, subject, machine, behaviour, own_at,
                    received_at, seen_at, historical, properties)
VALUES ('m0', 1, 'order', '', {false}, {true}, {start}, {start}, {start}, {false},
        '{{"plan": "pro"}}');
INSERT INTO enrollments (contact_id, scenario, definition_id, key, own_at, event_id, entered_at,
                         reason, position, due_at)
VALUES (1, 's', 2, 'm0', {start}, 1, {start}, '', 2, {due});
INSERT INTO state (key, value) VALUES ('revision', '1'), ('watermark', '{start}'),
 ('templates', '{{"t": {{"name": "t", "topic": "news", "file": "templates/email/t.html"}}}}');
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/older.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["0001", "0002"])
def release(request: pytest.FixtureRequest) -> str:
    """The revision of the tables that a release before had."""
    return str(request.param)


def later_than(release: str) -> Callable[[str, list[str]], list[str]]:
    """What a release did not have of the folder of migrations."""

    def ignored(_: str, names: list[str]) -> list[str]:
        revisions = [name for name in names if name[:4].isdigit() and name[:4] > release]
        return [*revisions, *(name for name in names if name == "__pycache__")]

    return ignored


@pytest.fixture
def older(tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch, release: str) -> str:
    """A store with the tables of that release: Ana is inside, in the wait."""
    migrations = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations, ignore=later_than(release))
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", migrations)
        before.setattr(schema, "LATEST", release)
        store = open_store(empty_url, create=True)
        values = {"ana": ANA, "start": START, "due": START + 10 * HOUR}
        script = ROWS.format(**values, true="true", false="false")
        with store.transact() as connection:
            for _, *definition in LIVE:
                names = dict(zip(("kind", "name", "source", "digest"), definition, strict=True))
                connection.execute(text(DEFINE), {**names, "at": START})
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
        store.close()
    return empty_url


DEFINE = """
INSERT INTO definitions (kind, name, version, source, digest, file, line, applied_at)
VALUES (:kind, :name, 1, :source, :digest, 'scenarios/all.yaml', 1, :at)
"""


def test_people_inside_go_on_and_no_definition_changes(older: str, tmp_path: Path) -> None:
    """Ruling 129; what is new in the language leaves the meaning of what stood as it was."""
    store = open_store(older)
    world = World(tmp_path, store, policy=POLICY)
    report = world.apply(textwrap.dedent("list: l\n---\n" + SCENARIO), t="news")
    assert (report.unchanged, report.added, report.changed, report.removed) == (3, [], [], [])
    world.track(ANA, "order", START + 9 * HOUR, total=9)
    world.track(BEN, "order", START + 9 * HOUR, total=9)
    world.tick(START + 30 * HOUR)
    rows = world.rows("SELECT contact_id, outcome, ended_at FROM enrollments ORDER BY id")
    assert rows == [(1, "finished", START + 10 * HOUR), (2, "finished", START + 19 * HOUR)]
    assert world.rows("SELECT reason FROM decisions") == [("reenroll",)]
    found = world.rows("SELECT contact_id, text FROM attributes")
    assert found == [(1, "pro")]
    store.close()


def test_names_and_words_are_those_that_were_known(older: str, tmp_path: Path) -> None:
    """Whose a visitor is, which address is mailed, what was agreed to; what waited is applied."""
    store = open_store(older)
    world = World(tmp_path, store, policy=POLICY)
    assert world.rows("SELECT anonymous_id, contact_id FROM claims") == [("v", 1)]
    assert world.rows("SELECT email_at FROM contacts") == [(START,)]
    words = world.rows("SELECT kind, value, topic, granted FROM words")
    assert words == [("email", ANA, "news", True)]
    world.apply(textwrap.dedent("list: l\n---\n" + SCENARIO), t="news")
    world.tick(START + HOUR)
    assert world.rows("SELECT waiting FROM calls") == [(None,)]
    claims = world.rows("SELECT anonymous_id FROM claims WHERE contact_id = 1")
    assert sorted(claims) == [("u0",), ("v",)]
    store.close()
