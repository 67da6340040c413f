"""The tick of the benchmark's project as somebody would write it by hand, in SQL, for this project.

It brings about what the engine does: the log, the ledger and balances, list members and their
events, enrollments and decisions, goals and exits, steps and messages. It knows the sixty
scenarios, ten rules and ten lists by heart, checks nothing else, and would have to be written
anew for the next project.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import hand_entries as entries
import hand_walks as walks
import hand_words as words
from population import ZONES

from flowscore.clock import DAY, HOUR, NAIVE_EPOCH, datetime_of, instant_of

if TYPE_CHECKING:
    from flowscore.store.database import Store

OLDEST, YOUNGEST = 1984, 1986  # the years in which people were born


class Hand:
    """One tick under way."""

    def __init__(self, connection: Any, prev: int, now: int) -> None:
        self.connection = connection
        self.values = {"prev": prev, "now": now, "day": DAY, "round": 1}
        self.spent: dict[str, float] = defaultdict(float)
        self.begun = time.process_time()
        self.noticed = 0  # events up to this id have been looked at by scenarios

    def run(self, statement: str, **more: Any) -> int:
        """Rows touched."""
        return self.connection.exec_driver_sql(statement, {**self.values, **more}).rowcount

    def ask(self, statement: str) -> int:
        """The one value."""
        return self.connection.exec_driver_sql(statement).scalar() or 0

    def tick(self, phase: str) -> None:
        """What was done since the last call is of this phase."""
        now = time.process_time()
        self.spent[phase] += now - self.begun
        self.begun = now


def tick_by_hand(store: Store, prev: int, now: int) -> dict[str, float]:
    """One tick over (prev, now] in one transaction; seconds of processor by phase."""
    with store.transact() as connection:
        hand = Hand(connection, prev, now)
        _prepare(hand)
        seen, line = hand.ask("SELECT max(id) FROM events"), hand.ask("SELECT max(id) FROM ledger")
        last, hand.noticed = hand.ask("SELECT max(id) FROM contacts"), seen
        for statement in words.INTAKE:
            hand.run(statement, last_contact=last)
        hand.tick("take_in")
        for hand.values["round"] in range(1, 21):
            upto = hand.ask("SELECT max(id) FROM events")
            if not _round(hand, seen, line, upto):
                break
            seen, line = upto, hand.values["ledger"]
        hand.run("UPDATE state SET value = :now WHERE key = 'watermark'")
    hand.tick("commit")
    with store.receive() as connection:
        connection.exec_driver_sql("DELETE FROM inbox WHERE received_at <= ?", (now,))
    hand.tick("forget_taken")
    return dict(hand.spent)


def _prepare(hand: Hand) -> None:
    for statement in filter(str.strip, words.PREPARE.split(";")):
        hand.run(statement)
    rows = [(name, *rule, None)[:4] for name, rule in entries.ENTRIES.items()]
    hand.connection.exec_driver_sql(
        "INSERT INTO rule_of_entry SELECT ?1, (SELECT max(id) FROM definitions"
        " WHERE kind = 'scenario' AND name = ?1), ?2, ?3, ?4",
        rows,
    )
    marks = ", ".join("?" for _ in walks.STEPS[0])
    hand.connection.exec_driver_sql(f"INSERT INTO plan_of_step VALUES ({marks})", list(walks.STEPS))
    clock = list(_clock(hand.values["prev"], hand.values["now"]))
    hand.connection.exec_driver_sql("INSERT INTO clock VALUES (?, ?, ?)", clock)


def _clock(prev: int, now: int) -> Iterator[tuple[str, int, int]]:
    """What the calendar says, in each zone: birthdays at ten, renewals, the next Monday at nine."""
    days = [datetime_of(prev + n * DAY).date() for n in range(-1, (now - prev) // DAY + 3)]
    for zone in ZONES:
        for day in days:
            at = instant_of(datetime(day.year, day.month, day.day, 10, tzinfo=ZoneInfo(zone)))
            if prev < at <= now:
                yield from ((zone, at, _local(day.replace(year=y))) for y in _born())
            if zone == "Europe/Madrid" and prev < at <= now:
                yield "renewal", at, _local(day)
            if zone == "Europe/Madrid" and prev < at - 10 * HOUR <= now:
                yield "midnight", at - 10 * HOUR, _local(day)
        yield f"monday {zone}", _next_monday(now, ZoneInfo(zone)), 0


def _born() -> range:
    return range(OLDEST, YOUNGEST + 1)


def _local(day: Any) -> int:
    return (datetime(day.year, day.month, day.day) - NAIVE_EPOCH) // timedelta(microseconds=1)


def _next_monday(now: int, zone: ZoneInfo) -> int:
    """Nine o'clock of the next Monday or Tuesday."""
    day = datetime_of(now).astimezone(zone).replace(hour=9, minute=0, second=0, microsecond=0)
    while day.weekday() > 1 or instant_of(day) < now:
        day += timedelta(days=1)
    return instant_of(day)


