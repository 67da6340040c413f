"""Whom the policy never mails, and internal mail, to which none of it applies."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.language.conditions import AttributeIs, InList, StageIs
from flowscore.language.lifecycle import Lifecycle, Stage
from flowscore.language.policy import FrequencyCap, Policy, SendWindow
from flowscore.language.words import ValueTest, ValueTests
from flowscore.mail.smtp import SmtpTransport
from flowscore.store.tables import attributes, consents, contacts, members, stages
from mail.conftest import NOW, SENDER, House
from mail.smtp_server import Script, serve

KEPT_OUT = InList(lists=("do-not-mail",))
NOTICE = """\
---
subject: "{{ contact.first_name }} is hot"
topic: news
---
<p>{{ contact.email }} has {{ links.unsubscribe }}.</p>
"""


def keep_out(house: House, contact: int) -> None:
    with house.store.transact() as connection:
        connection.execute(
            insert(members).values(
                contact_id=contact, list="do-not-mail", joined_at=NOW - DAY, cause="by hand"
            )
        )


@pytest.mark.parametrize("topic", ["news", "transactional"])
def test_suppress_holds_for_every_mail_to_the_contact(house, topic):
    ana, bo = house.add_contact("ana@example.com"), house.add_contact("bo@example.com")
    keep_out(house, ana)
    house.queue(ana, "a", topic=topic)
    house.queue(bo, "b", topic=topic)
    house.policy = Policy(sender=SENDER, topics=("news",), suppress=KEPT_OUT)
    report = house.deliver()
    assert (report.sent, report.withheld) == (1, {"suppressed": 1})
    assert house.rows()["a"]["reason"] == "suppressed"


def test_suppress_may_be_any_condition(house):
    ana = house.add_contact("ana@example.com", country="ES")
    with house.store.transact() as connection:
        connection.execute(update(attributes).values(text="es"))
    house.queue(ana, "a")
    house.queue(house.add_contact("bo@example.com"), "b")
    asked = ValueTests(name="country", tests=(ValueTest(operator="is", operand="ES"),))
    house.policy = Policy(sender=SENDER, suppress=AttributeIs(attributes=(asked,)))
    report = house.deliver()
    assert (report.sent, report.withheld) == (1, {"suppressed": 1})


@pytest.mark.parametrize(("kept_out", "sent"), [("lead", ["bo"]), ("customer", ["ana"])])
def test_suppress_reads_the_stage_the_first_one_too(house, kept_out, sent):
    """Who has no stay is in the first stage."""
    ana, bo = house.add_contact("ana@example.com"), house.add_contact("bo@example.com")
    with house.store.transact() as connection:
        stay = {"contact_id": bo, "stage": "customer", "entered_at": NOW - DAY, "cause": "by hand"}
        connection.execute(insert(stages).values(skipped=False, **stay))
    house.queue(ana, "ana")
    house.queue(bo, "bo")
    house.lifecycle = Lifecycle(name="buyer", stages=(Stage(name="lead"), Stage(name="customer")))
    house.policy = Policy(sender=SENDER, suppress=StageIs(stages=(kept_out,)))
    assert house.deliver().withheld == {"suppressed": 1}
    assert [key for key, row in house.rows().items() if row["status"] == "sent"] == sent


def test_who_gets_kept_out_while_a_mail_waits_is_withheld_at_once(house):
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "a")
    window = SendWindow(opens=9 * HOUR, closes=10 * HOUR)
    house.policy = Policy(sender=SENDER, suppress=KEPT_OUT, send_window=window)
    assert house.deliver().waits == {"window": 1}
    keep_out(house, ana)
    assert house.deliver(now=NOW + MINUTE).withheld == {"suppressed": 1}


# --- internal mail --------------------------------------------------------------------------------


def notice(house: House, contact: int, key: str = "n1", to: str = "luis@acme.example") -> None:
    house.queue(contact, key, kind="notify", template="notice", recipients=[to])


def test_a_notice_goes_to_its_recipient_whatever_the_contact_said(house):
    house.use({"notice.html": NOTICE})
    ana = house.add_contact(
        "ana@example.com", {"email": False, "news": False}, suppressed="complained",
        first_name="Ana",
    )  # fmt: skip
    keep_out(house, ana)
    notice(house, ana)
    house.policy = Policy(
        sender=SENDER, suppress=KEPT_OUT, send_window=SendWindow(opens=HOUR, closes=2 * HOUR),
        frequency_caps=(FrequencyCap(emails=1, per=DAY),), capped_wait=None,
    )  # fmt: skip
    assert house.deliver().sent == 1
    mail = house.mails()["n1"]
    assert mail["To"] == "luis@acme.example"
    assert mail["Subject"] == "Ana is hot"
    assert "ana@example.com has #." in mail.get_body(("plain",)).get_content()


def test_a_notice_offers_nobody_to_unsubscribe_the_contact(house):
    house.use({"notice.html": NOTICE})
    notice(house, house.add_contact("ana@example.com", first_name="Ana"))
    house.deliver()
    mail = house.mails()["n1"]
    assert mail["List-Unsubscribe"] is None
    assert "ubscri" not in str(mail)


def test_a_notice_goes_for_a_contact_without_an_address(house):
    house.use({"notice.html": NOTICE.replace("contact.email", "contact.first_name")})
    notice(house, house.add_contact(None, first_name="Ana"))
    assert house.deliver().sent == 1


def test_of_a_notice_nothing_is_said_and_nobody_bounces(house):
    """Its log would be the contact's: what becomes of it is no event of theirs."""
    from sqlalchemy import select

    from flowscore.engine.horizon import UNSAID
    from flowscore.store.tables import messages

    house.use({"notice.html": NOTICE, "page.html": NOTICE})
    ana = house.add_contact("ana@example.com", first_name="Ana")
    notice(house, ana)
    notice(house, ana, "n2", "gone@acme.example")
    script = Script()
    script.recipient = lambda address: "550 5.1.1 gone" if address.startswith("gone") else None
    with serve(script) as url:
        report = house.deliver(SmtpTransport(url, 1))
        assert (report.sent, report.failed) == (1, 1)
        house.queue(ana, "k1")
        assert house.deliver(SmtpTransport(url, 1), now=NOW + MINUTE).sent == 1
    with house.store.read() as connection:
        unsaid = connection.scalars(select(messages.c.key).where(UNSAID)).all()
    assert unsaid == ["k1"]


