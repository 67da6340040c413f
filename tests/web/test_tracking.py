"""Opens, clicks and the mail in a browser, through HTTP, from the mail to the score."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from html import unescape
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text

from flowscore.cli import main
from flowscore.clock import MINUTE, clock_now, rfc3339
from flowscore.mail.tokens import OfMail, digest_of, sign_hit
from flowscore.store.calls import read_call
from flowscore.store.fields import Reading
from flowscore.store.inbox import InboxRow, receive
from flowscore.web.agents import agent_of
from web.conftest import House, Serve

SECRET = "a secret of the tests"
BASE = "https://mail.academy.example"
ANA = "ana@x.es"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
POLICY = """
    policy: academy
    consent: implied
    topics: [news]
    sender: {address: hello@academy.example}
"""
PROJECT = {
    "scenarios/policy.yaml": POLICY,
    "scenarios/course.yaml": """
        scenario: course
        trigger: {event: signed_up}
        actions: [send_email: hello]
        ---
        scenario: bought
        trigger: {event: order_completed}
        actions: [send_email: receipt]
        ---
        score: engagement
        rules:
          - {name: opens, points: 1, on: {email_opened: {template: hello}}}
          - {name: clicks, points: 10, on: {email_clicked: {template: hello}}}
          - name: cta
            points: 100
            on: {email_clicked: {template: hello, link: "https://academy.example/enrol?plan=pro&x=1"}}
          - {name: transactional, points: 1000, on: {email_clicked: {topic: transactional}}}
        ---
        score: programs
        rules:
          - {name: opens, points: 1, on: {email_opened: {machine: true}}}
          - {name: clicks, points: 10, on: {email_clicked: {machine: true}}}
    """,
    "templates/email/hello.html": """
        ---
        subject: Your course
        topic: news
        ---
        <html lang="en"><body><p>Hello {{ contact.first_name | default("you") }}</p>
        <a href="https://academy.example/enrol?plan=pro&amp;x=1">Enrol</a>
        <a href="https://academy.example/lesson">Lesson</a>
        <a href="https://academy.example/plan?for={{ contact.email }}">Plan</a>
        <a href="{{ links.view | default('#') }}">In the browser</a></body></html>
    """,
    "templates/email/receipt.html": """
        ---
        subject: Your receipt
        topic: transactional
        ---
        <a href="https://academy.example/receipt">Receipt</a>
    """,
}
ENROL = "https://academy.example/enrol?plan=pro&x=1"


@dataclass
class Mail:
    """A delivered mail: the paths of its picture, its links, its trap and its page."""

    html: str

    def paths(self, kind: str) -> list[str]:
        found = re.findall(rf'"{re.escape(BASE)}(/{kind}/[^"]*)"', self.html)
        return [unescape(path) for path in found]

    @property
    def picture(self) -> str:
        return self.paths("o")[0]

    def link(self, target: str) -> str:
        wanted = quote(target, safe="/:?@!$*,;~()")
        return next(path for path in self.paths("c") if path.endswith(f"?u={wanted}"))


@dataclass
class Academy:
    """The served project, with people whose mails were delivered a while ago."""

    house: House

    def meet(
        self, name: str, event: str = "signed_up", ago: int = 60 * MINUTE, **said: Any
    ) -> Mail:
        """Somebody does something and gets a mail for it, an hour ago."""
        at = clock_now() - ago
        email = f"{name}@x.es"
        calls: list[dict[str, Any]] = [
            {"type": "track", "event": event, "userId": email, "messageId": f"{event}:{name}"}
        ]
        if said:
            calls.append({"type": "identify", "userId": email, "traits": said, "messageId": name})
        rows = [read_call(call | {"timestamp": rfc3339(at)}, Reading(at)) for call in calls]
        assert all(isinstance(row, InboxRow) for row in rows), rows
        receive(self.house.workspace.store, rows)  # type: ignore[arg-type]
        self.house.tick(at + 2 * MINUTE)
        before = set(self.outbox())
        assert self.house.deliver(at + 2 * MINUTE).sent == 1
        [new] = set(self.outbox()) - before
        content = message_from_bytes(new.read_bytes(), policy=policy.default)
        return Mail(str(content.get_body(("html",)).get_content()))  # type: ignore[attr-defined]

    def outbox(self) -> list[Any]:
        return list((self.house.workspace.root / "outbox").glob("*.eml"))

    def ask(
        self, path: str, agent: str | None = SAFARI, method: str = "GET", **headers: str
    ) -> Any:
        given = {"user-agent": agent or "", **headers}
        return self.house.client.request(method, path, headers=given, follow_redirects=False)

    def wait(self, number: int) -> None:
        """Until so many hits are on the disk."""
        until = time.monotonic() + 10
        query = "SELECT count(*) AS n FROM inbox WHERE source = 'flowscore tracking'"
        while self.house.inbox(query)[0]["n"] < number:
            assert time.monotonic() < until, self.house.inbox()
            time.sleep(0.01)

    def hits(self) -> list[tuple[str, str]]:
        """What the next ticks make of it: names, and why a machine's."""
        self.house.tick()
        rows = self.house.rows(
            "SELECT name, machine, behaviour, properties FROM events"
            " WHERE source = 'flowscore tracking' ORDER BY own_at, id"
        )
        for row in rows:
            assert bool(row["machine"]) is not bool(row["behaviour"])
        return [(row["name"], properties_of(row).get("machine_why", "")) for row in rows]

    def points(self, score: str = "engagement", who: str = ANA) -> int:
        rows = self.house.rows(
            "SELECT raw FROM balances b JOIN contacts c ON c.id = b.contact_id"
            " WHERE score = :score AND email_folded = :who",
            score=score,
            who=who,
        )
        return rows[0]["raw"] // 100_000_000 if rows else 0


