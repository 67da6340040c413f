"""A real IMAP server on loopback: Dovecot, in its own folder, with one mailbox."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mail.smtp_server import free_port, make_certificate
from required import find_tool

NOBODY = 65534
PASSWORD = "pass word/ü"
CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail
{capability}
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={folder}/mail allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  prefix = {prefix}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""
"""`prefix` says how folders are called: with `INBOX.` as Courier did, or plainly."""


@dataclass(frozen=True)
class Dovecot:
    """Where it listens, and where its mails lie."""

    folder: Path
    port: int
    tls_port: int

    @property
    def log(self) -> str:
        """What it wrote."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def put(self, *contents: bytes) -> None:
        """Deliver, as a mail server does."""
        for number, content in enumerate(contents):
            file = self.maildir / "new" / f"{time.time_ns()}.{number}.here"
            file.write_bytes(content)
            os.chown(file, NOBODY, NOBODY)

    @property
    def maildir(self) -> Path:
        return self.folder / "mail"

    def url(self, password: str = PASSWORD) -> str:
        return f"imap://bounces:{quote(password, safe='')}@127.0.0.1:{self.port}/INBOX"

    @property
    def tls_url(self) -> str:
        return (
            self.url().replace("imap:", "imaps:").replace(str(self.port), str(self.tls_port))
            + f"?ca={self.folder}/cert.pem"
        )


@contextmanager
def running(*, prefix: str = "", capability: str = "") -> Iterator[Dovecot]:
    """Started, answering, and stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="flowscore-dovecot-"))
    folder.chmod(0o755)
    made = Dovecot(folder, free_port(), free_port())
    _lay_out(made, prefix, capability)
    process = subprocess.Popen(
        [str(find_tool("dovecot")), "-F", "-c", folder / "dovecot.conf"], stderr=subprocess.PIPE
    )
    try:
        _await(made, process)
        yield made
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _lay_out(made: Dovecot, prefix: str, capability: str) -> None:
    for name in ("run", "mail", "mail/new", "mail/cur", "mail/tmp"):
        (made.folder / name).mkdir()
        if name != "run":
            os.chown(made.folder / name, NOBODY, NOBODY)
    make_certificate(made.folder)
    (made.folder / "users").write_text(f"bounces:{PASSWORD}\n", encoding="utf-8")
    words = {
        "folder": made.folder, "owner": NOBODY, "port": made.port, "tls_port": made.tls_port,
        "prefix": prefix, "capability": capability,
    }  # fmt: skip
    (made.folder / "dovecot.conf").write_text(CONFIG.format(**words), encoding="utf-8")


def _await(made: Dovecot, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", made.port), 1).close()
        except OSError:
            assert process.poll() is None and time.monotonic() < until, made.log
            time.sleep(0.05)
        else:
            return
