"""Reads the bounce mailbox beside the ticks; what stands in the way is told once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from flowscore.errors import FlowscoreError
from flowscore.mail.returns.taking import Taken

log = logging.getLogger("flowscore")


@dataclass
class Postman:
    """Goes to the mailbox whenever asked; never raises."""

    read: Callable[[], Taken]
    told: str = ""  # what stood in the way last

    def go(self) -> None:
        """Once; says in one line what came, or why nothing could."""
        try:
            taken = self.read()
        except FlowscoreError as error:
            self._complain(str(error))
        except Exception as error:  # the store may be away; a stack trace may hold an address
            self._complain(f"{type(error).__name__}; `flowscore bounces` tells more")
        else:
            self._complain(taken.troubles[0] if taken.troubles else "")
            if taken.mails:
                log.info("returned mail: %s", in_words(taken))

    def _complain(self, why: str) -> None:
        if why and why != self.told:
            log.error("the bounce mailbox: %s; trying again every minute", why)
        elif self.told and not why:
            log.info("the bounce mailbox can be read again")
        self.told = why


WORDS = {
    "email_bounced": "bounced",
    "email_complained": "complained",
    "email_delayed": "delayed",
    "unsubscribed": "unsubscribed",
}


def in_words(taken: Taken) -> str:
    """`bounced 3, set aside 1`."""
    said = {WORDS.get(name, name): count for name, count in sorted(taken.said.items())}
    said |= {"nothing to act on": taken.ignored, "set aside": taken.aside}
    return ", ".join(f"{what} {count}" for what, count in said.items() if count) or "nothing new"