def properties_of(row: dict[str, Any]) -> dict[str, Any]:
    import json

    found = row["properties"]
    return json.loads(found) if isinstance(found, str) else found  # type: ignore[no-any-return]


Open = Callable[..., Academy]


@pytest.fixture
def open_academy(serve: Serve) -> Open:
    """The project with changed files, on any store."""

    def start(files: dict[str, str] | None = None, url: str = "") -> Academy:
        return Academy(serve({**PROJECT, **(files or {})}, url, PUBLIC_URL=BASE))

    return start


@pytest.fixture
def academy(open_academy: Open, store_url: str) -> Academy:
    """On both databases."""
    return open_academy(url="" if store_url.startswith("sqlite") else store_url)


# --- people -----------------------------------------------------------------------------------


def test_a09_opens_and_clicks_score_from_the_mail_to_the_points(academy: Academy) -> None:
    mail = academy.meet("ana")
    answer = academy.ask(mail.picture, GMAIL)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert "no-store" in answer.headers["cache-control"]
    answer = academy.ask(mail.link(ENROL))
    assert (answer.status_code, answer.headers["location"]) == (302, ENROL)
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    academy.wait(2)
    assert academy.hits() == [("email_opened", ""), ("email_clicked", "")]
    assert academy.points() == 1 + 10 + 100
    assert academy.points("programs") == 1 + 10  # `machine: true` counts both
    [click] = academy.house.rows("SELECT * FROM events WHERE name = 'email_clicked'")
    [message] = academy.house.rows("SELECT key FROM messages")
    assert (click["subject"], click["topic"], click["mail_key"]) == (
        "hello",
        "news",
        message["key"],
    )
    said = properties_of(click)
    assert (said["link"], said["links"], said["scenario"]) == (ENROL, 3, "course")
    assert (said["machine"], said["agent"]) == (False, "browser or mail program")


def test_a09_a_click_in_a_transactional_mail_scores_by_its_topic(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana", "order_completed")
    assert academy.ask(mail.link("https://academy.example/receipt")).status_code == 302
    academy.wait(1)
    assert academy.hits() == [("email_clicked", "")]
    assert academy.points() == 1000


def test_a_click_leads_on_with_every_letter_of_the_link(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    target = "https://academy.example/plan?for=ana@x.es"
    assert academy.ask(mail.link(target)).headers["location"] == target


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("https://a.example/?q=a+b%20c&d=%2B#e", "https://a.example/?q=a+b%20c&d=%2B#e"),
        ("https://a.example/niña?q=día", "https://a.example/ni%C3%B1a?q=d%C3%ADa"),
        ("https://a.example/a b|c", "https://a.example/a%20b%7Cc"),
        ("HTTPS://a.example", "HTTPS://a.example"),
    ],
)
def test_the_redirect_is_exact(house: House, target: str, location: str) -> None:
    token = sign_hit(SECRET, "click", OfMail(1, b"abcd", 1), target)
    answer = house.client.get(f"/c/{token}", params={"u": target}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, location)


