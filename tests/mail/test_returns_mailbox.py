"""The doors of returned mail: a Maildir, a pipe, LMTP; crashes, rights, and mails in the way."""

from __future__ import annotations

import mailbox
import os
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest

from flowscore.clock import clock_now
from flowscore.errors import FlowscoreError
from flowscore.mail.returns.lmtp import receiving
from flowscore.mail.returns.mailbox import (
    BATCH,
    ImapPlace,
    MailboxError,
    MaildirPlace,
    open_mailbox,
    read_mailbox,
    read_place,
)
from flowscore.mail.returns.maildir import Maildir
from flowscore.mail.returns.postman import Postman
from flowscore.mail.returns.taking import Desk, Taken
from flowscore.mail.returns.verp import envelope_sender, make_token
from mail.conftest import NOW, House
from mail.returned_mails import OUT_OF_OFFICE, POSTFIX, REPLY, Sample
from mail.returning import (
    SECRET,
    add_person,
    log_of,
    name_of,
    rejects_of,
    send_mail,
    suppressed,
    tick,
)
from mail.smtp_server import free_port

OURS = "bounces@mail.example.com"
COMMAND = Path(sys.executable).with_name("flowscore")


@pytest.fixture
def home(house: House) -> House:
    return _with_mails(house, 1)


@pytest.fixture
def small_home(small_house: House) -> House:
    return _with_mails(small_house, 1)


def _with_mails(house: House, count: int) -> House:
    for number in range(count):
        send_mail(house, add_person(house, f"p{number}@example.com"), f"letter.{number}")
    return house


def bounce(house: House, number: int = 0, text: str = POSTFIX) -> bytes:
    """A bounce of that mail."""
    key, address = f"letter.{number}", f"p{number}@example.com"
    token = make_token(SECRET, house.rows()[key]["id"], key)
    words = {"verp": envelope_sender(OURS, token), "mark": token}
    content = Sample("", text, "").content(**words, name=name_of(house, key, address))
    return content.replace(b"ana@example.com", address.encode())


def desk(house: House) -> Desk:
    return Desk(house.store, SECRET, OURS, lambda: NOW)


def make_maildir(folder: Path, *contents: bytes) -> Path:
    """As a mail server delivers."""
    box = mailbox.Maildir(folder, create=True)
    for content in contents:
        box.add(message_from_bytes(content))
    return folder


def files(folder: Path) -> list[str]:
    """Where mails lie: `new`, `.Handled/cur` …"""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name[0].isdigit()]
    return sorted(str(path.parent.relative_to(folder)) for path in found)


# --- where it lies ----------------------------------------------------------------------------


def test_what_the_setting_may_say() -> None:
    assert read_place("maildir:/var/mail/bounces") == MaildirPlace(Path("/var/mail/bounces"))
    assert read_place("maildir:///var/mail/b") == MaildirPlace(Path("/var/mail/b"))
    assert read_place("imaps://b%40x:p%3A@mail.example.com/A/B?ca=/ca.pem") == ImapPlace(
        "mail.example.com", 993, "b@x", "p:", "A/B", True, "/ca.pem"
    )
    assert read_place("imap://b:p@127.0.0.1:1143") == ImapPlace(
        "127.0.0.1", 1143, "b", "p", "INBOX", False
    )
    assert "hush" not in repr(read_place("imaps://b:hush@h"))


@pytest.mark.parametrize(
    "text",
    ["", "maildir:", "/var/mail", "pop3://a:b@c", "imaps://host/INBOX", "imaps://u@host",
     "imaps://u:p@h:99999", "imaps://u:p@h?verify=no", "imaps://u:p@[::1/X"],
)  # fmt: skip
def test_what_it_may_not(text: str) -> None:
    with pytest.raises(ValueError, match="maildir:/var/mail/bounces or imaps://"):
        read_place(text)


# --- Maildir ----------------------------------------------------------------------------------


