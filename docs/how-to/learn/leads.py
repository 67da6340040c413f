"""Make up three months of a small software house: contacts.csv, events.jsonl and leads.csv."""

from __future__ import annotations

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

chance = random.Random(7)  # noqa: S311 (made-up people)
START = datetime(2026, 1, 5, tzinfo=UTC)
contacts, leads, calls = [], [], []


def happened(email: str, day: float, event: str, **properties: object) -> None:
    """One call, so many days after the start."""
    moment = (START + timedelta(days=day)).isoformat(timespec="seconds")
    kind = {"type": "page"} if event == "page" else {"type": "track", "event": event}
    calls.append({**kind, "userId": email, "messageId": f"m{len(calls)}",
                  "timestamp": moment, "properties": properties})  # fmt: skip


for number in range(1500):
    email, came = f"lead-{number}@example.com", chance.uniform(0, 80)
    trial, letter = chance.random() < 0.2, chance.random() < 0.5
    industry = chance.choice(["software", "retail", "", "farming"])
    odds = 0.06 + 0.28 * trial + 0.06 * (industry == "software")
    bought = chance.random() < odds
    contacts.append([email, (START + timedelta(days=came)).isoformat(timespec="seconds"), industry])
    leads.append([email, industry or "Select", "yes" if trial else "no", chance.randrange(1, 12),
                  "won" if bought else "lost"])  # fmt: skip
    happened(email, came + 0.1, "page", path="/")
    if letter:
        happened(email, came + 1, "Newsletter Subscribed")
    if trial:
        happened(email, came + 2, "Free Trial Started")
    if chance.random() < (0.5 if bought else 0.3):
        happened(email, came + 3, "page", path="/pricing")
    if bought:
        day = came + chance.uniform(5, 12)
        happened(email, day, "Order Completed", total=chance.randrange(90, 900))
        happened(email, day + 1, "Invoice Paid")

happened("lead-0@example.com", 95, "page", path="/")
for name, header, rows in (
    ("contacts.csv", ["email", "created_at", "industry"], contacts),
    ("leads.csv", ["E-mail", "Industry", "Free Trial", "Calls", "Outcome"], leads),
):
    with Path(name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
with Path("events.jsonl").open("w", encoding="utf-8") as file:
    file.writelines(json.dumps(call) + "\n" for call in calls)
