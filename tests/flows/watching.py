"""Waiting for a process to say something, and reading what it left behind."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def mails_in(folder: Path) -> list[str]:
    """Who got a mail, by the files in the outbox."""
    texts = [file.read_text() for file in sorted((folder / "outbox").glob("*.eml"))]
    return sorted(line[4:] for text in texts for line in text.splitlines() if line[:4] == "To: ")


def await_line(process: subprocess.Popen[str], words: str, seconds: float = 60) -> str:
    """Read the process's log until a line holds these words; gives that line."""
    assert process.stderr is not None
    read: list[str] = []
    ends = threading.Timer(seconds, process.kill)  # a read that waits ends with the process
    ends.start()
    try:
        for line in process.stderr:
            read.append(line)
            if words in line:
                return line
    finally:
        ends.cancel()
    pytest.fail(f"no line with {words!r} within {seconds} s in:\n{''.join(read)}")


def await_true(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