def test_a_maildir_is_read_to_its_end(home: House) -> None:
    folder = make_maildir(
        home.folder / "box",
        bounce(home),
        bounce(home, text=REPLY),
        bounce(home, text=OUT_OF_OFFICE),
    )
    taken = read_mailbox(desk(home), open_mailbox(MaildirPlace(Path("box")), home.folder))
    assert (taken.mails, taken.aside, taken.ignored) == (3, 1, 1)
    tick(home)
    assert suppressed(home) == {"p0@example.com": "bounced"}
    assert files(folder) == [".Aside/cur", ".Handled/cur", ".Handled/cur"]
    handled = mailbox.Maildir(folder).get_folder("Handled")
    assert {message.get_flags() for message in handled} == {"S"}
    assert read_mailbox(desk(home), Maildir(folder)).mails == 0


def test_mails_that_a_person_has_looked_at_are_read_too(small_home: House) -> None:
    folder = make_maildir(small_home.folder / "box", bounce(small_home))
    (new,) = (folder / "new").iterdir()
    new.rename(folder / "cur" / f"{new.name}:2,RS")
    assert read_mailbox(desk(small_home), Maildir(folder)).mails == 1
    assert files(folder) == [".Handled/cur"]


def test_died_before_it_was_moved_it_is_read_again_and_counts_once(home: House) -> None:
    class Dying(Maildir):
        def finish(self, name: str, *, aside: bool) -> None:
            raise KeyboardInterrupt

    folder = make_maildir(home.folder / "box", bounce(home), bounce(home, text=REPLY))
    with pytest.raises(KeyboardInterrupt):
        read_mailbox(desk(home), Dying(folder))
    assert files(folder) == ["new", "new"]
    tick(home)
    read_mailbox(desk(home), Maildir(folder))
    tick(home)
    assert len(log_of(home)) == 1 and len(rejects_of(home)) == 1
    assert files(folder) == [".Aside/cur", ".Handled/cur"]


def test_two_readers_at_once(small_house: House) -> None:
    """The service and a person: each mail counts once, whoever moves it."""
    _with_mails(small_house, 30)
    folder = make_maildir(
        small_house.folder / "box", *(bounce(small_house, number) for number in range(30))
    )
    errors: list[Exception] = []

    def read() -> None:
        try:
            read_mailbox(desk(small_house), Maildir(folder))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tick(small_house)
    assert errors == [] and len(log_of(small_house)) == 30
    assert files(folder) == [".Handled/cur"] * 30


def test_many_mails_and_a_stop_between(small_house: House) -> None:
    _with_mails(small_house, 1)
    count = 2 * BATCH + 3
    contents = [bounce(small_house).replace(b"I'm sorry", b"No. %d" % n) for n in range(count)]
    folder = make_maildir(small_house.folder / "box", *contents)
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 1

    assert read_mailbox(desk(small_house), Maildir(folder), stop).mails == BATCH
    assert read_mailbox(desk(small_house), Maildir(folder)).mails == count - BATCH


def test_what_is_in_the_way_stops_no_other(small_home: House) -> None:
    """A folder among the mails, one that vanished, a huge one, a name beyond UTF-8."""
    folder = make_maildir(small_home.folder / "box", bounce(small_home))
    (folder / "new" / "0.folder").mkdir()
    (folder / "new" / "0.huge").write_bytes(b"From: x@y\n\n" + b"a" * 3_000_000)
    (folder / "new" / "0.gone").symlink_to(folder / "nowhere")
    Path(os.fsdecode(os.fsencode(folder / "new") + b"/0.\xff")).write_bytes(b"From: x@y\n\nhi")
    taken = read_mailbox(desk(small_home), Maildir(folder))
    assert taken.mails == 3 and taken.aside == 2
    tick(small_home)
    assert suppressed(small_home) == {"p0@example.com": "bounced"}


def test_a_mail_that_cannot_be_opened_is_told_of_and_the_others_are_read(small_home: House) -> None:
    folder = make_maildir(small_home.folder / "box", bounce(small_home))
    (folder / "new" / "0.loop").symlink_to(folder / "new" / "0.loop")
    taken = read_mailbox(desk(small_home), Maildir(folder))
    assert taken.mails == 1
    assert "0.loop: Too many levels of symbolic links; let the user" in taken.troubles[0]


