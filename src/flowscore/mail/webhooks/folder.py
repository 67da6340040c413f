"""Webhooks as files: while no secret signs them, none leaves the machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flowscore.clock import rfc3339
from flowscore.mail.message import file_name
from flowscore.mail.transport import sync_folder, write_whole
from flowscore.mail.webhooks.courier import Hindered, Ready, Written
from flowscore.mail.webhooks.parcels import UnfitError, request_in

if TYPE_CHECKING:
    from pathlib import Path


class FolderCourier:
    """Writes `outbox/<message key>.json`; twice is the same as once, so a crash does no harm."""

    outside = False

    def __init__(self, folder: Path, now: int) -> None:
        self.folder = folder
        self.now = now

    def ready(self, key: str, payload: Any) -> Ready:
        """A file to come; each is a receiver of its own, so none waits for another."""
        content = _content(key, payload, self.now)
        return Ready(key, lambda: self.write(key, content))

    async def write(self, key: str, content: bytes) -> Written | Hindered:
        """The file and its name are on the disk before it is settled."""
        path = self.folder / f"{file_name(key)}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, content, sync=True)
        except OSError as error:
            return Hindered(f"{path}: {error.strerror}; free the disk or set FLOWSCORE_OUTBOX")
        sync_folder(self.folder)
        return Written(f"{self.folder.name}/{path.name}")

    async def close(self) -> None:
        """Nothing is open."""


def _content(key: str, payload: Any, now: int) -> bytes:
    """What would be sent, with `${NAME}` as its author wrote it: no secret is in a file."""
    url, headers, body = request_in(payload)
    request = {"url": url, "headers": headers, "body": body, "webhook-id": key, "at": rfc3339(now)}
    try:
        text = json.dumps(request, ensure_ascii=False, indent=2, allow_nan=False)
    except ValueError as error:
        raise UnfitError("the body holds a number that JSON cannot write") from error
    return f"{text}\n".encode("utf-8", "backslashreplace")  # half a surrogate, as JSON escapes it
