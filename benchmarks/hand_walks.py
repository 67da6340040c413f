"""The hand-written tick, what is done: each step at its place, and the statements of the steps."""

from __future__ import annotations

from hand_entries import EXITED, drawn, since_then
from hand_words import EVENT, LINE, inside, recently, score

# (scenario, position, step, outcome, mail, topic, points): what is done where somebody stands.
# 10 and 11 are `then` and `else` of a `wait_for`, or the branches of a `split`.
LETTER, OFFER, RECEIPT = ("letter", "news"), ("offer", "offers"), ("receipt", "transactional")
NONE = (None, None)
FIRST = "actions/0"
AT_ONCE = {  # the one step of a scenario: its mail and its points
    "rung-80": (OFFER, 0), "fit-and-hot": (NONE, 0), "no-longer-looking": (OFFER, 0),
    "three-times-1": (OFFER, 0), "three-times-2": (OFFER, 0), "three-times-3": (OFFER, 0),
    "clicked-offer": (NONE, 5), "quiet-month": (LETTER, 0), "no-order": (OFFER, 0),
    "not-opened": (NONE, -2), "new-plan": (RECEIPT, 0), "buying-signal": (NONE, 0),
    "basket-of-hundred": (NONE, 2), "same-course-twice": (NONE, 0), "cart-by-cart": (NONE, 1),
    "renewal": (OFFER, 0), "birthday": (LETTER, 0), "one-hour-before": (RECEIPT, 0),
    "joined-the-news": (NONE, 0), "left-the-news": (NONE, 0), "not-clicked": (NONE, -1),
    "answered": (NONE, 0), "bounced": (NONE, 0), "told-the-crm": (NONE, 0), "a-tenth": (NONE, 0),
    "big-orders": (NONE, 4), "software-people": (NONE, 0), "spent-two-hundred": (NONE, 0),
    "back-after-a-pause": (LETTER, 0), "letter-readers": (NONE, 2), "machines-too": (NONE, 1),
    "told-no": (NONE, 0), "step-to-step": (NONE, 0), "by-hand": (NONE, 1),
    "opens-the-door": (NONE, 0), "closes-the-door": (NONE, 0), "left-hot": (LETTER, 0),
}  # fmt: skip
AFTER_A_WAIT = {  # a pause, then a mail
    "more-like-it": OFFER, "reader": LETTER, "pricing-and-wait": OFFER, "cart-and-exit": OFFER,
    "on-monday-morning": LETTER, "course-six": LETTER, "course-seven": LETTER,
}  # fmt: skip
WAITS_FOR = {  # days, the mail and the points of `then`, the mail of `else`
    "sent-offer": (3, NONE, 3, NONE), "course-five": (5, NONE, 0, LETTER),
    "waits-for-silence": (30, LETTER, 0, NONE), "waits-for-points": (10, NONE, 0, NONE),
    "waits-for-a-date": (10, OFFER, 0, NONE),
}  # fmt: skip
STEPS = (
    ("rung-20", 0, FIRST, "", *NONE, 0),
    ("rung-20", 0, "actions/1", "", *LETTER, 0),
    ("rung-50", 0, FIRST, "", *NONE, 0),
    ("rung-50", 0, "actions/1", "", *NONE, 0),
    ("rung-50", 2, "actions/2", "then", *NONE, 0),
    ("rung-50", 2, "actions/2/then/0", "", *OFFER, 0),
    ("rung-50", 100, "actions/2", "else", *NONE, 0),
    ("fallen", 0, FIRST, "", *NONE, 0),
    ("fallen", 0, "actions/1", "", *LETTER, 0),
    ("cart", 0, FIRST, "", *NONE, 0),
    ("cart", 1, "actions/1", "else", *NONE, 0),
    ("cart", 1, "actions/2", "", *OFFER, 0),
    ("cart", 100, "actions/1", "then", *NONE, 0),
    ("cart", 100, "actions/1/then/0", "", *NONE, 0),
    ("receipt", 0, FIRST, "", *NONE, 0),
    ("receipt", 0, "actions/1", "", *RECEIPT, 0),
    ("welcome", 0, FIRST, "", *LETTER, 0),
    ("welcome", 0, "actions/1", "", *NONE, 0),
    ("welcome", 2, "actions/2", "", *OFFER, 0),
    ("sure-of-it", 0, FIRST, "", *NONE, 0),
    ("sure-of-it", 0, "actions/1", "", *NONE, 0),
    ("half-of-them", 10, FIRST, "a", *NONE, 0),
    ("half-of-them", 10, "actions/0/split/0/actions/0", "", *NONE, 1),
    ("half-of-them", 11, FIRST, "b", *NONE, 0),
    ("half-of-them", 11, "actions/0/split/1/actions/0", "", *NONE, 2),
    *((name, 0, FIRST, "", *mail, points) for name, (mail, points) in AT_ONCE.items()),
    *((name, 0, FIRST, "", *NONE, 0) for name in AFTER_A_WAIT),
    *((name, 1, "actions/1", "", *mail, 0) for name, mail in AFTER_A_WAIT.items()),
    *((name, 10, FIRST, "then", *NONE, 0) for name in WAITS_FOR),
    *((name, 11, FIRST, "else", *NONE, 0) for name in WAITS_FOR),
    *((n, 10, "actions/0/then/0", "", *mail, p) for n, (_, mail, p, _) in WAITS_FOR.items()),
    ("course-five", 11, "actions/0/else/0", "", *LETTER, 0),
)
WAITS = (
    ("rung-50", 2, 3), ("cart", 1, 5), ("more-like-it", 1, 5), ("reader", 1, 5), ("welcome", 2, 2),
    ("pricing-and-wait", 1, 1), ("cart-and-exit", 1, 2), ("course-six", 1, 3),
    ("course-seven", 1, 3),
)  # fmt: skip
# (scenario, position, list)
LEAVES = (("rung-50", 0, "prospects"), ("fallen", 0, "leads"), ("left-the-news", 0, "prospects"),
          ("sure-of-it", 0, "prospects"))  # fmt: skip
