"""Mail handed over to an SMTP server on loopback: `deliver` against a bare loop.

    python benchmarks/mail.py [--mails 2000] [--rounds 3]

The bare loop renders with Jinja2, builds with the standard library's MIMEText and sends over as
many connections; it asks no consent, keeps no outbox and forgets everything in a crash.
`deliver` does all of it, with a durable commit before and after each mail. The bar is 0.7.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from pathlib import Path

import aiosmtplib
import jinja2
from sqlalchemy import insert

from flowscore.clock import DAY, datetime_of
from flowscore.language.policy import Policy, Sender
from flowscore.language.project import Project
from flowscore.mail.delivery import deliver
from flowscore.mail.settings import MailSettings
from flowscore.mail.smtp import SmtpTransport
from flowscore.mail.templates import Templates, load_templates
from flowscore.store.database import Store, open_store
from flowscore.store.tables import attributes, consents, contacts, messages

CONNECTIONS = 4
NOW = 20_000 * DAY
BAR = 0.7
SENDER = Sender(name="Acme", address="hello@acme.example")
SETTINGS = MailSettings(public_url="https://mail.example.com", secret="benchmark")
PARAGRAPH = (
    "<p>Hello {{ contact.first_name | default('you') }}, your course begins on Monday. You will "
    'find <a href="https://acme.example/courses/1?from=mail">everything you need</a> there; '
    "bring questions, coffee and a friend from {{ contact.city }}.</p>\n"
)
PAGE = (
    "---\nsubject: \"{{ contact.first_name | default('Hola') }}, your course starts Monday\"\n"
    "preheader: Three things to know\ntopic: news\n---\n"
    "{% extends '_layout.html' %}{% block content %}" + PARAGRAPH * 8 + "{% endblock %}"
)
LAYOUT = """<!doctype html><html lang="en"><head><style>
p { font: 16px/1.5 Arial, sans-serif; margin: 0 0 16px } a { color: #0b57d0 }
@media (prefers-color-scheme: dark) { p { color: #eee !important } }
</style></head><body><table><tr><td>{% block content %}{% endblock %}</td></tr></table>
<p><a href="{{ links.unsubscribe }}">Unsubscribe</a></p></body></html>"""


# --- a server that takes everything, in a process of its own ------------------------------------


class Sink(asyncio.Protocol):
    """As little SMTP as a client needs."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer, self.in_data = transport, b"", False
        self._say(b"220 sink")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = b"\r\n.\r\n" if self.in_data else b"\r\n"
            line, found, rest = self.buffer.partition(end)
            if not found:
                return
            self.buffer = rest
            self._answer(line)

    def _answer(self, line: bytes) -> None:
        if self.in_data:
            self.in_data = False
            return self._say(b"250 taken")
        verb = line[:4].upper()
        self.in_data = verb == b"DATA"
        return self._say({b"DATA": b"354 go on", b"QUIT": b"221 bye"}.get(verb, b"250 ok"))

    def _say(self, words: bytes) -> None:
        self.transport.write(words + b"\r\n")


def serve(port: int) -> None:
    """Until killed."""

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(forever())


@contextmanager
def sink() -> Iterator[int]:
    """The port of a running sink."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(port,), daemon=True)
    process.start()
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    try:
        yield port
    finally:
        process.terminate()
        process.join()


# --- the two sides ------------------------------------------------------------------------------


def people(count: int) -> list[dict[str, str]]:
    """Who gets a mail."""
    return [
        {"email": f"person{n}@example.com", "first_name": f"Ána {n}", "city": "València"}
        for n in range(count)
    ]


def fill(store: Store, rows: list[dict[str, str]]) -> None:
    """Contacts, their attributes and consent, and one queued mail each."""
    numbers = range(1, len(rows) + 1)
    with store.transact() as connection:
        connection.execute(
            insert(contacts),
            [
                {"id": n, "email": r["email"], "email_folded": r["email"], "known": True}
                | {"created_at": 0, "draw_a": 0, "draw_b": 0}
                for n, r in zip(numbers, rows, strict=True)
            ],
        )
        facts = [
            {"contact_id": n, "name": name, "element": 0, "value": row[name], "set_at": 0}
            for n, row in zip(numbers, rows, strict=True)
            for name in ("first_name", "city")
        ]
        connection.execute(insert(attributes), facts)
        said = [{"contact_id": n, "topic": "email", "granted": True, "at": 0} for n in numbers]
        connection.execute(insert(consents), [word | {"source": "form"} for word in said])
        connection.execute(insert(messages), [queued(n) for n in numbers])


def queued(number: int) -> dict[str, object]:
    """A mail as the engine queues it."""
    row: dict[str, object] = dict.fromkeys(
        ("entered_at", "queued_at", "due_at", "next_at", "priority", "place", "attempts"), 0
    )
    row |= {"key": f"welcome.{number}.actions-0", "kind": "email", "contact_id": number}
    row |= {"scenario": "welcome", "step": "actions/0", "template": "page", "topic": "news"}
    return row | {"status": "queued", "sent_event": False}


def write_templates(folder: Path) -> Templates:
    """One page in a layout."""
    where = folder / "templates" / "email"
    where.mkdir(parents=True)
    (where / "_layout.html").write_text(LAYOUT)
    (where / "page.html").write_text(PAGE)
    templates, problems = load_templates(folder)
    assert not problems, problems
    return templates


@dataclass(frozen=True)
class Took:
    """Seconds on the wall, and of this process's CPU."""

    wall: float
    cpu: float


class Clock:
    """Started when made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> Took:
        """Since then."""
        return Took(time.perf_counter() - self.wall, time.process_time() - self.cpu)


def ours(port: int, rows: list[dict[str, str]]) -> Took:
    """What `deliver` takes for all of them."""
    with tempfile.TemporaryDirectory() as name:
        store = open_store(Path(name) / "flowscore.db", create=True)
        fill(store, rows)
        templates = write_templates(Path(name))
        project = Project(policy=Policy(sender=SENDER, topics=("news",)))
        transport = SmtpTransport(f"smtp://127.0.0.1:{port}", CONNECTIONS)
        clock = Clock()
        report = deliver(store, project, templates, transport, NOW, settings=SETTINGS)
        took = clock.read()
        assert report.sent == len(rows), report
        store.close()
    return took


def bare(port: int, rows: list[dict[str, str]], build: Callable[..., bytes]) -> Took:
    """What the loop takes without everything else."""
    with tempfile.TemporaryDirectory() as name:
        page = write_templates(Path(name)).find("page", None)
        html, text = page.html_source, page.text_template
    env = jinja2.Environment(autoescape=True)
    plain = jinja2.Environment(autoescape=False)
    subject = plain.from_string(page.source.front["subject"])
    parts = (subject, plain.from_string(text or ""), env.from_string(html))

    async def lane(work: Iterator[dict[str, str]]) -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port)
        async with client:
            for number, row in work:
                content = build(parts, number, row)
                await client.sendmail(SENDER.address, [row["email"]], content)

    async def all_lanes() -> None:
        work = iter(enumerate(rows))
        await asyncio.gather(*(lane(work) for _ in range(CONNECTIONS)))

    clock = Clock()
    asyncio.run(all_lanes())
    return clock.read()


def with_mimetext(parts: tuple[jinja2.Template, ...], number: int, row: dict[str, str]) -> bytes:
    """Render and build as the standard library's documentation does."""
    link = f"https://mail.example.com/u/{number:032d}"
    words = {"contact": row, "links": {"unsubscribe": link}, "preheader": "Three things to know"}
    subject, text, html = (part.render(words) for part in parts)
    mail = MIMEMultipart("alternative")
    mail["From"] = f"{SENDER.name} <{SENDER.address}>"
    mail["To"] = row["email"]
    mail["Subject"] = subject
    mail["Date"] = format_datetime(datetime_of(NOW))
    mail["Message-ID"] = f"<{number}@acme.example>"
    mail["List-Unsubscribe"] = f"<{link}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.attach(MIMEText(text, "plain", "utf-8"))
    mail.attach(MIMEText(html, "html", "utf-8"))
    return mail.as_bytes()


def raw() -> Callable[..., bytes]:
    """No rendering, no building: what the client and the server cost by themselves."""
    content = b"Subject: x\r\n\r\n" + b"x" * 70 * 100
    return lambda parts, number, row: content


def main() -> None:
    """One line of a table, and exit code 1 below the bar."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mails", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    rows = people(chosen.mails)
    times: dict[str, list[Took]] = {"deliver": [], "bare loop": [], "client alone": []}
    with sink() as port:
        for _ in range(chosen.rounds):
            times["deliver"].append(ours(port, rows))
            times["bare loop"].append(bare(port, rows, with_mimetext))
            times["client alone"].append(bare(port, rows, raw()))
    rate = {n: chosen.mails / statistics.median(t.wall for t in took) for n, took in times.items()}
    cpu = {n: statistics.median(t.cpu for t in took) / chosen.mails for n, took in times.items()}
    ratio = rate["deliver"] / rate["bare loop"]
    share = rate["deliver"] / rate["client alone"]
    print("| mails | deliver | bare loop with MIMEText | ratio | bar | share of the raw client |")
    print("| --- | --- | --- | --- | --- | --- |")
    costs = {name: f"{1000 * seconds:.2f} ms" for name, seconds in cpu.items()}
    print(
        f"| {chosen.mails:,} over {CONNECTIONS} connections "
        f"| {rate['deliver']:,.0f}/s ({costs['deliver']} CPU) "
        f"| {rate['bare loop']:,.0f}/s ({costs['bare loop']} CPU) "
        f"| {ratio:.2f} | {BAR} | {share:.0%} |"
    )
    sys.exit(ratio < BAR)


if __name__ == "__main__":
    main()
