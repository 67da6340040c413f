"""A sender of webhooks that kills itself (SIGKILL) at its n-th step.

    python dying_webhook_sender.py STORE NOW N [FOLDER]

A step is the begin or the commit of a transaction, the moment before a POST and the moment after.
With a folder it writes files there instead of posting.
With N = 0 it lives.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import event

from flowscore.clock import clock_now
from flowscore.mail.webhooks.addresses import read_reach
from flowscore.mail.webhooks.courier import Courier, HttpCourier
from flowscore.mail.webhooks.delivery import deliver_webhooks
from flowscore.mail.webhooks.folder import FolderCourier
from flowscore.mail.webhooks.settings import WebhookSettings
from flowscore.store.database import open_store
from mail.receivers import SECRET


def main() -> None:
    """Deliver, or die trying."""
    url, now, fatal, *folder = sys.argv[1:]
    steps = count(1)

    def step(*_: Any) -> None:
        if next(steps) == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(url)
    event.listen(store.engine, "begin", step)
    event.listen(store.engine, "commit", step)
    around(HttpCourier, "post", step)
    around(FolderCourier, "write", step)
    courier: Courier = HttpCourier(WebhookSettings((SECRET,), read_reach("127.0.0.0/8")), clock_now)
    if folder:
        courier = FolderCourier(Path(folder[0]), int(now))
    print(deliver_webhooks(store, int(now), courier, clock=clock_now))


def around(kind: type, name: str, step: Callable[[], None]) -> None:
    """A step before and after each call of an async method."""
    plain = getattr(kind, name)

    async def stepping(*given: Any) -> Any:
        step()
        outcome = await plain(*given)
        step()
        return outcome

    setattr(kind, name, stepping)


if __name__ == "__main__":
    main()