def _round(hand: Hand, seen: int, line: int, upto: int) -> int:
    """Award, refresh, notice, act; how many rows keep the rounds going."""
    first = hand.values["round"] == 1
    hand.run("DELETE FROM stirred")
    hand.run(words.STIRRED, seen=seen)
    for statement in (words.PLAIN, words.ARTICLE, *([words.UNOPENED] if first else [])):
        hand.run(statement)
    hand.run(words.BUYING)
    hand.values["ledger"] = hand.values["noticed"] = line
    for statement in (words.MOVED, words.REFITTED, words.BALANCE, words.MOVED_TO):
        hand.run(statement)
    hand.values["ledger"] = hand.ask("SELECT max(id) FROM ledger")
    hand.tick("award")
    changed = sum(_refresh(hand, name) for name in words.LISTS)
    hand.tick("refresh")
    changed += _notice(hand, first)
    changed += _walk(hand)
    hand.tick("walk")
    return changed or hand.ask("SELECT max(id) FROM events") > upto


def _refresh(hand: Hand, name: str) -> int:
    moved = hand.run(words.ask_list(name))
    return _move(hand, name, f"list/{name}") if moved > 0 else 0


def _move(hand: Hand, name: str, cause: str) -> int:
    place = f"{hand.values['now']}/{hand.values['round']}/{cause}"
    for statement in words.MOVES:
        hand.run(statement, list=name, cause=cause, place=place)
    return 1


def _notice(hand: Hand, first: bool) -> int:
    """Goals, what was waited for, and exits; then who enters."""
    hand.run("DELETE FROM stirred")
    hand.run(words.STIRRED, seen=hand.noticed)
    hand.values["upto"] = hand.noticed = hand.ask("SELECT max(id) FROM events")
    ended = 0
    for statement in (*entries.ENDINGS, *(entries.ENDINGS_BY_CLOCK if first else ())):
        ended += max(0, hand.run(statement))
    hand.tick("endings")
    for statement in (*entries.OCCURRENCES, *(entries.BY_CLOCK if first else ())):
        hand.run(statement)
    for statement in entries.GATE:
        hand.run(statement)
    hand.tick("enroll")
    return ended


def _walk(hand: Hand) -> int:
    due = hand.run(walks.DUE)
    if due <= 0:
        return 0
    for statement in walks.GO_ON:
        hand.run(statement)
    for scenario, (days, *_) in walks.WAITS_FOR.items():
        hand.run(walks.AWAIT, scenario=scenario, days=days)
        hand.run(walks.AWAY, scenario=scenario)
    for joins, pairs in ((0, walks.LEAVES), (1, walks.JOINS)):
        for scenario, position, name in pairs:
            _choose(hand, joins, scenario, position, name)
    acts = (*walks.POINTS, *walks.GIVEN, *walks.CONSENTS, walks.MAILS, walks.NOTICES)
    for statement in (*acts, walks.WEBHOOKS, walks.ASKED_FOR, walks.DONE):
        hand.run(statement)
    for scenario, position, days in walks.WAITS:
        hand.run(walks.PAUSE, scenario=scenario, position=position, days=days)
        hand.run(walks.AWAY, scenario=scenario)
    hand.run(walks.MONDAY, scenario="on-monday-morning")
    hand.run(walks.AWAY, scenario="on-monday-morning")
    hand.run(walks.END)
    hand.run(walks.BOUGHT)
    hand.run("DELETE FROM walkers")
    return due


def _choose(hand: Hand, joins: int, scenario: str, position: int, name: str) -> None:
    """Into a list (1) or out of it (0), for all who stand there and are not so yet."""
    member = words.inside(name, "w.contact_id")
    place = {"scenario": scenario, "position": position, "joins": joins, "member": member}
    if hand.run(walks.CHOOSE.format(**place)) > 0:
        _move(hand, name, f"scenario/{scenario}")
