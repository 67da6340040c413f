"""The statements of the hand-written tick: for the benchmark's project and no other."""

from __future__ import annotations

PREPARE = """
CREATE TEMP TABLE line AS SELECT * FROM inbox_file.inbox
    WHERE received_at <= :now AND seq NOT IN (SELECT seq FROM taken)
    ORDER BY own_at, received_at, message_id;
CREATE TEMP TABLE plan (contact_id, value, forms, text, own_at, message_id, received_at, was);
CREATE TEMP TABLE stirred (name, event_id, contact_id, PRIMARY KEY (name, event_id));
CREATE TEMP TABLE moved (contact_id PRIMARY KEY, looked, balance);
CREATE TEMP TABLE refitted (contact_id PRIMARY KEY);
CREATE TEMP TABLE swung (contact_id PRIMARY KEY, inside);
CREATE TEMP TABLE shifted (list, contact_id, inside);
CREATE TEMP TABLE occ (scenario, contact_id, own_at, key, event_id, refused);
CREATE TEMP TABLE walkers (id PRIMARY KEY, contact_id, scenario, position, due_at, event_id,
                           entered_at);
CREATE TEMP TABLE plan_of_step (scenario, position, step, template, topic);
CREATE TEMP TABLE rule_of_entry (scenario PRIMARY KEY, definition_id, mode, after);
"""
EVENT = """INSERT INTO events (message_id, contact_id, name, subject, topic, mail_key, machine,
    behaviour, own_at, received_at, seen_at, historical, properties, forms) """
LINE = """INSERT INTO ledger (contact_id, score, rule, kind, key, points, own_at, tick_at, event_id,
    definition_id, reason) """

INTAKE = (
    """INSERT INTO contacts (email, email_folded, known, created_at, draw_a, draw_b)
       SELECT min(email), email_folded, 1, min(own_at), draw(email_folded, 0), draw(email_folded, 1)
       FROM line WHERE email_folded NOT IN
            (SELECT value FROM identities WHERE kind = 'email' AND value = line.email_folded)
       GROUP BY email_folded ORDER BY min(own_at)""",
    """INSERT INTO identities SELECT 'email', email_folded, id FROM contacts
       WHERE id > :last_contact""",
    EVENT + """SELECT 'contact_created:email:' || email_folded, id, 'contact_created', NULL, NULL,
              NULL, 0, 0, created_at, created_at, :now, 0, '{}', '{}'
       FROM contacts WHERE id > :last_contact""",
    """INSERT INTO plan SELECT contact_id, value, forms, text, own_at, message_id, received_at, NULL
       FROM (SELECT who.contact_id, t.value -> '$[1]' AS value, t.value -> '$[2]' AS forms,
                    t.value ->> '$[2][0][0]' AS text, l.own_at, l.message_id, l.received_at
             FROM line l CROSS JOIN identities who CROSS JOIN json_each(l.traits) t
             WHERE l.kind = 'identify' AND who.kind = 'email' AND who.value = l.email_folded)""",
    EVENT + """SELECT p.message_id || ':plan', p.contact_id, 'attribute_changed', 'plan', NULL,
              NULL, 0, 0, p.own_at, p.received_at, :now, 0,
              json_object('attribute', 'plan', 'from', json(a.value), 'to', json(p.value)),
              json_object('attribute', json('[["plan"]]'), 'from', json(a.forms), 'to',
                          json(p.forms))
       FROM plan p CROSS JOIN attributes a WHERE a.contact_id = p.contact_id AND a.name = 'plan'
         AND a.text <> p.text""",
    """INSERT INTO attributes (contact_id, name, element, value, set_at, forms, text)
       SELECT contact_id, 'plan', 0, value, own_at, forms, text FROM plan WHERE true
       ORDER BY own_at ON CONFLICT DO UPDATE SET value = excluded.value, set_at = excluded.set_at,
            forms = excluded.forms, text = excluded.text""",
    """INSERT INTO calls (message_id, kind, own_at, received_at, seen_at)
       SELECT message_id, kind, own_at, received_at, :now FROM line WHERE kind = 'identify'""",
    EVENT + """SELECT l.message_id, who.contact_id, l.name, l.subject, l.topic, l.mail_key,
              l.machine, l.behaviour, l.own_at, l.received_at, :now, 0, l.properties, l.forms
       FROM line l CROSS JOIN identities who
       WHERE l.kind = 'track' AND who.kind = 'email' AND who.value = l.email_folded
       ON CONFLICT DO NOTHING""",
)  # fmt: skip

