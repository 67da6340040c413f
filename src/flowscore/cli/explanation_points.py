"""A score explained to a person: what it means, what made it, line by line, and the sum."""

from __future__ import annotations

from typing import Any

from flowscore.cli.printer import say, show_table
from flowscore.views.explain_lines import NEWEST, Printed, parts_in_hundredths, sheet
from flowscore.views.words import PARTS, day, event_words, number, strongest_words

Row = dict[str, Any]


def tell_score(score: Row, *, every: bool = False) -> None:
    """The balance with its meaning, the lines, their sum, and each rule in words."""
    say()
    say(f"{score['score']}: {number(score['balance'])} points{_standing(score)}")
    for words in (score["objective"], score["description"], *_more(score)):
        if words:
            say(f"  {words}")
    if score["lines"]:
        _tell_lines(score, None if every else NEWEST)


def _standing(score: Row) -> str:
    parts = [f"{score['band']!r}"] if score["band"] else []
    if score["next_band"]:
        next_ = score["next_band"]
        parts.append(f"{number(next_['missing'])} more to {next_['band']!r}")
    return f" ({', '.join(parts)})" if parts else ""


def _more(score: Row) -> list[str]:
    """Whose it is, where on its scale, which place among all, and its two parts."""
    scale, rank, parts = score["scale"], score["rank"], parts_in_hundredths(score)
    said = [f"{scale['value']} of {scale['to']} on its scale"] if scale else []
    said += [f"place {rank:,} among all contacts"] if rank and score["lines"] else []
    told = [
        f"{words}: {number(parts[part] / 100)}"
        for part, words in PARTS.items()
        if parts[part] or part in ("explicit", "implicit")
    ]
    apart = ", ".join(told) if score["lines"] else ""
    return [_whose(score), "; ".join(said), apart, strongest_words(score)]


def _whose(score: Row) -> str:
    if score["of"] != "company":
        return ""
    if score["company"] is None:
        return "a company's score: this contact is with none, so it reads 0"
    return f"the score of company {score['company']}: what all its people did, added up"


# ---------------------------------------------------------------- lines


def _tell_lines(score: Row, newest: int | None) -> None:
    shown = sheet(score, newest)
    decimals = 2 if _has_parts(shown.lines) else 0
    heads = ["  when", "points", "now", "by", "because of", "where"]
    rows = [_cells(line, decimals) for line in shown.lines]
    if not shown.has_faded:
        heads.pop(2)
        rows = [row[:2] + row[3:] for row in rows]
    show_table(heads, rows)
    say(f"  adds up to {shown.total / 100:,.2f}")
    if any(line.until for line in shown.lines):
        say("  older lines are summed by rule; --all shows each")
    _tell_rules(score)


def _has_parts(lines: list[Printed]) -> bool:
    values = [value for line in lines for value in (line.points, line.worth)]
    return any(value is not None and value % 100 for value in values)


def _cells(line: Printed, decimals: int) -> list[str]:
    when = f"  until {day(line.until)}" if line.until else f"  {day(line.at)}"
    return [
        when,
        _figure(line.points, f"+,.{decimals}f"),
        _figure(line.worth, f",.{decimals}f"),
        line.by,
        _because(line),
        line.where,
    ]


def _because(line: Printed) -> str:
    """The event, and the reason that a step gave."""
    said = [words for words in (line.because, event_words(line.event)) if words]
    return ": ".join(said)


def _figure(value: int | None, form: str) -> str:
    return "" if value is None else format(value / 100, form)


def _tell_rules(score: Row) -> None:
    """Each rule that gave points, in words."""
    means = {line["rule"]: line["means"] for line in score["lines"] if line["means"]}
    width = max(map(len, means), default=0)
    for name, words in means.items():
        say(f"  {name:<{width}}  {words}")
