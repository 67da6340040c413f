"""Where a letter goes, and what became of it, as values; the folder of .eml files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from flowscore.mail.message import Letter, file_name


@dataclass(frozen=True, slots=True)
class Sent:
    """Taken over; `response` is the server's word or the file."""

    response: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not taken over: for good (5xx) or for now (4xx, no connection; code 0 has no number).

    `scope` says whom it concerns: this recipient, all mail of this sender, or the server as a
    whole; the last two stop the batch.
    """

    code: int
    text: str
    permanent: bool
    scope: Literal["recipient", "sender", "server"]

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip() if self.code else self.text


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The connection went after the content had been given: nobody knows."""

    text: str


Outcome = Sent | Refused | Uncertain


class Lane(Protocol):
    """One connection: letters go one after the other."""

    async def open(self) -> Refused | None:
        """Be ready to send; what stands in the way, as a value."""

    async def hand_over(self, letter: Letter) -> Outcome:
        """One letter; never raises for what a server or a disk does."""

    async def rest(self) -> None:
        """What was taken over so far survives a power cut; asked before it is settled."""

    async def close(self) -> None:
        """Say goodbye; safe to call twice."""


class Transport(Protocol):
    """`repeatable`: handing over twice is the same as once, so nothing is ever uncertain."""

    repeatable: bool
    lanes: int

    def lane(self) -> Lane:
        """A new connection, not yet open."""


class FolderTransport:
    """Mail as `outbox/<message key>.eml`; nothing leaves the machine.

    `sync=False` leaves the disk its time: for rehearsals that can be made again.
    """

    repeatable = True
    lanes = 1

    def __init__(self, folder: Path, *, sync: bool = True) -> None:
        self.folder = folder
        self.sync = sync

    def lane(self) -> FolderLane:
        """A writer."""
        return FolderLane(self.folder, self.sync)


class FolderLane:
    """Writes each letter whole or not at all."""

    def __init__(self, folder: Path, sync: bool = True) -> None:
        self.folder = folder
        self.sync = sync

    async def open(self) -> Refused | None:
        """The folder, made where it is missing."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return self._refusal(error)
        return None

    async def hand_over(self, letter: Letter) -> Outcome:
        """Temporary file, fsync, rename: the .eml is never half there."""
        path = self.folder / f"{file_name(letter.key)}.eml"
        try:
            write_whole(path, letter.content, self.sync)
        except OSError as error:
            return self._refusal(error)
        return Sent(path.name)

    async def rest(self) -> None:
        """The names of the files are on the disk too."""
        if self.sync:
            sync_folder(self.folder)

    async def close(self) -> None:
        """Nothing is open."""

    def _refusal(self, error: OSError) -> Refused:
        text = f"{self.folder}: {error.strerror}; free the disk or set FLOWSCORE_OUTBOX"
        return Refused(0, text, permanent=False, scope="server")


def discard(folder: Path, keys: Iterable[str]) -> int:
    """Delete the mails and webhooks of these messages for good; gives how many there were."""
    gone = 0
    for name in map(file_name, keys):
        for path in (folder / f"{name}.eml", folder / f"{name}.json"):
            if path.is_file():
                path.unlink()
                gone += 1
    if gone:
        sync_folder(folder)
    return gone


def write_whole(path: Path, content: bytes, sync: bool) -> None:
    """Temporary file, fsync, rename: whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Renames last once their folder is synced; some systems cannot open one."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
