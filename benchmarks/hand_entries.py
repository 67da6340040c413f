"""The hand-written tick, who enters: the occurrences of each scenario, and its gates."""

from __future__ import annotations

from hand_words import (
    DUE,
    EVER,
    FRESH,
    GRANTED,
    HUMAN,
    NOT_OPENED,
    inside,
    recently,
    score,
)
from sqlalchemy import literal_column

from flowscore.rules.shares import limit, lot

ENTRIES = {  # scenario: what `reenroll` says, with its days; and the days of its goal
    "rung-20": ("never", 0), "rung-50": ("every", 0), "rung-80": ("after", 30),
    "fallen": ("after", 30), "fit-and-hot": ("never", 0), "no-longer-looking": ("every", 0),
    "three-times-1": ("after", 90), "three-times-2": ("after", 90), "three-times-3": ("after", 90),
    "cart": ("finished", 0), "receipt": ("every", 0), "more-like-it": ("never", 0),
    "clicked-offer": ("every", 0), "quiet-month": ("after", 90), "no-order": ("after", 14),
    "not-opened": ("every", 0), "reader": ("after", 30), "welcome": ("never", 0),
    "new-plan": ("every", 0), "buying-signal": ("after", 30), "basket-of-hundred": ("after", 30),
    "same-course-twice": ("after", 30), "cart-by-cart": ("every", 0), "renewal": ("every", 0),
    "birthday": ("every", 0), "one-hour-before": ("every", 0), "joined-the-news": ("every", 0),
    "left-the-news": ("every", 0), "not-clicked": ("every", 0), "answered": ("every", 0),
    "bounced": ("every", 0), "sent-offer": ("after", 7), "pricing-and-wait": ("finished", 0, 14),
    "cart-and-exit": ("finished", 0), "half-of-them": ("after", 30),
    "on-monday-morning": ("after", 30), "told-the-crm": ("every", 0), "a-tenth": ("after", 30),
    "big-orders": ("every", 0), "software-people": ("after", 30), "spent-two-hundred": ("every", 0),
    "back-after-a-pause": ("after", 60), "letter-readers": ("after", 30),
    "machines-too": ("after", 30), "told-no": ("after", 30), "step-to-step": ("never", 0),
    "by-hand": ("after", 30), "opens-the-door": ("every", 0), "closes-the-door": ("after", 90),
    "course-five": ("after", 30, 10), "course-six": ("after", 30), "course-seven": ("after", 30),
    "waits-for-silence": ("finished", 0), "waits-for-points": ("finished", 0),
    "waits-for-a-date": ("finished", 0), "left-hot": ("every", 0), "sure-of-it": ("after", 30),
}  # fmt: skip


def at_event(scenario: str, name: str, more: str = "", passes: str = "") -> str:
    """Statement: an occurrence for each new event; refused where it does not pass."""
    refused = f"CASE WHEN NOT coalesce({passes}, 0) THEN 'conditions' END" if passes else "NULL"
    return (
        f"INSERT INTO occ SELECT '{scenario}', e.contact_id, e.own_at, e.message_id, e.id,"
        f" {refused} FROM {FRESH} AND s.name = '{name}'{more}"
    )


def at_page(scenario: str, path: str, passes: str = "") -> str:
    """Statement: the same for a visit of one page."""
    return at_event(scenario, "page_viewed", f" AND e.subject = '{path}'", passes)


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


def at_count(scenario: str, name: str, days: int, such: str, enough: str, same: str = "") -> str:
    """Statement: the event that completes a count over so many days since the last time.

    `such` says which events count (of `e`), `enough` when they are enough (an aggregate).
    """
    alike = f" AND e.{same} = c.{same}" if same else ""
    mark = f" AND m.same = c.{same}" if same else ""
    return f"""INSERT INTO occ
        SELECT '{scenario}', contact_id, own_at, message_id, id, NULL
        FROM (SELECT e.* FROM {FRESH} AND s.name = '{name}' {such}) c
        WHERE (SELECT {enough} FROM events e WHERE e.contact_id = c.contact_id
               AND e.name = '{name}' {such}{alike} AND e.own_at > c.own_at - {days} * :day
               AND e.own_at <= c.own_at AND e.own_at > coalesce((SELECT m.own_at FROM marks m
                    WHERE m.trigger = '{scenario}' AND m.contact_id = c.contact_id{mark}), 0))"""


