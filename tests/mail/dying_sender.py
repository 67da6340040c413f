"""A sender that kills itself (SIGKILL) at its n-th step.

    python dying_sender.py STORE FOLDER WHERE NOW N UNCERTAIN [CAP]

A step is the begin or the commit of a transaction, an fsync, the moment before a letter is
handed over and the moment after. With N = 0 it lives. CAP is the most mails a day to a contact.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import event

from flowscore.clock import DAY
from flowscore.language.policy import FrequencyCap, Policy, Sender
from flowscore.language.project import Project
from flowscore.mail.delivery import deliver
from flowscore.mail.settings import MailSettings
from flowscore.mail.smtp import SmtpLane, SmtpTransport
from flowscore.mail.templates import load_templates
from flowscore.mail.transport import FolderLane, FolderTransport
from flowscore.store.database import open_store


def main() -> None:
    """Deliver, or die trying."""
    url, folder, where, now, fatal, uncertain, *cap = sys.argv[1:]
    steps = count(1)

    def step(*_: Any) -> None:
        if next(steps) == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(url)
    event.listen(store.engine, "begin", step)
    event.listen(store.engine, "commit", step)
    fsync = os.fsync
    os.fsync = lambda handle: (step(), fsync(handle))[1]  # type: ignore[assignment]
    for lane in (SmtpLane, FolderLane):
        watch(lane, step)
    transport = (
        SmtpTransport(where, 2) if where.startswith("smtp") else FolderTransport(Path(where))
    )
    templates, _ = load_templates(Path(folder))
    caps = tuple(FrequencyCap(emails=int(most), per=DAY) for most in cap)
    sender = Sender(address="hello@acme.example")
    project = Project(policy=Policy(sender=sender, topics=("news",), frequency_caps=caps))
    settings = MailSettings(unsubscribe_mailto="out@acme.example", uncertain=uncertain)  # type: ignore[arg-type]
    report = deliver(store, project, templates, transport, int(now), settings=settings)
    print(report)


def watch(lane: Any, step: Any) -> None:
    """Steps around every letter."""
    plain = lane.hand_over

    async def hand_over(self: Any, letter: Any) -> Any:
        step()
        outcome = await plain(self, letter)
        step()
        return outcome

    lane.hand_over = hand_over


if __name__ == "__main__":
    main()