STIRRED = """INSERT INTO stirred SELECT name, id, contact_id FROM events WHERE id > :seen"""
FRESH = "stirred s CROSS JOIN events e WHERE e.id = s.event_id"

# --- points -------------------------------------------------------------------------------------

ENGAGEMENT = "(SELECT id FROM definitions WHERE kind = 'score' AND name = 'engagement')"
PLAIN = (
    LINE
    + f"""
    SELECT contact_id, 'engagement', rule, 'rule', message_id, worth * 100000000, own_at, :now, id,
           {ENGAGEMENT}, ''
    FROM (SELECT e.*, CASE s.name
              WHEN 'page_viewed' THEN CASE WHEN e.subject LIKE '/courses/%' THEN 'course'
                                           WHEN e.subject = '/pricing' THEN 'pricing' END
              WHEN 'email_opened' THEN CASE WHEN NOT e.machine THEN 'opened' END
              WHEN 'email_clicked' THEN CASE WHEN NOT e.machine THEN 'clicked' END
              WHEN 'product_added' THEN 'cart'
              ELSE CASE WHEN e.forms ->> '$.total[0][1]' >= 50 THEN 'order' END END AS rule,
              CASE s.name WHEN 'page_viewed' THEN CASE WHEN e.subject = '/pricing' THEN 5 ELSE 3 END
              WHEN 'email_opened' THEN 1 WHEN 'email_clicked' THEN 3 WHEN 'product_added' THEN 10
              ELSE 20 END AS worth
          FROM {FRESH} AND s.name IN ('page_viewed', 'email_opened', 'email_clicked',
                                      'product_added', 'order_completed'))
    WHERE rule IS NOT NULL ON CONFLICT DO NOTHING"""
)
ARTICLE = (
    LINE
    + f"""
    SELECT contact_id, 'engagement', 'article', 'rule', message_id, 100000000, own_at, :now, id,
           {ENGAGEMENT}, ''
    FROM (SELECT e.id, e.contact_id, e.message_id, e.own_at, count(*) OVER (
              PARTITION BY e.contact_id ORDER BY e.own_at
              RANGE BETWEEN 86399999999 PRECEDING AND CURRENT ROW) AS place
          FROM {FRESH} AND s.name = 'page_viewed' AND e.subject LIKE '/articles/%') n
    WHERE place + (SELECT count(*) FROM ledger l WHERE l.contact_id = n.contact_id
                   AND l.score = 'engagement' AND l.rule = 'article'
                   AND l.own_at > n.own_at - :day AND l.own_at <= n.own_at) <= 4
    ON CONFLICT DO NOTHING"""
)
NOT_OPENED = """NOT EXISTS (SELECT 1 FROM events a WHERE a.contact_id = m.contact_id
    AND a.name = 'email_opened' AND NOT a.machine AND a.own_at > m.own_at
    AND a.own_at <= m.own_at + {days} * :day
    AND CASE WHEN a.mail_key IS NULL OR m.mail_key IS NULL THEN a.subject = m.subject
             ELSE a.mail_key = m.mail_key END)"""
DUE = "m.own_at > :prev - {days} * :day AND m.own_at <= :now - {days} * :day"
UNOPENED = (
    LINE
    + f"""
    SELECT contact_id, 'engagement', 'unopened', 'rule', message_id || '@' || (own_at + 3 * :day),
           -500000000, own_at + 3 * :day, :now, id, {ENGAGEMENT}, ''
    FROM events m WHERE name = 'email_sent' AND {DUE.format(days=3)}
      AND {NOT_OPENED.format(days=3)} ON CONFLICT DO NOTHING"""
)
EVER = "EXISTS (SELECT 1 FROM events h WHERE h.contact_id = {who} AND h.name = '{name}'{more})"
WITHIN = " AND h.own_at > :now - {days} * :day AND h.own_at <= :now"


