"""Returned mail in an IMAP folder, on a real server that can move mails, or cannot, over TLS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flowscore.mail.returns.imap import Imap, connect
from flowscore.mail.returns.mailbox import ImapPlace, MailboxError, read_mailbox, read_place
from flowscore.mail.returns.taking import Taken
from mail.conftest import House
from mail.dovecot_server import Dovecot, running
from mail.returned_mails import REPLY
from mail.returning import log_of, rejects_of, suppressed, tick
from mail.smtp_server import free_port
from mail.test_returns_mailbox import _with_mails, bounce, command, desk
from required import DEMANDED, required

pytestmark = required("dovecot")

OLD = "imap_capability = IMAP4rev1 AUTH=PLAIN"
KINDS = {
    "moves": {},
    "INBOX.folders": {"prefix": "INBOX."},
    "copies": {"capability": f"{OLD} UIDPLUS"},
    "marks": {"capability": OLD},
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def dovecot(request: pytest.FixtureRequest) -> Iterator[Dovecot]:
    """A server of each kind."""
    yield from _started(**request.param)


@pytest.fixture
def plain() -> Iterator[Dovecot]:
    """A server as it is installed."""
    yield from _started()


def _started(**options: str) -> Iterator[Dovecot]:
    if os.geteuid() != 0 and not DEMANDED:
        pytest.skip("Dovecot is started by root alone")
    with running(**options) as started:
        yield started


def place(url: str) -> ImapPlace:
    found = read_place(url)
    assert isinstance(found, ImapPlace)
    return found


def read(house: House, url: str) -> Taken:
    with closing(connect(place(url))) as mailbox:
        return read_mailbox(desk(house), mailbox)


def test_a_folder_is_read_to_its_end_and_once(small_house: House, dovecot: Dovecot) -> None:
    house = _with_mails(small_house, 1)
    dovecot.put(bounce(house), bounce(house, text=REPLY))
    taken = read(house, dovecot.url())
    assert (taken.mails, taken.aside, taken.troubles) == (2, 1, []), dovecot.log
    tick(house)
    assert suppressed(house) == {"p0@example.com": "bounced"} and len(rejects_of(house)) == 1
    assert read(house, dovecot.url()).mails == 0
    flags = [path.name.partition(":2,")[2] for path in dovecot.maildir.rglob("*:2,*")]
    assert flags == ["S", "S"]


def test_handled_mails_lie_in_a_folder_of_their_own(small_house: House, plain: Dovecot) -> None:
    house = _with_mails(small_house, 1)
    plain.put(bounce(house), bounce(house, text=REPLY))
    read(house, plain.url())
    for folder in (".Handled", ".Aside"):
        assert len(list((plain.maildir / folder).glob("*/*:2,S"))) == 1
    assert list(plain.maildir.glob("*/*:2,*")) == []


def test_over_tls_with_an_authority_of_ones_own(small_house: House, plain: Dovecot) -> None:
    house = _with_mails(small_house, 1)
    plain.put(bounce(house))
    assert read(house, plain.tls_url).mails == 1
    with pytest.raises(MailboxError, match="certificate"):
        connect(place(plain.tls_url.partition("?")[0]))


def test_died_before_it_was_moved_it_is_read_again_and_counts_once(
    small_house: House, plain: Dovecot
) -> None:
    class Dying(Imap):
        def finish(self, name: str, *, aside: bool) -> None:
            raise KeyboardInterrupt

    house = _with_mails(small_house, 1)
    plain.put(bounce(house))
    with closing(connect(place(plain.url()))) as mailbox:
        mailbox.__class__ = Dying
        with pytest.raises(KeyboardInterrupt):
            read_mailbox(desk(house), mailbox)
    tick(house)
    assert read(house, plain.url()).mails == 1
    tick(house)
    assert len(log_of(house)) == 1


def test_a_large_mail_is_read_at_its_beginning(small_house: House, plain: Dovecot) -> None:
    house = _with_mails(small_house, 1)
    plain.put(bounce(house) + b"a" * 78 + b"\r\n" + b"attachment\r\n" * 300_000)
    assert read(house, plain.url()).mails == 1
    tick(house)
    assert suppressed(house) == {"p0@example.com": "bounced"}


def test_a_server_that_goes_away_meanwhile(small_house: House, plain: Dovecot) -> None:
    house = _with_mails(small_house, 1)
    plain.put(bounce(house))
    mailbox = connect(place(plain.url()))
    mailbox.client.shutdown()
    with pytest.raises(MailboxError, match=rf"127\.0\.0\.1:{plain.port}/INBOX: "):
        read_mailbox(desk(house), mailbox)
    mailbox.close()
    assert read(house, plain.url()).mails == 1


def test_what_stands_in_the_way_is_said_without_the_password(plain: Dovecot) -> None:
    with pytest.raises(
        MailboxError, match=r"the login was refused .* check user and password"
    ) as e:
        connect(place(plain.url("wrong")))
    assert "wrong" not in str(e.value)
    with pytest.raises(MailboxError, match=r"there is no folder 'Nowhere' .* name another"):
        connect(place(plain.url().replace("/INBOX", "/Nowhere")))
    with pytest.raises(MailboxError, match="Connection refused"):
        connect(place(f"imap://a:b@127.0.0.1:{free_port()}/INBOX"))


def test_the_command_reads_it(small_house: House, plain: Dovecot) -> None:
    house = _with_mails(small_house, 1)
    plain.put(bounce(house))
    done: subprocess.CompletedProcess[bytes] = command(house, FLOWSCORE_BOUNCE_MAILBOX=plain.url())
    assert (done.returncode, done.stdout) == (0, b"1 mail: bounced 1.\n"), done.stderr
    assert Path(plain.maildir / ".Handled").is_dir()
