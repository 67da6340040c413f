"""Scenarios: who entered, which steps they did, who reached the goal, and against the holdout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from flowscore.language.actions import Action
from flowscore.language.words import walk
from flowscore.rules.explain import sentence
from flowscore.store.tables import contacts, decisions, enrollments, steps
from flowscore.views.reporting.certainty import ENOUGH, Difference, Share
from flowscore.views.reporting.inquiry import COUNTED
from flowscore.views.reporting.words import percent

if TYPE_CHECKING:
    from flowscore.language.scenario import Scenario
    from flowscore.views.reporting.inquiry import Inquiry, Period

Row = dict[str, Any]
STATES = ("inside", "finished", "exited", "converted")


def scenarios(inquiry: Inquiry) -> Row:
    """Every scenario that is live or was entered in the period."""
    found = _walks(inquiry)
    refused = _refused(inquiry)
    done = _done(inquiry)
    names = sorted({*inquiry.project.scenarios, *found, *refused})
    return {
        "scenarios": [
            _told(inquiry, name, found.get(name, NOBODY), done.get(name, []), refused.get(name, 0))
            for name in names
        ],
        "notes": [] if names else ["there is no scenario"],
    }


NOBODY: Row = {
    "entered": 0, **dict.fromkeys(STATES, 0), "treated": 0, "treated_converted": 0,
    "held": 0, "held_converted": 0,
}  # fmt: skip


def _told(inquiry: Inquiry, name: str, walks: Row, done: list[Row], refused: int) -> Row:
    live = inquiry.project.scenarios.get(name)
    treated = Share(walks["treated_converted"], walks["treated"])
    held = Share(walks["held_converted"], walks["held"])
    goal = sentence(live.goal.trigger) if live and live.goal else None
    return {
        "scenario": name,
        "state": "gone" if live is None else "enabled" if live.enabled else "disabled",
        "entered": walks["entered"],
        **{state: walks[state] for state in STATES},
        "refused": refused,
        "goal": goal,
        "treated": treated.as_row(),
        "holdout": held.as_row(),
        "difference": Difference(treated, held).as_row(),
        "said": _compared(treated, held, goal is not None),
        "steps": _in_order(inquiry, live, done),
    }


def _compared(treated: Share, held: Share, has_goal: bool) -> str:
    """The plain sentence on whether the scenario does anything."""
    if not (treated.of or held.of):
        return "nobody entered in this period"
    if not (has_goal or treated.count or held.count):
        return "it has no goal, so nothing says whether it works"
    won = f"converted {percent(treated.value) or 'nobody'}"
    if not held.of:
        return f"{won} ({treated.count:,} of {treated.of:,}); there is no holdout to compare with"
    if treated.value is None:
        return f"all who entered are held out; {percent(held.value)} of them converted"
    said = f"{won} against {percent(held.value)} of the holdout: {Difference(treated, held)}"
    few = min(treated.of, held.of)
    if few < ENOUGH:
        said += f" (too thin to judge: {few:,} on one side; at least {ENOUGH} make this meaningful)"
    return said


# --- walks ------------------------------------------------------------------------------------


def _walks(inquiry: Inquiry) -> dict[str, Row]:
    """Enrollments of the period by how they stand at its end; and contacts, with and without.

    A holdout is drawn once for each contact, so contacts are compared, not enrollments.
    """
    of, period = enrollments.c, inquiry.period
    won, state = _converted(period), _state(period)
    query = (
        select(of.scenario, of.contact_id, of.held)
        .add_columns(*(_sum(state == name).label(name) for name in STATES))
        .add_columns(func.count().label("entered"), func.max(case((won, 1), else_=0)).label("won"))
        .outerjoin(contacts, contacts.c.id == of.contact_id)
        .where(COUNTED, period.holds(of.entered_at))
        .group_by(of.scenario, of.contact_id, of.held)
    )
    each = query.subquery()
    sums = [func.sum(each.c[name]).label(name) for name in ("entered", *STATES)]
    sides = (func.count().label("people"), func.sum(each.c.won).label("won"))
    totals = select(each.c.scenario, each.c.held, *sums, *sides)
    found: dict[str, Row] = {}
    for row in inquiry.rows(totals.group_by(each.c.scenario, each.c.held)):
        into = found.setdefault(row.scenario, dict(NOBODY))
        for name in ("entered", *STATES):
            into[name] += int(getattr(row, name))
        side = "held" if row.held else "treated"
        into[side], into[f"{side}_converted"] = row.people, int(row.won)
    return found


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _converted(period: Period) -> ColumnElement[bool]:
    return and_(enrollments.c.outcome == "converted", enrollments.c.converted_at <= period.until)


def _state(period: Period) -> ColumnElement[str]:
    """As it was at the end of the period."""
    over = enrollments.c.ended_at <= period.until
    return case(
        (_converted(period), "converted"),
        (and_(over, enrollments.c.outcome == "exited"), "exited"),
        (over, "finished"),
        else_="inside",
    )


def _refused(inquiry: Inquiry) -> dict[str, int]:
    query = (
        select(decisions.c.scenario, func.count())
        .outerjoin(contacts, contacts.c.id == decisions.c.contact_id)
        .where(COUNTED, inquiry.period.holds(decisions.c.at))
        .group_by(decisions.c.scenario)
    )
    return {row[0]: row[1] for row in inquiry.rows(query)}


# --- steps ------------------------------------------------------------------------------------


def _done(inquiry: Inquiry) -> dict[str, list[Row]]:
    """Of the enrollments of the period that are not held out: who did which step, and how."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in inquiry.rows(_steps(inquiry.period)):
        found[row.scenario].append({"step": row.step, "outcome": row.outcome, "did": row.did})
    return found


def _steps(period: Period) -> Select[Any]:
    of = enrollments.c
    return (
        select(of.scenario, steps.c.step, steps.c.outcome, func.count().label("did"))
        .join(enrollments, of.id == steps.c.enrollment_id)
        .outerjoin(contacts, contacts.c.id == of.contact_id)
        .where(COUNTED, ~of.held, period.holds(of.entered_at), steps.c.at <= period.until)
        .group_by(of.scenario, steps.c.step, steps.c.outcome)
    )


def _in_order(inquiry: Inquiry, live: Scenario | None, done: list[Row]) -> list[Row]:
    """In the order of the live version, those of older ones behind; a way taken is a row."""
    words = dict(_words(inquiry, live))
    order = {path: number for number, path in enumerate(words)}
    rows = sorted(
        done, key=lambda row: (order.get(row["step"], len(order)), row["step"], row["outcome"])
    )
    told = [{**row, "does": words.get(row["step"], "of an older version")} for row in rows]
    silent = [path for path in order if path not in {row["step"] for row in done}]
    told += [{"step": path, "outcome": "", "did": 0, "does": words[path]} for path in silent]
    return sorted(told, key=lambda row: order.get(row["step"], len(order)))


def _words(inquiry: Inquiry, live: Scenario | None) -> Iterator[tuple[str, str]]:
    """Each step by its path, in the order of writing."""
    for word in walk(live.actions) if live else ():
        if isinstance(word, Action) and word.enabled:
            yield word.path, inquiry.phrase(word)