def test_t16_a_recipient_who_is_refused_keeps_nothing_from_the_others(house):
    house.use({"notice.html": NOTICE})
    ana = house.add_contact("ana@example.com", first_name="Ana")
    for number, name in enumerate(("luis", "gone", "eva")):
        notice(house, ana, f"n{number}", f"{name}@acme.example")
    script = Script()
    script.recipient = lambda address: "550 5.1.1 gone" if address.startswith("gone") else None
    with serve(script) as url:
        house.deliver(SmtpTransport(url, 1))
        house.deliver(SmtpTransport(url, 1), now=NOW + DAY)
    assert script.recipients == ["luis@acme.example", "eva@acme.example"]


def test_a_notice_without_a_recipient_is_withheld(house):
    house.use({"notice.html": NOTICE})
    house.queue(house.add_contact("ana@example.com", first_name="A"), "n1", kind="notify",
                template="notice", recipients=[])  # fmt: skip
    assert house.deliver().withheld == {"address": 1}


def test_a_webhook_is_no_mail(house):
    house.queue(house.add_contact("ana@example.com"), "w1", kind="webhook", payload={"url": "x"})
    report = house.deliver()
    assert (report.sent, report.waiting) == (0, 0)
    assert house.rows()["w1"]["status"] == "queued"


def test_nothing_is_lost_of_what_a_contact_said(house):
    """The tables that the gates read are as they were: asking changes nothing."""
    ana = house.add_contact("ana@example.com")
    house.queue(ana, "k1")
    house.policy = Policy(sender=SENDER, suppress=KEPT_OUT)
    house.deliver()
    with house.store.read() as connection:
        assert connection.execute(consents.select()).all()
        assert connection.execute(contacts.select()).one().suppressed is None
