"""Sign-up with double opt-in, from the form to the contact."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from flowscore.clock import DAY, MINUTE, clock_now
from flowscore.mail.proofs import Word, proves
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import receive
from flowscore.store.write_keys import WriteKeys
from flowscore.views.listings import Mails, list_mails
from web.conftest import House, Serve
from web.consent_house import (
    ANA,
    FILES,
    Letter,
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
)

SHOP = "https://shop.example"
SIGN = {"email": ANA, "topic": "news", "text": "Yes, send me the letter"}


@pytest.fixture
def house(serve: Serve) -> House:
    return school(serve)


def key(house: House, *origins: str, source: str = "shop-web") -> str:
    return WriteKeys(house.workspace.store, clock_now).add(source, origins)


def sign_up(house: House, data: dict[str, Any] | None = None, **how: Any) -> httpx.Response:
    """A form that is sent, with a new key unless it brings one."""
    said = {"key": "", **(SIGN if data is None else data)}
    said["key"] = said["key"] or key(house)
    how["headers"] = {"accept": "text/html", **how.get("headers", {})}
    return house.client.post("/signup", data=said, **how)


def asked(house: House) -> list[Letter]:
    """The mails that ask for a confirmation, once a tick and a delivery have come."""
    take(house)
    later(house)
    return [one for one in letters(house) if "/y/" in str(one.mail)]


def known(house: House) -> list[str]:
    return [row["email"] for row in house.rows("SELECT email FROM contacts")]


# --- what strangers type ----------------------------------------------------------------------


def test_nobody_can_have_us_carry_their_links_to_others(house: House) -> None:
    """The key of a web page is in anybody's hands; what is agreed to is recorded all the same."""
    text = "You have won! Collect it at https://evil.example/prize now."
    traits = {"traits.first_name": "ana, look at evil.example", "traits.city": "Bilbao. Or near"}
    sign_up(house, {"email": ANA, "topic": "news", "text": text, **traits})
    [letter] = asked(house)
    assert "evil" not in str(letter.mail)
    assert "evil.example/prize" in house.client.get(letter.link("y")).text
    house.client.post(letter.link("y"))
    take(house)
    [record] = house.rows("SELECT text FROM consent_records")
    assert record["text"] == text


# --- the whole way ----------------------------------------------------------------------------


def test_f01_nobody_is_a_contact_or_mailed_before_they_confirm(house: House) -> None:
    answer = sign_up(house)
    assert answer.status_code == 200 and "Look into your inbox" in answer.text
    letter = asked(house)[0]
    assert letter.mail["To"] == ANA and "List-Unsubscribe" not in letter.mail
    assert known(house) == [] and events(house, "subscribed") == []


def test_f01_the_button_of_the_mails_page_makes_the_contact_with_a_record(house: House) -> None:
    sign_up(house, {**SIGN, "traits.first_name": "Ana", "locale": "es"})
    letter = asked(house)[0]
    assert "Confirma tu suscripción" in letter.mail["Subject"]
    page = house.client.get(letter.link("y"))
    assert "Yes, send me the letter" in page.text and "Sí, quiero" in page.text
    assert "Gracias" in house.client.post(letter.link("y")).text
    take(house)
    assert holds(house) == {"news": True}
    record = house.rows("SELECT * FROM consent_records")[0]
    assert (record["topic"], record["source"], record["text"]) == (
        "news",
        "sign-up form shop-web",
        SIGN["text"],
    )
    word = Word("news", True, record["at"], record["text"])
    assert proves("a secret of the tests", [ANA], word, record["proof"]) == ANA
    assert ANA not in str(record)
    said = house.rows("SELECT name, text FROM attributes ORDER BY name")
    assert said == [{"name": "first_name", "text": "ana"}, {"name": "locale", "text": "es"}]
    assert events(house, "subscribed")[0]["subject"] == "news"


def test_t19_a_scanner_that_looks_at_the_link_confirms_nothing(house: House) -> None:
    sign_up(house)
    path = asked(house)[0].link("y")
    for method in ("GET", "HEAD", "GET"):
        assert house.client.request(method, path).status_code == 200
    assert house.inbox() == []