def recently(name: str, days: int, who: str = "c.contact_id", more: str = "") -> str:
    """Whether a contact did it within so many days."""
    return EVER.format(who=who, name=name, more=WITHIN.format(days=days) + more)


def aged(name: str, days: int, more: str = "") -> str:
    """Contacts for whom such an event left the window in this tick."""
    return (
        f"SELECT contact_id FROM events WHERE name = '{name}' AND own_at > :prev - {days} * :day"
        f" AND own_at <= :now - {days} * :day{more}"
    )


def stirred_by(*names: str) -> str:
    """Contacts with such an event that is new in this round."""
    listed = ", ".join(f"'{name}'" for name in names)
    return f"SELECT contact_id FROM stirred WHERE name IN ({listed})"


BUYING = (
    LINE
    + f"""
    SELECT contact_id, 'fit', 'buying', 'when', :now || '/' || :round,
           CASE WHEN holds THEN 1500000000 ELSE -1500000000 END, :now, :now, NULL,
           (SELECT id FROM definitions WHERE kind = 'score' AND name = 'fit'), ''
    FROM (SELECT contact_id, {recently("order_completed", 90)} AS holds,
                 (SELECT coalesce(sum(points), 0) <> 0 FROM ledger l
                  WHERE l.contact_id = c.contact_id AND l.score = 'fit'
                    AND l.rule = 'buying') AS was
          FROM ({stirred_by("order_completed")} UNION {aged("order_completed", 90)}) c)
    WHERE holds <> was"""
)
MOVED = """INSERT INTO moved SELECT contact_id, coalesce((SELECT looked FROM balances b
        WHERE b.contact_id = l.contact_id AND b.score = 'engagement'), 0), 0
    FROM ledger l WHERE id > :ledger AND +score = 'engagement' GROUP BY +contact_id
    ON CONFLICT DO NOTHING"""
BALANCE = """INSERT INTO balances (contact_id, score, raw, balance, looked)
    SELECT contact_id, score, sum(points),
           CASE score WHEN 'engagement' THEN min(2000000, max(-2000000, sum(points) / 10000))
                ELSE sum(points) / 10000 END, 0
    FROM ledger WHERE id > :ledger GROUP BY +contact_id, score
    ON CONFLICT DO UPDATE SET raw = raw + excluded.raw,
        balance = CASE excluded.score WHEN 'engagement'
            THEN min(2000000, max(-2000000, (raw + excluded.raw) / 10000))
            ELSE (raw + excluded.raw) / 10000 END"""
MOVED_TO = """UPDATE moved SET balance = (SELECT balance FROM balances b
    WHERE b.contact_id = moved.contact_id AND b.score = 'engagement')"""
REFITTED = """INSERT INTO refitted SELECT +contact_id FROM ledger WHERE id > :ledger
    AND +score = 'fit' ON CONFLICT DO NOTHING"""

# --- lists --------------------------------------------------------------------------------------

MEMBER = "EXISTS (SELECT 1 FROM members i WHERE i.contact_id = {who} AND i.list = '{name}'" \
    " AND i.left_at IS NULL)"  # fmt: skip


def inside(name: str, who: str = "c.contact_id") -> str:
    """Whether a contact is in the list."""
    return MEMBER.format(who=who, name=name)


def score(name: str, test: str) -> str:
    """A balance held against a number, in 10⁻⁴ points."""
    found = "(SELECT balance FROM balances b WHERE b.contact_id = c.contact_id AND b.score = "
    return f"coalesce({found}'{name}'), 0) {test}"


def often(name: str) -> str:
    """Three such events in a month."""
    return (
        f"(SELECT count(*) FROM events h WHERE h.contact_id = c.contact_id AND h.name = '{name}'"
        f"{WITHIN.format(days=30)}) >= 3"
    )


