"""A score's lines as they are printed: in hundredths, the newest in full, and adding up exactly.

What is rounded line by line need not add up to what is rounded once; the difference is a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row = dict[str, Any]
NEWEST = 40
"""So many lines are printed in full unless all are asked for."""


@dataclass(frozen=True)
class Printed:
    """A line as a person sees it; points and worth in hundredths, no worth where it has none."""

    points: int | None
    worth: int | None
    by: str
    because: str
    at: str | None = None
    until: str | None = None
    where: str = ""
    kind: str = "rule"
    part: str = "cut"
    event: Row | None = None


@dataclass(frozen=True)
class Sheet:
    """The lines of one score; the points add up to the total, and so does what they are worth."""

    lines: list[Printed]
    total: int
    has_faded: bool  # whether any line is worth something else than its points


def sheet(score: Row, newest: int | None = NEWEST) -> Sheet:
    """The lines to print: the newest so many in full, older ones by rule, then what adjusts."""
    own = [line for line in score["lines"] if line["at"] is not None]
    adjusts = [line for line in score["lines"] if line["at"] is None and line["kind"] != "rounding"]
    cut = 0 if newest is None else max(0, len(own) - newest)
    lines = [*_summed(own[:cut]), *map(_printed, own[cut:]), *map(_printed, adjusts)]
    total = hundredths(score["balance"])
    rest = _rest(lines, total)
    faded = any(line["worth"] != line["points"] for line in own)
    return Sheet(lines + rest, total, faded)


def parts_in_hundredths(score: Row) -> dict[str, int]:
    """What each part of a score is worth (ACCEPTANCE A16); they add up to the balance as shown."""
    shown = {part: hundredths(worth) for part, worth in score["parts"].items()}
    largest = max(shown, key=lambda part: abs(shown[part]))
    shown[largest] += hundredths(score["balance"]) - sum(shown.values())
    return shown


def hundredths(points: float | Decimal) -> int:
    """Points as a whole number of hundredths, half away from zero."""
    exact = points if isinstance(points, Decimal) else Decimal(repr(points))
    return int((exact * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _printed(line: Row) -> Printed:
    return Printed(
        points=hundredths(line["points"]),
        worth=None if line["worth"] is None else hundredths(line["worth"]),
        by=_by(line),
        because=line["reason"],
        at=line["at"],
        where=place_text(line),
        kind=line["kind"],
        part=line["part"],
        event=line["event"],
    )


def _by(line: Row) -> str:
    by = f"scenario {line['rule']}" if line["kind"] == "scenario" else str(line["rule"])
    return f"{by}, {line['member'] or 'a visitor'}" if "member" in line else by


def place_text(row: Row) -> str:
    """`scenarios/all.yaml:4:5`, and the version where it was not the first."""
    version = f" (version {row['version']})" if (row["version"] or 1) > 1 else ""
    return f"{row['where'] or ''}{version}"


def _summed(lines: Sequence[Row]) -> list[Printed]:
    """Older lines, one for each rule; in the order in which the rules first gave points."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for line in lines:
        groups.setdefault((line["kind"], line["rule"]), []).append(line)
    return [_sum(group) for group in groups.values()]


def _sum(lines: Sequence[Row]) -> Printed:
    return Printed(
        points=hundredths(_total(line["points"] for line in lines)),
        worth=hundredths(_total(line["worth"] for line in lines)),
        by=_by({key: value for key, value in lines[0].items() if key != "member"}),
        because=f"{len(lines):,} earlier line{'s' * (len(lines) != 1)}",
        until=lines[-1]["at"],
        where=place_text(lines[-1]),
        kind=lines[0]["kind"],
        part=lines[0]["part"],
    )


def _total(values: Iterable[float]) -> Decimal:
    return sum((Decimal(repr(value)) for value in values), Decimal(0))


def _rest(lines: Sequence[Printed], total: int) -> list[Printed]:
    """What rounding has left over, of the points and of what they are worth."""
    points = total - sum(line.points or 0 for line in lines)
    worth = total - sum(line.worth or 0 for line in lines)
    if not points and not worth:
        return []
    because = "lines are shown in hundredths, the balance is rounded once"
    return [Printed(points or None, worth or None, "rounding", because, kind="rounding")]