def test_confirmed_twice_it_counts_once_and_stays_undone_after_a_refusal(house: House) -> None:
    sign_up(house)
    path = asked(house)[0].link("y")
    for _ in range(2):
        assert house.client.post(path).status_code == 200
    take(house)
    assert len(events(house, "subscribed")) == 1
    say(house, "Unsubscribed", topic="news")
    house.client.post(path)
    take(house)
    assert holds(house)["news"] is False


def test_the_link_is_good_for_seven_days(house: House) -> None:
    sign_up(house)
    path = asked(house)[0].link("y")
    house.server.desk.clock = lambda: clock_now() + 7 * DAY + MINUTE
    assert house.client.get(path).status_code == 410
    assert "sign up again" in house.client.post(path).text
    assert house.inbox() == []


def test_what_nobody_confirmed_is_forgotten_after_a_month(house: House) -> None:
    sign_up(house)
    path = asked(house)[0].link("y")
    late = clock_now() + 31 * DAY
    row = read_call({"type": "track", "event": "Visit", "userId": "bo@x.es"}, Reading(late))
    receive(house.workspace.store, [row])  # type: ignore[list-item]
    house.tick(late + MINUTE)
    assert house.rows("SELECT * FROM messages") == []
    assert house.client.get(path).status_code == 404


def test_the_project_may_write_its_own_mail(serve: Serve) -> None:
    mail = """\
        ---
        subject: "One click, {{ contact.first_name | default('you') }}"
        topic: transactional
        ---
        <p>{{ event.topics | join(', ') }}: <a href="{{ links.confirm }}">yes</a></p>
        """
    house = school(serve, {"templates/email/confirm.html": mail})
    sign_up(house, {**SIGN, "traits.first_name": "Ana"})
    letter = asked(house)[0]
    assert letter.mail["Subject"] == "One click, Ana"
    assert house.client.post(letter.link("y")).status_code == 200


def test_the_projects_mail_is_previewed_and_no_doubt(serve: Serve) -> None:
    mail = (
        "---\nsubject: Yes?\ntopic: transactional\n---\n{{ event.topics[0] }} {{ links.confirm }}"
    )
    house = school(serve, {"templates/email/confirm.html": mail})
    say(house, "Visit")
    assert "news #" in house.workspace.preview("confirm", ANA).html
    assert not [one for one in house.workspace.problems() if "confirm" in str(one.mark)]


def test_who_was_erased_comes_back_by_a_new_yes_only(house: House) -> None:
    said = {**SIGN, "key": key(house)}
    sign_up(house, said)
    path = asked(house)[0].link("y")
    house.client.post(path)
    take(house)
    house.workspace.erase(ANA)
    assert house.client.post(path).status_code == 404
    assert house.inbox() == []
    sign_up(house, said)
    again = asked(house)[0].link("y")
    assert known(house) == []
    house.client.post(again)
    take(house)
    assert known(house) == [ANA] and holds(house) == {"news": True}


def test_the_outbox_lists_the_mail_with_its_address(house: House) -> None:
    sign_up(house)
    asked(house)
    with house.workspace.store.read() as connection:
        rows = list(list_mails(connection, Mails()))
    assert [(row["to"], row["template"], row["status"]) for row in rows] == [
        (ANA, "confirm", "sent")
    ]


# --- the same for everybody -------------------------------------------------------------------


def test_the_answer_says_nothing_about_the_address(house: House) -> None:
    mailed(house)
    write_key = key(house)
    seen = {
        sign_up(house, {**SIGN, "key": write_key, "email": who}).text
        for who in (ANA, "nobody@x.es")
    }
    assert len(seen) == 1


def test_one_mail_an_hour_for_an_address_and_its_topics(house: House) -> None:
    write_key = key(house)
    for email in (ANA, "ANA@x.es", ANA):
        sign_up(house, {**SIGN, "key": write_key, "email": email})
    assert len(asked(house)) == 1


