"""The tables of keys on the pages of the words, printed from the grammar: `python -m docs.keys`.

A page holds `<!-- keys: NAME -->`, and behind it the table as the grammar has it; a test compares.
Run it in the folder tests/.
"""

from __future__ import annotations

import re
from pathlib import Path

from docs.pages import REFERENCE
from flowscore.language.grammar import (
    actions,
    calendar,
    cells,
    counting,
    dates,
    decay,
    events,
    grades,
    lifecycle,
    points,
    splits,
    stages,
    triggers,
    waits,
    webhooks,
)
from flowscore.language.grammar.shapes import Table
from flowscore.language.grammar.values import bounds_table

MAIL = "email_opened"


def _counted(word: str, how: counting.Counting) -> Table:
    return events.EVENT_WORDS[word].table(how)


TABLES = {
    "bounds": bounds_table("bounds", triggers.LEVEL),
    "how many": counting.COUNTS,
    "what sum": counting.TOTALS,
    "event, asked": _counted("event", counting.IN_CONDITIONS),
    "page_visited, asked": _counted("page_visited", counting.IN_CONDITIONS),
    "mail, asked": _counted(MAIL, counting.IN_CONDITIONS),
    "ignored mail": events.IGNORED_WORDS["email_not_opened"].table,
    "crossing": triggers.crossing_table(triggers.LEVEL),
    "event, awaited": _counted("event", counting.IN_TRIGGERS),
    "page_visited, awaited": _counted("page_visited", counting.IN_TRIGGERS),
    "mail, awaited": _counted(MAIL, counting.IN_TRIGGERS),
    "no_event": triggers.NO_EVENT,
    "anchor": triggers.ANCHORS,
    "change": triggers.CHANGE,
    "date": dates.DATE,
    "schedule": calendar.SCHEDULE,
    "points": points.POINTS,
    "move_to_list": actions.MOVE,
    "send_email": actions.SEND_EMAIL,
    "notify": actions.NOTIFY,
    "webhook": webhooks.WEBHOOK,
    "owners": actions.OWNERS,
    "wait": waits.WAIT,
    "wait_for": Table("wait_for", waits.BESIDE_TRIGGER),
    "decay": decay.SCORE_DECAY,
    "decay by steps": decay.STEP,
    "idle": decay.IDLE,
    "grade": grades.GRADE,
    "fit": grades.FIT,
    "engagement": grades.ENGAGEMENT,
    "cells, entered": cells.ENTERING,
    "lifecycle": lifecycle.LIFECYCLE,
    "stage of the lifecycle": lifecycle.STAGE,
    "stage, asked": stages.AT_LEAST,
    "stage, entered": stages.ENTERING,
    "set_stage": stages.SET_STAGE,
    "branch": splits.portion_table(actions.STEPS),
    "step": actions.BESIDE,
}
PRINTED = re.compile(r"<!-- keys: ([^>]+) -->\n(?:\n\|.*\n(?:\|.*\n)+)?")


def printed(name: str) -> str:
    """The marker and its table."""
    rows = [
        f"| `{key}` | {'required' * row.required} | {row.says} |"
        for key, row in TABLES[name].keys.items()
    ]
    table = "\n".join(["| key | | meaning |", "| --- | --- | --- |", *rows])
    return f"<!-- keys: {name} -->\n\n{table}\n"


def pages_with_keys() -> list[Path]:
    """Every page that holds such a table."""
    pages = sorted(REFERENCE.rglob("*.md"))
    return [page for page in pages if PRINTED.search(page.read_text(encoding="utf-8"))]


def renewed(text: str) -> str:
    """The page with its tables as they should be."""
    return PRINTED.sub(lambda found: printed(found[1]), text)


if __name__ == "__main__":
    for path in pages_with_keys():
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
