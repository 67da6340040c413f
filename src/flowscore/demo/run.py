"""Runs the demo: project, people and events into a folder, sixty days on the hourly grid."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flowscore.clock import HOUR
from flowscore.demo.company import SEED, SPAN, UNTIL, Company, company
from flowscore.demo.reactions import SentMail, reactions
from flowscore.errors import FlowscoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from flowscore.demo.calls import Call
    from flowscore.engine.tick import TickReport
    from flowscore.settings import Settings
    from flowscore.store.database import Store
    from flowscore.workspace import Workspace


def run_demo(folder: Path, console: Console | None = None) -> None:
    """Fill an empty folder with the demo and print what a person wants to see of it."""
    from flowscore.demo.report import demo_report, make_console

    console = console or make_console()
    workspace = open_demo(folder)
    try:
        report = live_through(workspace, console)
        demo_report(console, workspace, folder, report)
    finally:
        workspace.close()


def open_demo(folder: Path) -> Workspace:
    """The shipped project in an empty folder, live."""
    from flowscore.engine.registry import apply_project
    from flowscore.mail.transport import FolderTransport
    from flowscore.workspace import Workspace

    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise FlowscoreError(f"{folder}: not an empty folder; name another one: flowscore demo DIR")
    workspace = Workspace(folder)
    workspace.__dict__["settings"] = _at_home(workspace.root)
    workspace.__dict__["transport"] = FolderTransport(workspace.root / "outbox", sync=False)
    workspace.init()
    apply_project(workspace.open_or_create_store(), workspace.loaded[0], UNTIL - SPAN)
    return workspace


def _at_home(root: Path) -> Settings:
    """The defaults, whatever stands in the environment: nobody's own store, and no mail leaves."""
    from flowscore.settings import Settings

    return Settings.model_construct(outbox=root / "outbox", home=root / ".flowscore")


def live_through(workspace: Workspace, console: Console) -> TickReport:
    """Bring everybody in and run the grid; mail goes out after each tick, and is answered."""
    from flowscore.engine.tick import run_ticks

    start = UNTIL - SPAN
    made = company(SEED, UNTIL)
    _bring_in(workspace.store, _write_files(workspace.root / "data", made), start)
    with _progress(console) as shown:

        def after(instant: int) -> None:
            if workspace.deliver(instant).sent:
                _answer(workspace.store, instant)
            shown(instant - start)

        return run_ticks(workspace.store, from_=start, until=UNTIL, step=HOUR, after_tick=after)


def _write_files(folder: Path, made: Company) -> dict[str, Path]:
    """The three files that a person would import; they stay in the folder to be looked at."""
    folder.mkdir()
    files = {name: folder / name for name in ("contacts.csv", "history.jsonl", "events.jsonl")}
    with files["contacts.csv"].open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(made.contacts[0]))
        writer.writeheader()
        writer.writerows(made.contacts)
    _write_calls(files["history.jsonl"], made.history)
    _write_calls(files["events.jsonl"], made.events)
    return files


def _write_calls(file: Path, calls: list[Call]) -> None:
    lines = (json.dumps(call, ensure_ascii=False) for call in calls)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _bring_in(store: Store, files: dict[str, Path], start: int) -> None:
    """By the same doors as anybody's files."""
    from flowscore.store.imports import Source, import_contacts, import_events

    import_contacts(store, Source(files["contacts.csv"]), start)
    import_events(store, Source(files["history.jsonl"]), start, historical=True)
    import_events(store, Source(files["events.jsonl"]), UNTIL, as_live=True)


def _answer(store: Store, instant: int) -> None:
    """What people do with the mails of this tick comes in when they do it."""
    from flowscore.store.calls import read_call
    from flowscore.store.fields import Reading, Reject
    from flowscore.store.inbox import receive

    calls = reactions(SEED, _just_sent(store, instant))
    rows = [read_call(call, Reading(UNTIL, as_live=True)) for call in calls]
    receive(store, [row for row in rows if not isinstance(row, Reject)])


def _just_sent(store: Store, instant: int) -> list[SentMail]:
    from sqlalchemy import select

    from flowscore.store.tables import contacts, messages

    query = (
        select(
            messages.c.key,
            contacts.c.email,
            messages.c.template,
            messages.c.topic,
            messages.c.sent_at,
        )
        .join(contacts, contacts.c.id == messages.c.contact_id)
        .where(messages.c.sent_at == instant)
        .order_by(messages.c.id)
    )
    with store.read() as connection:
        return [SentMail(*row) for row in connection.execute(query)]


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, silence in a pipe."""
    from rich.progress import Progress

    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("sixty days", total=SPAN)
        yield lambda done: bar.update(task, completed=done)