def test_a_mail_that_cannot_be_moved_is_told_of(small_home: House) -> None:
    folder = make_maildir(small_home.folder / "box", bounce(small_home))
    box = Maildir(folder)
    (folder / ".Handled" / "cur").rmdir()
    (folder / ".Handled" / "cur").write_text("in the way")
    taken = read_mailbox(desk(small_home), box)
    assert taken.mails == 1 and "Not a directory; let the user" in taken.troubles[0]
    tick(small_home)
    read_mailbox(desk(small_home), box)
    tick(small_home)
    assert len(log_of(small_home)) == 1


def test_no_maildir_there(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match=r"nowhere is no folder; make the Maildir there"):
        Maildir(tmp_path / "nowhere")


# --- the service ------------------------------------------------------------------------------


def test_what_stands_in_the_way_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    states: list[Taken | Exception] = [
        MailboxError("box: gone; bring it back"), MailboxError("box: gone; bring it back"),
        ValueError("ana@example.com"), Taken(), Taken(mails=2, aside=1, ignored=1),
    ]  # fmt: skip

    def read() -> Taken:
        state = states.pop(0)
        if isinstance(state, Exception):
            raise state
        return state

    postman = Postman(read)
    with caplog.at_level("INFO", "flowscore"):
        while states:
            postman.go()
    assert [record.getMessage() for record in caplog.records] == [
        "the bounce mailbox: box: gone; bring it back; trying again every minute",
        "the bounce mailbox: ValueError; `flowscore bounces` tells more; trying again every minute",
        "the bounce mailbox can be read again",
        "returned mail: nothing to act on 1, set aside 1",
    ]


# --- the pipe and LMTP ------------------------------------------------------------------------


def environment(folder: Path, **more: str) -> dict[str, str]:
    """For a command in a project folder whose store is the house's."""
    (folder / "scenarios").mkdir(exist_ok=True)
    settings = {"FLOWSCORE_SECRET": SECRET, "FLOWSCORE_BOUNCE_ADDRESS": OURS}
    return {**os.environ, **settings, **more}


def command(
    house: House, *words: str, given: bytes = b"", **more: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [COMMAND, "--project", house.folder, "bounces", *words],
        input=given, capture_output=True, check=False, env=environment(house.folder, **more),
    )  # fmt: skip


def test_a_pipe_takes_one_mail(small_home: House) -> None:
    for _ in range(2):
        done = command(small_home, "--stdin", given=bounce(small_home))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    tick(small_home, clock_now())
    assert suppressed(small_home) == {"p0@example.com": "bounced"} and len(log_of(small_home)) == 1


def test_a_pipe_is_told_to_whom_the_mail_came(small_home: House) -> None:
    content = bounce(small_home)
    ours = content.partition(b"Delivered-To: ")[2].partition(b"\r\n")[0]
    anonymous = content.replace(ours, b"somebody@acme.example").replace(b"X-Flowscore", b"X-Other")
    named = {"ORIGINAL_RECIPIENT": ours.decode()}
    assert command(small_home, "--stdin", given=anonymous, **named).returncode == 0
    forged = ("--recipient", "bounces+nonsense@mail.example.com")
    assert command(small_home, "--stdin", *forged, given=anonymous).returncode == 0
    tick(small_home, clock_now())
    assert suppressed(small_home) == {"p0@example.com": "bounced"}
    assert len(rejects_of(small_home)) == 1


def test_a_pipe_that_cannot_keep_the_mail_has_the_server_come_again(tmp_path: Path) -> None:
    """Anything but 75 would make the mail server return the return, or drop it."""
    for folder, more in ((tmp_path / "nothing", {}), (tmp_path, {"FLOWSCORE_TICK_EVERY": "x"})):
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            [COMMAND, "--project", folder, "bounces", "--stdin"],
            input=b"x" * 3_000_000, capture_output=True, check=False, env={**os.environ, **more},
        )  # fmt: skip
        assert done.returncode == 75 and done.stderr.startswith(b"flowscore: ")


