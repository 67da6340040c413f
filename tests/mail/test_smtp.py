"""SMTP spoken with a real server: each answer becomes its outcome, each lost line its meaning."""

from __future__ import annotations

import asyncio

import pytest

from flowscore.errors import FlowscoreError
from flowscore.mail.message import Letter
from flowscore.mail.smtp import SmtpTransport, read_url
from flowscore.mail.transport import Outcome, Refused, Sent, Uncertain
from mail.smtp_server import Script, free_port, log_in_as, make_certificate, serve

CONTENT = b"Subject: hi\r\n\r\nHello\r\n.dot\r\n"


def letter(to: str = "ana@example.com", key: str = "k1") -> Letter:
    return Letter(key, "hello@acme.example", to, CONTENT)


def hand_over(url: str, *letters: Letter) -> list[Outcome]:
    """All of them over one connection."""

    async def talk() -> list[Outcome]:
        lane = SmtpTransport(url, 1).lane()
        outcomes = [await lane.hand_over(one) for one in letters]
        await lane.close()
        return outcomes

    return asyncio.run(talk())


def test_hand_over_sends_over_one_connection():
    script = Script()
    with serve(script) as url:
        outcomes = hand_over(url, letter(), letter("bo@example.com", "k2"))
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert script.recipients == ["ana@example.com", "bo@example.com"]
    assert script.taken[0].content.endswith(b"Hello\r\n.dot\r\n")
    assert script.connections == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("550 5.1.1 no such user", Refused(550, "5.1.1 no such user", True, "recipient")),
        ("451 try later", Refused(451, "try later", False, "recipient")),
        ("452 4.2.2 mailbox full", Refused(452, "4.2.2 mailbox full", False, "recipient")),
    ],
)
def test_refused_recipient_leaves_the_line_usable(answer, expected):
    script = Script()
    script.recipient = lambda to: answer if to.startswith("bad") else None
    with serve(script) as url:
        refused, sent = hand_over(url, letter("bad@example.com"), letter("good@example.com"))
    assert refused == expected
    assert isinstance(sent, Sent)
    assert script.connections == 1


@pytest.mark.parametrize("answer", ["553 not your address", "450 slow down"])
def test_refused_sender_speaks_of_the_sender(answer):
    script = Script()
    script.sender = lambda _: answer
    with serve(script) as url:
        (refused,) = hand_over(url, letter())
    assert isinstance(refused, Refused)
    assert (refused.scope, refused.permanent) == ("sender", answer.startswith("5"))


@pytest.mark.parametrize("answer", ["554 looks like spam", "451 busy"])
def test_refused_content_speaks_of_the_sender(answer):
    script = Script()
    script.content = lambda _: answer
    with serve(script) as url:
        (refused,) = hand_over(url, letter())
    assert isinstance(refused, Refused)
    assert (refused.scope, refused.permanent) == ("sender", answer.startswith("5"))


def test_421_once_is_tried_again_on_a_new_line():
    script = Script()
    said = iter(["421 too many mails on this line"])
    script.recipient = lambda _: next(said, None)
    with serve(script) as url:
        (outcome,) = hand_over(url, letter())
    assert isinstance(outcome, Sent)
    assert script.connections == 2


def test_421_twice_means_the_server():
    script = Script()
    script.recipient = lambda _: "421 going down"
    with serve(script) as url:
        (outcome,) = hand_over(url, letter())
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.permanent) == ("server", False)


def test_a_line_lost_before_data_is_tried_again():
    script = Script()
    said = iter(["drop"])
    script.recipient = lambda _: next(said, None)
    with serve(script) as url:
        (outcome,) = hand_over(url, letter())
    assert isinstance(outcome, Sent)
    assert len(script.taken) == 1


def test_a_line_lost_after_data_is_uncertain_and_not_tried_again():
    script = Script()
    script.content = lambda _: "drop after taking"
    with serve(script) as url:
        (outcome,) = hand_over(url, letter())
    assert isinstance(outcome, Uncertain)
    assert "after DATA" in outcome.text
    assert len(script.taken) == 1


