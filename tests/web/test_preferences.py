"""The preference page: by topic, all mail off, tracking; only what changed is said."""

from __future__ import annotations

import httpx
import pytest

from flowscore.mail.proofs import Word, proves
from web.conftest import House, Serve
from web.consent_house import (
    ANA,
    POLICY,
    events,
    fields,
    holds,
    mailed,
    say,
    school,
    tags,
    take,
    ticked,
    traits,
)


@pytest.fixture
def house(serve: Serve) -> House:
    return school(serve)


def test_the_page_shows_what_holds(house: House) -> None:
    page = house.client.get(mailed(house).link("p"))
    assert ticked(page) == {"news"}
    names = [field["value"] for field in fields(page, "checkbox")]
    assert names == ["news", "offers", "yes"]
    assert "a…@x.es" in page.text


def test_f01_only_what_changed_is_said_with_text_source_and_proof(house: House) -> None:
    path = mailed(house).link("p")
    page = house.client.post(path, data={"topic": ["offers"]})
    assert ticked(page) == {"offers"} and "This is what holds" in page.text
    take(house)
    assert holds(house) == {"news": False, "offers": True}
    records = house.rows("SELECT * FROM consent_records WHERE source = 'preference page'")
    assert [(one["topic"], bool(one["granted"]), one["text"]) for one in records] == [
        ("news", False, "I do not want news."),
        ("offers", True, "I want offers."),
    ]
    for one in records:
        word = Word(one["topic"], bool(one["granted"]), one["at"], one["text"])
        assert proves("a secret of the tests", [ANA], word, one["proof"]) == ANA


def test_saved_unchanged_it_says_nothing(house: House) -> None:
    path = mailed(house).link("p")
    house.client.post(path, data={"topic": ["news"], "tracking": "full"})
    assert house.inbox() == []


def test_what_was_saved_shows_before_a_tick_has_come(house: House) -> None:
    path = mailed(house).link("p")
    house.client.post(path, data={"topic": ["news", "offers"]})
    assert ticked(house.client.get(path)) == {"news", "offers"}
    house.client.post(path, data={"topic": []})
    assert ticked(house.client.get(path)) == set()
    take(house)
    assert ticked(house.client.get(path)) == set()
    assert holds(house) == {"news": False, "offers": False}


def test_all_mail_off_wins_over_what_is_ticked(house: House) -> None:
    path = mailed(house).link("p")
    page = house.client.post(path, data={"topic": ["news", "offers"], "nothing": "yes"})
    assert ticked(page) == set()
    take(house)
    assert holds(house) == {"email": False, "news": False, "offers": False, "all": False}
    house.client.post(path, data={"nothing": "yes"})
    assert house.inbox() == []
    assert [one["subject"] for one in events(house, "unsubscribed")] == ["all"]


def test_after_all_mail_off_one_topic_can_be_wanted_again(house: House) -> None:
    path = mailed(house).link("p")
    house.client.post(path, data={"nothing": "yes"})
    take(house)
    house.client.post(path, data={"topic": ["news"]})
    take(house)
    held = holds(house)
    assert (held["news"], held["offers"], held["email"]) == (True, False, False)


def test_the_contact_says_how_they_are_tracked(house: House) -> None:
    path = mailed(house).link("p")
    page = house.client.get(path)
    assert [field["value"] for field in fields(page, "radio")] == ["full", "anonymous", "off"]
    page = house.client.post(path, data={"topic": ["news"], "tracking": "off"})
    chosen = [field["value"] for field in fields(page, "radio") if "checked" in field]
    assert chosen == ["off"]
    take(house)
    assert house.rows("SELECT text FROM attributes WHERE name = 'tracking'") == [{"text": "off"}]
    page = house.client.get(path)
    assert [field["value"] for field in fields(page, "radio") if "checked" in field] == ["off"]


def hidden(page: httpx.Response) -> str:
    """What the page shows of tracking, as it is sent along."""
    (field,) = fields(page, "hidden")
    return str(field["value"])


def test_the_last_word_on_tracking_counts_before_any_tick(house: House) -> None:
    path = mailed(house).link("p")
    shown = "full"
    for chosen in ("off", "full", "off", "anonymous", "off"):
        data = {"topic": ["news"], "tracking": chosen, "tracking_shown": shown}
        shown = hidden(house.client.post(path, data=data))
        assert shown == chosen
    take(house)
    assert house.rows("SELECT text FROM attributes WHERE name = 'tracking'") == [{"text": "off"}]
    for chosen in ("full", "off"):  # the second from a page that was opened afresh
        shown = hidden(house.client.get(path))
        data = {"topic": ["news"], "tracking": chosen, "tracking_shown": shown}
        house.client.post(path, data=data)
    take(house)
    assert house.rows("SELECT text FROM attributes WHERE name = 'tracking'") == [{"text": "off"}]


def test_a_policy_that_notices_nothing_asks_nothing(serve: Serve) -> None:
    house = school(serve, {"scenarios/policy.yaml": POLICY + "tracking: off\n"})
    assert fields(house.client.get(mailed(house).link("p")), "radio") == []


def test_a_policy_without_topics_asks_about_mail_in_general(serve: Serve) -> None:
    front = "---\nsubject: Receipt\ntopic: transactional\n---\n"
    link = '<a href="{{ links.preferences }}">Preferences</a>'
    policy = POLICY.replace("topics: [news, offers]\n", "")
    files = {"scenarios/policy.yaml": policy, "templates/email/hello.html": front + link}
    house = school(serve, files)
    say(house, "Subscribed", tick=False)
    path = mailed(house).link("p")
    page = house.client.get(path)
    assert ticked(page) == {"email"} and "Mail in general" in page.text
    house.client.post(path, data={})
    take(house)
    assert holds(house)["email"] is False


def test_the_page_is_whole_without_a_script_and_labelled(house: House) -> None:
    page = house.client.get(mailed(house).link("p"))
    seen = tags(page)
    assert "script" not in seen and seen.count("h1") == 1 and seen.count("main") == 1
    assert seen.count("label") == len(fields(page, "checkbox")) + len(fields(page, "radio"))
    assert seen.count("legend") == seen.count("fieldset") == 2


def test_the_page_speaks_spanish(house: House) -> None:
    path = mailed(house).link("p")
    traits(house, language="es")
    page = house.client.post(path, data={"topic": ["news", "offers"]})
    assert 'lang="es"' in page.text and "Esto es lo que vale" in page.text
    take(house)
    record = house.rows("SELECT text FROM consent_records WHERE source = 'preference page'")
    assert record == [{"text": "Quiero recibir offers."}]
