"""Unsubscribing by the link of a mail: looking does nothing, the buttons and one click do."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from flowscore.mail.links import sign
from flowscore.mail.proofs import Word, proves
from web.conftest import House, Serve
from web.consent_house import (
    ANA,
    bring,
    events,
    fields,
    holds,
    later,
    letters,
    mailed,
    say,
    school,
    tags,
    take,
    traits,
)

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
SECRET = "a secret of the tests"


@pytest.fixture
def house(serve: Serve) -> House:
    return school(serve)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_t19_a_link_scanner_that_looks_unsubscribes_nobody(house: House, method: str) -> None:
    letter = mailed(house)
    for path in (letter.one_click, letter.link("u"), letter.link("p")):
        for _ in range(3):
            assert house.client.request(method, path).status_code == 200
    assert house.client.options(letter.one_click).status_code == 405
    assert house.inbox() == []
    take(house)
    assert holds(house)["news"] is True
    assert events(house, "unsubscribed") == []


def test_t19_the_page_shows_what_it_is_about_and_a_button(house: House) -> None:
    page = house.client.get(mailed(house).link("u"))
    assert "Open School" in page.text and "a…@x.es" in page.text and ANA not in page.text
    assert [field["value"] for field in fields(page, "hidden")] == ["topic", "all"]
    assert tags(page).count("h1") == 1 and "script" not in tags(page)
    assert 'lang="en"' in page.text


def test_one_click_of_a_mail_program_stops_the_mails_topic(house: House) -> None:
    """RFC 8058, without cookies, without a redirect."""
    letter = mailed(house, ANA, "news", "offers")
    answer = house.client.post(letter.one_click, data=ONE_CLICK)
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    take(house)
    assert holds(house)["news"] is False and holds(house)["offers"] is True
    record = house.rows("SELECT * FROM consent_records WHERE NOT granted")
    assert [(one["topic"], one["source"]) for one in record] == [("news", "one-click unsubscribe")]


def test_one_click_may_come_as_multipart(house: House) -> None:
    letter = mailed(house)
    files = {name: (None, value) for name, value in ONE_CLICK.items()}
    assert house.client.post(letter.one_click, files=files).status_code == 200
    take(house)
    assert holds(house)["news"] is False


def test_t18_what_was_just_unsubscribed_is_not_mailed_though_no_tick_has_come(
    house: House,
) -> None:
    letter = mailed(house)
    say(house, "Asked")
    house.client.post(letter.one_click, data=ONE_CLICK)
    report = later(house)
    assert (report.sent, report.withheld) == (0, {"no_consent": 1})
    assert len(letters(house)) == 1


def test_pressed_twice_it_counts_once(house: House) -> None:
    letter = mailed(house)
    for _ in range(4):
        house.client.post(letter.one_click, data=ONE_CLICK)
    take(house)
    house.client.post(letter.one_click, data=ONE_CLICK)
    take(house)
    assert len(events(house, "unsubscribed")) == 1
    assert len(house.rows("SELECT * FROM consent_records WHERE NOT granted")) == 1


def test_who_comes_back_can_leave_again_by_the_same_link(house: House) -> None:
    letter = mailed(house)
    house.client.post(letter.one_click, data=ONE_CLICK)
    take(house)
    say(house, "Subscribed", topic="news")
    assert holds(house)["news"] is True
    house.client.post(letter.one_click, data=ONE_CLICK)
    take(house)
    assert holds(house)["news"] is False
    assert len(events(house, "unsubscribed")) == 2


def test_who_changes_their_mind_twice_within_a_moment_is_out(house: House) -> None:
    """A second is long: the last word counts, and none is taken for an earlier one said again."""
    letter = mailed(house)
    house.client.post(letter.one_click, data=ONE_CLICK)
    house.client.post(letter.link("p"), data={"topic": ["news"]})
    house.client.post(letter.one_click, data=ONE_CLICK)
    take(house)
    assert holds(house)["news"] is False


def test_f01_the_button_for_everything_is_recorded_with_its_text_and_a_proof(house: House) -> None:
    letter = mailed(house, ANA, "news", "offers")
    page = house.client.post(letter.link("u"), data={"scope": "all"})
    assert "You get no more mail from us" in page.text
    take(house)
    assert holds(house) == {"email": False, "news": False, "offers": False, "all": False}
    record = house.rows("SELECT * FROM consent_records WHERE topic = 'all'")[0]
    assert (record["source"], record["text"]) == ("unsubscribe page", "Unsubscribe from all mail")
    word = Word("all", False, record["at"], record["text"])
    assert proves(SECRET, ["bo@x.es", "ANA@x.es"], word, record["proof"]) == "ANA@x.es"
    assert proves(SECRET, ["bo@x.es"], word, record["proof"]) is None
    assert ANA not in json.dumps(record, default=str)


def test_undo_grants_again_what_was_granted(house: House) -> None:
    letter = mailed(house, ANA, "news", "offers")
    page = house.client.post(letter.link("u"), data={"scope": "all"})
    back = [field["value"] for field in fields(page, "hidden") if field["name"] == "topic"]
    assert back == ["news", "offers"]
    told = house.client.post(letter.link("u"), data={"scope": "undo", "topic": back})
    assert "Nothing has changed" in told.text
    take(house)
    held = holds(house)
    assert (held["news"], held["offers"], held["email"]) == (True, True, False)


def test_undo_grants_no_topic_that_the_policy_does_not_know(house: House) -> None:
    letter = mailed(house)
    house.client.post(letter.link("u"), data={"scope": "undo", "topic": ["secrets", "all"]})
    assert house.inbox() == []


def test_the_page_speaks_the_contacts_language(house: House) -> None:
    letter = mailed(house)
    spanish = {"accept-language": "fr-CH, es-MX;q=0.9, en;q=0.8"}
    assert "Darse de baja" in house.client.get(letter.link("u"), headers=spanish).text
    traits(house, locale="es_ES")
    page = house.client.get(letter.link("u"), headers={"accept-language": "en"})
    assert 'lang="es"' in page.text and "Darme de baja de news" in page.text


def test_a_project_names_its_topics_and_adds_languages(serve: Serve) -> None:
    words = "save: Sichern\nunsubscribe_title: Abmelden\ntopics: {news: unseren Brief}\n"
    files = {
        "templates/pages/de.yaml": words,
        "templates/pages/en.yaml": "topics: {news: our monthly letter}",
    }
    house = school(serve, files)
    letter = mailed(house)
    assert "our monthly letter" in house.client.get(letter.link("u")).text
    german = house.client.get(letter.link("u"), headers={"accept-language": "de"}).text
    assert "Abmelden" in german and "unseren Brief" in german and 'lang="de"' in german


@pytest.mark.parametrize("path", ["/u/", "/p/", "/y/"])
@pytest.mark.parametrize("token", ["x", "AAAA", "é", "%00", "A" * 500, "../../etc"])
def test_a_link_that_is_none_of_ours_says_whom_to_write_to(house: House, path: str, token: str):
    for method in ("GET", "POST"):
        answer = house.client.request(method, path + token)
        assert answer.status_code == 404
    if token == "AAAA":
        assert "people@school.example" in answer.text


def test_a_link_for_one_purpose_opens_nothing_else(house: House) -> None:
    token = mailed(house).link("p").removeprefix("/p/")
    assert house.client.post(f"/u/{token}", data=ONE_CLICK).status_code == 404
    assert house.client.post(f"/y/{token}").status_code == 404
    assert house.inbox() == []


def test_a_link_made_without_the_secret_opens_nothing(house: House) -> None:
    mailed(house)
    row = house.rows("SELECT id, key FROM messages")[0]
    for secret in ("", "another"):
        token = sign(secret, "unsubscribe", row["id"], row["key"])
        assert house.client.post(f"/u/{token}", data=ONE_CLICK).status_code == 404


def test_pages_run_no_script_and_stand_in_no_frame(house: House) -> None:
    answer = house.client.get(mailed(house).link("u"))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    style = answer.text.partition("<style>")[2].partition("</style>")[0].encode()
    assert f"'sha256-{b64encode(sha256(style).digest()).decode()}'" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]


def test_after_a_merge_the_link_speaks_for_whom_both_have_become(house: House) -> None:
    letter = mailed(house)
    bring(house, _identify("u-1", "ana@y.es"))
    say(house, "Subscribed", "u-1", topic="news")
    bring(house, _identify("u-1", ANA))
    [known] = house.rows("SELECT id FROM contacts")
    assert house.client.get(letter.link("u")).status_code == 200
    house.client.post(letter.one_click, data=ONE_CLICK)
    take(house)
    rows = house.rows("SELECT contact_id, granted FROM consents WHERE topic = 'news'")
    assert [(row["contact_id"], bool(row["granted"])) for row in rows] == [(known["id"], False)]


def _identify(user: str, email: str) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "traits": {"email": email}}
