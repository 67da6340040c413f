"""A small made-up world for the report: the same rows in the tables and as Python lists."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowscore.clock import DAY, HOUR
from flowscore.store import tables
from flowscore.store.forms import flatten, forms_of
from flowscore.store.tables import POINT, SHOWN

from .conftest import NOW, person, walk

if TYPE_CHECKING:
    from flowscore.store.database import Store

Row = dict[str, Any]
STAGES = ("lead", "mql", "sql", "customer")
START = NOW - 100 * DAY
PAGES = ("/", "/pricing", "/blog/a", "/blog/b")
SOURCES = ("google", "facebook", "fair")
TEMPLATES = ("hello", "offer")
REASONS = ("student", "no budget", "")


@dataclass
class World:
    """Rows by table name; contacts without an address are visitors."""

    chance: random.Random
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, **row: Any) -> Row:
        self.rows.setdefault(table, []).append(row)
        return row

    def of(self, table: str, contact: int | None = None, **wanted: Any) -> list[Row]:
        """Rows that agree with what is wanted."""
        asked = wanted if contact is None else {"contact_id": contact, **wanted}
        found = self.rows.get(table, [])
        return [row for row in found if all(row.get(name) == it for name, it in asked.items())]

    @property
    def leads(self) -> dict[int, Row]:
        """Contacts with an address, by id."""
        return {row["id"]: row for row in self.of("contacts") if row["email"]}

    def event(self, contact: int, name: str, at: int, **more: Any) -> Row:
        properties = more.pop("properties", {})
        number = len(self.rows.get("events", [])) + 1
        return self.add(
            "events",
            **{
                "id": number, "message_id": f"m{number}", "contact_id": contact, "name": name,
                "subject": None, "topic": None, "mail_key": None, "machine": False,
                "behaviour": name not in ("email_sent", "email_bounced", "sales_feedback"),
                "own_at": at, "received_at": at, "seen_at": at, "historical": False,
                "properties": properties, "forms": flatten(properties), **more,
            },
        )  # fmt: skip

    def attribute(self, contact: int, name: str, value: Any, at: int) -> None:
        forms = forms_of(value)
        form = [*forms[0], None, None, None][:4]
        self.add(
            "attributes", contact_id=contact, name=name, element=0, value=value, set_at=at,
            text=form[0], number=form[1], instant=form[2], local=form[3],
        )  # fmt: skip

    def write(self, store: Store) -> None:
        """Into the tables, which are empty."""
        with store.transact() as connection:
            for name, rows in self.rows.items():
                table = tables.TABLES[name]
                keys = sorted({key for row in rows for key in row})
                whole = [{key: row.get(key, _default(table, key)) for key in keys} for row in rows]
                connection.execute(table.insert(), whole)


def _default(table: Any, key: str) -> Any:
    default = table.c[key].default
    return default.arg if default is not None else None


def made(seed: int, people: int = 150) -> World:
    """A world by chance, up to NOW."""
    world = World(random.Random(seed))
    world.add("state", key="watermark", value=NOW)
    for number in range(1, people + 1):
        _person(world, number)
    return world


def _person(world: World, number: int) -> None:
    chance = world.chance
    born = START + chance.randrange(100 * 24) * HOUR
    email = f"p{number:03}@x.example" if chance.random() < 0.95 else None
    world.rows.setdefault("contacts", []).append(person(number, email, born))
    _traits(world, number, born)
    _stays(world, number, born)
    _behaviour(world, number, born)
    _mails(world, number, born)
    _walks(world, number, born)
    if chance.random() < 0.8:
        world.add("balances", contact_id=number, score="engagement", raw=0, looked=0,
                  balance=chance.randrange(-10, 90) * SHOWN)  # fmt: skip


def _traits(world: World, number: int, born: int) -> None:
    chance = world.chance
    if chance.random() < 0.6:
        world.attribute(number, "gender", chance.choice(["F", "f", "m", "m", "x"]), born)
    if chance.random() < 0.5:
        world.attribute(number, "age", chance.randrange(18, 63), born)
    if chance.random() < 0.4:
        world.attribute(number, "source", chance.choice(SOURCES), born)
    for topic in ("email", "news"):
        if chance.random() < 0.4:
            world.add("consents", contact_id=number, topic=topic, granted=chance.random() < 0.8,
                      at=born + chance.randrange(3) * DAY, source="")  # fmt: skip


def _stays(world: World, number: int, born: int) -> None:
    """Forward with skips, and now and then back."""
    chance, at, place = world.chance, born, 0
    while (at := at + chance.randrange(1, 20 * 24) * HOUR) <= NOW and place < 3:
        back = place and chance.random() < 0.2
        to = chance.randrange(place) if back else chance.randrange(place + 1, 4)
        for stay in world.of("stages", number, left_at=None):
            stay["left_at"] = at
        if not back:
            for name in STAGES[place + 1 : to]:
                _stay(world, number, name, at, left_at=at, skipped=True)
        _stay(world, number, STAGES[to], at, cause="retreat" if back else "lifecycle")
        place = to


def _stay(world: World, number: int, stage: str, at: int, **more: Any) -> None:
    row = {"left_at": None, "skipped": False, "cause": "lifecycle", **more}
    world.add("stages", contact_id=number, stage=stage, entered_at=at, **row)


def _behaviour(world: World, number: int, born: int) -> None:
    chance = world.chance
    for _ in range(chance.randrange(6)):
        at = born + chance.randrange(60 * 24) * HOUR
        properties: Row = {}
        if chance.random() < 0.3:
            properties["utm_source"] = chance.choice(SOURCES)
        if chance.random() < 0.2:
            campaign = {"name": chance.choice(["spring", "autumn"]), "source": "google"}
            properties["context"] = {"campaign": campaign}
        if chance.random() < 0.3:
            host = chance.choice(["www.acme.example", "news.example", "acme.example"])
            properties |= {"referrer": f"https://{host}/x?y", "url": "https://acme.example/"}
        world.event(number, "page_viewed", at, subject=chance.choice(PAGES), properties=properties)
    _sales(world, number, born)


def _sales(world: World, number: int, born: int) -> None:
    """What sales did and said, and the points until then."""
    chance = world.chance
    if chance.random() < 0.3:
        world.event(number, "meeting_booked", born + chance.randrange(50) * DAY)
    for _ in range(chance.choice([0, 0, 1, 2])):
        verdict = chance.choice(["qualified", "not_qualified", "won", "lost"])
        said: Row = {"verdict": verdict}
        if verdict == "won" and chance.random() < 0.8:
            said["amount"] = chance.choice([100, 250.5, 1200])
        if reason := chance.choice(REASONS):
            said["reason"] = reason
        at = born + chance.randrange(1, 80 * 24) * HOUR + 1
        world.event(number, "sales_feedback", at, properties=said)
    for rule in ("page", "trial", "young"):
        for turn in range(chance.choice([0, 1, 2])):
            world.add("ledger", contact_id=number, score="engagement", rule=rule, kind="rule",
                      key=f"{rule}{turn}", points=chance.choice([-5, 5, 20]) * POINT,
                      own_at=born + chance.randrange(60) * DAY, tick_at=NOW, reason="")  # fmt: skip


def _mails(world: World, number: int, born: int) -> None:
    chance = world.chance
    for turn in range(chance.randrange(3)):
        template = chance.choice(TEMPLATES)
        sent = born + (turn * 10 + chance.randrange(1, 9)) * DAY
        world.event(number, "email_sent", sent, subject=template)
        for name in ("email_opened", "email_clicked"):
            for _ in range(chance.choice([0, 0, 1, 2])):
                world.event(number, name, sent + chance.randrange(1, 99) * HOUR, subject=template,
                            machine=chance.random() < 0.3)  # fmt: skip
        if chance.random() < 0.1:
            world.event(number, "email_bounced", sent + HOUR, subject=template)
        if chance.random() < 0.15:
            world.event(number, "unsubscribed", sent + chance.randrange(1, 20) * DAY, subject="all")


def _walks(world: World, number: int, born: int) -> None:
    chance = world.chance
    for turn in range(chance.choice([0, 1, 1, 2])):
        id_ = len(world.rows.get("enrollments", [])) + 1
        entered = born + (turn * 15 + chance.randrange(10)) * DAY
        outcome = chance.choice([None, "finished", "exited", "converted"])
        over = entered + chance.randrange(1, 30) * DAY if outcome else None
        world.rows.setdefault("enrollments", []).append(
            walk(
                id_, number, entered_at=entered, outcome=outcome, ended_at=over,
                converted_at=over if outcome == "converted" else None, event_id=None,
                held=number % 4 == 0, goal_until=None, awaiting_since=None, awaiting_after=None,
                awaiting_until=None,
            )
        )  # fmt: skip
        world.add("steps", enrollment_id=id_, step="actions/0", at=entered, outcome="")
        if chance.random() < 0.5:
            way = chance.choice(["then", "else"])
            world.add("steps", enrollment_id=id_, step="actions/1", at=entered + DAY, outcome=way)
        if chance.random() < 0.4:
            world.add("messages", key=f"w{id_}", kind="email", contact_id=number,
                      enrollment_id=id_, scenario="welcome", step="actions/0",
                      template=chance.choice(TEMPLATES), topic="news", entered_at=entered,
                      queued_at=entered, due_at=entered, next_at=entered, status="withheld",
                      reason=chance.choice(["no_consent", "capped", "render: x: y"]),
                      settled_at=entered + DAY)  # fmt: skip
        if chance.random() < 0.3:
            world.add("decisions", contact_id=number, scenario="welcome", definition_id=1,
                      key=f"d{id_}", at=entered + DAY, own_at=entered + DAY,
                      reason="reenroll")  # fmt: skip