JOINS = (
    ("rung-20", 0, "prospects"), ("rung-50", 0, "leads"), ("receipt", 0, "customers"),
    ("same-course-twice", 0, "prospects"), ("joined-the-news", 0, "prospects"),
    ("a-tenth", 0, "prospects"), ("software-people", 0, "leads"),
    ("spent-two-hundred", 0, "customers"), ("told-no", 0, "prospects"),
    ("course-five", 10, "leads"), ("waits-for-points", 10, "leads"), ("sure-of-it", 0, "leads"),
)  # fmt: skip

DUE = """INSERT INTO walkers SELECT id, contact_id, scenario, position, due_at, event_id,
        entered_at, own_at, held, CASE WHEN awaiting_since IS NOT NULL THEN came END
    FROM enrollments WHERE ended_at IS NULL AND due_at <= :now"""
LEFT = {  # who leaves instead of walking on
    "cart-and-exit": since_then("order_completed", "n.own_at"),
    "course-six": score("engagement", ">= 1200000").replace("c.contact_id", "n.contact_id"),
    "course-seven": inside("buyers", "n.contact_id"),
}
GO_ON = (
    *(
        statement
        for scenario, holds in LEFT.items()
        for statement in (
            f"UPDATE enrollments AS n SET {EXITED} WHERE id IN (SELECT id FROM walkers"
            f" WHERE scenario = '{scenario}') AND {holds}",
            f"DELETE FROM walkers WHERE scenario = '{scenario}' AND id IN ("
            "SELECT id FROM enrollments WHERE ended_at = :now)",
        )
    ),
    "UPDATE walkers SET position = 100 WHERE scenario = 'rung-50' AND position = 2"
    f" AND NOT {score('engagement', '>= 500000').replace('c.contact_id', 'walkers.contact_id')}",
    "UPDATE walkers SET position = 100 WHERE scenario = 'cart' AND position = 1 AND "
    + recently("order_completed", 5, "walkers.contact_id"),
    "UPDATE walkers SET position = 11 - came WHERE came IS NOT NULL",
    "UPDATE walkers SET position = iif("
    f"{drawn('scenario/half-of-them/actions/0', 500_000, 'walkers.contact_id')}, 10, 11)"
    " WHERE scenario = 'half-of-them'",
)
CHOOSE = """INSERT INTO swung SELECT DISTINCT contact_id, {joins} FROM walkers w
    WHERE scenario = '{scenario}' AND position = {position} AND {joins} <> {member}"""
