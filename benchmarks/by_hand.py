"""The tick of the benchmark's project as somebody would write it by hand, in SQL, for this project.

It brings about what the engine does: the log, the ledger and balances, list members and their
events, enrollments and decisions, steps and mails. It knows the twenty scenarios, ten rules and
ten lists by heart, checks nothing else, and would have to be written anew for the next project.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import hand_words as words

from flowscore.clock import DAY

if TYPE_CHECKING:
    from flowscore.store.database import Store

# (scenario, position, step, mail, topic): what is done where somebody stands.
STEPS = (
    ("rung-20", 0, "actions/0", None, None),
    ("rung-20", 0, "actions/1", "letter", "news"),
    ("rung-50", 0, "actions/0", None, None),
    ("rung-50", 0, "actions/1", None, None),
    ("rung-50", 2, "actions/2", None, None),
    ("rung-50", 2, "actions/2/then/0", "offer", "offers"),
    ("rung-50", 100, "actions/2", None, None),
    ("rung-80", 0, "actions/0", "offer", "offers"),
    ("fallen", 0, "actions/0", None, None),
    ("fallen", 0, "actions/1", "letter", "news"),
    ("fit-and-hot", 0, "actions/0", None, None),
    ("no-longer-looking", 0, "actions/0", "offer", "offers"),
    ("three-times-1", 0, "actions/0", "offer", "offers"),
    ("three-times-2", 0, "actions/0", "offer", "offers"),
    ("three-times-3", 0, "actions/0", "offer", "offers"),
    ("cart", 0, "actions/0", None, None),
    ("cart", 1, "actions/1", None, None),
    ("cart", 1, "actions/2", "offer", "offers"),
    ("cart", 100, "actions/1", None, None),
    ("cart", 100, "actions/1/then/0", None, None),
    ("receipt", 0, "actions/0", None, None),
    ("receipt", 0, "actions/1", "receipt", "transactional"),
    ("more-like-it", 0, "actions/0", None, None),
    ("more-like-it", 1, "actions/1", "offer", "offers"),
    ("clicked-offer", 0, "actions/0", None, None),
    ("quiet-month", 0, "actions/0", "letter", "news"),
    ("no-order", 0, "actions/0", "offer", "offers"),
    ("not-opened", 0, "actions/0", None, None),
    ("reader", 0, "actions/0", None, None),
    ("reader", 1, "actions/1", "letter", "news"),
    ("welcome", 0, "actions/0", "letter", "news"),
    ("welcome", 0, "actions/1", None, None),
    ("welcome", 2, "actions/2", "offer", "offers"),
    ("new-plan", 0, "actions/0", "receipt", "transactional"),
)
WAITS = (("rung-50", 2, 3), ("cart", 1, 5), ("more-like-it", 1, 5), ("reader", 1, 5),
         ("welcome", 2, 2))  # fmt: skip
JOINS = (("rung-20", "prospects"), ("rung-50", "leads"), ("receipt", "customers"))
LEAVES = (("rung-50", "prospects"), ("fallen", "leads"))

DUE = """INSERT INTO walkers SELECT id, contact_id, scenario, position, due_at, event_id, entered_at
    FROM enrollments WHERE ended_at IS NULL AND due_at <= :now"""
HAS_FIFTY = "coalesce((SELECT balance FROM balances b WHERE b.contact_id = walkers.contact_id" \
    " AND b.score = 'engagement'), 0) >= 500000"  # fmt: skip
BRANCHES = (
    "UPDATE walkers SET position = 100 WHERE scenario = 'rung-50' AND position = 2"
    f" AND NOT {HAS_FIFTY}",
    "UPDATE walkers SET position = 100 WHERE scenario = 'cart' AND position = 1 AND "
    + words.recently("order_completed", 5, "walkers.contact_id"),
)
CHOOSE = """INSERT INTO swung SELECT DISTINCT contact_id, {joins} FROM walkers w
    WHERE scenario = '{scenario}' AND position = 0 AND {joins} <> {member}"""
POINTS = (
    words.LINE
    + """
    SELECT contact_id, 'engagement', scenario, 'scenario', id || '/actions/0',
           CASE scenario WHEN 'clicked-offer' THEN 500000000 ELSE -200000000 END, :now, :now, NULL,
           NULL, '' FROM walkers WHERE scenario IN ('clicked-offer', 'not-opened')"""
)
OWNERS = (
    words.EVENT
    + """SELECT 'attribute_changed:owner:' || w.id, w.contact_id, 'attribute_changed',
        'owner', NULL, NULL, 0, 0, :now, :now, :now, 0,
        json_object('attribute', 'owner', 'from', NULL, 'to', 'ana@shop.example'),
        '{"attribute": [["owner"]], "to": [["ana@shop.example"]]}'
        FROM walkers w WHERE w.scenario = 'fit-and-hot' AND NOT EXISTS (SELECT 1 FROM attributes a
            WHERE a.contact_id = w.contact_id AND a.name = 'owner')""",
    """INSERT INTO attributes (contact_id, name, element, value, set_at, forms, text)
       SELECT contact_id, 'owner', 0, '"ana@shop.example"', :now, '[["ana@shop.example"]]',
              'ana@shop.example' FROM walkers WHERE scenario = 'fit-and-hot'
       ON CONFLICT DO UPDATE SET set_at = excluded.set_at""",
)
GRANTED = """coalesce((SELECT granted FROM consents k WHERE k.contact_id = w.contact_id
        AND k.topic = p.topic), (SELECT granted FROM consents k WHERE k.contact_id = w.contact_id
        AND k.topic = 'email'), 0)"""
MAILS = f"""
    INSERT INTO messages (key, kind, contact_id, enrollment_id, scenario, step, priority, place,
        template, topic, event_id, entered_at, queued_at, due_at, status, reason, next_at, attempts,
        sent_event)
    SELECT w.scenario || '.' || w.id || '.' || replace(p.step, '/', '-'), 'email', w.contact_id,
           w.id, w.scenario, p.step, 0, 0, p.template, p.topic, w.event_id, w.entered_at, :now,
           w.due_at, CASE WHEN allowed THEN 'queued' ELSE 'withheld' END,
           CASE WHEN NOT allowed THEN 'no_consent' END, :now, 0, 0
    FROM (SELECT *, (p.topic = 'transactional' OR {GRANTED}) AND
                 (SELECT suppressed IS NULL FROM contacts c WHERE c.id = w.contact_id) AND NOT
                 (w.scenario = 'rung-80' AND EXISTS (SELECT 1 FROM messages m
                     WHERE m.contact_id = w.contact_id AND m.template = p.template
                     AND m.status NOT IN ('withheld', 'failed')
                     AND m.queued_at > :now - 30 * :day)) AS allowed
          FROM walkers w JOIN plan_of_step p USING (scenario, position)
          WHERE p.template IS NOT NULL) w JOIN plan_of_step p
      ON p.scenario = w.scenario AND p.position = w.position AND p.step = w.step"""
DONE = """INSERT INTO steps (enrollment_id, step, at, outcome) SELECT w.id, p.step, :now, ''
    FROM walkers w JOIN plan_of_step p USING (scenario, position)"""
PAUSE = """UPDATE enrollments SET position = :position, due_at = :now + :days * :day WHERE id IN (
    SELECT id FROM walkers WHERE scenario = :scenario AND position = 0)"""
AWAY = "DELETE FROM walkers WHERE scenario = :scenario AND position = 0"
END = """UPDATE enrollments SET ended_at = :now, outcome = 'finished' WHERE id IN (
    SELECT id FROM walkers)"""


class Hand:
    """One tick under way."""

    def __init__(self, connection: Any, prev: int, now: int) -> None:
        self.connection = connection
        self.values = {"prev": prev, "now": now, "day": DAY, "round": 1}
        self.spent: dict[str, float] = defaultdict(float)
        self.begun = time.perf_counter()

    def run(self, statement: str, **more: Any) -> int:
        """Rows touched."""
        return self.connection.exec_driver_sql(statement, {**self.values, **more}).rowcount

    def ask(self, statement: str) -> int:
        """The one value."""
        return self.connection.exec_driver_sql(statement).scalar() or 0

    def tick(self, phase: str) -> None:
        """What was done since the last call is of this phase."""
        now = time.perf_counter()
        self.spent[phase] += now - self.begun
        self.begun = now


def tick_by_hand(store: Store, prev: int, now: int) -> dict[str, float]:
    """One tick over (prev, now] in one transaction; seconds by phase."""
    with store.transact() as connection:
        hand = Hand(connection, prev, now)
        _prepare(hand)
        seen, line = hand.ask("SELECT max(id) FROM events"), hand.ask("SELECT max(id) FROM ledger")
        last = hand.ask("SELECT max(id) FROM contacts")
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
    rows = [(name, *rule) for name, rule in words.ENTRIES.items()]
    hand.connection.exec_driver_sql(
        "INSERT INTO rule_of_entry SELECT ?1, (SELECT max(id) FROM definitions"
        " WHERE kind = 'scenario' AND name = ?1), ?2, ?3",
        rows,
    )
    hand.connection.exec_driver_sql("INSERT INTO plan_of_step VALUES (?, ?, ?, ?, ?)", list(STEPS))


def _round(hand: Hand, seen: int, line: int, upto: int) -> int:
    """Award, refresh, notice, act; how many rows keep the rounds going."""
    first = hand.values["round"] == 1
    hand.run("DELETE FROM stirred")
    hand.run(words.STIRRED, seen=seen)
    for statement in (words.PLAIN, words.ARTICLE, *([words.UNOPENED] if first else [])):
        hand.run(statement)
    hand.run(words.BUYING)
    hand.values["ledger"] = line
    for statement in (words.MOVED, words.REFITTED, words.BALANCE, words.MOVED_TO):
        hand.run(statement)
    hand.values["ledger"] = hand.ask("SELECT max(id) FROM ledger")
    hand.tick("award")
    changed = sum(_refresh(hand, name) for name in words.LISTS)
    hand.tick("refresh")
    hand.run("DELETE FROM stirred")
    hand.run(words.STIRRED, seen=seen)
    for statement in (*words.OCCURRENCES, *(words.BY_CLOCK if first else ())):
        hand.run(statement)
    for statement in words.GATE:
        hand.run(statement)
    hand.tick("enroll")
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


def _walk(hand: Hand) -> int:
    due = hand.run(DUE)
    if due <= 0:
        return 0
    for statement in BRANCHES:
        hand.run(statement)
    for joins, pairs in ((0, LEAVES), (1, JOINS)):
        for scenario, name in pairs:
            member = words.inside(name, "w.contact_id")
            if hand.run(CHOOSE.format(joins=joins, scenario=scenario, member=member)) > 0:
                _move(hand, name, f"scenario/{scenario}")
    for statement in (POINTS, *OWNERS, MAILS, DONE):
        hand.run(statement)
    for scenario, position, days in WAITS:
        hand.run(PAUSE, scenario=scenario, position=position, days=days)
        hand.run(AWAY, scenario=scenario)
    hand.run(END)
    hand.run("DELETE FROM walkers")
    return due
