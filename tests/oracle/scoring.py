"""Reads scores with their decay, grades over two of them, and the lifecycle (LANGUAGE 5)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from .model import Axis, Decay, Grade, Idle, Lifecycle, Project, Rule, Score, Stage
from .reading import known, read_triggers
from .values import Plain, as_list, duration, share

SCORE_KEYS = "score description objective range rules bands cap decay of scale".split()
RULE_KEYS = "name description points on when conditions cap because decay".split()


def add_score(project: Project, document: Mapping[str, Plain]) -> None:
    """A score; its rules may name bands of scores read before it."""
    known(document, *SCORE_KEYS)
    name = document["score"]
    limits = document.get("range") or {}
    low, high = limits.get("min"), limits.get("max")
    decay = document.get("decay")
    idle = decay["idle"] if isinstance(decay, dict) and "idle" in decay else None
    project.scores[name] = Score(
        name,
        tuple(read_rule(name, i, rule) for i, rule in enumerate(document.get("rules") or [])),
        document.get("cap"),
        None if low is None else Decimal(str(low)),
        None if high is None else Decimal(str(high)),
        document.get("bands") or {},
        None if idle else read_decay(decay),
        read_idle(idle) if idle else None,
        document.get("of", "contact") == "company",
    )


def read_rule(score: str, position: int, rule: Mapping[str, Plain]) -> Rule:
    """One rule of a score."""
    known(rule, *RULE_KEYS)
    return Rule(
        score,
        rule["name"],
        position,
        Decimal(str(rule["points"])),
        read_triggers(rule["on"]) if "on" in rule else (),
        rule.get("when"),
        rule.get("conditions"),
        rule.get("cap"),
        read_decay(rule.get("decay")),
        "decay" in rule,
    )


def read_decay(value: Plain) -> Decay | None:
    """How each line fades; None where it does not."""
    if value in (None, "none"):
        return None
    ((kind, options),) = value.items()
    if kind == "step":
        known(options, "lose", "every")
        return Decay(kind, duration(options["every"]), share(options["lose"]))
    if kind not in ("expire", "linear", "half_life"):
        raise NotImplementedError(f"decay: {kind}")
    return Decay(kind, duration(options))


def read_idle(options: Mapping[str, Plain]) -> Idle:
    """What the score as a whole loses while nothing is done."""
    known(options, "after", "lose", "every", "reset")
    lose = options.get("lose")
    return Idle(
        duration(options["after"]),
        None if lose is None else Decimal(str(lose)),
        duration(options["every"]) if "every" in options else None,
        options.get("reset", False),
    )


# Grades


def add_grade(project: Project, document: Mapping[str, Plain]) -> None:
    """A grade: letters for the fit, digits for the engagement, or the team's own words."""
    known(document, "grade", "description", "fit", "engagement", "green")
    name = document["grade"]
    project.grades[name] = Grade(
        name,
        read_axis(project, document["fit"], "D"),
        read_axis(project, document["engagement"], "1"),
    )


def read_axis(project: Project, options: Mapping[str, Plain], lowest: str) -> Axis:
    """Labels with the balances from which they are given, highest first, the last without one."""
    score, lines = options["score"], []
    for label, line in options.items():
        if line == "below":
            lowest = str(label)
        elif label not in ("score", "axis"):
            lines.append((str(label), project.threshold(score, line)))
    lines.sort(key=lambda one: -one[1])
    if options.get("axis") == "descending":
        lines, lowest = turned(lines, lowest)
    return Axis(score, tuple(lines), lowest)


def turned(lines: list[tuple[str, Decimal]], lowest: str) -> tuple[list[tuple[str, Decimal]], str]:
    """An axis on which 1 is the most active, written either way (ruling 106)."""
    digits = [label for label, _ in lines]
    if digits != sorted(digits):
        lines = [(str(5 - int(label)), line) for label, line in lines]
    return lines, "4"


# The lifecycle


def read_lifecycle(document: Mapping[str, Plain]) -> Lifecycle:
    """The stages, in order."""
    known(document, "lifecycle", "description", "stages")
    return Lifecycle(document["lifecycle"], tuple(map(read_stage, as_list(document["stages"]))))


def read_stage(value: Plain) -> Stage:
    """A bare name, or what qualifies for the stage."""
    if isinstance(value, str):
        return Stage(value)
    known(value, "stage", "when", "retreat")
    return Stage(value["stage"], value.get("when"), value.get("retreat", False))
