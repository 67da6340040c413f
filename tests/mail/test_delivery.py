"""What is sent, what is withheld and why, in which order; on both databases."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import event, insert, update

from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.language.policy import Policy, Sender
from flowscore.mail.delivery import deliver_async
from flowscore.mail.message import Letter
from flowscore.mail.settings import MailSettings
from flowscore.mail.settlements import BACKOFF
from flowscore.mail.smtp import SmtpTransport
from flowscore.mail.transport import FolderTransport, Outcome, Refused, Sent
from flowscore.store.tables import (
    balances,
    companies,
    company_attributes,
    contacts,
    events,
    ledger,
    members,
)
from mail.conftest import NOW, SENDER
from mail.smtp_server import Script, free_port, serve


class ListTransport:
    """Keeps what it is given, and answers as told."""

    repeatable = False

    def __init__(self, lanes: int = 1, answer=lambda letter: Sent("250 ok")) -> None:
        self.lanes = lanes
        self.answer = answer
        self.letters: list[Letter] = []

    def lane(self) -> ListTransport:
        return self

    async def open(self) -> Refused | None:
        return None

    async def hand_over(self, letter: Letter) -> Outcome:
        self.letters.append(letter)
        await asyncio.sleep(0)
        return self.answer(letter)

    async def rest(self) -> None:
        pass

    async def close(self) -> None:
        pass

    @property
    def keys(self) -> list[str]:
        return [letter.key for letter in self.letters]


def test_deliver_writes_one_eml_for_each_mail(house):
    ana = house.add_contact("Ana@example.com", first_name="Ana")
    house.queue(ana, "welcome.1.actions-0")
    report = house.deliver()
    assert (report.sent, report.waiting, report.stopped) == (1, 0, "")
    mail = house.mails()["welcome.1.actions-0"]
    assert mail["To"] == "Ana@example.com"
    assert mail["Subject"] == "Hello Ana"
    row = house.rows()["welcome.1.actions-0"]
    assert (row["status"], row["sent_at"], row["settled_at"]) == ("sent", NOW, NOW)
    assert (row["claimed_by"], row["lease_until"], row["sent_event"]) == (None, None, False)


def test_deliver_twice_sends_once(house):
    house.queue(house.add_contact("ana@example.com"), "k1")
    house.deliver()
    again = house.deliver(now=NOW + HOUR)
    assert (again.sent, house.rows()["k1"]["sent_at"]) == (0, NOW)


def test_deliver_waits_for_what_is_not_due(house):
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "later", next_at=NOW + 1)
    house.queue(ana, "sharp", next_at=NOW)
    report = house.deliver()
    assert (report.sent, report.waiting) == (1, 1)
    assert house.rows()["later"]["status"] == "queued"


@pytest.mark.parametrize(
    ("consent", "topic", "expected"),
    [
        ({}, "news", "no_consent"),
        ({"email": True}, "news", None),
        ({"news": True}, "news", None),
        ({"news": True}, "offers", "no_consent"),
        ({"email": True, "news": False}, "news", "no_consent"),
        ({"email": False, "news": True}, "news", None),
        ({"email": False}, "news", "no_consent"),
        ({"email": False, "news": False}, "transactional", None),
    ],
)
def test_f01_no_marketing_mail_without_consent(house, consent, topic, expected):
    house.queue(house.add_contact("ana@example.com", consent), "k1", topic=topic)
    report = house.deliver()
    assert report.withheld == ({expected: 1} if expected else {})
    assert house.rows()["k1"]["reason"] == expected
    assert len(house.mails()) == (0 if expected else 1)


@pytest.mark.parametrize(
    ("consent", "expected"),
    [({}, None), ({"email": False}, "no_consent"), ({"news": False}, "no_consent")],
)
def test_implied_consent_is_everybody_who_did_not_refuse(house, consent, expected):
    house.policy = Policy(sender=SENDER, topics=("news",), consent="implied")
    house.queue(house.add_contact("ana@example.com", consent), "k1")
    house.deliver()
    assert house.rows()["k1"]["reason"] == expected


def test_t18_consent_is_asked_again_at_the_moment_of_sending(house):
    """Queued while consent stood; withdrawn before the mail left."""
    from sqlalchemy import update

    from flowscore.store.tables import consents

    house.queue(house.add_contact("ana@example.com", {"email": True}), "k1")
    with house.store.transact() as connection:
        connection.execute(update(consents).values(granted=False, at=NOW))
    assert house.deliver().withheld == {"no_consent": 1}
    assert house.mails() == {}


def test_t11_each_withheld_mail_says_why_and_the_others_go(house):
    out = house.add_contact("out@example.com", {"email": True, "news": False})
    house.queue(out, "w1")
    house.queue(out, "w2")
    house.queue(house.add_contact("in@example.com"), "s1")
    report = house.deliver()
    assert (report.sent, report.withheld) == (1, {"no_consent": 2})
    rows = house.rows()
    assert [rows[key]["status"] for key in ("w1", "w2", "s1")] == ["withheld", "withheld", "sent"]
    assert rows["w1"]["settled_at"] == NOW


def test_checks_come_in_the_order_of_ruling_84(house):
    gone = house.add_contact("gone@example.com", {}, suppressed="bounced")
    late = {"unless_late_by": HOUR, "due_at": NOW - DAY}
    house.queue(gone, "gone", **late)
    house.queue(gone, "gone-too", topic="transactional")
    house.queue(house.add_contact("no@example.com", {}), "no", **late)
    house.queue(house.add_contact("late@example.com"), "late", **late)
    house.queue(house.add_contact(None), "nowhere")
    assert house.deliver().withheld == {
        "suppressed": 2, "no_consent": 1, "late": 1, "no_address": 1,
    }  # fmt: skip
    reasons = {key: row["reason"] for key, row in house.rows().items()}
    assert reasons["gone"] == "suppressed"
    assert reasons["no"] == "no_consent"


@pytest.mark.parametrize(("late_by", "sent"), [(HOUR, 1), (HOUR + 1, 0)])
def test_unless_late_by_is_strict(house, late_by, sent):
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "k1", unless_late_by=HOUR, due_at=NOW - late_by)
    assert house.deliver().sent == sent


def test_mails_go_in_the_order_of_ruling_73(house):
    ana, bo = house.add_contact("ana@example.com"), house.add_contact("Bo@example.com")
    cy = house.add_contact("cy@example.com")
    same = {"queued_at": NOW - HOUR, "entered_at": NOW - DAY}
    house.queue(cy, "e-mail-3", **same)
    house.queue(bo, "e-mail-2", **same)
    house.queue(ana, "place", **same | {"place": 1})
    house.queue(
        house.add_contact("zoe@example.com"), "entered", **same | {"entered_at": NOW - 2 * DAY}
    )
    house.queue(
        house.add_contact("a@example.com"), "queued", **same | {"queued_at": NOW - HOUR + 1}
    )
    house.queue(house.add_contact("b@example.com"), "priority", **same | {"priority": 1})
    transport = ListTransport()
    house.deliver(transport)
    assert transport.keys == ["priority", "entered", "e-mail-2", "e-mail-3", "place", "queued"]


def test_one_marketing_mail_of_a_contact_is_claimed_at_a_time(house):
    ana = house.add_contact("ana@example.com")
    for number in range(3):
        house.queue(ana, f"k{number}", queued_at=NOW - HOUR + number)
    house.queue(ana, "receipt", topic="transactional", queued_at=NOW - MINUTE)
    seen = []

    def look(letter: Letter) -> Outcome:
        rows = house.rows().values()
        seen.append([r["key"] for r in rows if r["status"] == "sending" and r["topic"] == "news"])
        return Sent("250 ok")

    report = house.deliver(ListTransport(answer=look))
    assert report.sent == 4
    assert all(len(keys) <= 1 for keys in seen)


def test_mails_of_one_contact_wait_while_another_sender_has_one(house):
    ana = house.add_contact("ana@example.com")
    elsewhere = {"claimed_by": "elsewhere:1:x", "lease_until": NOW + HOUR, "status": "sending"}
    house.queue(ana, "k1", **elsewhere)
    house.queue(ana, "k2")
    report = house.deliver()
    assert (report.sent, report.waiting) == (0, 2)


def test_one_that_cannot_be_rendered_is_withheld_and_the_others_go(house):
    house.use(
        {"page.html": "---\nsubject: Hi {{ contact.first_name }}\ntopic: news\n---\n<p>x</p>"}
    )
    house.queue(house.add_contact("ana@example.com", first_name="Ana"), "good")
    house.queue(house.add_contact("bo@example.com"), "bad")
    house.queue(house.add_contact("bo2@example.com"), "gone", template="no-such")
    report = house.deliver()
    assert (report.sent, report.withheld) == (1, {"render": 2})
    rows = house.rows()
    assert rows["bad"]["status"] == "withheld"
    assert rows["bad"]["reason"].startswith(
        "render: templates/email/page.html:2:1: contact.first_name is not known"
    )
    assert "no template 'no-such'" in rows["gone"]["reason"]


def test_a_bad_address_is_withheld(house):
    house.queue(house.add_contact("ana@example.com\r\nBcc: all@example.com"), "k1")
    house.queue(house.add_contact("bo@example.com"), "k2")
    report = house.deliver()
    assert (report.sent, report.withheld) == (1, {"address": 1})


def test_templates_see_what_the_store_knows(house):
    house.use({"page.md": """\
        ---
        subject: "{{ contact.first_name }}: {{ event.total }}"
        topic: news
        ---
        {{ contact.score.engagement }} {{ contact.score.fit }} {{ contact.lists | join(" ") }}
        {{ contact.ledger[0].points }} {{ contact.ledger[0].rule }} {{ contact.ledger | length }}
        {{ event.products[1].sku }} {{ scenario.name }} {{ scenario.entered_at | date("%H:%M") }}
        {{ contact.tags | join("+") }} {{ contact.created_at | date("%Y") }}
        """})  # fmt: skip
    ana = house.add_contact(
        "ana@example.com", first_name="Ána", tags=["a", "b"], timezone="Asia/Tokyo"
    )
    with house.store.transact() as connection:
        scored = {
            "contact_id": ana,
            "score": "engagement",
            "raw": 0,
            "balance": 125000,
            "looked": 0,
        }
        connection.execute(insert(balances).values(scored))
        connection.execute(insert(balances).values(scored | {"score": "fit", "balance": 30000}))
        stay = {"contact_id": ana, "joined_at": 0, "cause": ""}
        connection.execute(insert(members).values(stay | {"list": "hot"}))
        connection.execute(insert(members).values(stay | {"list": "old", "left_at": 1}))
        for number in range(25):
            line = {"contact_id": ana, "score": "engagement", "rule": f"r{number}", "kind": "rule"}
            line |= {
                "key": str(number),
                "points": 5 * 10**7,
                "own_at": number,
                "tick_at": 0,
                "reason": "",
            }
            connection.execute(insert(ledger).values(line))
        happened = {"message_id": "e1", "contact_id": ana, "name": "order_completed", "own_at": 0}
        happened |= {"received_at": 0, "seen_at": 0, "machine": False, "behaviour": True}
        happened |= {"historical": False}
        happened |= {"properties": {"total": 40, "products": [{"sku": "x"}, {"sku": "y"}]}}
        made = connection.execute(insert(events).values(happened))
        number = made.inserted_primary_key[0]
    house.queue(ana, "k1", event_id=number, entered_at=NOW)
    report = house.deliver()
    assert report.sent == 1, house.rows()["k1"]["reason"]
    mail = house.mails()["k1"]
    assert mail["Subject"] == "Ána: 40"
    text = " ".join(mail.get_body(("plain",)).get_content().split("--")[0].split())
    assert text == "12.5 3 hot 0.5 r24 20 y welcome 09:00 a+b 2024"


def test_templates_see_the_company_of_the_contact(house):
    house.use({"page.md": """\
        ---
        subject: "For {{ company.name }}"
        topic: news
        ---
        {{ company.id }} {{ company.city | default("somewhere") }} {{ company.tags[0] }}
        {{ company.address.zip }}
        """})  # fmt: skip
    ana, ben = (house.add_contact(f"{name}@example.com") for name in ("ana", "ben"))
    with house.store.transact() as connection:
        connection.execute(insert(companies).values(id=1, key="g-7"))
        connection.execute(update(contacts).where(contacts.c.id == ana).values(company_id=1))
        for name, value in (("name", "Acme"), ("tags", ["b2b"]), ("address.zip", "08001")):
            row = {"company_id": 1, "name": name, "element": 0, "value": value, "set_at": 0}
            connection.execute(insert(company_attributes).values(row))
    for contact, key in ((ana, "k1"), (ben, "k2")):
        house.queue(contact, key)
    house.deliver()
    mail = house.mails()["k1"]
    assert mail["Subject"] == "For Acme"
    assert "g-7 somewhere b2b 08001" in mail.get_body(("plain",)).get_content()
    assert "company.name is not known" in house.rows()["k2"]["reason"]


def test_list_unsubscribe_stands_on_all_marketing_mail(house):
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "news")
    house.queue(ana, "receipt", topic="transactional")
    house.deliver()
    mails = house.mails()
    assert mails["news"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mails["news"]["List-Unsubscribe"].startswith("<https://mail.example.com/u/")
    assert mails["receipt"]["List-Unsubscribe"] is None


def test_limit_ends_after_so_many(house):
    for number in range(5):
        house.queue(house.add_contact(f"c{number}@example.com"), f"k{number}")
    report = house.deliver(limit=3)
    assert (report.sent, report.waiting) == (3, 2)


def test_stop_is_asked_between_mails(house):
    for number in range(5):
        house.queue(house.add_contact(f"c{number}@example.com"), f"k{number}")
    transport = ListTransport()
    report = house.deliver(transport, stop=lambda: len(transport.letters) >= 2)
    assert (report.sent, report.waiting) == (2, 3)
    assert {row["status"] for row in house.rows().values()} == {"sent", "queued"}
    assert house.deliver(transport).sent == 3


def test_a_batch_needs_a_handful_of_queries(house):
    """Set-based: twenty times the mails, the same number of statements but for the settlements."""
    statements: list[str] = []
    event.listen(
        house.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2])
    )
    counts = []
    for size in (5, 100):
        for number in range(size):
            house.queue(house.add_contact(f"c{size}-{number}@example.com"), f"k{size}-{number}")
        statements.clear()
        assert house.deliver().sent == size
        counts.append(len(statements))
    assert counts[0] == counts[1] < 40


# --- servers that say no -------------------------------------------------------------------------


def over_smtp(url: str, lanes: int = 2) -> SmtpTransport:
    return SmtpTransport(url, lanes)


def test_t16_one_bad_recipient_settles_alone(house):
    for name in ("ana", "bad", "cy", "later"):
        house.queue(house.add_contact(f"{name}@example.com"), name)
    script = Script()
    answers = {"bad": "550 5.1.1 no such user", "later": "451 4.7.1 greylisted"}
    script.recipient = lambda to: answers.get(to.split("@")[0])
    with serve(script) as url:
        report = house.deliver(over_smtp(url))
        assert (report.sent, report.failed, report.retried, report.stopped) == (2, 1, 1, "")
        again = house.deliver(over_smtp(url), now=NOW + 10)
    assert again.sent == 0
    assert sorted(script.recipients) == ["ana@example.com", "cy@example.com"]
    rows = house.rows()
    assert rows["bad"]["status"] == "failed"
    assert rows["bad"]["reason"] == "bounced: 550 5.1.1 no such user"
    assert (rows["later"]["status"], rows["later"]["next_at"]) == ("queued", NOW + MINUTE)
    assert rows["later"]["response"] == "451 4.7.1 greylisted"


def test_a_bounce_suppresses_the_contact_before_the_next_tick(house):
    bad = house.add_contact("bad@example.com")
    house.queue(bad, "k1")
    house.queue(bad, "k2", topic="transactional", queued_at=NOW)
    script = Script()
    script.recipient = lambda _: "550 no such user"
    with serve(script) as url:
        house.deliver(over_smtp(url, 1))
        report = house.deliver(over_smtp(url, 1), now=NOW + MINUTE)
    statuses = {key: row["status"] for key, row in house.rows().items()}
    assert statuses["k1"] == "failed"
    house.queue(bad, "k3")
    assert house.deliver(now=NOW + HOUR).withheld == {"suppressed": 1}
    assert report.sent == 0


def test_retries_grow_over_two_days_and_then_fail(house):
    house.queue(house.add_contact("ana@example.com"), "k1")
    transport = ListTransport(answer=lambda _: Refused(451, "busy", False, "recipient"))
    now, waits = NOW, []
    for _ in BACKOFF:
        assert house.deliver(transport, now).retried == 1
        waits.append(house.rows()["k1"]["next_at"] - now)
        now = house.rows()["k1"]["next_at"]
    assert waits[:4] == [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR]
    assert 40 * HOUR < sum(waits) <= 48 * HOUR
    assert house.deliver(transport, now).failed == 1
    assert house.rows()["k1"]["reason"] == "gave up after 10 attempts: 451 busy"


@pytest.mark.parametrize("answer", ["553 not your address", "550 5.7.1 relay denied"])
def test_a_refusal_of_us_stops_the_batch(house, answer):
    for number in range(4):
        house.queue(house.add_contact(f"c{number}@example.com"), f"k{number}")
    script = Script()
    script.sender = lambda _: answer if answer.startswith("553") else None
    script.recipient = lambda _: answer
    with serve(script) as url:
        report = house.deliver(over_smtp(url, 1))
    assert (report.sent, report.failed, report.waiting) == (0, 0, 4)
    assert answer in report.stopped
    rows = house.rows()
    assert {row["status"] for row in rows.values()} == {"queued"}
    assert all(row["next_at"] >= NOW + MINUTE for row in rows.values())
    assert sum(row["attempts"] for row in rows.values()) == 1


def test_a_stopped_server_leaves_everything_queued(house):
    house.queue(house.add_contact("ana@example.com"), "k1")
    port = free_port()
    report = house.deliver(over_smtp(f"smtp://127.0.0.1:{port}"))
    assert (report.sent, report.waiting) == (0, 1)
    assert f"127.0.0.1:{port}" in report.stopped
    assert house.rows()["k1"]["attempts"] == 0
    script = Script()
    with serve(script, port):
        assert house.deliver(over_smtp(f"smtp://127.0.0.1:{port}"), NOW + MINUTE).sent == 1


def test_a_wrong_password_is_said_and_costs_no_attempt(house):
    from mail.smtp_server import log_in_as

    house.queue(house.add_contact("ana@example.com"), "k1")
    options = {"authenticator": log_in_as("ana", "right"), "auth_require_tls": False}
    with serve(Script(), **options) as url:
        report = house.deliver(over_smtp(url.replace("//", "//ana:wrong@")))
    assert "refused the login" in report.stopped
    assert (report.waiting, house.rows()["k1"]["attempts"]) == (1, 0)


def test_a_line_lost_after_data_is_uncertain_and_held(house):
    house.queue(house.add_contact("ana@example.com"), "k1")
    script = Script()
    script.content = lambda _: "drop after taking"
    with serve(script) as url:
        report = house.deliver(over_smtp(url, 1))
        assert (report.sent, report.uncertain) == (0, 1)
        script.content = lambda _: None
        assert house.deliver(over_smtp(url), now=NOW + DAY).sent == 0
    row = house.rows()["k1"]
    assert row["status"] == "uncertain"
    assert "after DATA" in row["reason"]


def test_uncertain_resend_uses_the_same_message_id(house):
    house.queue(house.add_contact("ana@example.com"), "k1")
    house.settings = MailSettings(unsubscribe_mailto="out@acme.example", uncertain="resend")
    script = Script()
    script.content = lambda _: "drop after taking"
    with serve(script) as url:
        assert house.deliver(over_smtp(url, 1)).uncertain == 1
        script.content = lambda _: None
        assert house.deliver(over_smtp(url, 1), now=NOW + MINUTE).sent == 1
    first, second = (envelope.content.split(b"Message-ID:")[1][:60] for envelope in script.taken)
    assert first == second


# --- what has to be set before mail leaves -------------------------------------------------------


def test_marketing_mail_needs_a_way_out_before_it_leaves(house):
    house.settings = MailSettings()
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "news")
    house.queue(ana, "receipt", topic="transactional")
    transport = ListTransport()
    report = house.deliver(transport)
    assert transport.keys == ["receipt"]
    assert "FLOWSCORE_UNSUBSCRIBE_MAILTO" in report.stopped
    assert house.rows()["news"]["status"] == "queued"


def test_the_folder_takes_marketing_mail_without_any_setting(house):
    house.settings = MailSettings()
    house.queue(house.add_contact("ana@example.com"), "k1")
    assert house.deliver().stopped == ""
    header = house.mails()["k1"]["List-Unsubscribe"]
    assert header == "<mailto:hello@acme.example?subject=unsubscribe>"


def test_without_a_sender_nothing_leaves(house):
    house.policy = Policy(topics=("news",))
    house.queue(house.add_contact("ana@example.com"), "k1")
    transport = ListTransport()
    assert "names no sender" in house.deliver(transport).stopped
    assert house.deliver(FolderTransport(house.outbox)).sent == 1
    assert house.policy.sender is None or Sender()


def test_deliver_async_leaves_the_loop_to_others(house):
    for number in range(50):
        house.queue(house.add_contact(f"c{number}@example.com"), f"k{number}")

    async def both() -> tuple[int, float]:
        longest, last = 0.0, time.monotonic()
        work = asyncio.create_task(
            deliver_async(
                house.store, house.project, house.templates, FolderTransport(house.outbox), NOW
            )
        )
        while not work.done():
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        return (await work).sent, longest

    sent, longest = asyncio.run(both())
    assert sent == 50
    assert longest < 1


def test_an_error_of_ours_is_raised_and_sends_nothing_twice(house):
    for number in range(4):
        house.queue(house.add_contact(f"c{number}@example.com"), f"k{number}")

    def fail_on_second(letter: Letter) -> Outcome:
        if letter.key == "k1":
            raise RuntimeError("a bug")
        return Sent("250 ok")

    transport = ListTransport(2, answer=fail_on_second)
    with pytest.raises(RuntimeError, match="a bug"):
        house.deliver(transport)
    transport.answer = lambda _: Sent("250 ok")
    report = house.deliver(transport, now=NOW + 1)
    assert (report.uncertain, report.waiting) == (1, 0)
    assert sorted(transport.keys) == ["k0", "k1", "k2", "k3"]
    assert house.rows()["k1"]["status"] == "uncertain"


def test_what_a_locked_store_could_not_note_is_noted_at_the_end(house, monkeypatch):
    from flowscore.errors import FlowscoreError
    from flowscore.mail import claims

    for number in range(3):
        house.queue(house.add_contact(f"c{number}@example.com"), f"k{number}")
    begin_all, calls = claims.begin_all, []

    def locked_once(*args):
        calls.append(args)
        if len(calls) == 2:
            raise FlowscoreError("another process is writing to it")
        return begin_all(*args)

    monkeypatch.setattr(claims, "begin_all", locked_once)
    with pytest.raises(FlowscoreError, match="another process"):
        house.deliver(ListTransport())
    assert [row["status"] for row in house.rows().values()] == ["sent", "queued", "queued"]


def test_a_server_that_takes_fewer_connections_still_gets_everything(house):
    for number in range(6):
        house.queue(house.add_contact(f"c{number}@example.com"), f"k{number}")

    class OneLine(ListTransport):
        opened = 0

        async def open(self) -> Refused | None:
            self.opened += 1
            return (
                Refused(421, "too many connections", False, "server") if self.opened > 1 else None
            )

    assert house.deliver(OneLine(4)).sent == 6


def test_two_senders_share_the_work(house):
    """Every mail once, though both took the same list."""
    from concurrent.futures import ThreadPoolExecutor

    for number in range(60):
        house.queue(house.add_contact(f"c{number}@example.com"), f"k{number}")
    transports = [ListTransport(2), ListTransport(2)]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(house.deliver, transports))
    assert sum(report.sent for report in reports) == 60
    keys = transports[0].keys + transports[1].keys
    assert sorted(keys) == sorted(f"k{number}" for number in range(60))


def test_a_bounce_becomes_an_event_and_suppresses_the_contact(house):
    from sqlalchemy import select

    from flowscore.store.intake import take_in
    from flowscore.store.tables import contacts

    house.queue(house.add_contact("bad@example.com"), "k1")
    house.queue(house.add_contact("good@example.com"), "k2")
    script = Script()
    script.recipient = lambda to: "550 5.1.1 no such user" if to.startswith("bad") else None
    with serve(script) as url:
        house.deliver(over_smtp(url))
    with house.store.transact() as connection:
        take_in(connection, house.store.dialect, house.project, NOW + MINUTE, historical=True)
        take_in(connection, house.store.dialect, house.project, NOW + MINUTE, historical=False)
        suppressed = select(contacts.c.email, contacts.c.suppressed)
        assert dict(connection.execute(suppressed).all()) == {
            "bad@example.com": "bounced", "good@example.com": None,
        }  # fmt: skip
        told = select(events.c.name, events.c.mail_key).order_by(events.c.mail_key)
        assert connection.execute(told).all() == [("email_bounced", "k1"), ("email_sent", "k2")]
