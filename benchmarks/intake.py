"""The web door under load: batches, single calls, the pixel beside them, and ticks beside those.

    python benchmarks/intake.py [--quick]

The limit is a bare Starlette route under the same server that parses the same bodies and keeps
nothing; ours checks the key, reads every call and has it on the disk before it answers. The bar
is 20,000 events a second in batches of 100 on one process with SQLite. The last part takes a
million events in while ticks run every ten seconds, and counts what is in the log.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures import Figure, memory, table
from measure import peak_mb
from sqlalchemy import text

from flowscore.clock import SECOND, clock_now
from flowscore.mail.tokens import PATHS, OfMail, sign_hit
from flowscore.orders import Grid
from flowscore.workspace import Workspace

HERE = Path(__file__).parent
COMMAND = str(Path(sys.executable).with_name("flowscore"))
SECRET = "a secret of the benchmarks"
BAR = 20_000  # events a second
PROJECT = {
    "scenarios/house.yaml": """\
policy: house
timezone: Europe/Madrid
---
score: interest
rules:
  - {name: product, points: 1, on: {event: product_viewed}}
---
list: interested
members:
  - score: {interest: {at_least: 5}}
""",
}
BARE = """
import sys, orjson, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def take(request):
    orjson.loads(await request.body())
    return Response(b'{"success":true}', media_type="application/json")

app = Starlette(routes=[Route(path, take, methods=["POST"]) for path in ("/v1/b", "/v1/t")])
uvicorn.run(app, port=int(sys.argv[1]), http="httptools", log_level="critical", access_log=False)
"""


@dataclass(frozen=True)
class Load:
    """What a load showed: calls a second on the wall, and for each second of the server's CPU."""

    wall: float
    cpu: float
    p50: float
    p99: float
    statuses: dict[str, int]


