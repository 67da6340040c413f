"""SMTP through aiosmtplib: its many exceptions as three outcomes, connections that come back.

The commands are given one by one, since whether a lost connection leaves a mail uncertain
depends on which of them was under way.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from flowscore.errors import FlowscoreError
from flowscore.mail.transport import Outcome, Refused, Sent, Uncertain

if TYPE_CHECKING:
    from flowscore.mail.message import Letter

YES = ("1", "true", "yes", "on", "required")
NO = ("0", "false", "no", "off", "never")
OPTIONS = ("starttls", "verify", "ca", "timeout")
OK, WILL_FORWARD, CLOSING = 250, 251, 421
SLOWEST_DATA = 300.0  # seconds: content filters think before they answer (RFC 5321 4.5.3.2.6)


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how to connect; the password never shows in `repr`."""

    host: str
    port: int
    tls: bool = False
    starttls: bool | None = None  # None: when the server offers it
    user: str | None = None
    password: str | None = None
    verify: bool = True
    ca: str | None = None
    timeout: float = 60.0

    def __repr__(self) -> str:
        return f"Server({self})"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def read_url(url: str) -> Server:
    """`smtp://USER:PASSWORD@HOST:587?starttls=required`, `smtps://HOST?ca=FILE`, `?verify=no`."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise FlowscoreError(
            "FLOWSCORE_SMTP_URL: expected smtp://USER:PASSWORD@HOST:587 or smtps://HOST:465"
        )
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if unknown := sorted(set(options) - set(OPTIONS)):
        raise FlowscoreError(
            f"FLOWSCORE_SMTP_URL: unknown option '{unknown[0]}'; known are {', '.join(OPTIONS)}"
        )
    tls = parts.scheme == "smtps"
    return Server(
        parts.hostname,
        _port(parts.netloc) or (465 if tls else 25),
        tls=tls,
        starttls=False if tls else _switch(options, "starttls"),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        verify=_switch(options, "verify") is not False,
        ca=options.get("ca"),
        timeout=_seconds(options.get("timeout", "60")),
    )


def _port(netloc: str) -> int | None:
    try:
        return urlsplit(f"//{netloc}").port
    except ValueError as error:
        raise FlowscoreError("FLOWSCORE_SMTP_URL: the port is no number up to 65535") from error


def _seconds(text: str) -> float:
    try:
        return max(1.0, float(text))
    except ValueError as error:
        raise FlowscoreError(f"FLOWSCORE_SMTP_URL: timeout={text}: expected seconds") from error


def _switch(options: Mapping[str, str], name: str) -> bool | None:
    value = options.get(name, "auto").lower()
    if value in YES or value in NO:
        return value in YES
    if value == "auto":
        return None
    raise FlowscoreError(f"FLOWSCORE_SMTP_URL: {name}={value}: expected auto, required or never")


class SmtpTransport:
    """k connections to one server."""

    repeatable = False

    def __init__(self, url: str, lanes: int = 4) -> None:
        self.server = read_url(url)
        self.lanes = lanes

    def lane(self) -> SmtpLane:
        """A connection, not yet made."""
        return SmtpLane(self.server)


class SmtpLane:
    """One connection; made again when the server has closed it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client: aiosmtplib.SMTP | None = None

    async def open(self) -> Refused | None:
        """Connect, STARTTLS where offered or asked for, log in."""
        if self.client and self.client.is_connected:
            return None
        await self.close()
        try:
            self.client = self._make_client()
            await self.client.connect()
            await self._log_in(self.client)
            if self.client.is_ehlo_or_helo_needed:
                await self.client.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            await self.close()
            return _why_no_connection(self.server, error)
        return None

    def _make_client(self) -> aiosmtplib.SMTP:
        server = self.server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            start_tls=server.starttls,
            validate_certs=server.verify,
            cert_bundle=server.ca,
            timeout=server.timeout,
        )

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        if not self.server.user:
            return
        encrypted = client.get_transport_info("sslcontext") is not None
        if not encrypted and self.server.starttls is not False and not _is_here(self.server.host):
            raise ValueError(
                "offers no encryption, and a password would be readable on the way; "
                "use smtps://, or ?starttls=never where the network is yours"
            )
        await client.login(self.server.user, self.server.password or "")

    async def hand_over(self, letter: Letter) -> Outcome:
        """The letter; once more on a new connection where the server had hung up before DATA."""
        outcome = await self._try(letter)
        if isinstance(outcome, Refused) and outcome.scope == "server" and not outcome.permanent:
            await self.close()
            outcome = await self._try(letter)
        return outcome

    async def _try(self, letter: Letter) -> Outcome:
        if refused := await self.open():
            return refused
        assert self.client
        outcome = await self._talk(self.client, letter)
        if isinstance(outcome, Refused):
            await self._reset(outcome)
        return outcome

    async def _talk(self, client: aiosmtplib.SMTP, letter: Letter) -> Outcome:
        stage: Literal["sender", "recipient"] = "sender"
        try:
            # Plain commands: the addresses are clean, and parsing them again costs as much as both.
            sender, recipient = f"<{letter.sender}>".encode(), f"<{letter.recipient}>".encode()
            options = _international(client, letter)
            said = await client.execute_command(b"MAIL", b"FROM:" + sender, *options)
            if said.code != OK:
                return _refusal(said.code, said.message, stage)
            stage = "recipient"
            said = await client.execute_command(b"RCPT", b"TO:" + recipient)
            if said.code not in (OK, WILL_FORWARD):
                return _refusal(said.code, said.message, stage)
        except aiosmtplib.SMTPResponseException as error:
            return _refusal(error.code, error.message, stage)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Refused(0, f"{self.server}: {_words(error)}", permanent=False, scope="server")
        except ValueError as error:
            return Refused(0, str(error), permanent=True, scope=stage)
        return await self._give(client, letter)

    async def _give(self, client: aiosmtplib.SMTP, letter: Letter) -> Outcome:
        """DATA: from here on a lost connection leaves the mail uncertain."""
        try:
            patience = max(self.server.timeout, SLOWEST_DATA)
            response = await client.data(letter.content, timeout=patience)
            return Sent(f"{response.code} {response.message}")
        except aiosmtplib.SMTPDataError as error:
            if error.code > 0:
                return _refusal(error.code, error.message, "sender")
            return await self._lost(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            return await self._lost(error)

    async def _lost(self, error: Exception) -> Uncertain:
        await self.close()
        return Uncertain(f"{self.server}: {_words(error)} after DATA")

    async def _reset(self, outcome: Refused) -> None:
        """A clean line for the next letter."""
        if outcome.code == CLOSING or not self.client or not self.client.is_connected:
            return await self.close()
        try:
            await self.client.rset()
        except (aiosmtplib.SMTPException, OSError):
            await self.close()

    async def rest(self) -> None:
        """The server's word is enough."""

    async def close(self) -> None:
        """QUIT where there is still someone to say it to."""
        client, self.client = self.client, None
        if not client:
            return
        try:
            if client.is_connected:
                await client.quit(timeout=5)
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            client.close()


def _international(client: aiosmtplib.SMTP, letter: Letter) -> list[bytes]:
    """Addresses beyond ASCII travel only by SMTPUTF8 (RFC 6531)."""
    if letter.recipient.isascii() and letter.sender.isascii():
        return []
    if not client.supports_extension("smtputf8"):
        raise ValueError("the mail server cannot take addresses beyond ASCII (SMTPUTF8)")
    return [b"SMTPUTF8", b"BODY=8BITMIME"]


def _refusal(code: int, message: str, stage: Literal["sender", "recipient"]) -> Refused:
    """4xx is for now, 5xx for good; 421 means the server itself is going."""
    text = " ".join(message.split())[:500]
    if code == CLOSING or code <= 0:
        return Refused(code, text, permanent=False, scope="server")
    return Refused(code, text, permanent=code >= 500, scope=stage)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _why_no_connection(server: Server, error: Exception) -> Refused:
    """What stands in the way, and what to do."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        text = f"{server} refused the login: {_words_of(error)}; check user and password"
        return Refused(error.code, text, permanent=error.code >= 500, scope="server")
    if bad := _certificate_error(error):
        text = (
            f"the certificate of {server} is not trusted: {bad.verify_message}; "
            "name its authority by ?ca=FILE in FLOWSCORE_SMTP_URL"
        )
        return Refused(0, text, permanent=True, scope="server")
    code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else 0
    return Refused(max(code, 0), f"{server}: {_words_of(error)}", code >= 500, "server")


def _words_of(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {' '.join(error.message.split())}"
    return _words(error)


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
