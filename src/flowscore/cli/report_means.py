"""The report's sections on what the project does: scenarios, mails, groups, the model in words."""

from __future__ import annotations

from typing import Any

from flowscore.cli.explanation import day
from flowscore.cli.printer import say
from flowscore.cli.report_words import between, counted_share, notes, number, table
from flowscore.views.reporting.words import people, percent

Row = dict[str, Any]


# --- scenarios --------------------------------------------------------------------------------


def tell_scenarios(told: Row) -> None:
    """All at a glance, then each with its steps."""
    ends = ("inside", "finished", "exited", "converted", "held out", "refused")
    table(("scenario", "entered", *ends), (_walk_row(one) for one in told["scenarios"]))
    for one in told["scenarios"]:
        if one["entered"]:
            _tell_scenario(one)
    notes(told)


def _walk_row(one: Row) -> tuple[object, ...]:
    state = "" if one["state"] == "enabled" else f" ({one['state']})"
    counts = (number(one[name]) for name in ("inside", "finished", "exited", "converted"))
    held = number(one["holdout"]["of"])
    return (one["scenario"] + state, f"{one['entered']:,}", *counts, held, number(one["refused"]))


def _tell_scenario(one: Row) -> None:
    say()
    say(f"  {one['scenario']}: {one['said']}")
    if one["goal"]:
        say(f"    goal: {one['goal']}")
    rows = ((f"  {step['step']}", number(step["did"]) or "0", _does(step)) for step in one["steps"])
    table(("  step", "did it", ""), rows)


def _does(step: Row) -> str:
    return f"{step['does']} → {step['outcome']}" if step["outcome"] else str(step["does"])


# --- mails ------------------------------------------------------------------------------------


def tell_templates(told: Row) -> None:
    """People first; machines and totals apart; then why mails were not sent."""
    rows = told["templates"]
    heads = ("template", "sent", "opened", "clicked", "bounced", "complained", "unsubscribed")
    table(heads, (_mail_row(one) for one in rows))
    if rows:
        say()
        machines = ("machine opens", "times", "machine clicks", "times")
        often = ("who and how often", "opened", "times", "clicked", "times", *machines)
        table(often, (_times_row(one) for one in rows))
    _tell_anonymous(told["anonymous"])
    for one in rows:
        if one["withheld"]:
            why = ", ".join(f"{count:,} {reason}" for reason, count in one["withheld"].items())
            say(f"  {one['template']}: {sum(one['withheld'].values()):,} not sent: {why}")
    if told["pressure"]["contacts"]:
        _tell_pressure(told["pressure"])
    notes(told)


def _tell_anonymous(rows: list[Row]) -> None:
    """Hits of contacts who are tracked anonymously: how often, and never of whom."""
    if not rows:
        return
    say()
    sides = [(who, word) for who in ("people", "machines") for word in ("opened", "clicked")]
    heads = ("counted anonymously", "opens", "clicks", "machine opens", "machine clicks")
    table(heads, ((r["template"], *(number(r[word][who]) for who, word in sides)) for r in rows))


def _tell_pressure(pressure: Row) -> None:
    """How much a person is written to (F04)."""
    each = pressure["mails"] / pressure["contacts"]
    allowed = " and ".join(pressure["allowed"])
    limit = f"the policy allows {allowed}" if allowed else "the policy has no frequency cap"
    capped = f", which withheld {pressure['withheld_by_cap']:,}" if allowed else ""
    say(
        f"  Contact pressure: {each:.1f} mails to each of {people(pressure['contacts'])}, "
        f"{pressure['most_to_one']:,} to one at most; {limit}{capped}"
    )


def _mail_row(one: Row) -> tuple[object, ...]:
    answers = (_answered(one[word]) for word in ("opened", "clicked"))
    harm = (number(one[word]) for word in ("bounced", "complained", "unsubscribed"))
    return (one["template"], f"{one['sent']:,}", *answers, *harm)


def _answered(one: Row) -> str:
    share = f" ({percent(one['share'])})" if one["share"] is not None else ""
    return f"{one['people']['contacts']:,}{share}"


def _times_row(one: Row) -> tuple[object, ...]:
    sides = (one[word][who] for who in ("people", "machines") for word in ("opened", "clicked"))
    counts = (number(side[key]) for side in sides for key in ("contacts", "times"))
    return (one["template"], *counts)


# --- groups -----------------------------------------------------------------------------------


def tell_groups(told: Row) -> None:
    """By attribute: people, mean scores, share qualified; then the rules that read one."""
    for one in told["attributes"]:
        _tell_attribute(one)
    for rule in told["rules"]:
        reads = ", ".join(rule["reads"])
        asked = f" where {rule['when']}" if rule["when"] else ""
        say(f"  Rule {rule['rule']} of score {rule['score']} reads {reads}:")
        say(f"    {rule['points']:+g}{asked}, because: {rule['because']}  {rule['where']}")
    notes(told)


def _tell_attribute(one: Row) -> None:
    if not one["groups"]:
        return
    scores = list(one["groups"][0]["mean_scores"])
    heads = (one["attribute"], "contacts", "qualified", "95 % between", *scores)
    rows = (
        (
            group["value"],
            f"{group['contacts']:,}",
            counted_share(group["qualified"]),
            between(group["qualified"]),
            *group["mean_scores"].values(),
        )
        for group in one["groups"]
    )
    table(heads, rows)
    if one["unknown"]:
        say(f"  {one['attribute']} not known: {one['unknown']:,}")
    if gap := one["largest_gap"]:
        say(f"  Largest gap in qualification, {gap['most']} over {gap['least']}: {gap['said']}")
    say()


# --- the model --------------------------------------------------------------------------------


def tell_model(told: Row) -> None:
    """What a sales rep and a marketer read as one text."""
    for score in told["scores"]:
        _tell_score(score)
    for grade in told["grades"]:
        say(f"  Grade {grade['grade']}{_aside(grade['description'])}")
        for line in grade["said"]:
            say(f"    {line}")
        if grade["green"]:
            say(f"    green, worth a call: {', '.join(grade['green'])}")
    if told["lifecycle"]:
        _tell_lifecycle(told["lifecycle"])
    _tell_changes(told["changes"])
    notes(told)


def _aside(text: str) -> str:
    return f": {text}" if text else ""


def _tell_score(score: Row) -> None:
    say(f"  Score {score['score']}{_aside(score['objective'] or score['description'])}")
    for rule in score["rules"]:
        because = f" (because: {rule['because']})" if rule["because"] else ""
        say(f"    {rule['points']:+g} {rule['said']}{because}")
    for line in score["said"]:
        say(f"    {line}")
    if score["bands"]:
        bands = ", ".join(f"{name} from {at:g}" for name, at in score["bands"].items())
        say(f"    it is called {bands}")


def _tell_lifecycle(lifecycle: Row) -> None:
    say(f"  Lifecycle {lifecycle['lifecycle']}{_aside(lifecycle['description'])}")
    for stage in lifecycle["stages"]:
        say(f"    {stage['stage']}: {stage['said']}")


def _tell_changes(changes: list[Row]) -> None:
    if not changes:
        return
    say("  Changed last:")
    rows = (
        (
            day(one["applied_at"])[:16],
            f"{one['kind']} {one['name']}",
            f"version {one['version']}",
            one["is"],
            one["file"],
        )
        for one in changes
    )
    table(("applied", "what", "", "", "file"), rows)
