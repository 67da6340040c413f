"""Where returned mail lies, as the setting names it, and how such a mailbox is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from flowscore.errors import FlowscoreError
from flowscore.mail.returns.taking import Mail, Taken, take

if TYPE_CHECKING:
    from flowscore.mail.returns.taking import Desk

BATCH = 50  # mails in one transaction
EXPECTED = (
    "maildir:/var/mail/bounces or imaps://USER:PASSWORD@HOST/INBOX (imap:// encrypts by STARTTLS)"
)


@dataclass(frozen=True, slots=True)
class MaildirPlace:
    """A Maildir on this machine."""

    folder: Path

    def __str__(self) -> str:
        return f"maildir:{self.folder}"


@dataclass(frozen=True, slots=True)
class ImapPlace:
    """A folder on an IMAP server; the password never shows."""

    host: str
    port: int
    user: str
    password: str
    folder: str
    tls: bool
    ca: str | None = None

    def __repr__(self) -> str:
        return f"ImapPlace({self})"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.folder}"


Place = MaildirPlace | ImapPlace


def read_place(text: str) -> Place:
    """What FLOWSCORE_BOUNCE_MAILBOX says; raises ValueError with what is expected."""
    scheme, _, rest = text.strip().partition(":")
    if scheme == "maildir" and rest.strip("/"):
        return MaildirPlace(Path(rest.replace("//", "", 1) if rest.startswith("//") else rest))
    if scheme not in ("imap", "imaps"):
        raise ValueError(EXPECTED)
    return _imap_place(text.strip())


def _imap_place(text: str) -> ImapPlace:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(EXPECTED) from error
    options = parse_qs(parts.query)
    if not parts.hostname or not parts.username or parts.password is None or set(options) - {"ca"}:
        raise ValueError(EXPECTED)
    tls = parts.scheme == "imaps"
    return ImapPlace(
        parts.hostname,
        port or (993 if tls else 143),
        unquote(parts.username),
        unquote(parts.password),
        unquote(parts.path.strip("/")) or "INBOX",
        tls,
        ca=options["ca"][0] if "ca" in options else None,
    )


def is_here(host: str) -> bool:
    """Whether a password can be told without encryption, since it does not leave the machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Mailbox(Protocol):
    """Mails that nobody has handled; `name` is what the mailbox knows each by."""

    def waiting(self) -> Sequence[str]:
        """The names of what has not been handled."""

    def fetch(self, name: str) -> Mail | None:
        """The beginning of a mail; None when somebody else has taken it.

        Raises `MailError` when it cannot be opened, as `finish` does when it cannot be moved.
        """

    def finish(self, name: str, *, aside: bool) -> None:
        """It was handled, or set aside: it is not looked at again."""

    def close(self) -> None:
        """Done for now."""


class MailboxError(FlowscoreError):
    """A mailbox cannot be read: which, why, and what to do. Nothing was lost."""


class MailError(MailboxError):
    """The same of one mail in it; the others can be read."""


def read_mailbox(desk: Desk, mailbox: Mailbox, stop: Callable[[], bool] = lambda: False) -> Taken:
    """Take what waits, some at a time: first it is durable in the store, then it is finished.

    What a crash leaves between the two is read again and counts once.
    """
    total = Taken()
    names = list(mailbox.waiting())
    for at in range(0, len(names), BATCH):
        if stop():
            break
        found = list(_fetch(mailbox, names[at : at + BATCH], total))
        taken = take(desk, [mail for _, mail in found])
        for (name, _), why in zip(found, taken.reasons, strict=True):
            _finish(mailbox, name, bool(why), total)
        total.add(taken)
    return total


def _fetch(mailbox: Mailbox, names: Sequence[str], total: Taken) -> Iterator[tuple[str, Mail]]:
    """One that cannot be opened is told of, and the others are read."""
    for name in names:
        try:
            mail = mailbox.fetch(name)
        except MailError as error:
            total.troubles.append(str(error))
        else:
            if mail is not None:
                yield name, mail


def _finish(mailbox: Mailbox, name: str, aside: bool, total: Taken) -> None:
    try:
        mailbox.finish(name, aside=aside)
    except MailError as error:
        total.troubles.append(str(error))


def open_mailbox(place: Place, root: Path) -> Mailbox:
    """The mailbox, reached; raises `MailboxError` with the reason."""
    if isinstance(place, MaildirPlace):
        from flowscore.mail.returns.maildir import Maildir

        return Maildir(root / place.folder)
    from flowscore.mail.returns.imap import connect

    return connect(place)
