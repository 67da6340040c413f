"""Links in mails: short, signed, bound to purpose and message."""

from __future__ import annotations

import pytest

from flowscore.mail.links import can_unsubscribe, make_links, number_of, opens, sign
from flowscore.mail.settings import MailSettings

KEY = "win-back.12.actions-0"


def test_a_token_opens_for_its_purpose_and_message_alone():
    token = sign("s3cret", "unsubscribe", 12345, KEY)
    assert number_of(token) == 12345
    assert opens("s3cret", "unsubscribe", token, KEY)
    assert not opens("s3cret", "preferences", token, KEY)
    assert not opens("other", "unsubscribe", token, KEY)
    assert not opens("s3cret", "unsubscribe", token, "win-back.13.actions-0")


@pytest.mark.parametrize("token", ["", "x", "a" * 500, "ñ" * 30, "AAAA", "!" * 30])
def test_what_is_no_token_opens_nothing(token):
    assert not opens("s3cret", "unsubscribe", token, KEY)


def test_a_changed_token_does_not_open():
    token = sign("s3cret", "unsubscribe", 7, KEY)
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert not opens("s3cret", "unsubscribe", changed, KEY)


@pytest.mark.parametrize("number", [0, 1, 255, 256, 2**31, 2**62])
def test_tokens_are_short(number):
    token = sign("s3cret", "unsubscribe", number, KEY)
    assert number_of(token) == number
    assert len(token) <= 32


def test_links_come_from_the_public_url():
    settings = MailSettings(
        public_url="https://m.example/", secret="x", unsubscribe_mailto="out@a.example"
    )
    links = make_links(settings, "hello@a.example", 7, KEY)
    assert links.unsubscribe.startswith("https://m.example/u/")
    assert len({links.unsubscribe, links.preferences, links.view}) == 3
    expected = f"<{links.unsubscribe}>, <mailto:out@a.example?subject=unsubscribe>"
    assert links.header == expected
    assert "view" in links.record()


@pytest.mark.parametrize(
    ("mailbox", "expected"),
    [
        ("out@a.example", "out@a.example"),
        (None, "hello@a.example"),
        ("a b@x.example", "a%20b@x.example"),
    ],
)
def test_without_a_url_a_mailbox_takes_unsubscriptions(mailbox, expected):
    links = make_links(MailSettings(unsubscribe_mailto=mailbox), "hello@a.example", 7, KEY)
    assert links.header == f"<mailto:{expected}?subject=unsubscribe>"
    assert links.unsubscribe == links.preferences == f"mailto:{expected}?subject=unsubscribe"
    assert "view" not in links.record()


def test_can_unsubscribe_asks_for_a_mailbox_or_a_signed_url():
    assert not can_unsubscribe(MailSettings())
    assert not can_unsubscribe(MailSettings(public_url="https://m.example"))
    assert can_unsubscribe(MailSettings(public_url="https://m.example", secret="x"))
    assert can_unsubscribe(MailSettings(unsubscribe_mailto="out@a.example"))


def test_settings_never_show_their_secrets():
    text = repr(MailSettings(secret="s3cret", smtp_url="smtp://ana:pa55@mail.example"))
    assert "s3cret" not in text
    assert "pa55" not in text
