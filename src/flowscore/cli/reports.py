"""What a verb has done, told in a few lines, and what to do next."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from flowscore.cli.printer import complain, counted, say

if TYPE_CHECKING:
    from flowscore.workspace import Workspace


def tell_counts(report: Any) -> str:
    """The numbers of a report that are not nought: `12 events, 3 joined`."""
    fields = asdict(report) if is_dataclass(report) and not isinstance(report, type) else {}
    for value in list(fields.values()):
        if isinstance(value, dict):
            fields |= value
    told = [f"{v:,} {k.replace('_', ' ')}" for k, v in fields.items() if type(v) is int and v]
    return ", ".join(told) or "nothing"


def tell_import(report: Any, one: str) -> None:
    """What came in, what was there already, what could not be read and where that stands."""
    say(f"{report}")


def tell_ticks(report: Any, workspace: Workspace) -> None:
    """What the ticks did."""
    say(tell_counts(report))


def tell_delivery(report: Any, workspace: Workspace) -> None:
    """What was sent, withheld, or has to wait."""
    say(tell_counts(report))
