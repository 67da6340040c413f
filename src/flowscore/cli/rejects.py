"""`flowscore rejects`: what sources sent and could not be taken."""

# typer reads annotations at run time: no `from __future__ import annotations` here.

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowscore.cli.arguments import (
    INSTANT_FORMS,
    AsJson,
    Limit,
    read_instant,
    rows_wanted,
    workspace_of,
)
from flowscore.cli.printer import counted, say, show_table, stream_document
from flowscore.views.words import day

if TYPE_CHECKING:
    from flowscore.store.rejects import Rejects

SHOWN = 60  # letters of a call


def rejects(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help=f"From then on: {INSTANT_FORMS}.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write them as JSON lines, to mend."),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Forget them; with --export those that were written.")
    ] = False,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Calls that came in and could not be taken, with the reason.

    They are kept as they came. Mend the exported lines and import them: the same messageId
    counts once.

    \b
    Examples:
      flowscore rejects
      flowscore rejects --since 2026-11-22 --json
      flowscore rejects --export mend.jsonl --clear && flowscore import events mend.jsonl
    """
    found = workspace_of(context).rejects(read_instant(since) if since else 0)
    if export is not None:
        _export(found, export, clear)
    elif clear:
        say(f"{counted(found.clear(), 'reject')} forgotten.")
    else:
        _list(found, rows_wanted(limit, as_json), as_json)


def _export(found: "Rejects", file: Path, clear: bool) -> None:
    number, last = found.export(file)
    say(f"{file}: {counted(number, 'call')}. Mend them, then: flowscore import events {file}")
    if clear and number:
        say(f"{counted(found.clear(until=last), 'reject')} forgotten.")


def _list(found: "Rejects", limit: int | None, as_json: bool) -> None:
    groups = found.by_reason()
    with found.newest(limit) as rows:
        if as_json:
            total = sum(group["calls"] for group in groups)
            stream_document({"total": total, "by_reason": groups}, "rejects", rows)
            return
        _tell(groups, list(rows))


def _tell(groups: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    if not groups:
        say("None.")
        return
    cells = [(g["calls"], g["source"], g["reason"], day(g["last_at"])) for g in groups]
    show_table(("calls", "source", "reason", "last"), cells)
    say()
    calls = [(day(r["received_at"]), r["source"], _short(r["call"])) for r in rows]
    show_table(("received", "source", "call"), calls)
    say("--export FILE writes them whole, to mend and import; --clear forgets them.")


def _short(call: Any) -> str:
    text = json.dumps(call, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
