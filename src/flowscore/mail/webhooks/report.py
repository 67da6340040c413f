"""What a delivery of webhooks has done, in counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WebhookReport:
    """Counts of webhooks; `problem` is the last reason why one failed or has to wait."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    waiting: int = 0
    problem: str = ""