def test_whose_mail_bounced_is_not_asked(house: House) -> None:
    say(house, "email_bounced")
    assert sign_up(house).status_code == 200
    assert asked(house) == []
    assert house.rows("SELECT status, reason FROM messages") == [
        {"status": "withheld", "reason": "suppressed"}
    ]


# --- machines ---------------------------------------------------------------------------------


def test_what_fills_the_hidden_field_is_told_the_same_and_kept_nowhere(house: House) -> None:
    write_key = key(house)
    person = sign_up(house, {**SIGN, "key": write_key})
    program = sign_up(
        house, {**SIGN, "key": write_key, "email": "bot@x.es", "website": "http://x.example"}
    )
    assert (program.status_code, program.text) == (person.status_code, person.text)
    assert [row["email"] for row in house.inbox()] == [ANA]
    assert 'requests_refused_total{code="honeypot"} 1.0' in house.client.get("/metrics").text


def test_one_client_signs_up_so_often_and_no_oftener(house: House) -> None:
    write_key = key(house)
    answers = [
        sign_up(house, {**SIGN, "key": write_key, "email": f"ana{n}@x.es"}) for n in range(21)
    ]
    assert [one.status_code for one in answers] == [200] * 20 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
    assert "try again" in answers[-1].text
    assert len(house.inbox()) == 20


def test_one_address_is_signed_up_so_often_and_no_oftener(house: House) -> None:
    write_key = key(house)
    codes = [sign_up(house, {**SIGN, "key": write_key}).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]


# --- the form ---------------------------------------------------------------------------------


def test_the_form_can_be_framed_by_the_keys_pages_and_speaks_their_language(house: House) -> None:
    write_key = key(house, SHOP)
    page = house.client.get("/signup", params={"key": write_key}, headers={"accept-language": "es"})
    assert "Suscríbete" in page.text and "script" not in tags(page)
    assert f"frame-ancestors {SHOP}" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    assert [field["value"] for field in fields(page, "checkbox")] == ["news", "offers"]
    assert not [field for field in fields(page, "checkbox") if "checked" in field]


def test_the_form_sends_what_it_takes(house: House) -> None:
    """As a browser would: every hidden field, the box that was ticked, its own origin."""
    write_key = key(house, SHOP)
    page = house.client.get("/signup", params={"key": write_key})
    sent = {str(one["name"]): str(one["value"]) for one in fields(page, "hidden")}
    own = {"origin": house.server.address, "accept": "text/html"}
    answer = sign_up(house, {**sent, "email": ANA, "topic": "news", "website": ""}, headers=own)
    assert answer.status_code == 200
    letter = asked(house)[0]
    assert "Yes, write to me about news." in letter.mail.get_body(("plain",)).get_content()


def test_what_is_wrong_is_said_beside_what_was_typed(house: House) -> None:
    write_key = key(house)
    page = house.client.get("/signup", params={"key": write_key})
    sent = {"key": write_key, "page": "ours", "offered": ["news", "offers"], "topic": "news"}
    page = sign_up(house, {**sent, "email": "ana at x"})
    assert page.status_code == 400 and 'role="alert"' in page.text
    assert 'value="ana at x"' in page.text
    ticked = [one["value"] for one in fields(page, "checkbox") if "checked" in one]
    assert ticked == ["news"]
    page = sign_up(house, {**sent, "email": ANA, "topic": []})
    assert page.status_code == 400 and "tick at least one" in page.text
    assert house.inbox() == []


def test_what_was_typed_is_shown_as_text(house: House) -> None:
    page = sign_up(house, {**SIGN, "email": '"><script>alert(1)</script>'})
    assert page.status_code == 400 and "<script>" not in page.text


def test_scripts_send_json_and_get_json(house: House) -> None:
    write_key = key(house, SHOP)
    said = {"key": write_key, "email": ANA, "topics": ["news"], "traits": {"plan": "pro"}}
    answer = house.client.post("/signup", json=said, headers={"origin": SHOP})
    assert answer.json() == {"success": True}
    assert answer.headers["access-control-allow-origin"] == SHOP
    wrong = house.client.post("/signup", json={**said, "email": "x"}, headers={"origin": SHOP})
    assert wrong.status_code == 400 and wrong.json()["code"] == "signup_bad_email"