POINTS = (
    LINE
    + """SELECT contact_id, 'engagement', scenario, 'scenario', id || '/' || step,
           points * 100000000, :now, :now, NULL, NULL, ''
    FROM walkers JOIN plan_of_step USING (scenario, position) WHERE points <> 0 AND NOT held""",
    LINE
    + """SELECT contact_id, 'engagement', scenario, 'reset', id || '/actions/0',
           -coalesce((SELECT raw FROM balances b WHERE b.contact_id = w.contact_id
                      AND b.score = 'engagement'), 0)
           - coalesce((SELECT sum(points) FROM ledger l WHERE l.contact_id = w.contact_id
                       AND l.score = 'engagement' AND l.id > :ledger), 0),
           :now, :now, NULL, NULL, '' FROM walkers w WHERE scenario = 'bounced'""",
)
GIVEN = (
    """INSERT INTO given SELECT contact_id, 'owner', '"ana@shop.example"', id FROM walkers
       WHERE scenario = 'fit-and-hot'""",
    """INSERT INTO given SELECT contact_id, 'owner', CASE row_number() OVER (ORDER BY id) % 2
           WHEN 1 THEN '"ana@shop.example"' ELSE '"luis@shop.example"' END, id
       FROM walkers WHERE scenario = 'answered'""",
    """INSERT INTO given SELECT w.contact_id, 'clicked', json_quote(e.subject), w.id
       FROM walkers w JOIN events e ON e.id = w.event_id WHERE scenario = 'sure-of-it'""",
    EVENT
    + """SELECT 'attribute_changed:' || g.name || ':' || g.cause, g.contact_id,
        'attribute_changed', g.name, NULL, NULL, 0, 0, :now, :now, :now, 0,
        json_object('attribute', g.name, 'from', json(a.value), 'to', json(g.value)),
        json_object('attribute', json_array(json_array(g.name)),
                    'from', json(coalesce(a.forms, '[]')),
                    'to', json_array(json_array(g.value ->> '$')))
        FROM given g LEFT JOIN attributes a ON a.contact_id = g.contact_id AND a.name = g.name
        WHERE a.value IS NOT g.value""",
    """INSERT INTO attributes (contact_id, name, element, value, set_at, forms, text)
       SELECT contact_id, name, 0, value, :now, json_array(json_array(value ->> '$')),
              value ->> '$' FROM given WHERE true
       ON CONFLICT DO UPDATE SET value = excluded.value, set_at = excluded.set_at,
            forms = excluded.forms, text = excluded.text""",
    "DELETE FROM given",
)


def consent(scenario: str, topic: str, granted: int) -> tuple[str, str]:
    """Statements: what a step says of consent, where that changes anything."""
    name = "subscribed" if granted else "unsubscribed"
    changes = f"""FROM walkers w LEFT JOIN consents k ON k.contact_id = w.contact_id
        AND k.topic = '{topic}' WHERE w.scenario = '{scenario}' AND k.granted IS NOT {granted}"""
    told = f"""SELECT '{name}:{topic}:' || w.id, w.contact_id, '{name}', '{topic}', '{topic}', NULL,
        0, 0, :now, :now, :now, 0, json_object('topic', '{topic}'),
        json_object('topic', json_array(json_array('{topic}'))) {changes}"""
    kept = f"""INSERT INTO consents (contact_id, topic, granted, at, source)
        SELECT w.contact_id, '{topic}', {granted}, :now, 'scenario/{scenario}#actions/0' {changes}
        ON CONFLICT DO UPDATE SET granted = excluded.granted, at = excluded.at"""
    return EVENT + told, kept


CONSENTS = (*consent("opens-the-door", "offers", 1), *consent("closes-the-door", "news", 0))

# --- messages -----------------------------------------------------------------------------------

MESSAGE = """INSERT INTO messages (key, kind, contact_id, enrollment_id, scenario, step, priority,
    place, template, topic, event_id, entered_at, queued_at, due_at, status, reason, next_at,
    attempts, sent_event, unless_late_by, recipients, payload) """
GRANTED = """coalesce((SELECT granted FROM consents k WHERE k.contact_id = w.contact_id
        AND k.topic = p.topic), (SELECT granted FROM consents k WHERE k.contact_id = w.contact_id
        AND k.topic = 'email'), 0)"""