def test_nobody_listening_is_a_value():
    (outcome,) = hand_over(f"smtp://127.0.0.1:{free_port()}", letter())
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.permanent) == ("server", False)


def test_starttls_is_used_when_offered(tmp_path):
    certificate, context = make_certificate(tmp_path)
    script = Script()
    seen = []
    script.content = lambda envelope: seen.append(envelope) or None
    with serve(script, tls_context=context, require_starttls=True) as url:
        (outcome,) = hand_over(f"{url}?ca={certificate}", letter())
    assert isinstance(outcome, Sent)


def test_an_untrusted_certificate_says_what_to_do(tmp_path):
    _, context = make_certificate(tmp_path)
    with serve(Script(), tls_context=context) as url:
        (outcome,) = hand_over(url, letter())
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.permanent) == ("server", True)
    assert "not trusted" in outcome.text
    assert "?ca=FILE" in outcome.text


def test_verify_no_takes_any_certificate(tmp_path):
    _, context = make_certificate(tmp_path)
    with serve(Script(), tls_context=context) as url:
        (outcome,) = hand_over(f"{url}?verify=no", letter())
    assert isinstance(outcome, Sent)


def test_tls_from_the_first_byte(tmp_path):
    certificate, context = make_certificate(tmp_path)
    script = Script()
    with serve(script, ssl_context=context) as url:
        (outcome,) = hand_over(url.replace("smtp:", "smtps:") + f"?ca={certificate}", letter())
    assert isinstance(outcome, Sent)


def test_starttls_required_refuses_a_server_without_it():
    with serve(Script()) as url:
        (outcome,) = hand_over(f"{url}?starttls=required", letter())
    assert isinstance(outcome, Refused)
    assert outcome.scope == "server"


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_login(password):
    options = {"authenticator": log_in_as("ana", "right"), "auth_required": True}
    with serve(Script(), auth_require_tls=False, **options) as url:
        (outcome,) = hand_over(url.replace("//", f"//ana:{password}@"), letter())
    if password == "right":
        assert isinstance(outcome, Sent)
    else:
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.scope, outcome.permanent) == (535, "server", True)
        assert "wrong" not in str(outcome)


def test_a_password_never_travels_in_the_clear(monkeypatch):
    monkeypatch.setattr("flowscore.mail.smtp._is_here", lambda _: False)
    options = {"authenticator": log_in_as("ana", "right"), "auth_required": True}
    with serve(Script(), auth_require_tls=False, **options) as url:
        (outcome,) = hand_over(url.replace("//", "//ana:right@"), letter())
    assert isinstance(outcome, Refused)
    assert "no encryption" in outcome.text


def test_addresses_beyond_ascii_need_smtputf8():
    script = Script()
    with serve(script) as url:
        (sent,) = hand_over(url, letter("jürgen@example.com"))
    with serve(Script(), enable_SMTPUTF8=False) as url:
        (refused,) = hand_over(url, letter("jürgen@example.com"))
    assert isinstance(sent, Sent)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.permanent) == (0, True)


def test_read_url_knows_ports_passwords_and_options():
    server = read_url("smtp://ana%40x:p%2Fw@mail.example.com:587?starttls=required&timeout=5")
    assert (server.user, server.password) == ("ana@x", "p/w")
    assert (server.port, server.starttls, server.timeout) == (587, True, 5.0)
    assert read_url("smtps://mail.example.com").port == 465
    assert "p/w" not in repr(server)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://x", "expected smtp://"),
        ("smtp://x:99999", "port"),
        ("smtp://x?startls=yes", "unknown option 'startls'"),
        ("smtp://x?starttls=maybe", "expected auto, required or never"),
        ("smtp://x?timeout=soon", "expected seconds"),
    ],
)
def test_read_url_refuses(url, words):
    with pytest.raises(FlowscoreError, match=words):
        read_url(url)