BEHAVED = "SELECT s.contact_id FROM " + FRESH + " AND e.behaviour = 1"
SLEPT = "SELECT contact_id FROM events WHERE behaviour = 1 AND own_at > :prev - 60 * :day" \
    " AND own_at <= :now - 60 * :day"  # fmt: skip
NO_BEHAVIOUR = "NOT EXISTS (SELECT 1 FROM events e WHERE e.contact_id = c.contact_id AND" \
    " e.behaviour = 1 AND e.own_at > :now - 60 * :day AND e.own_at <= :now)"  # fmt: skip
GRANTED = "coalesce((SELECT granted FROM consents k WHERE k.contact_id = {who} AND k.topic =" \
    " '{topic}'), (SELECT granted FROM consents k WHERE k.contact_id = {who} AND k.topic =" \
    " 'email'), 0)"  # fmt: skip
OF_PRICES = " AND subject = '/pricing'"
OF_MOVED = "SELECT contact_id FROM moved"
LISTS = {
    "hot": (OF_MOVED, score("engagement", ">= 800000")),
    "warm": (OF_MOVED, score("engagement", "BETWEEN 500000 AND 799999")),
    "buyers": (stirred_by("order_completed"), EVER.format(
        who="c.contact_id", name="order_completed", more="")),
    "price-lookers": (
        f"{stirred_by('page_viewed')} UNION {aged('page_viewed', 14, OF_PRICES)}",
        recently("page_viewed", 14, more=" AND h.subject = '/pricing'")),
    "faithful": (f"{stirred_by('email_opened')} UNION {aged('email_opened', 30)}",
                 often("email_opened")),
    "not-listening": (
        f"{stirred_by('email_sent', 'email_opened')} UNION {aged('email_sent', 30)}"
        f" UNION {aged('email_opened', 30)}",
        f"{often('email_sent')} AND NOT {recently('email_opened', 30)}"),
    "hot-and-fit": (
        f"{OF_MOVED} UNION SELECT contact_id FROM refitted"
        " UNION SELECT contact_id FROM shifted WHERE list = 'buyers'",
        f"{score('engagement', '>= 500000')} AND {score('fit', '>= 200000')}"
        f" AND NOT {inside('buyers')}"),
    "asleep": (f"{BEHAVED} UNION {SLEPT}",
               f"{NO_BEHAVIOUR} AND {GRANTED.format(who='c.contact_id', topic='news')}"
               " AND (SELECT created_at FROM contacts p WHERE p.id = c.contact_id)"
               " <= :now - 60 * :day"),
    "cart-left": (
        f"{stirred_by('product_added', 'order_completed')} UNION {aged('product_added', 7)}"
        f" UNION {aged('order_completed', 7)}",
        f"{recently('product_added', 7)} AND NOT {recently('order_completed', 7)}"),
}  # fmt: skip


def ask_list(name: str) -> str:
    """Statement: those whose answer is another than before."""
    who, condition = LISTS[name]
    return (
        f"INSERT INTO swung SELECT contact_id, holds FROM (SELECT contact_id, {condition} AS holds,"
        f" {inside(name)} AS was FROM ({who}) c GROUP BY contact_id) WHERE holds <> was"
    )


MOVES = (
    """INSERT INTO members (contact_id, list, joined_at, cause)
       SELECT contact_id, :list, :now, :cause FROM swung WHERE inside""",
    """UPDATE members SET left_at = :now WHERE list = :list AND left_at IS NULL
       AND contact_id IN (SELECT contact_id FROM swung WHERE NOT inside)""",
    EVENT
    + """SELECT CASE WHEN inside THEN 'list_joined:' ELSE 'list_left:' END || :list || ':' ||
              contact_id || ':' || :place, contact_id,
              CASE WHEN inside THEN 'list_joined' ELSE 'list_left' END, :list, NULL, NULL, 0, 0,
              :now, :now, :now, 0, json_object('list', :list),
              json_object('list', json_array(json_array(:list))) FROM swung""",
    "INSERT INTO shifted SELECT :list, contact_id, inside FROM swung",
    "DELETE FROM swung",
)