def at_silence(scenario: str, anchor: str, span: str, unbroken: str) -> str:
    """Statement: so long after an event, when nothing broke the silence."""
    return f"""INSERT INTO occ SELECT '{scenario}', contact_id, own_at + {span},
        message_id || '@' || (own_at + {span}), id, NULL
    FROM events m WHERE {anchor} AND m.own_at > :prev - {span} AND m.own_at <= :now - {span}
      AND {unbroken}"""


def drawn(place: str, share: int, who: str) -> str:
    """Whether a contact's lot at a place lies in the share, in millionths."""
    found = lot(place, literal_column("p.draw_a"), literal_column("p.draw_b")) < limit(share)
    test = found.compile(compile_kwargs={"literal_binds": True})
    return f"EXISTS (SELECT 1 FROM contacts p WHERE p.id = {who} AND {test})"


def came_to(total: int) -> str:
    """Whether the enrolling order came to so much."""
    return f"e.forms ->> '$.total[0][1]' >= {total}"


# --- the conditions -----------------------------------------------------------------------------

NO_CONSENT = "CASE WHEN NOT " + GRANTED.format(who="c.contact_id", topic="offers") + \
    " THEN 'conditions' END"  # fmt: skip
PHOTO = " AND EXISTS (SELECT 1 FROM json_each(e.forms, '$.\"products.sku\"') f" \
    " WHERE f.value ->> '$[0]' = 'photo')"  # fmt: skip
SPENT = """(SELECT sum(h.forms ->> '$.total[0][1]') FROM events h WHERE h.contact_id = e.contact_id
    AND h.name = 'order_completed' AND h.own_at > :now - 90 * :day AND h.own_at <= :now) >= 200"""
AWAY = """NOT EXISTS (SELECT 1 FROM events h WHERE h.contact_id = e.contact_id
    AND h.name = 'page_viewed' AND h.own_at > :now - 30 * :day AND h.own_at <= :now - :day)"""
OF_COMPANY = """EXISTS (SELECT 1 FROM contacts p CROSS JOIN company_attributes i
    CROSS JOIN company_attributes n WHERE p.id = e.contact_id AND i.company_id = p.company_id
    AND i.name = 'industry' AND i.text = 'software' AND n.company_id = p.company_id
    AND n.name = 'employees' AND n.number >= 50)"""
# The newest such mail sent three days ago or earlier got no such answer within three days.
IGNORED = """coalesce((SELECT NOT EXISTS (SELECT 1 FROM events a WHERE a.contact_id = m.contact_id
        AND a.name = '{answer}' AND NOT a.machine AND a.own_at > m.own_at
        AND a.own_at <= m.own_at + 3 * :day AND a.subject = m.subject)
    FROM events m WHERE m.contact_id = e.contact_id AND m.name = 'email_sent'
      AND m.subject = '{template}' AND m.own_at <= :now - 3 * :day
    ORDER BY m.own_at DESC LIMIT 1), 0)"""
RENEWS_SOON = """EXISTS (SELECT 1 FROM attributes a WHERE a.contact_id = e.contact_id
    AND a.name = 'renewal_on' AND a.local > :now AND a.local <= :now + 30 * :day)"""
NO_NEWS = "NOT " + GRANTED.format(who="e.contact_id", topic="news")
NOT_CLICKED = NOT_OPENED.format(days=5).replace("email_opened", "email_clicked")

# --- what occurs --------------------------------------------------------------------------------

QUIET = f"""INSERT INTO occ SELECT DISTINCT 'quiet-month', contact_id, own_at + 30 * :day,
        'quiet@' || (own_at + 30 * :day), NULL,
        CASE WHEN NOT {inside("buyers", "m.contact_id")} THEN 'conditions' END
    FROM events m WHERE behaviour = 1 AND {DUE.format(days=30)} AND NOT EXISTS (
        SELECT 1 FROM events e WHERE e.contact_id = m.contact_id AND e.behaviour = 1
        AND e.own_at > m.own_at AND e.own_at <= m.own_at + 30 * :day)"""
NO_ORDER = """NOT EXISTS (SELECT 1 FROM events e WHERE e.contact_id = m.contact_id
    AND e.name = 'order_completed' AND e.own_at > m.own_at AND e.own_at <= m.own_at + 3 * :day)"""
CART_LEFT = """NOT EXISTS (SELECT 1 FROM events e WHERE e.contact_id = m.contact_id
    AND e.name IN ('order_completed', 'product_added') AND e.own_at > m.own_at
    AND e.own_at <= m.own_at + :day / 6
    AND e.forms ->> '$.cart[0][0]' = m.forms ->> '$.cart[0][0]')"""
