"""Turn cdnow_master.txt (customer, day, CDs, dollars) into contacts.csv and events.jsonl."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path


def convert(source: Path, target: Path) -> None:
    """A contact for each customer, created at the first order; an event for each line."""
    first: dict[str, str] = {}
    with source.open() as lines, (target / "events.jsonl").open("w") as events:
        next(lines)  # the header
        for number, line in enumerate(lines, start=2):
            customer, day, quantity, dollars = line.split()
            email = f"customer-{customer}@example.com"
            instant = f"{day[:4]}-{day[4:6]}-{day[6:]}T00:00:00Z"
            first[email] = min(instant, first.get(email, instant))
            call = {
                "type": "track",
                "event": "Order Completed",
                "messageId": f"cdnow-{number}",  # some lines are equal: the number tells them apart
                "timestamp": instant,
                "context": {"traits": {"email": email}},
                "properties": {"total": float(dollars), "quantity": int(quantity)},
            }
            events.write(json.dumps(call) + "\n")
    with (target / "contacts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["email", "created_at", "consent"])
        rows.writerows([email, instant, "offers"] for email, instant in first.items())


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
