"""A house whose outbox holds webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowscore.clock import clock_now
from flowscore.language.variables import variables_in
from flowscore.mail.webhooks.addresses import Reach, read_reach
from flowscore.mail.webhooks.courier import HttpCourier
from flowscore.mail.webhooks.delivery import deliver_webhooks
from flowscore.mail.webhooks.report import WebhookReport
from flowscore.mail.webhooks.settings import WebhookSettings
from mail.conftest import NOW, House
from mail.receivers import SECRET

LOOPBACK = read_reach("127.0.0.0/8")


@dataclass
class Webhooks:
    """Queue them, deliver them, look at their rows."""

    house: House
    reach: Reach = LOOPBACK
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = (SECRET,)
    contact: int = 0

    def queue(self, key: str, url: str, **given: Any) -> None:
        """As the engine writes it in the tick."""
        self.contact = self.contact or self.house.add_contact("ana@example.com")
        body, headers = given.pop("body", {"type": "lead"}), given.pop("headers", {})
        payload = {"url": url, "headers": headers, "body": body}
        payload["variables"] = given.pop(
            "variables", variables_in(url, *headers.values(), str(body))
        )
        row = {"kind": "webhook", "template": "", "topic": "", "payload": payload}
        self.house.queue(self.contact, key, **(row | given))

    @property
    def settings(self) -> WebhookSettings:
        return WebhookSettings(self.secrets, self.reach, self.variables)

    def deliver(self, now: int = NOW, **given: Any) -> WebhookReport:
        clock = given.setdefault("clock", clock_now)
        courier = given.pop("courier", None) or HttpCourier(self.settings, clock)
        return deliver_webhooks(self.house.store, now, courier, **given)

    def row(self, key: str) -> Any:
        return self.house.rows()[key]
