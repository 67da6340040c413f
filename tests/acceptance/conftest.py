"""A project from the YAML that stands in the test, worked through the real commands."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from flowscore.cli import main

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]

MAIL = """\
---
subject: "{subject}"
topic: {topic}
---
<p>Hello {{{{ contact.first_name | default('you') }}}}</p>
"""


@dataclass
class Result:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document it has to be."""
        return json.loads(self.out)


@dataclass
class Project:
    """A project folder; every method runs the command of that name."""

    root: Path
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def run(self, *words: str) -> Result:
        """A command as a person types it, in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["--project", str(self.root), *words])
        return Result(code, out.getvalue(), err.getvalue())

    def ok(self, *words: str) -> Result:
        """The same, and it has to succeed."""
        result = self.run(*words)
        assert result.code == 0, f"flowscore {' '.join(words)}\n{result.out}\n{result.err}"
        return result

    def write(self, name: str, text: str) -> Path:
        """A file below the folder; the text's indentation is the test's."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def scenario(self, text: str, name: str = "all") -> Project:
        """Definitions, several documents if need be."""
        self.write(f"scenarios/{name}.yaml", text)
        return self

    def mail(self, *names: str, topic: str = "news") -> Project:
        """Templates that a scenario can send."""
        for name in names:
            self.write(f"templates/email/{name}.html", MAIL.format(subject=name, topic=topic))
        return self

    def apply(self) -> Project:
        """Make it live."""
        self.ok("apply")
        return self

    def people(self, *emails: str, header: str = "", rows: tuple[str, ...] = ()) -> Project:
        """Contacts with consent in general, known before everything else; or rows of a CSV."""
        head = header or "email,created_at,consent"
        lines = rows or tuple(f"{email},2025-12-01T00:00:00Z,yes" for email in emails)
        file = self.root / f"contacts-{next(self.numbers)}.csv"
        file.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
        self.ok("import", "contacts", str(file))
        return self

    def happened(self, *calls: Row, how: str = "--as-live") -> Project:
        """Events, each received when it happened."""
        file = self.root / f"events-{next(self.numbers)}.jsonl"
        file.write_text("".join(json.dumps(call) + "\n" for call in calls), encoding="utf-8")
        self.ok("import", "events", str(file), how)
        return self

    def track(self, email: str, event: str, at: str, **properties: Any) -> Row:
        """A Segment `track` call."""
        return {
            "type": "track",
            "userId": email,
            "event": event,
            "timestamp": instant(at),
            "messageId": f"m-{next(self.numbers)}",
            "properties": properties,
        }

    def page(self, email: str, path: str, at: str) -> Row:
        """A Segment `page` call."""
        call = self.track(email, "", at, path=path)
        return {**call, "type": "page"}

    def identify(self, email: str, at: str, **traits: Any) -> Row:
        """A Segment `identify` call."""
        return {
            "type": "identify",
            "userId": email,
            "traits": traits,
            "timestamp": instant(at),
            "messageId": f"m-{next(self.numbers)}",
        }

    def group(self, email: str, at: str, company: str, **traits: Any) -> Row:
        """A Segment `group` call: who belongs to which company."""
        call = self.track(email, "", at)
        return {**call, "type": "group", "groupId": company, "traits": traits}

    def tick(self, first: str, last: str, every: str = "1h", deliver: bool = True) -> Project:
        """The grid from one day to another, delivering after each tick."""
        grid = ["--from", instant(first), "--until", instant(last), "--every", every]
        self.ok("tick", *grid, *["--deliver"] * deliver)
        return self

    def export(self) -> dict[str, list[Row]]:
        """Every table."""
        folder = self.root / f"export-{next(self.numbers)}"
        self.ok("export", str(folder))
        return {
            file.stem: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
            for file in folder.glob("*.jsonl")
        }

    def balance(self, email: str, score: str = "engagement") -> float:
        """Where a contact stands."""
        rows = self.export()["balances"]
        [row] = [row for row in rows if (row["contact"], row["score"]) == (email, score)]
        return row["balance"]

    def points(self, email: str, score: str = "engagement") -> list[float]:
        """The lines of a contact's ledger."""
        rows = self.export()["points"]
        return [r["points"] for r in rows if (r["contact"], r["score"]) == (email, score)]

    def lists(self, email: str) -> list[str]:
        """The lists a contact is in now."""
        rows = self.export()["members"]
        return [r["list"] for r in rows if r["contact"] == email and r["left_at"] is None]

    def mails(self, email: str) -> list[tuple[str, str, str | None]]:
        """Template, status and reason of every mail to a contact, in order."""
        rows = self.export()["messages"]
        return [(r["template"], r["status"], r["reason"]) for r in rows if r["contact"] == email]

    def sent(self, email: str) -> list[str]:
        """The templates that a contact got, in order."""
        return [template for template, status, _ in self.mails(email) if status == "sent"]


def instant(text: str) -> str:
    """`5 10:00` is the fifth of January 2026; a whole date or instant stays as it is."""
    if "-" in text:
        return text
    day, _, clock = text.partition(" ")
    return f"2026-01-{int(day):02}T{clock or '00:00'}:00Z"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project folder with a policy that sends news."""
    made = Project(tmp_path / "project")
    made.write("scenarios/policy.yaml", POLICY)
    return made


POLICY = """
policy: default
sender: {name: Acme, address: hello@acme.example}
topics: [news, offers]
"""


@pytest.fixture(scope="session")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A company whose results are known; tests only read it."""
    from . import results

    made = Project(tmp_path_factory.mktemp("sold") / "project")
    made.write("scenarios/policy.yaml", POLICY)
    return results.fill(made)
