"""Why somebody is in a scenario or a list, and why not: gate by gate, leaf by leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from flowscore.clock import duration_text
from flowscore.language.actions import Action, AddToList, MoveToList, RemoveFromList
from flowscore.language.triggers import ScoreGains
from flowscore.language.words import walk
from flowscore.rules.explain import sentence
from flowscore.store.tables import contacts, decisions, ledger
from flowscore.views.columns import shown_at, shown_points
from flowscore.views.explain_states import standing
from flowscore.views.explain_walks import lists_of, refusals_of, scenarios_of
from flowscore.views.people import name_known
from flowscore.views.trees import Of, trees_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement

    from flowscore.language.conditions import Condition
    from flowscore.language.scenario import ContactList, Reenroll, Scenario
    from flowscore.language.triggers import Trigger
    from flowscore.views.explain_case import Case

Row = dict[str, Any]


# ---------------------------------------------------------------- a scenario


def why_scenario(case: Case, name: str) -> Row:
    """Every gate of the scenario for this contact, and what came of each occurrence."""
    name_known(name, case.project.scenarios, "scenario")
    scenario = case.project.scenarios[name]
    of, event = _latest_occurrence(case, name)
    asked = _asked(scenario)
    trees = trees_of(case, list(asked.values()), of)
    grown = dict(zip(asked, trees, strict=True))
    walks = scenarios_of(case, name)
    gate = _reenroll(case, scenario.reenroll, name)
    conditions = grown.get("conditions")
    return {
        "scenario": name,
        "description": scenario.description,
        "enabled": scenario.enabled,
        "where": str(scenario.mark),
        "triggers": [
            _trigger(case, trigger, grown.get(f"trigger/{place}"))
            for place, trigger in enumerate(scenario.trigger)
        ],
        "reenroll": gate,
        "conditions": conditions,
        "asked_with": event,
        "would_enter": _verdict(scenario, gate, conditions),
        "exit_when": grown.get("exit_when") if _is_inside(walks) else None,
        "enrollments": walks,
        "refused": refusals_of(case, name),
    }


def _asked(scenario: Scenario) -> dict[str, Condition]:
    """Every condition of the scenario's way in and out, by what it is for."""
    states = {f"trigger/{n}": standing(one) for n, one in enumerate(scenario.trigger)}
    asked = {**states, "conditions": scenario.conditions, "exit_when": scenario.exit_when}
    return {purpose: one for purpose, one in asked.items() if one is not None}


def _is_inside(walks: Sequence[Row]) -> bool:
    return any(walk["state"] == "inside" for walk in walks)


def _latest_occurrence(case: Case, name: str) -> tuple[Of, Row | None]:
    """The event of the last occurrence: what `this_event` and `same` are asked with."""
    found = [row for row in (*case.walks, *case.rows(decisions, "own_at")) if row.scenario == name]
    if not found:
        return Of(), None
    last = max(found, key=lambda row: row.own_at)
    case.learn_events([last.event_id])
    return Of(last.event_id, last.own_at), case.event(last.event_id)


# ---------------------------------------------------------------- its gates


def _trigger(case: Case, trigger: Trigger, state: Row | None) -> Row:
    if isinstance(trigger, ScoreGains):
        state = _gained(case, trigger)
    return {"says": sentence(trigger), "where": str(trigger.mark) or None, "state": state}


def _gained(case: Case, trigger: ScoreGains) -> Row:
    """The points won in the window that ends now (ruling 23)."""
    won = select(func.coalesce(func.sum(ledger.c.points), 0)).where(
        _whose_lines(case, trigger.score),
        ledger.c.score == trigger.score,
        ledger.c.points > 0,
        ledger.c.own_at > case.at - trigger.within,
        ledger.c.own_at <= case.at,
    )
    points = shown_points(int(case.connection.scalar(won) or 0))
    return {
        "is": "leaf",
        "holds": points >= trigger.points,
        "seen": f"{trigger.score} gained {points:g} within {duration_text(trigger.within)}",
        "wanted": sentence(trigger),
        "where": str(trigger.mark) or None,
        "of": [],
    }


def _whose_lines(case: Case, score: str) -> ColumnElement[bool]:
    """The contact's own, or those of everybody with the company (ruling 96)."""
    if score not in case.project.company_scores or case.contact.company_id is None:
        return ledger.c.contact_id == case.contact.id
    people = select(contacts.c.id).where(contacts.c.company_id == case.contact.company_id)
    return ledger.c.contact_id.in_(people)


