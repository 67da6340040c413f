"""The statements of the hand-written tick: for the benchmark's project and no other."""

from __future__ import annotations

PREPARE = """
CREATE TEMP TABLE line AS SELECT * FROM inbox_file.inbox
    WHERE received_at <= :now AND seq NOT IN (SELECT seq FROM taken)
    ORDER BY own_at, received_at, message_id;
CREATE TEMP TABLE told (contact_id, name, value, forms, own_at, message_id, received_at);
CREATE TEMP TABLE stirred (name, event_id, contact_id, PRIMARY KEY (name, event_id));
CREATE TEMP TABLE moved (contact_id PRIMARY KEY, looked, balance);
CREATE TEMP TABLE refitted (contact_id PRIMARY KEY);
CREATE TEMP TABLE swung (contact_id PRIMARY KEY, inside);
CREATE TEMP TABLE shifted (list, contact_id, inside);
CREATE TEMP TABLE occ (scenario, contact_id, own_at, key, event_id, refused);
CREATE TEMP TABLE walkers (id PRIMARY KEY, contact_id, scenario, position, due_at, event_id,
                           entered_at, own_at, held, came);
CREATE INDEX temp.walkers_at ON walkers (scenario, position);
CREATE TEMP TABLE plan_of_step (scenario, position, step, outcome, template, topic, points);
CREATE TEMP TABLE rule_of_entry (scenario PRIMARY KEY, definition_id, mode, after, goal);
CREATE TEMP TABLE clock (zone, own_at, day);
CREATE TEMP TABLE given (contact_id, name, value, cause);
CREATE TEMP TABLE asked_for (contact_id, key, event_id);
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
    """INSERT INTO told
       SELECT who.contact_id, t.value ->> '$[0]', t.value -> '$[1]', t.value -> '$[2]', l.own_at,
              l.message_id, l.received_at
       FROM line l CROSS JOIN identities who CROSS JOIN json_each(l.traits) t
       WHERE l.kind = 'identify' AND who.kind = 'email' AND who.value = l.email_folded""",
    EVENT + """SELECT t.message_id || ':' || t.name, t.contact_id, 'attribute_changed', t.name,
              NULL, NULL, 0, 0, t.own_at, t.received_at, :now, 0,
              json_object('attribute', t.name, 'from', json(a.value), 'to', json(t.value)),
              json_object('attribute', json_array(json_array(t.name)),
                          'from', json(coalesce(a.forms, '[]')), 'to', json(t.forms))
       FROM told t LEFT JOIN attributes a ON a.contact_id = t.contact_id AND a.name = t.name
       WHERE t.contact_id <= :last_contact AND a.text IS NOT t.forms ->> '$[0][0]'""",
    """INSERT INTO attributes (contact_id, name, element, value, set_at, forms, text, local)
       SELECT contact_id, name, 0, value, own_at, forms, forms ->> '$[0][0]', forms ->> '$[0][3]'
       FROM told WHERE true
       ORDER BY own_at ON CONFLICT DO UPDATE SET value = excluded.value, set_at = excluded.set_at,
            forms = excluded.forms, text = excluded.text, local = excluded.local""",
    """INSERT INTO calls (message_id, kind, own_at, received_at, seen_at)
       SELECT message_id, iif(kind = 'track', name, kind), own_at, received_at, :now
       FROM line WHERE kind = 'identify' OR consents IS NOT NULL""",
    EVENT + """SELECT l.message_id, who.contact_id, l.name, c.value ->> '$[0]', c.value ->> '$[0]',
              NULL, 0, 0, l.own_at, l.received_at, :now, 0, l.properties, l.forms
       FROM line l CROSS JOIN identities who CROSS JOIN json_each(l.consents) c
       LEFT JOIN consents k ON k.contact_id = who.contact_id AND k.topic = c.value ->> '$[0]'
       WHERE l.consents IS NOT NULL AND who.kind = 'email' AND who.value = l.email_folded
         AND k.granted IS NOT (c.value ->> '$[1]')""",
    """INSERT INTO consents (contact_id, topic, granted, at, source)
       SELECT who.contact_id, c.value ->> '$[0]', c.value ->> '$[1]', l.own_at, l.source
       FROM line l CROSS JOIN identities who CROSS JOIN json_each(l.consents) c
       WHERE l.consents IS NOT NULL AND who.kind = 'email' AND who.value = l.email_folded
       ON CONFLICT DO UPDATE SET granted = excluded.granted, at = excluded.at,
            source = excluded.source""",
    EVENT + """SELECT l.message_id, who.contact_id, l.name, l.subject, l.topic, l.mail_key,
              l.machine, l.behaviour, l.own_at, l.received_at, :now, 0, l.properties, l.forms
       FROM line l CROSS JOIN identities who
       WHERE l.kind = 'track' AND l.consents IS NULL AND who.kind = 'email'
         AND who.value = l.email_folded
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


HUMAN = " AND NOT h.machine"


def often(name: str) -> str:
    """Three such events in a month, of people."""
    return (
        f"(SELECT count(*) FROM events h WHERE h.contact_id = c.contact_id AND h.name = '{name}'"
        f"{WITHIN.format(days=30)}{HUMAN}) >= 3"
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
        f"{often('email_sent')} AND NOT {recently('email_opened', 30, more=HUMAN)}"),
    "hot-and-fit": (
        f"{OF_MOVED} UNION SELECT contact_id FROM refitted"
        " UNION SELECT contact_id FROM shifted WHERE list = 'buyers'",
        f"{score('engagement', '>= 500000')} AND {score('fit', '>= 200000')}"
        f" AND NOT {inside('buyers')}"),
    "asleep": (f"{BEHAVED} UNION {SLEPT} UNION {stirred_by('subscribed', 'unsubscribed')}",
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