OF_ZONE = """(SELECT a.value ->> '$' FROM attributes a WHERE a.contact_id = d.contact_id
    AND a.name = 'timezone')"""
BIRTHDAY = f"""INSERT INTO occ SELECT 'birthday', d.contact_id, k.own_at,
        'date:born_on:' || k.own_at, NULL, NULL
    FROM clock k CROSS JOIN attributes d WHERE d.name = 'born_on' AND d.local = k.day
      AND coalesce({OF_ZONE}, 'Europe/Madrid') = k.zone"""
RENEWAL = """INSERT INTO occ SELECT 'renewal', d.contact_id, k.own_at,
        'date:renewal_on:' || k.own_at, NULL, NULL
    FROM clock k CROSS JOIN attributes d WHERE k.zone = 'renewal' AND d.name = 'renewal_on'
      AND d.local = k.day + 14 * :day"""
WEBINAR = """INSERT INTO occ SELECT 'one-hour-before', contact_id, instant - :day / 24,
        'date:webinar_at:' || (instant - :day / 24), NULL, NULL
    FROM attributes WHERE name = 'webinar_at' AND instant > :prev + :day / 24
      AND instant <= :now + :day / 24"""
OF_LETTER = "name = 'email_sent' AND subject = 'letter'"
OF_OFFER = "name = 'email_sent' AND subject = 'offer'"
BY_CLOCK = (
    QUIET, BIRTHDAY, RENEWAL, WEBINAR,
    at_silence("no-order", "name = 'product_added'", "3 * :day", NO_ORDER),
    at_silence("not-opened", OF_LETTER, "5 * :day", NOT_OPENED.format(days=5)),
    at_silence("not-clicked", OF_OFFER, "5 * :day", NOT_CLICKED),
    at_silence("cart-by-cart", "name = 'product_added'", ":day / 6", CART_LEFT),
)  # fmt: skip
WON = """coalesce((SELECT sum(w.points) FROM ledger w WHERE w.contact_id = l.contact_id
    AND w.score = 'engagement' AND w.kind IN ('rule', 'scenario') AND w.points > 0
    AND w.own_at > l.own_at - 2 * :day
    AND (w.own_at < l.own_at OR w.own_at = l.own_at AND w.id < l.id)), 0)"""
SIGNAL = f"""INSERT INTO occ SELECT 'buying-signal', contact_id, own_at, rule || ':' || key, NULL,
        NULL FROM (SELECT l.*, {WON} AS won FROM ledger l WHERE l.id > :noticed
        AND +score = 'engagement' AND kind IN ('rule', 'scenario') AND points > 0)
    WHERE won BETWEEN 3000000000 - points AND 2999999999"""
