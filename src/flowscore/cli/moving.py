"""What moved or would move, told in lines: balances, cells, stages, lists, and what it sets off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flowscore.language.scoring import cell_name

Row = dict[str, Any]


@dataclass(frozen=True)
class Telling:
    """The tense, and how many contacts there are for each that was judged (of a sample)."""

    would: bool = False
    each: float = 1

    def count(self, number: int) -> str:
        """`1,234`, of a sample `about 12,340`."""
        return f"{number:,}" if self.each == 1 else f"about {round(number * self.each):,}"

    def contacts(self, number: int) -> str:
        """`1 contact`, `1,234 contacts`."""
        return f"{self.count(number)} contact{'' if number * self.each == 1 else 's'}"

    def verb(self, past: str, future: str) -> str:
        """`passed` or `would pass`."""
        return f"would {future}" if self.would else past


def move_lines(row: Row, told: Telling) -> Iterator[str]:
    """Everything that moved, line by line; nothing where nothing did."""
    for name, one in row["scores"].items():
        yield from _score_lines(name, one, told)
    for name, one in row["grades"].items():
        yield from _grade_lines(name, one, told)
    for way in row["stages"]:
        went = told.verb("went", "go")
        yield (
            f"{row['lifecycle']}: {told.contacts(way['contacts'])} {went} "
            f"from {way['from']} to {way['to']}"
        )
    for name, one in row["lists"].items():
        yield _list_line(name, one, told)


def _score_lines(name: str, one: Row, told: Telling) -> Iterator[str]:
    have = told.verb("has" if one["contacts"] == 1 and told.each == 1 else "have", "have")
    yield (
        f"{name}: {told.contacts(one['contacts'])} {have} another balance, "
        f"{one['mean']:+.4g} on average ({told.count(one['more'])} more, "
        f"{told.count(one['less'])} less){_farthest(one)}"
    )
    for line in one["thresholds"]:
        yield from _threshold_line(line, told)


def _farthest(one: Row) -> str:
    found = [far for far in (one["most"], one["least"]) if far is not None]
    said = [f"{far['points']:+g} {far['email']}" for far in found]
    return f"; most: {', '.join(said)}" if said else ""


def _threshold_line(line: Row, told: Telling) -> Iterator[str]:
    """`18 passed 80 (hot), 3 fell below it`."""
    named = f"{line['number']:g}" + (f" ({line['band']})" if line["band"] else "")
    said, place = [], named
    if line["passed"]:
        said.append(f"{told.count(line['passed'])} {told.verb('passed', 'pass')} {named}")
        place = "it"
    if line["fell"]:
        said.append(f"{told.count(line['fell'])} {told.verb('fell', 'fall')} below {place}")
    if said:
        yield f"  {', '.join(said)}"


def _grade_lines(name: str, one: Row, told: Telling) -> Iterator[str]:
    yield f"{name}: {told.contacts(one['contacts'])} {told.verb('changed', 'change')} cell"
    rows = [["", *one["engagement"]]]
    for fit in one["fit"]:
        names = (cell_name(fit, label) for label in one["engagement"])
        rows.append([fit, *(_cell(one, name, told) for name in names)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for fit, *cells in rows:
        held = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield "  " + "  ".join([fit.ljust(widths[0]), *held])


def _cell(one: Row, cell: str, told: Telling) -> str:
    before, after = (round(one[word][cell] * told.each) for word in ("before", "after"))
    return f"{before:,} → {after:,}" if before != after else f"{after:,}"


def _list_line(name: str, one: Row, told: Telling) -> str:
    joined, left = one["joined"], one["left"]
    said = [f"{told.count(joined)} {told.verb('joined', 'join')}"] if joined else []
    said += [f"{told.count(left)} {told.verb('left', 'leave')}"] if left else []
    return f"list {name}: {', '.join(said)} ({told.count(one['before'])} → {_after(one, told)})"


def _after(one: Row, told: Telling) -> str:
    return f"{round(one['after'] * told.each):,}"


def firing_lines(row: Row, told: Telling) -> Iterator[str]:
    """`scenario call-hot: 18 (score engagement reaches 80)`."""
    for one in row["would_fire"]:
        what = f"scenario {one['scenario']}" if "scenario" in one else f"rule {one['rule']}"
        times = f"{told.count(one['occurrences'])} occurrence"
        plural = "" if one["occurrences"] * told.each == 1 else "s"
        yield f"{what}: {times}{plural} ({one['trigger']})"