# --- who enters ---------------------------------------------------------------------------------

ENTRIES = {  # scenario: (mode, days), as its `reenroll` says
    "rung-20": ("never", 0), "rung-50": ("every", 0), "rung-80": ("after", 30),
    "fallen": ("after", 30), "fit-and-hot": ("never", 0), "no-longer-looking": ("every", 0),
    "three-times-1": ("after", 90), "three-times-2": ("after", 90), "three-times-3": ("after", 90),
    "cart": ("finished", 0), "receipt": ("every", 0), "more-like-it": ("never", 0),
    "clicked-offer": ("every", 0), "quiet-month": ("after", 90), "no-order": ("after", 14),
    "not-opened": ("every", 0), "reader": ("after", 30), "welcome": ("never", 0),
    "new-plan": ("every", 0),
}  # fmt: skip


def at_event(scenario: str, name: str, more: str = "", refused: str = "NULL") -> str:
    """Statement: an occurrence for each new event."""
    return (
        f"INSERT INTO occ SELECT '{scenario}', e.contact_id, e.own_at, e.message_id, e.id,"
        f" {refused} FROM {FRESH} AND s.name = '{name}'{more}"
    )


def at_crossing(scenario: str, line: int, down: bool = False, refused: str = "NULL") -> str:
    """Statement: an occurrence for each balance that crossed the line."""
    crossed = (
        f"looked > {line} AND balance <= {line}"
        if down
        else f"looked < {line} AND balance >= {line}"
    )
    return (
        f"INSERT INTO occ SELECT '{scenario}', contact_id, :now, 'engagement {line} @' || :now ||"
        f" '/' || :round, NULL, {refused} FROM moved c WHERE {crossed}"
    )


def at_third_visit(number: int) -> str:
    """Statement: the third visit of a course page in a fortnight, counted since the last time."""
    visited = f"AND e.subject = '/courses/{number}'"
    return f"""INSERT INTO occ
        SELECT 'three-times-{number}', contact_id, own_at, message_id, id, NULL
        FROM (SELECT e.* FROM {FRESH} AND s.name = 'page_viewed' {visited}) c
        WHERE (SELECT count(*) FROM events e WHERE e.contact_id = c.contact_id
               AND e.name = 'page_viewed' {visited} AND e.own_at > c.own_at - 14 * :day
               AND e.own_at <= c.own_at AND e.own_at > coalesce((SELECT m.own_at FROM marks m
                    WHERE m.trigger = 'hand/{number}' AND m.contact_id = c.contact_id), 0)) >= 3"""


NO_CONSENT = "CASE WHEN NOT " + GRANTED.format(who="c.contact_id", topic="offers") + \
    " THEN 'conditions' END"  # fmt: skip
STILL_BUYER = f"CASE WHEN {inside('buyers', 'e.contact_id')} THEN 'conditions' END"
NEVER_OPENED = f"CASE WHEN NOT {recently('email_opened', 30, 'e.contact_id')} THEN 'conditions' END"
QUIET = f"""INSERT INTO occ SELECT DISTINCT 'quiet-month', contact_id, own_at + 30 * :day,
        'quiet@' || (own_at + 30 * :day), NULL,
        CASE WHEN NOT {inside("buyers", "m.contact_id")} THEN 'conditions' END
    FROM events m WHERE behaviour = 1 AND {DUE.format(days=30)} AND NOT EXISTS (
        SELECT 1 FROM events e WHERE e.contact_id = m.contact_id AND e.behaviour = 1
        AND e.own_at > m.own_at AND e.own_at <= m.own_at + 30 * :day)"""
NO_ORDER = f"""INSERT INTO occ SELECT 'no-order', contact_id, own_at + 3 * :day,
        message_id || '@' || (own_at + 3 * :day), id, NULL
    FROM events m WHERE name = 'product_added' AND {DUE.format(days=3)} AND NOT EXISTS (
        SELECT 1 FROM events e WHERE e.contact_id = m.contact_id AND e.name = 'order_completed'
        AND e.own_at > m.own_at AND e.own_at <= m.own_at + 3 * :day)"""