def test_a_mailbox_is_read_once_by_the_command(small_home: House) -> None:
    make_maildir(small_home.folder / "box", bounce(small_home), bounce(small_home, text=REPLY))
    done = command(small_home, FLOWSCORE_BOUNCE_MAILBOX="maildir:box")
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines() == [
        "2 mails: bounced 1, set aside 1.",
        "Next: flowscore rejects shows what was set aside, and why.",
    ]
    assert command(small_home, FLOWSCORE_BOUNCE_MAILBOX="maildir:box").stdout == b"No mail.\n"
    missing = command(small_home)
    assert missing.returncode == 1 and b"set FLOWSCORE_BOUNCE_MAILBOX to" in missing.stderr


def test_lmtp_takes_what_comes_back(home: House) -> None:
    port = free_port()
    content = bounce(home)
    ours = content.partition(b"Delivered-To: ")[2].partition(b"\r\n")[0].decode()
    with receiving(desk(home), "127.0.0.1", port), smtplib.LMTP("127.0.0.1", port) as server:
        assert server.sendmail("", [ours], content) == {}
        server.docmd("MAIL FROM:<>")
        assert server.docmd("RCPT", "TO:<ana@elsewhere.example>")[0] == 550
        assert [server.docmd("RCPT", f"TO:<{one}>")[0] for one in (ours, OURS)] == [250, 250]
        assert server.data(bounce(home, text=REPLY))[0] == 250
        assert server.getreply()[0] == 250  # RFC 2033: one for each recipient
    tick(home)
    assert suppressed(home) == {"p0@example.com": "bounced"}
    assert len(rejects_of(home)) == 1


def test_lmtp_says_later_while_the_store_cannot_be_written(small_home: House) -> None:
    from sqlalchemy import text

    def rename(words: str) -> None:
        with small_home.store.receive() as connection:
            connection.execute(text(words))

    port, content = free_port(), bounce(small_home, text=REPLY)
    with receiving(desk(small_home), "127.0.0.1", port), smtplib.LMTP("127.0.0.1", port) as server:
        rename("ALTER TABLE rejects RENAME TO elsewhere")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            server.sendmail("", [OURS], content)
        assert refused.value.smtp_code == 451
        rename("ALTER TABLE elsewhere RENAME TO rejects")
        server.sendmail("", [OURS], content)
    assert len(rejects_of(small_home)) == 1


def test_a_port_that_is_taken(small_home: House) -> None:
    port = free_port()
    complaint = pytest.raises(FlowscoreError, match=f"127.0.0.1:{port}: cannot listen there")
    with receiving(desk(small_home), "127.0.0.1", port), complaint:
        receiving(desk(small_home), "127.0.0.1", port).__enter__()


def test_lmtp_as_a_command_until_it_is_asked_to_leave(
    small_home: House, wait_until: Callable[..., None]
) -> None:
    port = free_port()
    words = [COMMAND, "--project", small_home.folder, "bounces", "--lmtp", f"127.0.0.1:{port}"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, env=environment(small_home.folder))
    try:
        wait_until(lambda: _answers(port))
        with smtplib.LMTP("127.0.0.1", port) as server:
            server.sendmail("", [OURS], bounce(small_home))
        process.terminate()
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0 and b"taking returned mail by LMTP at" in said
    tick(small_home, clock_now())
    assert suppressed(small_home) == {"p0@example.com": "bounced"}


@pytest.fixture
def wait_until() -> Callable[..., None]:
    def wait(there: Callable[[], bool], seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while not there():
            assert time.monotonic() < until, "waited in vain"
            time.sleep(0.05)

    return wait


def _answers(port: int) -> bool:
    try:
        with smtplib.LMTP("127.0.0.1", port):
            return True
    except OSError:
        return False
