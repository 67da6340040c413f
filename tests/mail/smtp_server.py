"""A real SMTP server whose answers a test scripts, with TLS and logins."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PEM = Encoding.PEM
HERE = ip_address("127.0.0.1")
Answer = str | None


class Script:
    """What the server says; None is its usual answer, `drop` hangs up."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.sender: Callable[[str], Answer] = lambda _: None
        self.recipient: Callable[[str], Answer] = lambda _: None
        self.content: Callable[[Envelope], Answer] = lambda _: None
        self.connections = 0

    @property
    def recipients(self) -> list[str]:
        """To whom mail was taken over, in order."""
        return [envelope.rcpt_tos[0] for envelope in self.taken]

    async def handle_EHLO(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._say(server, self.sender(address)) or "250 ok"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._say(server, self.recipient(address))
        if not answer or answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer or "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.content(envelope)
        if not answer or answer == "drop after taking":
            self.taken.append(envelope)
        return self._say(server, answer) or "250 taken"

    def _say(self, server: SMTP, answer: Answer) -> Answer:
        if answer and answer.startswith("drop"):
            server.transport.abort()
            return "421 gone"
        if answer and answer.startswith("421"):
            server.transport.write(f"{answer}\r\n".encode())
            server.transport.close()
        return answer


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(script: Script, port: int | None = None, **options: Any) -> Iterator[str]:
    """The URL of a running server."""
    port = port or free_port()
    controller = Controller(script, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def log_in_as(name: str, password: str) -> Callable[..., AuthResult]:
    """The one login that the server takes."""

    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        right = LoginPassword(name.encode(), password.encode())
        return AuthResult(success=given == right, handled=False)

    return check


def make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of one's own for 127.0.0.1, and the server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(HERE)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "cert.pem"
    secret = key.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(certificate.public_bytes(PEM))
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, folder / "key.pem")
    return file, context
