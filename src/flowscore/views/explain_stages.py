"""Where a contact is in the journey: stage after stage with its times, and what the next takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowscore.engine.stages import BY_CONDITION, BY_STEP, RETREAT
from flowscore.language.actions import SetStage
from flowscore.language.words import walk
from flowscore.rules.explain import sentence
from flowscore.store.tables import stages
from flowscore.views.columns import shown_at
from flowscore.views.trees import trees_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowscore.language.conditions import Condition
    from flowscore.language.lifecycle import Lifecycle, Stage
    from flowscore.views.explain_case import Case

Row = dict[str, Any]


def journey_of(case: Case) -> Row | None:
    """The lifecycle: the present stage, the way there, the stages ahead; None without one."""
    lifecycle = case.project.lifecycle
    if lifecycle is None:
        return None
    stays = _stays(case, lifecycle)
    now = stays[-1]
    ahead = _ahead(lifecycle, now["stage"])
    trees = _trees(case, [*ahead, *_may_leave(lifecycle, now)])
    return {
        "lifecycle": lifecycle.name,
        "description": lifecycle.description,
        "stages": list(lifecycle.names),
        "stage": now["stage"],
        "since": now["entered_at"],
        "why": now["why"],
        "history": stays,
        "next": [_next(case, stage, trees) for stage in ahead],
        "stays_while": trees.get(now["stage"]),
        "where": str(lifecycle.mark),
    }


def _stays(case: Case, lifecycle: Lifecycle) -> list[Row]:
    """Every stay in order; who has none is in the first stage since their creation (ruling 28)."""
    rows = case.rows(stages, "entered_at", "id")
    rows.sort(key=lambda row: row.left_at is None)  # the present one last
    return [
        *_beginning(case, lifecycle, rows),
        *(_stay(lifecycle, rows, place) for place in range(len(rows))),
    ]


def _beginning(case: Case, lifecycle: Lifecycle, rows: Sequence[Any]) -> list[Row]:
    """The first stage, of which no row tells until it has been left."""
    first = lifecycle.names[0]
    created = shown_at(case.contact.created_at)
    if rows and rows[0].stage == first and not rows[0].skipped:
        return []
    left = shown_at(rows[0].entered_at) if rows else None
    return [
        {
            "stage": first,
            "entered_at": created,
            "left_at": left,
            "skipped": False,
            "cause": "created",
            "why": "everybody begins here",
        }
    ]


def _stay(lifecycle: Lifecycle, rows: Sequence[Any], place: int) -> Row:
    row = rows[place]
    return {
        "stage": row.stage,
        "entered_at": shown_at(row.entered_at),
        "left_at": shown_at(row.left_at),
        "skipped": row.skipped,
        "cause": row.cause,
        "why": _skipped_why(lifecycle, rows, place)
        if row.skipped
        else _why(lifecycle, rows, place),
    }


def _skipped_why(lifecycle: Lifecycle, rows: Sequence[Any], place: int) -> str:
    """A stage that was passed over was left at once, for one further on."""
    reached = next((n for n in range(place, len(rows)) if not rows[n].skipped), None)
    if reached is None:
        return "passed over"
    return f"passed over, straight to {rows[reached].stage}: {_why(lifecycle, rows, reached)}"


def _why(lifecycle: Lifecycle, rows: Sequence[Any], place: int) -> str:
    """The cause of a stay in words."""
    row = rows[place]
    if row.cause == BY_CONDITION:
        return _asks(lifecycle, row.stage)
    if row.cause == RETREAT:
        left = next((one.stage for one in reversed(rows[:place]) if not one.skipped), "")
        return f"fell back from {left}, which asks: {_asks(lifecycle, left)}"
    return f"set by {row.cause}" if row.cause else ""


def _asks(lifecycle: Lifecycle, stage: str) -> str:
    """The condition of a stage in words."""
    found = next((one for one in lifecycle.stages if one.name == stage), None)
    return sentence(found.when) if found and found.when else "its condition"


# ---------------------------------------------------------------- what lies ahead


def _ahead(lifecycle: Lifecycle, stage: str) -> list[Stage]:
    """The stages behind the present one, up to the first that a condition reaches."""
    names = lifecycle.names
    later = lifecycle.stages[names.index(stage) + 1 :] if stage in names else ()
    reached = next((n for n, one in enumerate(later) if one.when is not None), len(later))
    return list(later[: reached + 1])


def _may_leave(lifecycle: Lifecycle, now: Row) -> list[Stage]:
    """The present stage itself, where one falls back from it: not whom a step put there (49)."""
    if now["cause"].startswith(BY_STEP):
        return []
    return [one for one in lifecycle.stages if one.name == now["stage"] and one.retreat]


def _trees(case: Case, asked: Sequence[Stage]) -> dict[str, Row]:
    """The condition of each of these stages as a tree, where it has one; one statement."""
    conditions: list[tuple[str, Condition]] = [
        (stage.name, stage.when) for stage in asked if stage.when is not None
    ]
    grown = trees_of(case, [condition for _, condition in conditions])
    return {name: tree for (name, _), tree in zip(conditions, grown, strict=True)}


def _next(case: Case, stage: Stage, trees: dict[str, Row]) -> Row:
    return {
        "stage": stage.name,
        "condition": trees.get(stage.name),
        "set_by": _steps_to(case, stage.name),
        "where": str(stage.mark),
    }


def _steps_to(case: Case, stage: str) -> list[Row]:
    """The steps of live scenarios that set this stage."""
    return [
        {"scenario": name, "step": word.path, "where": str(word.mark)}
        for name, scenario in case.project.scenarios.items()
        for word in walk(scenario)
        if isinstance(word, SetStage) and word.stage == stage
    ]