HAD_IT = """w.scenario IN ('rung-80', 'left-hot') AND EXISTS (SELECT 1 FROM messages m
    WHERE m.contact_id = w.contact_id AND m.template = p.template
    AND m.status NOT IN ('withheld', 'failed') AND m.queued_at > :now - 30 * :day)"""
MAILS = (
    MESSAGE
    + f"""SELECT scenario || '.' || id || '.' || replace(step, '/', '-'), 'email', contact_id,
           id, scenario, step, 0, 0, template, topic, event_id, entered_at, :now, due_at,
           CASE WHEN refused IS NULL THEN 'queued' ELSE 'withheld' END, refused, :now, 0, 0,
           CASE scenario WHEN 'left-hot' THEN 2 * :day END, NULL, NULL
    FROM (SELECT w.*, p.step, p.template, p.topic, CASE
              WHEN (SELECT suppressed FROM contacts c WHERE c.id = w.contact_id) IS NOT NULL
              THEN 'suppressed'
              WHEN p.topic <> 'transactional' AND NOT {GRANTED} THEN 'no_consent'
              WHEN {HAD_IT} THEN 'once_per' END AS refused
          FROM walkers w JOIN plan_of_step p USING (scenario, position)
          WHERE p.template IS NOT NULL)"""
)
NOTICES = (
    MESSAGE
    + """SELECT scenario || '.' || id || '.actions-0', 'notify', contact_id, id, scenario,
           'actions/0', 0, 0, 'note', '', event_id, entered_at, :now, due_at,
           CASE WHEN owner IS NULL THEN 'withheld' ELSE 'queued' END,
           CASE WHEN owner IS NULL THEN 'no_owner' END, :now, 0, 0, NULL, json_array(owner), NULL
    FROM (SELECT w.*, (SELECT a.value ->> '$' FROM attributes a
                       WHERE a.contact_id = w.contact_id AND a.name = 'owner') AS owner
          FROM walkers w WHERE scenario = 'buying-signal')"""
)
WEBHOOKS = (
    MESSAGE
    + """SELECT w.scenario || '.' || w.id || '.actions-0', 'webhook', w.contact_id, w.id,
           w.scenario, 'actions/0', 0, 0, '', '', w.event_id, w.entered_at, :now, w.due_at,
           'queued', NULL, :now, 0, 0, NULL, NULL,
           json_object('url', 'https://crm.shop.example/leads', 'headers', json_object(),
                       'body', json_object('who', c.email))
    FROM walkers w JOIN contacts c ON c.id = w.contact_id WHERE scenario = 'told-the-crm'"""
)

# --- onwards ------------------------------------------------------------------------------------

ASKED_FOR = """INSERT INTO asked_for SELECT contact_id, 'enroll:' || id || '/actions/0', event_id
    FROM walkers WHERE scenario = 'step-to-step'"""
DONE = """INSERT INTO steps (enrollment_id, step, at, outcome) SELECT w.id, p.step, :now, p.outcome
    FROM walkers w JOIN plan_of_step p USING (scenario, position)"""
STANDING = "id IN (SELECT id FROM walkers WHERE scenario = :scenario AND position = 0)"
PAUSE = f"""UPDATE enrollments SET position = :position, due_at = :now + :days * :day
    WHERE {STANDING}"""
MONDAY = f"""UPDATE enrollments SET position = 1, due_at = (SELECT own_at FROM clock
        WHERE zone = 'monday ' || coalesce((SELECT a.value ->> '$' FROM attributes a
            WHERE a.contact_id = enrollments.contact_id AND a.name = 'timezone'),
            'Europe/Madrid')) WHERE {STANDING}"""
AWAIT = f"""UPDATE enrollments SET due_at = :now + :days * :day, awaiting_since = :now,
    awaiting_after = :upto, awaiting_until = :now + :days * :day WHERE {STANDING}"""
AWAY = "DELETE FROM walkers WHERE scenario = :scenario AND position = 0"
END = """UPDATE enrollments SET ended_at = :now, outcome = 'finished' WHERE id IN (
    SELECT id FROM walkers)"""
BOUGHT = """UPDATE enrollments SET outcome = 'exited', reason = 'bought' WHERE id IN (
    SELECT id FROM walkers WHERE scenario = 'cart' AND position = 100)"""
