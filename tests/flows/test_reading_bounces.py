"""The service reads the bounce mailbox beside its ticks, and neither holds the other up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flows.test_service import BEAT, Works, run_for, service_of
from flows.watching import await_line
from flowscore.cli import main
from flowscore.mail.returns.mailbox import MailboxError
from flowscore.mail.returns.postman import Postman
from flowscore.mail.returns.taking import Taken
from flowscore.store.tables import contacts
from flowscore.workspace import Workspace
from mail.returned_mails import POSTFIX, Sample


def test_run_reads_the_mailbox_at_once_and_ticks_meanwhile(lines: Any) -> None:
    work, read = Works(), threading.Event()

    def slowly() -> Taken:
        read.set()
        time.sleep(6 * BEAT)
        return Taken(mails=1, aside=1)

    run_for(service_of(work, postman=Postman(slowly)), 10 * BEAT)
    assert read.is_set() and work.finished >= 5
    assert lines.about("returned mail") == ["returned mail: set aside 1"]


def test_run_ticks_on_while_the_mailbox_cannot_be_read(lines: Any) -> None:
    work = Works()

    def fail() -> Taken:
        raise MailboxError("mail.example.com:993/INBOX: Connection refused")

    run_for(service_of(work, postman=Postman(fail)), 6 * BEAT)
    assert work.finished >= 3
    (told,) = lines.about("bounce mailbox")
    where = "mail.example.com:993/INBOX: Connection refused"
    assert told == f"the bounce mailbox: {where}; trying again every minute"


@pytest.mark.prefect
@pytest.mark.slow
def test_run_takes_in_what_comes_back_by_itself(
    prefect_server: str, academy: Path, sign_up: Callable[..., None], start: Callable[..., Any]
) -> None:
    """From the mail in the outbox to the contact who gets no more, within one service."""
    sign_up("ana@example.com")
    settings = {
        "PREFECT_API_URL": prefect_server,
        "FLOWSCORE_BOUNCE_ADDRESS": "bounces@mail.example.com",
        "FLOWSCORE_BOUNCE_MAILBOX": "maildir:box",
    }
    made = {name: academy / "box" / name for name in ("new", "cur", "tmp")}
    for folder in made.values():
        folder.mkdir(parents=True)
    assert main(["--project", str(academy), "tick"]) == 0
    deliver = start("deliver", **settings)
    assert deliver.wait(30) == 0
    (sent,) = (academy / "outbox").glob("*.eml")
    token = message_from_bytes(sent.read_bytes())["X-Flowscore-Message"]
    words = {"verp": f"bounces+{token}@mail.example.com", "mark": token, "name": "<x@y>"}
    (made["new"] / "1.here").write_bytes(Sample("", POSTFIX, "").content(**words))
    service = start("run", **settings)
    assert "returned mail: bounced 1" in await_line(service, "returned mail")
    await_line(service, "tick at", 100)
    with closing(Workspace(academy)) as workspace, workspace.store.read() as connection:
        assert connection.execute(select(contacts.c.suppressed)).scalars().all() == ["bounced"]