def test_cors_lets_the_keys_pages_send(house: House) -> None:
    write_key = key(house, SHOP)
    ask = {"origin": SHOP, "access-control-request-method": "POST"}
    answer = house.client.options("/signup", params={"key": write_key}, headers=ask)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == SHOP
    other = house.client.options("/signup", headers={**ask, "origin": "https://evil.example"})
    assert other.status_code == 403 and "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("given", ["", "fs_nothing"])
def test_without_a_key_nothing_is_taken(house: House, given: str) -> None:
    said = {**SIGN, "key": given}
    assert house.client.post("/signup", data=said).status_code == 401
    assert house.client.get("/signup", params={"key": given}).status_code == 401


def test_pages_that_the_key_is_not_meant_for_are_refused(house: House) -> None:
    said = {**SIGN, "key": key(house, SHOP)}
    evil = {"origin": "https://evil.example"}
    assert sign_up(house, said, headers=evil).status_code == 403
    assert sign_up(house, said, headers={"origin": SHOP}).status_code == 200


def test_afterwards_the_browser_goes_where_the_key_allows(house: House) -> None:
    said = {**SIGN, "key": key(house, SHOP)}
    answer = sign_up(house, {**said, "redirect": f"{SHOP}/thanks"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SHOP}/thanks")
    for elsewhere in ("https://evil.example/", f"{SHOP}.evil.example/", f"{SHOP}@evil.example/",
                      "javascript:alert(1)", f"{SHOP}\\@evil.example", "//e.example"):  # fmt: skip
        assert sign_up(house, {**said, "redirect": elsewhere}).status_code == 400


def test_topics_are_those_of_the_policy(house: House) -> None:
    write_key = key(house)
    assert sign_up(house, {**SIGN, "key": write_key, "topic": "secrets"}).status_code == 400
    assert sign_up(house, {"key": write_key, "email": ANA}).status_code == 200
    path = asked(house)[0].link("y")
    house.client.post(path)
    take(house)
    assert holds(house) == {"email": True}


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[1]", b"{", b"null", b'{"email": {"a": 1}}'])
@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_body_that_is_no_form_is_refused(house: House, body: bytes, kind: str) -> None:
    answer = house.client.post("/signup", content=body, headers={"content-type": kind})
    assert 400 <= answer.status_code < 500


def test_no_head_of_a_form_holds_up_everybody_else(house: House) -> None:
    """Whoever needs no key must not have us think for seconds."""
    kind = "multipart/form-data" + "; a*0*=x" * 7_000 + "; boundary=x"
    start = time.monotonic()
    for head in (b"form-data" + b"; a*0*=x" * 7_000, b"form-data; name=" + b"(" * 50_000):
        body = b"--x\r\nContent-Disposition: " + head + b"\r\n\r\ny\r\n--x--\r\n"
        for given in (kind, "multipart/form-data; boundary=x"):
            answer = house.client.post("/signup", content=body, headers={"content-type": given})
            assert answer.status_code == 401
    assert time.monotonic() - start < 3


def test_too_much_is_refused(house: House) -> None:
    assert sign_up(house, {**SIGN, "text": "x" * 70_000}).status_code == 413


def test_without_a_public_address_the_form_says_what_to_set(serve: Serve) -> None:
    house = serve(FILES)
    answer = house.client.post("/signup", data={**SIGN, "key": key(house)})
    assert answer.status_code == 503 and "FLOWSCORE_PUBLIC_URL" in answer.text


def test_a_project_of_a_policy_alone_takes_sign_ups(serve: Serve) -> None:
    """A site may begin with its form, before anybody wrote a scenario."""
    house = serve()
    shown = house.client.get("/signup", params={"key": key(house)}, headers={"Accept": "text/html"})
    assert shown.status_code == 200
    house.tick()