def _reenroll(case: Case, reenroll: Reenroll, name: str) -> Row:
    """Whether the gate would let another occurrence pass (rulings 19 and 129)."""
    walks = [row for row in case.walks if row.scenario == name]
    inside = any(row.ended_at is None for row in walks)
    return {
        "mode": reenroll.mode,
        "says": _mode_text(reenroll),
        "open": not _is_shut(case, reenroll, walks, inside=inside),
        "seen": _walks_text(walks, inside=inside),
        "where": str(reenroll.mark) or None,
    }


def _mode_text(reenroll: Reenroll) -> str:
    if reenroll.mode == "after" and reenroll.after is not None:
        return f"again {duration_text(reenroll.after)} after entering, once it has ended"
    return {
        "never": "once only",
        "when_finished": "again once it has ended",
        "every_time": "every time",
    }[reenroll.mode]


def _is_shut(case: Case, reenroll: Reenroll, walks: Sequence[Any], *, inside: bool) -> bool:
    match reenroll.mode:
        case "every_time":
            return False
        case "never":
            return bool(walks)
        case "when_finished":
            return inside
    recent = case.at - (reenroll.after or 0)
    return inside or any(row.entered_at > recent for row in walks)


def _walks_text(walks: Sequence[Any], *, inside: bool) -> str:
    if not walks:
        return "never entered"
    last = (shown_at(walks[-1].entered_at) or "").replace("T", " ").removesuffix(":00Z")
    return f"entered {last}, {'still inside' if inside else 'ended'}"


def _verdict(scenario: Scenario, gate: Row, conditions: Row | None) -> Row:
    """Whether the next occurrence would enroll, and what stands in its way."""
    barred = [] if scenario.enabled else ["it is switched off (enabled: false)"]
    barred += [] if gate["open"] else [f"reenroll ({gate['says']}): {gate['seen']}"]
    if conditions is not None and not conditions["holds"]:
        barred += [_leaf_text(leaf) for leaf in failing(conditions)]
    return {"holds": not barred, "because": barred}


def failing(tree: Row) -> Iterator[Row]:
    """The parts of a tree that keep it from being true, as deep down as they can be named."""
    if tree["holds"]:
        return
    if tree["is"] in ("leaf", "not"):
        yield tree
    for one in tree["of"] if tree["is"] in ("all", "any") else ():
        yield from failing(one)


def _leaf_text(leaf: Row) -> str:
    inner = leaf["of"][0] if leaf["of"] else leaf
    return f"asked: {leaf['wanted']}" + (f"; seen: {inner['seen']}" if inner["seen"] else "")


# ---------------------------------------------------------------- a list


def why_list(case: Case, name: str) -> Row:
    """A dynamic list's condition as a tree; of a static one who moved the contact, and who may."""
    name_known(name, case.project.lists, "list")
    asked = case.project.lists[name]
    stays = lists_of(case, name)
    now = next((stay for stay in stays if stay["left_at"] is None), None)
    return {
        "list": name,
        "description": asked.description,
        "kind": "static" if asked.members is None else "dynamic",
        "member": now is not None,
        "since": now["joined_at"] if now else None,
        "members": trees_of(case, [asked.members])[0] if asked.members is not None else None,
        "stays": stays,
        "steps": _steps_of(case, asked),
        "where": str(asked.mark),
    }


def _steps_of(case: Case, asked: ContactList) -> list[Row]:
    """The steps of live scenarios that put somebody into the list, or take them out."""
    if asked.members is not None:
        return []
    return [
        {"scenario": scenario, "step": word.path, "does": does, "where": str(word.mark)}
        for scenario, definition in case.project.scenarios.items()
        for word in walk(definition)
        if isinstance(word, Action)
        for does in _moves(word, asked.name)
    ]


def _moves(word: Action, name: str) -> Iterator[str]:
    match word:
        case AddToList(lists=lists) if name in lists:
            yield "adds"
        case RemoveFromList(lists=lists) if name in lists:
            yield "removes"
        case MoveToList(origin=origin, to=to):
            yield from ["adds"] * (name in to) + ["removes"] * (name in origin)