def measure_intake(quick: bool) -> list[Figure]:
    """Every figure of the web door."""
    size = 5 if quick else 1
    with tempfile.TemporaryDirectory(prefix="flowscore-intake-") as folder:
        root, key = _project(Path(folder))
        return [
            *_rates(root, key, 3000 // size, 5000 // size),
            _pixel(root, key, 2000 // size),
            *_million(root, key, 1_000_000 // (10 if quick else 1)),
        ]


def _project(folder: Path) -> tuple[Path, str]:
    """A live project and a write key of it."""
    for name, content in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (folder / "templates" / "email").mkdir(parents=True)
    subprocess.run([COMMAND, "--project", folder, "apply"], check=True, capture_output=True)
    made = [COMMAND, "--project", folder, "keys", "add", "site", "--json"]
    said = subprocess.run(made, check=True, capture_output=True, text=True).stdout
    return folder, json.loads(said)["key"]


# --- how many ---------------------------------------------------------------------------------


def _rates(root: Path, key: str, batches: int, singles: int) -> Iterator[Figure]:
    """Batches of 100 and single calls, ours and the bare route in turn."""
    with _ours(root) as (port, server), _bare() as (bare_port, bare):
        for what, calls, requests, bar in (
            ("events in batches of 100", 100, batches, BAR),
            ("single calls", 1, singles, 0),
        ):
            options = ["--calls", calls, "--connections", 16]
            _send(port, key, requests // 10, *options)  # warm
            _send(bare_port, key, requests // 10, *options)
            ours = _measured(server, calls, port, key, requests, *options)
            limit = _measured(bare, calls, bare_port, key, requests, *options)
            yield Figure(
                f"{what}, durable on SQLite",
                f"{ours.wall:,.0f}/s ({ours.cpu:,.0f} for a second of processor), "
                f"p99 {ours.p99:.0f} ms",
                f"{limit.wall:,.0f}/s ({limit.cpu:,.0f}): a bare route that parses the same bodies",
                f"{ours.wall / limit.wall:.2f} ({ours.cpu / limit.cpu:.2f} of processor)",
                f"at least {bar:,}/s" if bar else "a figure",
                ours.wall >= bar and set(ours.statuses) == {"200"},
            )


def _measured(server: int, calls: int, port: int, *words: object) -> Load:
    before = _cpu(server)
    said = _send(port, *words)
    spent = _cpu(server) - before
    number = calls * said["statuses"].get("200", 0)
    return Load(number / said["seconds"], number / spent, said["p50"], said["p99"],
                said["statuses"])  # fmt: skip


def _cpu(server: int) -> float:
    """Seconds that the process has spent, in user mode and in the system's."""
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- the pixel beside it ----------------------------------------------------------------------


def _pixel(root: Path, key: str, batches: int) -> Figure:
    """Pictures asked for while batches come in as fast as they are taken."""

    token = sign_hit(SECRET, "open", OfMail(1, b"none", 1_795_000_000, 1))
    path = f"/{PATHS['open']}/{token}.gif"
    with _ours(root) as (port, _):
        load = threading.Thread(target=_send, args=(port, key, batches, "--connections", 4))
        load.start()
        time.sleep(0.5)
        busy = _run_load(port, path, "--gets", 1500, "--connections", 2, "--pause", 0.003)
        load.join()
        idle = _run_load(port, path, "--gets", 1500, "--connections", 2, "--pause", 0.003)
    return Figure(
        "the pixel while batches of 100 come in",
        f"p50 {busy['p50']:.1f} ms, p99 {busy['p99']:.1f} ms",
        f"p50 {idle['p50']:.1f} ms, p99 {idle['p99']:.1f} ms: the same server idle",
        f"{busy['p99'] / idle['p99']:.1f}",
        "a figure",
        set(busy["statuses"]) == {"200"},
    )


# --- a million beside ticks -------------------------------------------------------------------


def _million(root: Path, key: str, number: int) -> Iterator[Figure]:
    """Every tenth batch is sent twice while ticks run; then what is in the log is counted."""
    _tick_once(root)  # what the other loads left
    before = _counted(root)
    with _ours(root) as (port, server):
        ended = threading.Event()
        ticks: list[float] = []
        ticking = threading.Thread(target=_tick, args=(root, ended, ticks))
        ticking.start()
        said = _send(port, key, number // 100, "--people", 50_000, "--repeat")
        ended.set()
        ticking.join()
        held = peak_mb(server)
    _tick_once(root)
    found = _counted(root) - before
    accepted = 100 * said["statuses"].get("200", 0)
    yield Figure(
        f"{number:,} events in while a tick runs every 10 s",
        f"{found:,} in the log, {accepted / said['seconds']:,.0f}/s taken in meanwhile "
        f"({len(ticks)} ticks, the longest {max(ticks, default=0):.1f} s)",
        f"{number:,} sent, every tenth batch of them twice",
        f"{found / number:.6f}",
        "exactly 1",
        found == number,
    )
    yield memory("the process that answers", held)


def _tick(root: Path, ended: threading.Event, took: list[float]) -> None:
    while not ended.wait(10):
        begin = time.perf_counter()
        _tick_once(root)
        took.append(time.perf_counter() - begin)


def _tick_once(root: Path) -> None:
    """In a process of its own, as `flowscore tick` by cron would be; up to this very second."""
    subprocess.run([sys.executable, str(HERE / "intake.py"), "--tick", str(root)], check=True)


def tick(root: Path) -> None:
    """One tick as of the last whole second."""
    with closing(Workspace(root)) as workspace:
        now = clock_now() // SECOND * SECOND
        workspace.tick(now, Grid(first=now, until=now, every=SECOND))


def _counted(root: Path) -> int:
    with closing(Workspace(root)) as workspace, workspace.store.read() as connection:
        words = "SELECT count(*) FROM events WHERE name = 'product_viewed'"
        return int(connection.scalar(text(words)) or 0)


# --- servers ----------------------------------------------------------------------------------


@contextmanager
def _ours(root: Path) -> Iterator[tuple[int, int]]:
    port = _free_port()
    env = {**os.environ, "FLOWSCORE_WEB_PORT": str(port), "FLOWSCORE_SECRET": SECRET}
    env["FLOWSCORE_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    with _served([COMMAND, "--project", str(root), "serve"], port, env) as server:
        yield port, server


@contextmanager
def _bare() -> Iterator[tuple[int, int]]:
    port = _free_port()
    with _served([sys.executable, "-c", BARE, str(port)], port, dict(os.environ)) as server:
        yield port, server


@contextmanager
def _served(words: list[str], port: int, env: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL)
    try:
        _await_port(port)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _await_port(port: int) -> None:
    for _ in range(300):
        with closing(socket.socket()) as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nothing answers on port {port}")


def _free_port() -> int:
    with closing(socket.socket()) as asking:
        asking.bind(("127.0.0.1", 0))
        port: int = asking.getsockname()[1]
        return port


def _send(port: int, key: str, requests: int, *words: object) -> dict[str, Any]:
    return _run_load(port, key, "--requests", requests, *words)


def _run_load(port: int, *words: object) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "intake_load.py"), str(port), *map(str, words)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--tick", type=Path, help="one tick of this project, and nothing else")
    chosen = options.parse_args()
    if chosen.tick:
        tick(chosen.tick)
    else:
        print(table(measure_intake(chosen.quick)))
