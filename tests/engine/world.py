"""A small project on a real store: YAML, calls and ticks stand in the test, answers are plain."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from flowscore.clock import DAY, HOUR, instant_of, rfc3339
from flowscore.engine.registry import apply_project
from flowscore.engine.tick import TickReport, run_ticks
from flowscore.language.project import load_project
from flowscore.store.imports import Source, import_contacts, import_events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flowscore.engine.registry import ApplyReport
    from flowscore.store.database import Store

START = instant_of(datetime(2026, 3, 2, tzinfo=UTC))
POLICY = "policy: default\nconsent: implied\ntopics: [news]\n"


@dataclass
class World:
    """Days and hours count from START, a Monday at 00:00 UTC; ticks stand on the hour."""

    root: Path
    store: Store
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    policy: str = POLICY

    def apply(self, yaml: str, **mails: str) -> ApplyReport:
        """Make these definitions (and mails, name=topic) the live ones."""
        (self.root / "scenarios").mkdir(parents=True, exist_ok=True)
        whole = self.policy + "---\n" + textwrap.dedent(yaml)
        (self.root / "scenarios" / "all.yaml").write_text(whole)
        for name, topic in mails.items():
            file = self.root / "templates" / "email" / f"{name}.html"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"---\nsubject: {name}\ntopic: {topic}\n---\n<p>Hello</p>\n")
        project, problems = load_project(self.root)
        wrong = [problem for problem in problems if problem.severity == "error"]
        assert not wrong, wrong
        return apply_project(self.store, project, START)

    def track(self, who: str, name: str, at: int, *, how: str = "live", **properties: Any) -> None:
        """An event of a contact; `how`: live (received when it happened), late:N, historical."""
        call = {"type": "track", "event": name, "properties": properties}
        self._call(who, call, at, how)

    def identify(self, who: str, at: int, *, how: str = "live", **traits: Any) -> None:
        """What a contact tells of itself."""
        self._call(who, {"type": "identify", "traits": traits}, at, how)

    def group(self, who: str, company: str, at: int, *, how: str = "live", **traits: Any) -> None:
        """Which company a contact belongs to, and what is told of it."""
        self._call(who, {"type": "group", "groupId": company, "traits": traits}, at, how)

    def _call(self, who: str, call: dict[str, Any], at: int, how: str) -> None:
        number = next(self.numbers)
        call |= {"messageId": f"m{number}", "timestamp": rfc3339(at)}
        call["userId" if "@" in who else "anonymousId"] = who
        if isinstance(call.get("traits"), dict) and "anonymous" in call["traits"]:
            call["anonymousId"] = call["traits"].pop("anonymous")
        if how.startswith("late:"):
            call["receivedAt"] = rfc3339(at + int(how.removeprefix("late:")))
        file = self.root / f"calls-{number}.jsonl"
        file.write_text(json.dumps(call) + "\n")
        history = how == "historical"
        report = import_events(
            self.store, Source(file), at, historical=history, as_live=not history
        )
        assert report.taken + report.duplicates == 1, str(report)

    def people(self, *rows: str, header: str = "email,created_at") -> None:
        """Contacts of a quiet CSV import."""
        file = self.root / f"people-{next(self.numbers)}.csv"
        file.write_text("\n".join((header, *rows)) + "\n")
        assert not import_contacts(self.store, Source(file), START + 400 * DAY).rejected

    def tick(self, until: int, first: int = START, step: int = HOUR) -> TickReport:
        """Every tick on the hour up to then."""
        return run_ticks(self.store, from_=first, until=until, step=step)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def balance(self, who: str, score: str = "engagement") -> float:
        """The balance of a contact."""
        found = self.rows(
            "SELECT balance FROM balances JOIN contacts ON contacts.id = contact_id "
            f"WHERE email = '{who}' AND score = '{score}'"
        )
        return found[0][0] / 10_000 if found else 0

    def members(self, name: str) -> list[str]:
        """Who is in a list now."""
        return [
            row[0]
            for row in self.rows(
                "SELECT email FROM members JOIN contacts ON contacts.id = contact_id "
                f"WHERE list = '{name}' AND left_at IS NULL ORDER BY email"
            )
        ]

    def entered(self, scenario: str) -> list[str]:
        """Who has entered a scenario, in order."""
        return [
            row[0]
            for row in self.rows(
                "SELECT email FROM enrollments JOIN contacts ON contacts.id = contact_id "
                f"WHERE scenario = '{scenario}' ORDER BY enrollments.id"
            )
        ]