LETTER_SHUT = f"""INSERT INTO occ SELECT 'not-opened', contact_id, own_at + 5 * :day,
        message_id || '@' || (own_at + 5 * :day), id, NULL
    FROM events m WHERE name = 'email_sent' AND subject = 'letter' AND {DUE.format(days=5)}
      AND {NOT_OPENED.format(days=5)}"""
BY_CLOCK = (QUIET, NO_ORDER, LETTER_SHUT)
OCCURRENCES = (
    at_crossing("rung-20", 200_000),
    at_crossing("rung-50", 500_000),
    at_crossing("rung-80", 800_000, refused=NO_CONSENT),
    at_crossing("fallen", -100_000, down=True),
    at_event("fit-and-hot", "list_joined", " AND e.subject = 'hot-and-fit'"),
    at_event("no-longer-looking", "list_left", " AND e.subject = 'price-lookers'", STILL_BUYER),
    *(at_third_visit(number) for number in (1, 2, 3)),
    """INSERT INTO marks SELECT 'hand/' || substr(scenario, 13), contact_id, '', max(own_at), 0, ''
       FROM occ WHERE scenario LIKE 'three-times-%' GROUP BY 1, 2
       ON CONFLICT DO UPDATE SET own_at = excluded.own_at""",
    at_event("cart", "product_added"),
    at_event("receipt", "order_completed"),
    at_event("more-like-it", "order_completed",
             " AND EXISTS (SELECT 1 FROM json_each(e.forms, '$.\"products.sku\"') f"
             " WHERE f.value ->> '$[0]' = 'photo')", NEVER_OPENED),
    at_event("clicked-offer", "email_clicked", " AND e.subject = 'offer' AND NOT e.machine"),
    at_event("reader", "email_opened", " AND e.subject = 'letter' AND NOT e.machine"),
    at_event("welcome", "contact_created"),
    at_event("new-plan", "attribute_changed",
             " AND e.subject = 'plan' AND e.forms ->> '$.to[0][0]' = 'pro'"),
)  # fmt: skip
GATE = (
    """UPDATE occ SET refused = 'reenroll' WHERE refused IS NULL AND EXISTS (
        SELECT 1 FROM rule_of_entry r CROSS JOIN enrollments n WHERE r.scenario = occ.scenario
        AND n.contact_id = occ.contact_id AND n.scenario = occ.scenario
        AND (r.mode = 'never' OR r.mode <> 'every' AND n.ended_at IS NULL
             OR r.mode = 'after' AND n.entered_at > :now - r.after * :day))""",
    """INSERT INTO enrollments (contact_id, scenario, definition_id, key, own_at, event_id,
                                entered_at, position, due_at, reason)
       SELECT contact_id, scenario, definition_id, key, own_at, event_id, :now, 0, :now, ''
       FROM (SELECT o.*, r.mode, r.definition_id, row_number() OVER (
                 PARTITION BY o.scenario, contact_id ORDER BY own_at, key) AS place
             FROM occ o JOIN rule_of_entry r USING (scenario) WHERE refused IS NULL)
       WHERE place = 1 OR mode = 'every' ON CONFLICT DO NOTHING""",
    """INSERT INTO decisions (contact_id, scenario, definition_id, key, at, own_at, event_id,
                              reason, detail)
       SELECT contact_id, scenario, r.definition_id, key, :now, own_at, event_id,
              coalesce(refused, 'reenroll'), '{}'
       FROM occ o JOIN rule_of_entry r USING (scenario)
       WHERE refused IS NOT NULL OR mode <> 'every' AND NOT EXISTS (
            SELECT 1 FROM enrollments n WHERE n.scenario = o.scenario
            AND n.contact_id = o.contact_id AND n.key = o.key) ON CONFLICT DO NOTHING""",
    "DELETE FROM occ",
    "UPDATE balances SET looked = balance WHERE contact_id IN (SELECT contact_id FROM moved)"
    " AND looked <> balance",
    "DELETE FROM moved",
    "DELETE FROM shifted",
    "DELETE FROM refitted",
)