COURSES = "AND e.subject LIKE '/courses/%'"
SUM = "sum(e.forms ->> '$.total[0][1]')"
COUNTED = tuple(
    at_count(f"three-times-{n}", "page_viewed", 14, f"AND e.subject = '/courses/{n}'",
             "count(*) >= 3")
    for n in (1, 2, 3)
) + (
    at_count("basket-of-hundred", "product_added", 7, "", f"{SUM} >= 100"),
    at_count("same-course-twice", "page_viewed", 3, COURSES, "count(*) >= 2", "subject"),
    at_count("sure-of-it", "email_clicked", 30, "AND e.topic = 'offers' AND NOT e.machine",
             "count(*) >= 2"),
)  # fmt: skip
OCCURRENCES = (
    at_crossing("rung-20", 200_000),
    at_crossing("rung-50", 500_000),
    at_crossing("rung-80", 800_000, refused=NO_CONSENT),
    at_crossing("fallen", -100_000, down=True),
    at_crossing("closes-the-door", -500_000, down=True),
    SIGNAL,
    at_event("fit-and-hot", "list_joined", " AND e.subject = 'hot-and-fit'"),
    at_event("step-to-step", "list_joined", " AND e.subject = 'customers'"),
    at_event("left-hot", "list_left", " AND e.subject = 'hot'"),
    at_event("no-longer-looking", "list_left", " AND e.subject = 'price-lookers'",
             "NOT " + inside("buyers", "e.contact_id")),
    *COUNTED,
    """INSERT INTO marks SELECT o.scenario, o.contact_id,
              iif(o.scenario = 'same-course-twice', e.subject, ''), max(o.own_at), 0, ''
       FROM occ o JOIN events e ON e.id = o.event_id
       WHERE o.scenario LIKE 'three-times-%'
          OR o.scenario IN ('basket-of-hundred', 'same-course-twice', 'sure-of-it')
       GROUP BY 1, 2, 3 ON CONFLICT DO UPDATE SET own_at = excluded.own_at""",
    at_event("cart", "product_added"),
    at_event("cart-and-exit", "product_added"),
    at_event("told-no", "product_added", passes=f"({NO_NEWS} AND {RENEWS_SOON})"),
    at_event("receipt", "order_completed"),
    at_event("waits-for-silence", "order_completed"),
    at_event("told-the-crm", "order_completed", f" AND {came_to(80)}"),
    at_event("big-orders", "order_completed", passes=came_to(60)),
    at_event("spent-two-hundred", "order_completed", passes=SPENT),
    at_event("more-like-it", "order_completed", PHOTO,
             recently("email_opened", 30, "e.contact_id", HUMAN)),
    at_event("clicked-offer", "email_clicked", " AND e.subject = 'offer' AND NOT e.machine"),
    at_event("letter-readers", "email_clicked", " AND e.subject = 'letter' AND NOT e.machine"
             " AND e.forms ->> '$.link[0][0]' LIKE '%/courses/%'",
             "NOT " + IGNORED.format(answer="email_opened", template="letter")),
    at_event("machines-too", "email_opened", " AND e.subject = 'offer'",
             IGNORED.format(answer="email_clicked", template="offer")),
    at_event("reader", "email_opened", " AND e.subject = 'letter' AND NOT e.machine"),
    at_event("sent-offer", "email_sent", " AND e.subject = 'offer'"),
    at_event("answered", "email_replied"),
    at_event("bounced", "email_bounced"),
    at_event("joined-the-news", "subscribed", " AND e.subject = 'news'"),
    at_event("left-the-news", "unsubscribed", " AND e.subject = 'news'"),
    at_event("welcome", "contact_created"),
    at_event("new-plan", "attribute_changed",
             " AND e.subject = 'plan' AND e.forms ->> '$.to[0][0]' = 'pro'"),
    at_event("opens-the-door", "attribute_changed",
             " AND e.subject = 'plan' AND e.forms ->> '$.from[0][0]' = 'free'"),
    at_page("pricing-and-wait", "/pricing"),
    at_page("half-of-them", "/articles/1"),
    at_page("a-tenth", "/articles/2",
            drawn("scenario/a-tenth/conditions/0", 100_000, "e.contact_id")),
    at_page("software-people", "/articles/3", OF_COMPANY),
    at_page("on-monday-morning", "/courses/4"),
    at_page("course-five", "/courses/5"),
    at_page("course-six", "/courses/6"),
    at_page("course-seven", "/courses/7"),
    at_page("waits-for-points", "/courses/8"),
    at_page("waits-for-a-date", "/courses/9"),
    at_event("back-after-a-pause", "page_viewed", " AND e.subject LIKE '/articles/%'", AWAY),
    "INSERT INTO occ SELECT 'by-hand', contact_id, :now, key, event_id, NULL FROM asked_for",
    "DELETE FROM asked_for",
)  # fmt: skip
GATE = (
    """UPDATE occ SET refused = 'reenroll' WHERE refused IS NULL AND EXISTS (
        SELECT 1 FROM rule_of_entry r CROSS JOIN enrollments n WHERE r.scenario = occ.scenario
        AND n.contact_id = occ.contact_id AND n.scenario = occ.scenario
        AND (r.mode = 'never' OR r.mode <> 'every' AND n.ended_at IS NULL
             OR r.mode = 'after' AND n.entered_at > :now - r.after * :day))""",
    f"""INSERT INTO enrollments (contact_id, scenario, definition_id, key, own_at, event_id,
                                 entered_at, position, due_at, reason, held, came, entered_after,
                                 goal_until)
       SELECT contact_id, scenario, definition_id, key, own_at, event_id, :now, 0, :now, '',
              scenario = 'half-of-them' AND
              {drawn("scenario/half-of-them/holdout", 100_000, "o.contact_id")}, 0, :upto,
              CASE WHEN goal THEN :now + goal * :day END
       FROM (SELECT o.*, r.mode, r.definition_id, r.goal, row_number() OVER (
                 PARTITION BY o.scenario, contact_id ORDER BY own_at, key) AS place
             FROM occ o JOIN rule_of_entry r USING (scenario) WHERE refused IS NULL) o
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

# --- goals, exits, and what is waited for --------------------------------------------------------

INSIDE = "UPDATE enrollments SET {set} WHERE id IN (SELECT n.id FROM enrollments n {of})"
CONVERTED = "outcome = 'converted', converted_at = :now, reason = 'goal'," \
    " ended_at = coalesce(ended_at, :now)"  # fmt: skip
EXITED = "ended_at = :now, outcome = 'exited', reason = 'exit_when'"
CAME = "came = 1, due_at = :now"
MEASURED = "(n.ended_at IS NULL OR n.outcome = 'finished') AND n.goal_until > :now"
WAITS = "n.ended_at IS NULL AND n.awaiting_since IS NOT NULL AND NOT n.came"


def inside_of(scenario: str, change: str, who: str, such: str) -> str:
    """Statement: a change to those inside (or still measured) among these contacts."""
    of = f"WHERE n.scenario = '{scenario}' AND n.contact_id IN ({who}) AND {such}"
    return INSIDE.format(set=change, of=of)


def did(name: str, more: str = "") -> str:
    """Statement part: who did it newly."""
    return f"SELECT e.contact_id FROM {FRESH} AND s.name = '{name}'{more}"


def since_then(name: str, since: str, more: str = "") -> str:
    """Whether it was done since the enrollment began, or began to wait."""
    return EVER.format(who="n.contact_id", name=name, more=f" AND h.own_at > {since}{more}")


UNTIL = " AND h.own_at <= n.awaiting_until"
CLICKED = f" AND h.subject = 'offer' AND NOT h.machine{UNTIL}"
VISITED = f" AND h.subject = '/pricing'{UNTIL}"
PRICED = " AND e.subject = '/pricing'"
TWICE = """(SELECT count(*) FROM events h WHERE h.contact_id = n.contact_id
    AND h.name = 'page_viewed' AND h.subject = '/pricing' AND h.own_at >= n.entered_at) >= 2"""
HIGH = f"SELECT contact_id FROM moved c WHERE {score('engagement', '>= 1200000')}"
RENEWED = """SELECT d.contact_id FROM clock k CROSS JOIN attributes d WHERE k.zone = 'midnight'
    AND d.name = 'renewal_on' AND d.local = k.day + :day"""
FELL_SILENT = "SELECT contact_id FROM events m WHERE behaviour = 1 AND " \
    f"{DUE.format(days=20)} AND NOT EXISTS (SELECT 1 FROM events e" \
    " WHERE e.contact_id = m.contact_id AND e.behaviour = 1 AND e.own_at > m.own_at" \
    " AND e.own_at <= m.own_at + 20 * :day)"  # fmt: skip
IN_TIME = """(SELECT max(own_at) FROM events e WHERE e.contact_id = n.contact_id
    AND e.behaviour = 1) + 20 * :day <= n.awaiting_until"""
ENDINGS = (
    inside_of("pricing-and-wait", CONVERTED, did("order_completed"),
              f"{MEASURED} AND {since_then('order_completed', 'n.entered_at')}"),
    inside_of("course-five", CONVERTED, did("page_viewed", PRICED), f"{MEASURED} AND {TWICE}"),
    inside_of("sent-offer", CAME,
              did("email_clicked", " AND e.subject = 'offer' AND NOT e.machine"),
              f"{WAITS} AND {since_then('email_clicked', 'n.awaiting_since', CLICKED)}"),
    inside_of("course-five", CAME, did("page_viewed", PRICED),
              f"{WAITS} AND {since_then('page_viewed', 'n.awaiting_since', VISITED)}"),
    inside_of("waits-for-points", CAME,
              "SELECT contact_id FROM moved WHERE looked < 1000000 AND balance >= 1000000", WAITS),
    inside_of("cart-and-exit", EXITED, did("order_completed"),
              f"n.ended_at IS NULL AND {since_then('order_completed', 'n.own_at')}"),
    inside_of("course-six", EXITED, HIGH, "n.ended_at IS NULL"),
    inside_of("course-seven", EXITED, "SELECT contact_id FROM shifted WHERE list = 'buyers'",
              "n.ended_at IS NULL AND " + inside("buyers", "n.contact_id")),
)  # fmt: skip
ENDINGS_BY_CLOCK = (
    inside_of("waits-for-silence", CAME, FELL_SILENT, f"{WAITS} AND {IN_TIME}"),
    inside_of("waits-for-a-date", CAME, RENEWED, WAITS),
)
