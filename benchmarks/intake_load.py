"""Sends prepared HTTP requests over a few connections and says how fast they were answered.

    python benchmarks/intake_load.py PORT KEY --requests 2000 --calls 100 [--connections 4]
    python benchmarks/intake_load.py PORT PATH --gets 2000 [--connections 2]

A process of its own, so that what it costs is not counted as the server's. The last line that
it prints is JSON: answers by status, seconds, and the 50th and 99th percentile in milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from itertools import count

import orjson

NUMBERS = count()
PAGES = ("/pricing", "/courses", "/blog/hello", "/courses/python", "/")


def call(run: str, people: int) -> dict[str, object]:
    """One call as a browser's library sends it, about 700 bytes."""
    number = next(NUMBERS)
    path = PAGES[number % len(PAGES)]
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"ajs-next-{run}-{random.getrandbits(96):024x}-{number}",
        "userId": f"user-{number % people}",
        "anonymousId": f"{number % people:032x}",
        "timestamp": "2026-11-22T09:00:00.123Z",
        "properties": {"sku": f"A-{number % 100}", "price": 12.5, "category": "Courses"},
        "context": {
            "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
            "locale": "es-ES",
            "page": {
                "path": path,
                "referrer": "https://search.example/",
                "search": "?utm_source=mail",
                "title": "Academy",
                "url": f"https://academy.example{path}?utm_source=mail",
            },
            "campaign": {"source": "mail", "medium": "email", "name": "spring"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "timezone": "Europe/Madrid",
        },
    }


def posts(key: str, number: int, calls: int, people: int) -> list[bytes]:
    """Requests with so many calls each; one call goes to its own path, as browsers do."""
    run = f"{random.getrandbits(40):x}"
    made = []
    for _ in range(number):
        several = [call(run, people) for _ in range(calls)]
        body: dict[str, object] = {"batch": several} if calls > 1 else several[0]
        body |= {"writeKey": key, "sentAt": "2026-11-22T09:00:01.000Z"}
        raw = orjson.dumps(body)
        path = "/v1/b" if calls > 1 else "/v1/t"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(raw)}\r\n\r\n"
        )
        made.append(head.encode() + raw)
    return made


def gets(path: str, number: int) -> list[bytes]:
    """Requests for one path, as a mail program asks for a picture."""
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
    one = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\n\r\n".encode()
    return [one] * number


async def send(port: int, requests: list[bytes], connections: int, pause: float) -> dict:
    """All of them, over so many connections at once; what is refused for now is sent again."""
    waiting = iter(requests)
    statuses: Counter[int] = Counter()
    took: list[float] = []
    begin = time.perf_counter()
    await asyncio.gather(*(_talk(port, waiting, statuses, took, pause) for _ in range(connections)))
    seconds = time.perf_counter() - begin
    took.sort()
    return {
        "statuses": dict(statuses),
        "seconds": seconds,
        "p50": 1000 * took[len(took) // 2],
        "p99": 1000 * took[int(len(took) * 0.99)],
    }


async def _talk(port: int, waiting, statuses: Counter, took: list[float], pause: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in waiting:
        status = 429
        while status in (429, 503):
            begin = time.perf_counter()
            writer.write(request)
            status = await _answer(reader)
            statuses[status] += 1
            took.append(time.perf_counter() - begin)
            if status in (429, 503):
                await asyncio.sleep(0.05)
        if pause:
            await asyncio.sleep(pause)
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, whose body is read too."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":", 1)[1])
    if length:
        await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


def main() -> None:
    """One load."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("port", type=int)
    options.add_argument("key", help="a write key, or with --gets a path")
    options.add_argument("--requests", type=int, default=0)
    options.add_argument("--calls", type=int, default=100)
    options.add_argument("--gets", type=int, default=0)
    options.add_argument("--people", type=int, default=5000)
    options.add_argument("--connections", type=int, default=4)
    options.add_argument("--pause", type=float, default=0.0, help="seconds after each answer")
    options.add_argument("--repeat", action="store_true", help="send every tenth request again")
    chosen = options.parse_args()
    if chosen.gets:
        made = gets(chosen.key, chosen.gets)
    else:
        made = posts(chosen.key, chosen.requests, chosen.calls, chosen.people)
        if chosen.repeat:
            made = [*made, *made[::10]]
            random.shuffle(made)
    print(json.dumps(asyncio.run(send(chosen.port, made, chosen.connections, chosen.pause))))


if __name__ == "__main__":
    main()
