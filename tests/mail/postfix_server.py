"""A real Postfix on loopback: its own folder, its own port, mail for three domains.

What goes to `here.example` stays on it: of its mailboxes only `bounces` exists. What goes to
`elsewhere.example` is handed to a server that a test scripts. What comes back for `lmtp.example` is
handed over by LMTP. A mail that is put off is returned at once instead of after days.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mail.smtp_server import free_port
from required import find_tool

NOBODY = 65534
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = mx.here.example
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_client_restrictions =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = no
recipient_delimiter = +
virtual_mailbox_domains = here.example, mail.here.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ bounces@mail.here.example=bounces/ }}
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
transport_maps = inline:{{ elsewhere.example=smtp:[127.0.0.1]:{next_port}, lmtp.example=lmtp:inet:127.0.0.1:{lmtp_port} }}
maximal_queue_lifetime = 0
bounce_queue_lifetime = 1h
in_flow_delay = 0
"""  # noqa: E501
SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """Where it listens, where it hands on, and where returned mail lies."""

    folder: Path
    port: int
    next_port: int
    lmtp_port: int

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?starttls=never"

    @property
    def maildir(self) -> Path:
        return self.folder / "mail" / "bounces"

    @property
    def log(self) -> str:
        """What it wrote; shown when a test waits in vain."""
        return (self.folder / "log" / "mail").read_text(errors="replace")

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way any more."""
        queues = ("maildrop", "incoming", "active", "deferred")
        return not any(
            path.is_file() for name in queues for path in (self.folder / "queue" / name).rglob("*")
        )


@contextmanager
def running() -> Iterator[Postfix]:
    """Started and stopped by its own command; only root may."""
    # Not below pytest's own folder: its mode 700 would lock out the user that Postfix works as.
    folder = Path(tempfile.mkdtemp(prefix="flowscore-postfix-"))
    folder.chmod(0o755)
    made = Postfix(folder, free_port(), free_port(), free_port())
    _lay_out(made)
    program = str(find_tool("postfix"))
    try:
        _do(program, "-c", f"{folder}/config", "start")
        yield made
    finally:
        _do(program, "-c", f"{folder}/config", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _lay_out(made: Postfix) -> None:
    for name in ("config", "queue", "data", "log", "mail"):
        (made.folder / name).mkdir()
    shutil.chown(made.folder / "data", "postfix")
    os.chown(made.folder / "mail", NOBODY, NOBODY)
    words = {
        "folder": made.folder, "owner": NOBODY, "port": made.port,
        "next_port": made.next_port, "lmtp_port": made.lmtp_port,
    }  # fmt: skip
    (made.folder / "config" / "main.cf").write_text(MAIN.format(**words))
    (made.folder / "config" / "master.cf").write_text(SERVICES.format(**words))


def _do(*words: str, check: bool = True) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stdout + done.stderr
