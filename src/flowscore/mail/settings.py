"""What mail needs to know of its surroundings, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where mail goes, and what its links are built from; secrets never show in `repr`."""

    public_url: str | None = None
    secret: str = ""
    unsubscribe_mailto: str | None = None
    bounce_address: str | None = None
    postmark: bool = False  # its webhooks tell back what a header of its own says
    uncertain: Literal["hold", "resend"] = "hold"
    outbox_dir: Path = Path("outbox")
    smtp_url: str | None = None
    connections: int = 4

    def __repr__(self) -> str:
        return f"MailSettings(public_url={self.public_url!r}, outbox_dir={str(self.outbox_dir)!r})"
