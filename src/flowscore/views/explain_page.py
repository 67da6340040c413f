"""The explanation as one page of HTML that can be sent: nothing outside of it is needed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flowscore.views import sentences, words
from flowscore.views.explain_lines import NEWEST, parts_in_hundredths, sheet

if TYPE_CHECKING:
    from jinja2 import Template

    from flowscore.views.explain_lines import Printed, Sheet

Row = dict[str, Any]


def page_of(told: Row, newest: int | None = NEWEST) -> str:
    """The whole contact as HTML; every value of theirs is escaped."""
    scores = [(score, sheet(score, newest), _parts(score)) for score in told["scores"]]
    return _template().render(told=told, scores=scores)


@lru_cache(maxsize=1)
def _template() -> Template:
    files = FileSystemLoader(Path(__file__).parent)
    home = Environment(loader=files, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    home.lstrip_blocks = True
    home.filters.update(
        day=words.day,
        number=words.number,
        event=words.event_words,
        stay=sentences.stay_words,
        walk=sentences.walk_words,
        mail=sentences.mail_words,
        refusal=sentences.refusal_words,
        hundredths=_in_hundredths,
    )
    home.globals.update(share=_share, rules=_rules, strongest=words.strongest_words)
    return home.get_template("explain_page.html")


def _in_hundredths(value: int, form: str = ",.2f") -> str:
    return format(value / 100, form)


def _share(line: Printed, sheet: Sheet) -> float:
    """How wide the line's bar is, in percent of the widest."""
    widest = max((abs(one.worth or one.points or 0) for one in sheet.lines), default=0)
    return round(100 * abs(line.worth or line.points or 0) / widest, 1) if widest else 0


def _parts(score: Row) -> list[Row]:
    """What they told us, did, were given: the worth of each, and its share of what is positive."""
    worth = parts_in_hundredths(score)
    whole = sum(value for value in worth.values() if value > 0)
    return [
        {
            "part": part,
            "words": words.PARTS[part],
            "worth": value,
            "share": round(100 * max(value, 0) / whole, 1) if whole else 0,
        }
        for part, value in worth.items()
        if value or part in ("explicit", "implicit")
    ]


def _rules(score: Row) -> dict[str, str]:
    """Each rule that gave points, in words."""
    return {line["rule"]: line["means"] for line in score["lines"] if line["means"]}
