"""A folder on an IMAP server, by the standard library's client (RFC 3501, RFC 6851, RFC 4315)."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flowscore.mail.returns.mailbox import ImapPlace, MailboxError, MailError, is_here
from flowscore.mail.returns.parts import LARGEST
from flowscore.mail.returns.taking import Mail

PATIENCE = 30.0  # seconds for each answer
HANDLED, ASIDE = "Handled", "Aside"
TROUBLES = (imaplib.IMAP4.error, OSError, ValueError)


def connect(place: ImapPlace) -> Imap:
    """Logged in, the folder chosen; raises `MailboxError`."""
    try:
        client = _open(place)
    except TROUBLES as error:
        raise MailboxError(f"{place}: {_words(error)}") from error
    try:
        _log_in(client, place)
        return Imap(client, place)
    except TROUBLES as error:
        _leave(client)
        raise MailboxError(f"{place}: {_words(error)}") from error
    except MailboxError:
        _leave(client)
        raise


def _open(place: ImapPlace) -> imaplib.IMAP4:
    """TLS at once, or by STARTTLS where the server offers it; a certificate has to be right."""
    trust = ssl.create_default_context(cafile=place.ca)
    if place.tls:
        return imaplib.IMAP4_SSL(place.host, place.port, ssl_context=trust, timeout=PATIENCE)
    client = imaplib.IMAP4(place.host, place.port, timeout=PATIENCE)
    if "STARTTLS" in client.capabilities and not is_here(place.host):
        client.starttls(trust)
    elif not is_here(place.host):
        _leave(client)
        raise ValueError(
            "offers no encryption, and the password would be readable on the way; use imaps://"
        )
    return client


def _log_in(client: imaplib.IMAP4, place: ImapPlace) -> None:
    """By SASL PLAIN where it is offered: it takes letters beyond ASCII."""
    secret = f"\0{place.user}\0{place.password}".encode()
    try:
        if "AUTH=PLAIN" in client.capabilities:
            client.authenticate("PLAIN", lambda _: secret)
        else:
            client.login(_quoted(place.user), place.password)
    except imaplib.IMAP4.error as error:
        raise MailboxError(
            f"{place}: the login was refused ({_words(error)}); check user and password in "
            "FLOWSCORE_BOUNCE_MAILBOX"
        ) from error


class Imap:
    """Mails by UID. What was handled is moved to the folder Handled, what was set aside to Aside.

    A server that cannot move leaves them where they are, as seen: then only unseen ones wait.
    """

    def __init__(self, client: imaplib.IMAP4, place: ImapPlace) -> None:
        self.client = client
        self.place = place
        self.can = _told(client.capability()[1]).upper().split()  # more than before the login
        self.places = {HANDLED: self._make(HANDLED), ASIDE: self._make(ASIDE)}
        kind, said = client.select(_quoted(place.folder))
        if kind != "OK":
            raise MailboxError(
                f"{place}: there is no folder {place.folder!r} ({_told(said)}); name another "
                "by FLOWSCORE_BOUNCE_MAILBOX"
            )

    def _make(self, name: str) -> str | None:
        """The folder's full name, made where it is missing; None where nothing can be moved."""
        if not {"MOVE", "UIDPLUS"} & set(self.can):
            return None
        for full in (name, f"INBOX{self._delimiter()}{name}"):
            self.client.create(_quoted(full))  # refused where it is there already
            if self.client.status(_quoted(full), "(MESSAGES)")[0] == "OK":
                return full
        return None

    def _delimiter(self) -> str:
        said = self.client.list('""', '""')[1]
        found = re.search(rb'"(.)"', said[0]) if said and isinstance(said[0], bytes) else None
        return found[1].decode() if found else "."

    def waiting(self) -> list[str]:
        """UIDs, the oldest first."""
        which = "ALL" if all(self.places.values()) else "UNSEEN"
        with self._telling(MailboxError):
            found = self._ask("SEARCH", which)
        return found[0].decode().split() if found and isinstance(found[0], bytes) else []

    def fetch(self, name: str) -> Mail | None:
        """The first mebibyte, without marking it as seen; None for what is no longer there."""
        with self._telling(MailError):
            for part in self._ask("FETCH", name, f"(BODY.PEEK[]<0.{LARGEST}>)"):
                if isinstance(part, tuple):
                    return Mail(part[1])
        return None

    def finish(self, name: str, *, aside: bool) -> None:
        """Seen, and out of the folder where the server can."""
        with self._telling(MailError):
            self._ask("STORE", name, "+FLAGS.SILENT", r"(\Seen)")
            place = self.places[ASIDE if aside else HANDLED]
            if place:
                self._move(name, _quoted(place))

    def _move(self, name: str, place: str) -> None:
        if "MOVE" in self.can:
            self._ask("MOVE", name, place)
            return
        self._ask("COPY", name, place)
        self._ask("STORE", name, "+FLAGS.SILENT", r"(\Deleted)")
        self._ask("EXPUNGE", name)

    def _ask(self, command: str, *words: str) -> list[Any]:
        kind, said = self.client.uid(command, *words)
        if kind != "OK":
            raise ValueError(_told(said))
        return said

    @contextmanager
    def _telling(self, kind: type[MailboxError]) -> Iterator[None]:
        """A connection that is gone concerns the mailbox, anything else may be about one mail."""
        try:
            yield
        except (imaplib.IMAP4.abort, OSError) as error:
            raise MailboxError(f"{self.place}: {_words(error)}") from error
        except (imaplib.IMAP4.error, ValueError) as error:
            raise kind(f"{self.place}: {_words(error)}") from error

    def close(self) -> None:
        """Log out; safe where the server has gone."""
        _leave(self.client)


def _leave(client: imaplib.IMAP4) -> None:
    with suppress(*TROUBLES):
        client.logout()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _told(said: list[Any]) -> str:
    return " ".join(one.decode("utf-8", "replace") for one in said if isinstance(one, bytes))


def _words(error: Exception) -> str:
    """In one line, without the bytes' quotes."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    told = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error)
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else told
    return " ".join(text.split()) or type(error).__name__
