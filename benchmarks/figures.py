"""A figure of the benchmarks: what was measured, against which limit, and is the bar met."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table; `ratio` and `bar` as they are compared."""

    what: str
    found: str
    limit: str
    ratio: str
    bar: str
    met: bool


HEAD = "| what | measured | against | ratio | bar | |\n| --- | --- | --- | --- | --- | --- |"


def table(figures: list[Figure]) -> str:
    """As Markdown."""
    rows = [
        f"| {one.what} | {one.found} | {one.limit} | {one.ratio} | {one.bar} "
        f"| {'met' if one.met else '**missed**'} |"
        for one in figures
    ]
    return "\n".join([HEAD, *rows])


def memory(what: str, megabytes: float, bar: int = 300) -> Figure:
    """The most memory that a process held."""
    return Figure(f"memory of {what}", f"{megabytes:.0f} MB", "", "", f"{bar} MB", megabytes <= bar)
