"""The door for a mail server that hands returned mail over itself (LMTP, RFC 2033).

A mail is answered 250 once it is durable, and 451 while the store cannot be written: the mail
server keeps it then and comes again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP

from flowscore.errors import FlowscoreError
from flowscore.mail.returns.taking import Mail, take

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

    from flowscore.mail.returns.taking import Desk

log = logging.getLogger("flowscore")

LARGEST_MAIL = 20 * 1024 * 1024  # bytes; what is larger is refused
AT_ONCE = 8  # mails being taken
NOT_NOW = "451 4.3.0 cannot be kept now, try again later"


class _Receiver:
    """What aiosmtpd asks for each command."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.free = asyncio.Semaphore(AT_ONCE)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not _is_ours(address, self.desk.bounce_address):
            return "550 5.1.1 returned mail alone is taken here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """One answer for each recipient, as LMTP wants it."""
        content: Any = envelope.content or b""
        mail = Mail(bytes(content), tuple(envelope.rcpt_tos))
        async with self.free:
            try:
                await asyncio.to_thread(take, self.desk, [mail])
                answer = "250 2.0.0 taken"
            except Exception as error:
                log.error("returned mail could not be kept: %s", type(error).__name__)
                answer = NOT_NOW
        return "\r\n".join([answer] * len(envelope.rcpt_tos))


def _is_ours(address: str, bounce_address: str | None) -> bool:
    """The bounce address, with or without a token; without the setting any."""
    if bounce_address is None:
        return True
    local, _, domain = address.lower().rpartition("@")
    ours, _, our_domain = bounce_address.lower().rpartition("@")
    return domain == our_domain and local.partition("+")[0] == ours


class _Controller(Controller):
    def factory(self) -> LMTP:
        return LMTP(self.handler, loop=self.loop, **self.SMTP_kwargs)


@contextmanager
def receiving(desk: Desk, host: str, port: int) -> Iterator[None]:
    """Take mails on this address meanwhile; raises FlowscoreError when it is not to be had."""
    controller = _Controller(
        _Receiver(desk),
        hostname=host,
        port=port,
        server_hostname="flowscore",
        data_size_limit=LARGEST_MAIL,
        enable_SMTPUTF8=True,
        ident="flowscore",
    )
    try:
        controller.start()
    except OSError as error:
        raise FlowscoreError(
            f"{host}:{port}: cannot listen there ({error.strerror}); name another port"
        ) from error
    try:
        yield
    finally:
        controller.stop()