def test_opens_count_each_time_and_a_picture_that_is_asked_for_twice_at_once_counts_once(
    open_academy: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    desk = academy.house.server.desk
    start = clock_now()
    for seconds, agent in ((0, SAFARI), (0, SAFARI), (0, GMAIL), (3, SAFARI)):
        monkeypatch.setattr(desk, "clock", lambda at=start + seconds * 1_000_000: at)
        academy.ask(mail.picture, agent)
    academy.wait(3)
    monkeypatch.undo()
    assert academy.hits() == [("email_opened", "")] * 3


# --- no open redirect, no page that does harm -------------------------------------------------


def test_a_changed_link_leads_nowhere(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    path = mail.link(ENROL)
    token, _, target = path.removeprefix("/c/").partition("?u=")
    picture = mail.picture.removeprefix("/o/").removesuffix(".gif")
    for changed in (
        f"/c/{token}",
        f"/c/{token}?u=",
        f"/c/{token}?u=https://evil.example",
        f"/c/{token}?u={target}&u=https://evil.example",
        f"/c/{token}?u={target}%0d%0aSet-Cookie:%20a=b",
        f"/c/{token}?u=javascript:alert(1)",
        f"/c/{token}x?u={target}",
        f"/c/{token[:-1]}?u={target}",
        f"/c/{picture}?u={target}",
        f"/c/{mail.paths('h')[0].removeprefix('/h/')}?u={target}",
        f"/c/{mail.paths('v')[0].removeprefix('/v/')}?u={target}",
        "/c/?u=https://evil.example",
        "/c/%00?u=%ff%fe",
        f"/c/{'A' * 3000}?u={target}",
    ):
        answer = academy.ask(changed)
        assert answer.status_code == 404, changed
        assert "location" not in answer.headers
        assert "This link does not work" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert academy.house.inbox() == []


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "//evil.example", "https://a.example/\r\nX: y", "https:", ""]
)
def test_not_even_a_signed_link_leads_anywhere_but_to_the_web(house: House, target: str) -> None:
    token = sign_hit(SECRET, "click", OfMail(1, b"abcd", 1), target)
    answer = house.client.get(f"/c/{token}", params={"u": target}, follow_redirects=False)
    assert answer.status_code == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize("path", ["/o/", "/o/x.gif", "/o/a/b.gif", "/o/%00", "/o/" + "A" * 4000])
def test_any_picture_is_answered(house: House, path: str) -> None:
    answer = house.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")


def test_a_mail_of_another_store_with_the_same_secret_is_led_on_and_not_recorded(
    open_academy: Open,
) -> None:
    academy = open_academy()
    academy.meet("ana")
    token = sign_hit(SECRET, "click", OfMail(1, digest_of("another.key"), 1), ENROL)
    answer = academy.house.client.get(f"/c/{token}", params={"u": ENROL}, follow_redirects=False)
    assert answer.status_code == 302
    wait_for(lambda: counted(academy, "unknown") == 1)
    assert academy.house.inbox() == []


def counted(academy: Academy, outcome: str) -> float:
    return academy.house.server.desk.metrics.hits.labels(outcome)._value.get()


def wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_click_leads_on_when_the_store_cannot_be_asked(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    store = academy.house.workspace.store
    with store.transact() as connection:
        connection.execute(text("ALTER TABLE messages RENAME TO gone"))
    assert academy.ask(mail.link(ENROL)).headers["location"] == ENROL
    assert academy.ask(mail.picture).content.startswith(b"GIF89a")
    wait_for(lambda: counted(academy, "lost") == 2)
    with store.transact() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO messages"))
    academy.ask(mail.picture, GMAIL)
    academy.wait(1)  # the thread lives on


def test_what_finds_no_room_is_dropped_and_answered(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    academy.house.server.desk.recorder.most = 0
    assert academy.ask(mail.link(ENROL)).status_code == 302
    assert academy.ask(mail.picture).status_code == 200
    assert counted(academy, "dropped") == 2
    assert academy.house.inbox() == []


def test_what_was_taken_is_written_before_the_server_ends(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    for _ in range(20):
        academy.ask(mail.picture, f"Mozilla/5.0 (X11; Linux {_})")
    academy.house.server.stop()
    assert len(academy.house.inbox()) == 20


def test_hits_at_once_are_all_recorded(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana")

    def hit(number: int) -> None:
        with httpx.Client(base_url=academy.house.server.address) as client:
            for n in range(50):
                client.get(mail.picture, headers={"user-agent": f"Mozilla/5.0 (X{number} {n})"})

    threads = [threading.Thread(target=hit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    academy.wait(200)


# --- machines ---------------------------------------------------------------------------------


def test_t10_a_scanner_that_clicks_every_link_is_kept_apart(academy: Academy) -> None:
    mail = academy.meet("ana")
    for path in mail.paths("c"):
        assert academy.ask(path).status_code == 302
    academy.wait(3)
    assert academy.hits() == [("email_clicked", "every link")] * 3
    assert academy.points() == 0
    assert academy.points("programs") == 30


def test_t10_who_follows_the_hidden_link_is_a_machine_with_all_it_clicked(
    open_academy: Open,
) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    answer = academy.ask(mail.paths("h")[0])
    assert answer.status_code == 200
    assert "empty on purpose" in answer.text
    assert "a propósito" in academy.ask("/h/x", **{"Accept-Language": "es-MX"}).text
    academy.ask(mail.link(ENROL))
    academy.wait(2)
    assert academy.hits() == [("email_clicked", "hidden link")] * 2


def test_t10_a_head_request_is_a_machines(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    picture = academy.ask(mail.picture, method="HEAD")
    assert (picture.status_code, picture.content) == (200, b"")
    click = academy.ask(mail.link(ENROL), method="HEAD")
    assert (click.status_code, click.headers["location"]) == (302, ENROL)
    academy.wait(2)
    assert {why for _, why in academy.hits()} == {"head request"}


@pytest.mark.parametrize(
    "header",
    [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}],
)
def test_t10_what_a_browser_loads_ahead_is_a_machines(
    open_academy: Open, header: dict[str, str]
) -> None:
    academy = open_academy()
    academy.ask(academy.meet("ana").link(ENROL), **header)
    academy.wait(1)
    assert academy.hits() == [("email_clicked", "prefetch")]


@pytest.mark.parametrize("agent", ["python-requests/2.32", "Slackbot-LinkExpanding 1.0", None])
def test_t10_a_program_of_the_kept_list_is_a_machine(open_academy: Open, agent: str | None) -> None:
    academy = open_academy()
    academy.ask(academy.meet("ana").link(ENROL), agent)
    academy.wait(1)
    assert academy.hits() == [("email_clicked", "agent" if agent else "no agent named")]


def test_t10_what_loads_the_pictures_at_delivery_is_a_machine(open_academy: Open) -> None:
    academy = open_academy()
    earlier = academy.meet("ben")
    mail = academy.meet("ana", ago=2 * MINUTE)  # it is written just now
    academy.ask(mail.picture, GMAIL)
    academy.ask(mail.link(ENROL))
    academy.ask(earlier.picture, GMAIL)
    academy.wait(3)
    assert academy.hits() == [
        ("email_opened", "at delivery"),
        ("email_clicked", "at delivery"),
        ("email_opened", ""),
    ]


def test_t10_a_person_who_opens_after_the_machines_is_one(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    academy.ask(mail.picture, "Mozilla/5.0")
    academy.ask(mail.picture, GMAIL)
    academy.wait(2)
    assert sorted(academy.hits()) == [("email_opened", ""), ("email_opened", "agent")]
    assert academy.points() == 1


@pytest.mark.parametrize(
    ("said", "name", "machine"),
    [
        (GMAIL, "gmail", False),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
         "yahoo mail", False),
        (SAFARI, "browser or mail program", False),
        ("Microsoft Outlook 16.0.19029; x64; ms-office; MSOffice 16", "browser or mail program",
         False),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/120 Mobile",
         "browser or mail program", False),
        ("okhttp/4.12.0", "browser or mail program", False),
        ("Mozilla/5.0", "loads ahead", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "robot", True),
        ("Mozilla/5.0 (compatible; Barracuda Sentinel (EE))", "barracuda", True),
        ("Mozilla/5.0 (X11) HeadlessChrome/120.0", "headless browser", True),
        ("WhatsApp/2.24.1 A", "whatsapp", True),
        ("facebookexternalhit/1.1", "facebook", True),
        ("curl/8.5.0", "curl", True),
        ("  ", "", True),
    ],
)  # fmt: skip
def test_t10_the_kept_list_knows_programs_by_their_names(
    said: str, name: str, machine: bool
) -> None:
    assert agent_of(said) == (name, machine)


# --- anonymous and off ------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["policy", "contact"])
def test_anonymous_hits_are_counted_and_are_nobodys(
    open_academy: Open, store_url: str, by: str
) -> None:
    files = (
        {"scenarios/policy.yaml": POLICY + "    tracking: anonymous\n"} if by == "policy" else {}
    )
    academy = open_academy(files, "" if store_url.startswith("sqlite") else store_url)
    mail = academy.meet("ana", **({"tracking": "anonymous"} if by == "contact" else {}))
    assert mail.paths("h") == []
    academy.ask(mail.picture)
    academy.ask(mail.picture)
    academy.ask(mail.picture, "curl/8")
    target = "https://academy.example/plan?for=ana@x.es"
    assert academy.ask(mail.link(target)).headers["location"] == target
    academy.wait(4)
    for line in academy.house.inbox("SELECT * FROM inbox WHERE source = 'flowscore tracking'"):
        assert "ana" not in str(line)
        assert line["user_value"] is None
        assert line["own_at"] % (24 * 60 * MINUTE) == 0
    assert academy.hits() == []
    assert academy.points() == 0
    rows = academy.house.rows("SELECT * FROM tallies ORDER BY name, machine")
    assert [
        (r["template"], r["name"], r["link"], bool(r["machine"]), r["number"]) for r in rows
    ] == [
        ("hello", "email_clicked", "https://academy.example/plan", False, 1),
        ("hello", "email_opened", "", False, 2),
        ("hello", "email_opened", "", True, 1),
    ]


def test_the_report_has_anonymous_hits_beside_those_with_a_name(
    open_academy: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    academy = open_academy()
    mail = academy.meet("ana", tracking="anonymous")
    academy.ask(mail.picture)
    academy.ask(mail.link(ENROL))
    academy.ask(mail.link(ENROL), "curl/8")
    academy.wait(3)
    academy.house.tick()
    told = academy.house.workspace.report("templates")["templates"]
    assert told["anonymous"] == [
        {
            "template": "hello",
            "opened": {"people": 1, "machines": 0},
            "clicked": {"people": 1, "machines": 1},
        }
    ]
    assert told["templates"][0]["opened"]["people"]["contacts"] == 0
    main(["--project", str(academy.house.workspace.root), "report", "--section", "templates"])
    said = capsys.readouterr().out
    assert "counted anonymously  opens  clicks  machine opens  machine clicks" in said
    assert re.search(r"hello +1 +1 +1$", said, re.MULTILINE)


def test_off_by_the_contact_leaves_the_mail_as_it_is(open_academy: Open) -> None:
    mail = open_academy().meet("ana", tracking="off")
    assert (mail.paths("o"), mail.paths("c"), mail.paths("h")) == ([], [], [])
    assert 'href="https://academy.example/lesson"' in mail.html


# --- the mail in a browser, and previews ------------------------------------------------------


def test_the_mail_in_a_browser_is_the_mail_and_is_not_counted(academy: Academy) -> None:
    mail = academy.meet("ana", first_name="Ana")
    [path] = mail.paths("v")
    answer = academy.ask(path)
    assert answer.status_code == 200
    assert "Hello Ana" in answer.text
    assert 'href="https://academy.example/lesson"' in answer.text
    assert "/c/" not in answer.text
    assert "/o/" not in answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "script" not in answer.headers["content-security-policy"]
    time.sleep(0.05)
    assert academy.house.inbox() == []


def test_a_view_that_is_not_signed_shows_nothing(open_academy: Open) -> None:
    academy = open_academy()
    mail = academy.meet("ana")
    other = academy.meet("ben", ago=30 * MINUTE)
    [path] = mail.paths("v")
    for changed in ("/v/", "/v/x", path[:-1], path + "A", "/v/" + "A" * 5000, "/v/%00%ff",
                    other.paths("v")[0][:6] + path[6:]):  # fmt: skip
        answer = academy.ask(changed)
        assert answer.status_code == 404, changed
        assert "Hello" not in answer.text


def test_a_mail_that_can_no_longer_be_written_says_so(open_academy: Open) -> None:
    academy = open_academy()
    [path] = academy.meet("ana").paths("v")
    with academy.house.workspace.store.transact() as connection:
        connection.execute(text("UPDATE messages SET template = 'gone'"))
    answer = academy.ask(path)
    assert answer.status_code == 410
    assert "no longer here" in answer.text


def test_the_page_shows_a_template_as_it_stands_now(open_academy: Open) -> None:
    academy = open_academy()
    [path] = academy.meet("ana").paths("v")
    assert "Hello you" in academy.ask(path).text
    file = academy.house.workspace.root / "templates/email/hello.html"
    file.write_text(file.read_text().replace("Hello", "Dear"))
    assert "Dear you" in academy.ask(path).text


def test_a_preview_is_not_tracked(open_academy: Open) -> None:
    academy = open_academy()
    academy.meet("ana")
    shown = academy.house.workspace.preview("hello", ANA)
    assert BASE + "/o/" not in shown.html
    assert BASE + "/c/" not in shown.html
