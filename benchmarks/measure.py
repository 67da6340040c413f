"""Runs a piece of work in a process of its own: what it took, what it cost, how much it held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Cost:
    """Seconds on the wall, and of the processor (user and system)."""

    wall: float
    cpu: float


def cost_of(words: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> Cost:
    """Run a command to its end; a failing one is an error."""
    begin = time.perf_counter()
    process = subprocess.Popen(words, cwd=cwd, env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{words} ended with {process.returncode}")
    return Cost(wall, used.ru_utime + used.ru_stime)


def said_by(module: str, *words: object) -> dict[str, Any]:
    """What a module of this folder, run by itself, says on its last line, as JSON."""
    command = [sys.executable, str(HERE / module), *(str(word) for word in words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def peak_mb(process: int | str = "self") -> float:
    """The most memory that a process has held, in MB; this one by default."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
