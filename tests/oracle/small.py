"""Small cases about one contact, and short views of what became of them."""

from __future__ import annotations

from typing import Any

from .cases import Case, Row, Tables, expected

ANA = "ana@example.com"
HELLO = {"hello": "---\nsubject: Hello\ntopic: news\n---\nHello"}
POINTS = "score: s\nrules:\n  - {{name: r, points: 10, on: {}}}\n"


def stamp(when: str) -> str:
    """`02 01:30` on the second of January."""
    day, clock = when.split() if " " in when else ("02", when)
    return f"2026-01-{day}T{clock}:00Z"


def track(name: str, when: str, received: str | None = None, **properties: Any) -> Row:
    """A track call of Ana's."""
    call = {"type": "track", "event": name, "userId": ANA, "properties": properties}
    call |= {"timestamp": stamp(when), "messageId": f"{name}@{when}"}
    return call | ({"receivedAt": stamp(received)} if received else {})


def page(path: str, when: str) -> Row:
    """A page call of Ana's."""
    call = {"type": "page", "userId": ANA, "properties": {"path": path}}
    return call | {"timestamp": stamp(when), "messageId": f"{path}@{when}"}


def identify(when: str, received: str | None = None, **traits: Any) -> Row:
    """An identify call of Ana's."""
    call = {"type": "identify", "userId": ANA, "traits": traits, "timestamp": stamp(when)}
    call["messageId"] = f"identify@{when}"
    return call | ({"receivedAt": stamp(received)} if received else {})


def group(company: str, when: str, **traits: Any) -> Row:
    """A group call of Ana's."""
    call = {"type": "group", "userId": ANA, "groupId": company, "traits": traits}
    return call | {"timestamp": stamp(when), "messageId": f"{company}@{when}"}


def case(text: str, *calls: Row, **other: Any) -> Case:
    """Ana, known since the day before, on an hourly grid of the second of January."""
    ana = {"email": ANA, "created_at": stamp("01 00:00"), "consent": "yes"}
    ana |= other.pop("ana", {})
    people = other.pop("people", [ana])
    grid = {"since": stamp("00:00"), "until": stamp("12:00"), "every": "1 hour"} | other
    templates = HELLO | grid.pop("templates", {})
    return Case({"p.yaml": text}, people, list(calls), templates=templates, **grid)


def play(text: str, *calls: Row, **other: Any) -> Tables:
    """The tables of such a case."""
    return expected(case(text, *calls, **other))


def scores(found: Tables) -> list[tuple[str, Any]]:
    """Time of day and points of each line of the ledger, oldest first; not what faded."""
    lines = [row for row in found["points"] if row["kind"] != "decay"]
    return sorted((row["at"][11:16], row["points"]) for row in lines)


def entered(found: Tables) -> list[tuple[str, str]]:
    """Scenario and time of day of each enrollment, oldest first."""
    return sorted((row["scenario"], row["entered_at"][11:16]) for row in found["enrollments"])


def refused(found: Tables) -> list[tuple[str, str]]:
    """Reason and time of day of each refusal."""
    return sorted((row["reason"], row["at"][11:16]) for row in found["decisions"])


def stays(found: Tables) -> list[tuple[str, str, str | None]]:
    """List, time of joining and of leaving."""
    return sorted(
        (row["list"], row["joined_at"][11:16], row["left_at"] and row["left_at"][11:16])
        for row in found["members"]
    )


def ends(found: Tables) -> list[tuple[str, str | None, str | None]]:
    """Outcome, time of the end and of the conversion of each enrollment, oldest first."""
    rows = sorted(found["enrollments"], key=lambda row: row["entered_at"])
    return [
        (
            row["outcome"],
            row["ended_at"] and row["ended_at"][11:16],
            row["converted_at"] and row["converted_at"][11:16],
        )
        for row in rows
    ]


def mails(found: Tables) -> list[tuple[str, str, str | None]]:
    """Queued at, status and reason of each mail."""
    rows = sorted(found["messages"], key=lambda row: row["queued_at"])
    return [(row["queued_at"][11:16], row["status"], row["reason"]) for row in rows]


def flow(trigger: str, actions: str = "[{add_to_list: box}]", more: str = "") -> str:
    """A scenario `f` and the static list `box`."""
    return f"list: box\n---\nscenario: f\ntrigger: {trigger}\n{more}\nactions: {actions}\n---\n"
