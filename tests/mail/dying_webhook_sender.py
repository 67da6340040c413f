"""A sender of webhooks that kills itself (SIGKILL) at its n-th step.

    python dying_webhook_sender.py STORE NOW N

A step is the begin or the commit of a transaction, the moment before a POST and the moment after.
With N = 0 it lives.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from typing import Any

from sqlalchemy import event

from flowscore.clock import clock_now
from flowscore.mail.webhooks.addresses import read_reach
from flowscore.mail.webhooks.courier import HttpCourier
from flowscore.mail.webhooks.delivery import deliver_webhooks
from flowscore.mail.webhooks.settings import WebhookSettings
from flowscore.store.database import open_store
from mail.receivers import SECRET


def main() -> None:
    """Deliver, or die trying."""
    url, now, fatal = sys.argv[1:]
    steps = count(1)

    def step(*_: Any) -> None:
        if next(steps) == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(url)
    event.listen(store.engine, "begin", step)
    event.listen(store.engine, "commit", step)
    plain = HttpCourier.post

    async def post(self: Any, parcel: Any, signature: Any) -> Any:
        step()
        outcome = await plain(self, parcel, signature)
        step()
        return outcome

    HttpCourier.post = post  # type: ignore[method-assign]
    settings = WebhookSettings((SECRET,), read_reach("127.0.0.0/8"))
    print(deliver_webhooks(store, int(now), settings, clock=clock_now))


if __name__ == "__main__":
    main()
