"""A history on a page of the reference, told as a table, and what really becomes of it.

Behind a YAML example stands a table `| when | what happens | then |`. Each row is an instant.
«What happens» is what people do (`ana: order_completed {total: 60}`, `ana: page /pricing`,
`ana: identify {..}`, `ana: group acme {..}`, `by hand: enroll ana in NAME`); people are known
before, with consent, unless a row `before` says otherwise or they are `new eva`. «Then» is what
flowscore does at that very instant. All it does of the kinds that the table speaks of has to be
told there, and nothing else.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import yaml
from sqlalchemy import text

from docs.effects import Effect, effects_of, kind_of
from flowscore.clock import MINUTE, instant_of, rfc3339
from flowscore.engine.tick import run_ticks
from flowscore.orders import Reading, enrollment_request
from flowscore.store.inbox import receive
from flowscore.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

HEAD = re.compile(r"^\| when \| what happens \| then \|\n\|[-| ]+\|\n((?:\|.*\n)+)", re.MULTILINE)
CALL = re.compile(r"(?P<new>new )?(?P<who>\w+): (?P<what>.*)")
TOLD = re.compile(r"(?P<who>\w+): (?P<traits>\{.*\})")
BY_HAND = re.compile(r"by hand: enroll (?P<who>\w+) in (?P<scenario>\S+)")
CELLS = "SELECT email, grade, cell FROM cells JOIN contacts ON contacts.id = contact_id"
BEFORE, NOTHING = "before", "nothing"
BALANCES = "SELECT email, score, balance FROM balances JOIN contacts ON contacts.id = contact_id"
KNOWN_SINCE = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Row:
    """One instant: what people do, and what flowscore does."""

    when: str
    happens: tuple[str, ...]
    then: tuple[str, ...]

    @property
    def at(self) -> int:
        """`Mon 2 Mar 09:00`, of 2026; the weekday has to be right."""
        weekday, _, rest = self.when.partition(" ")
        at = datetime.strptime(f"{rest} 2026", "%d %b %H:%M %Y").replace(tzinfo=UTC)
        assert at.strftime("%a") == weekday, f"{self.when} is a {at:%A}"
        return instant_of(at)


def stories_in(text: str) -> Iterator[tuple[int, tuple[Row, ...]]]:
    """Each table of a page with the place where it begins."""
    for found in HEAD.finditer(text):
        cells = (line.strip()[1:-1].split("|") for line in found[1].splitlines())
        yield found.start(), tuple(_row([cell.strip() for cell in row]) for row in cells)


def _row(cells: list[str]) -> Row:
    when, happens, then = cells
    return Row(when, _parts(happens), tuple(one for one in _parts(then) if one != NOTHING))


def _parts(cell: str) -> tuple[str, ...]:
    plain = cell.replace("`", "")
    return tuple(part.strip() for part in plain.split("; ") if part.strip())


@dataclass
class Story:
    """One table, run in a project folder of its own."""

    folder: Path
    rows: tuple[Row, ...]
    scores: tuple[str, ...]
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    by_hand: list[tuple[str, str, int]] = field(default_factory=list)

    def run(self) -> tuple[list[Effect], list[Effect]]:
        """What the table says that flowscore does, and what it did."""
        self._read()
        told = [(row.at, effect) for row in self.rows if row.when != BEFORE for effect in row.then]
        spoken = {kind_of(effect) for _, effect in told}
        done = [one for one in self._done() if kind_of(one[1]) in spoken]
        return sorted(told), sorted(done)

    def _read(self) -> None:
        for row in self.rows:
            for part in row.happens:
                if row.when == BEFORE:
                    self._known(part)
                elif found := BY_HAND.fullmatch(part):
                    self._person(found["who"])
                    self.by_hand.append((found["scenario"], address(found["who"]), row.at))
                else:
                    self._call(part, row.at)

    def _known(self, part: str) -> None:
        found = TOLD.fullmatch(part)
        assert found, f"before: {part}"
        self._person(found["who"]).update(yaml.safe_load(_quoted(found["traits"])))

    def _person(self, who: str) -> dict[str, Any]:
        return self.people.setdefault(who, {"created_at": KNOWN_SINCE, "consent": "yes"})

    def _call(self, part: str, at: int) -> None:
        found = CALL.fullmatch(part)
        assert found, f"what happens: {part}"
        if not found["new"] and not any(address(found["who"]) == c["userId"] for c in self.calls):
            self._person(found["who"])
        call = _call_of(found["what"])
        number = f"m-{len(self.calls)}"
        person = {"userId": address(found["who"]), "timestamp": rfc3339(at), "messageId": number}
        self.calls.append({**call, **person})

    def _done(self) -> Iterator[Effect]:
        workspace = Workspace(self.folder)
        try:
            wrong = [str(one) for one in workspace.problems() if one.severity == "error"]
            assert not wrong, "\n".join(wrong)
            workspace.apply()
            self._import(workspace)
            balances: dict[int, dict[Any, int]] = defaultdict(dict)
            cells: dict[int, dict[Any, str]] = defaultdict(dict)
            self._tick(workspace, balances, cells)
            yield from effects_of(workspace.store, balances, self.scores, cells)
        finally:
            workspace.close()

    def _import(self, workspace: Workspace) -> None:
        people, events = self.folder / "people.csv", self.folder / "events.jsonl"
        columns = ["email", *dict.fromkeys(key for one in self.people.values() for key in one)]
        with people.open("w", encoding="utf-8") as file:
            rows = csv.DictWriter(file, columns)
            rows.writeheader()
            rows.writerows({"email": address(who), **one} for who, one in self.people.items())
        lines = "".join(json.dumps(call) + "\n" for call in self.calls)
        events.write_text(lines, encoding="utf-8")
        plain = Reading({})
        reports = [workspace.import_contacts(people, plain, as_live=False)] * bool(self.people)
        if self.calls:
            report = workspace.import_events(events, plain, as_live=True, historical=False)
            reports.append(report)
        assert not any(report.rejected for report in reports), [str(one) for one in reports]
        receive(workspace.store, [enrollment_request(*one) for one in self.by_hand])

    def _tick(
        self,
        workspace: Workspace,
        balances: dict[int, dict[Any, int]],
        cells: dict[int, dict[Any, str]],
    ) -> None:
        def after(now: int) -> None:
            workspace.deliver(now)
            balances[now].update(_standing(workspace, BALANCES))
            cells[now].update(_standing(workspace, CELLS))

        times = [row.at for row in self.rows if row.when != BEFORE]
        assert times == sorted(times), "the rows go by time"
        first, last = times[0], times[-1]
        run_ticks(workspace.store, from_=first, until=last + MINUTE, step=MINUTE, after_tick=after)


def _standing(workspace: Workspace, query: str) -> dict[Any, Any]:
    """What each is at, by e-mail and by the name of a score or a grade."""
    with workspace.store.read() as connection:
        rows = connection.execute(text(query))
        return {(email, name): value for email, name, value in rows}


def address(who: str) -> str:
    """`ana` is ana@example.com."""
    return f"{who}@example.com"


def _call_of(what: str) -> dict[str, Any]:
    """A Segment call from the few words of a cell."""
    name, brace, rest = (part.strip() for part in what.partition("{"))
    values = yaml.safe_load(_quoted(brace + rest)) if brace else {}
    kind, _, detail = name.partition(" ")
    if kind == "page":
        return {"type": "page", "properties": {"path": detail, **values}}
    if kind == "group":
        return {"type": "group", "groupId": detail, "traits": values}
    if kind == "identify":
        return {"type": "identify", "traits": values}
    return {"type": "track", "event": name, "properties": values}


def _quoted(rest: str) -> str:
    """Dates and times stay texts, as JSON would bring them."""
    return re.sub(r"(?<=: )(\d{4}-\d\d-\d\d(?:T[\d:]+Z)?)(?=[,}])", r'"\1"', rest)
