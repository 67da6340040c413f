"""The report to a person: the text voice of `report`, section by section."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowscore.cli.explanation import day
from flowscore.cli.printer import say
from flowscore.cli.report_means import tell_groups, tell_model, tell_scenarios, tell_templates
from flowscore.cli.report_words import between, counted_share, heading, notes, number, table, took
from flowscore.views.reporting.words import amount_text, hours_text, people, percent

Row = dict[str, Any]


def tell_report(told: Row) -> None:
    """The period, what it rests on, then each section that was asked for."""
    since = f"after {day(told['since'])}" if told["since"] else "from the beginning"
    say(f"Report {since} up to {day(told['until'])} (UTC)")
    _tell_evidence(told["data"])
    for name, tell in SECTIONS.items():
        if name in told:
            heading(TITLES[name])
            tell(told[name])


def _tell_evidence(data: Row) -> None:
    new = people(data["new_contacts"], "new contact")
    say(
        f"{people(data['contacts'])}: {data['with_attributes']:,} with attributes, "
        f"{data['with_behaviour']:,} who ever did something. "
        f"In the period: {new}, {data['active']:,} active."
    )
    if data["visitors"]:
        say(f"{people(data['visitors'], 'visitor')} without an address left out.")
    notes(data)


# --- funnel -----------------------------------------------------------------------------------


def _tell_funnel(funnel: Row) -> None:
    heads = ("stage", "entered", "skipped it", "there now", "went on", "half within", "middle half")
    table(heads, (_stage_row(one) for one in funnel["stages"]))
    won, last = funnel["conversion"], funnel["stages"][-1]["stage"]
    if won:
        first = funnel["first"]
        rate = f" = {percent(won['rate'])}" if won["rate"] is not None else ""
        say(f"  Conversion: {last} {won['won']:,} ÷ {first} {won['leads']:,} in the period{rate}")
        _tell_cycle(f"{first} to {last}", funnel["cycle"])
    notes(funnel)


def _stage_row(one: Row) -> tuple[object, ...]:
    inside = "" if one["inside"] is None else f"{one['inside']:,}"
    went = counted_share(one["went_on"])
    counts = (f"{one['entered']:,}", number(one["skipped"]), inside)
    return (one["stage"], *counts, went, *took(one["hours_to_next"]))


def _tell_cycle(way: str, spans: Row) -> None:
    median, middle = took(spans)
    if median:
        say(f"  From {way}: half within {median}, the middle half {middle}")


# --- qualification ----------------------------------------------------------------------------


def _tell_qualification(told: Row) -> None:
    if told["qualified_means"] is None:
        notes(told)
        return
    share = told["of_new_leads"]
    say(
        f"  Qualified: who {told['qualified_means']}. Of the leads of the period: "
        f"{share['count']:,} of {share['of']:,}{_sure(share)}"
    )
    heads = ("stage", "entered", "became customer", "not qualified", "lost", "fell back", "open")
    table(heads, (_end_row(one) for one in told["stages"]))
    _tell_worth(told)
    _tell_leads(told)
    notes(told)


def _sure(share: Row) -> str:
    """` (12.0 %; 95 % between 8.4 % and 16.9 %)`."""
    if not share["of"]:
        return ""
    low, high = percent(share["low"]), percent(share["high"])
    return f" ({percent(share['share'])}; 95 % between {low} and {high})"


def _end_row(one: Row) -> tuple[object, ...]:
    rest = (number(one[name]) for name in ("not_qualified", "lost", "retreated", "open"))
    return (one["stage"], f"{one['entered']:,}", counted_share(one["became_customer"]), *rest)


def _tell_worth(told: Row) -> None:
    """Meetings, time and money (E14); and who stands still (E12)."""
    meetings = told["meetings"]
    if meetings["known"]:
        rate = meetings["rate"]
        say(f"  First meeting: {rate['count']:,} of {rate['of']:,} who qualified{_sure(rate)}")
    else:
        say(f"  First meeting: no event {meetings['event']} came in (--meeting EVENT names yours)")
    for way, spans in (told["cycle"] or {}).items():
        _tell_cycle(way, spans)
    _tell_revenue(told["revenue"])
    _tell_stale(told["never_convert"])


def _tell_revenue(revenue: Row) -> None:
    if not revenue["deals"]:
        say("  Won: nothing that sales told of")
        return
    named = revenue["with_amount"]
    lacking = revenue["deals"] - named
    amount = f" worth {amount_text(revenue['amount'])}" if named else ""
    without = f"; {lacking:,} without an amount" if lacking else ""
    say(f"  Won: {people(revenue['deals'], 'deal')}{amount}{without}")


def _tell_stale(stale: Row | None) -> None:
    if stale is None:
        return
    start = f"  Open in {stale['stage']} or beyond: {stale['open']:,}"
    if stale["stale"] is None:
        few = people(stale["customers"], "customer")
        say(f"{start} (how many of them never convert: too thin to judge, {few})")
    else:
        longer = hours_text(stale["longer_than_hours"])
        old = f"{stale['stale']:,} for longer than 9 of 10 customers took ({longer})"
        say(f"{start}, of them {old}")


def _tell_leads(told: Row) -> None:
    """Which have become qualified and which have not (B11)."""
    waiting = told["not_yet"]
    if told["became"]:
        say("  Qualified last:")
        table(("contact", "since"), ((one["contact"], day(one["at"])) for one in told["became"]))
    if waiting["contacts"]:
        say(f"  Not yet qualified: {waiting['contacts']:,}; the furthest:")
        rows = (
            (one["contact"], one["stage"], day(one["created_at"])) for one in waiting["furthest"]
        )
        table(("contact", "stage", "created"), rows)


# --- feedback ---------------------------------------------------------------------------------

SAID = {"not_qualified": "not qualified"}


def _tell_feedback(told: Row) -> None:
    rows = ((SAID.get(one["verdict"], one["verdict"]), *_said(one)) for one in told["verdicts"])
    table(("sales said", "times", "last word on"), rows)
    if against := told["against_the_model"]:
        _tell_against(against)
    if told["reasons"]:
        reasons = (
            f"{one['reason']} ({SAID.get(one['verdict'], one['verdict'])}, {one['times']:,})"
            for one in told["reasons"]
        )
        say(f"  Reasons: {'; '.join(reasons)}")
    _tell_rules_behind(told["rules_behind"])
    notes(told)


def _said(one: Row) -> tuple[str, str]:
    return f"{one['times']:,}", people(one["last_word_of"])


def _tell_against(against: Row) -> None:
    wrong, missed = against["wrongly_qualified"], against["missed"]
    if wrong["of"]:
        say(
            f"  Unqualified that reached sales: {wrong['count']:,} of {wrong['of']:,} judged leads "
            f"who {against['qualified_means']}{_sure(wrong)}"
        )
    if missed["of"]:
        say(
            f"  Judged without having qualified: {people(missed['of'])}, "
            f"of whom sales called {missed['count']:,} good"
        )


def _tell_rules_behind(rules: list[Row]) -> None:
    if rules:
        say("  What gave most points to leads whom sales then called not qualified:")
    rows = (
        (
            f"{one['score']}: {one['rule']}",
            f"{one['points']:+g}",
            counted_share(one["not_qualified"]),
            counted_share(one["good"]),
        )
        for one in rules
    )
    table(("rule", "points", "not qualified who have it", "good ones who have it"), rows)


# --- sources ----------------------------------------------------------------------------------

HINTS = {"drop": "fewer qualify: drop?", "keep": "more qualify", "thin": "too thin", "": ""}
KINDS = {
    "page": "page seen",
    "source": "source",
    "campaign": "campaign",
    "referrer": "referred by",
}


def _tell_sources(told: Row) -> None:
    share = told["all_leads"]
    say(f"  All leads looked at: {share['count']:,} of {share['of']:,} qualified{_sure(share)}")
    for kind, title in KINDS.items():
        if told[kind]["values"]:
            say()
            heads = (title, "leads", "qualified", "95 % between", "first touch", "qualified", "")
            table(heads, (*map(_source_row, told[kind]["values"]), _any_row(told[kind]["named"])))
    notes(told)


def _any_row(named: Row) -> tuple[object, ...]:
    """All leads that have any touch of the kind: what each is held against."""
    leads, share = f"{named['of']:,}", counted_share(named)
    return ("any of them", leads, share, between(named), leads, share, "")


def _source_row(one: Row) -> tuple[object, ...]:
    any_, first = one["any_touch"], one["first_touch"]
    return (
        one["value"],
        f"{any_['of']:,}",
        counted_share(any_),
        between(any_),
        number(first["of"]),
        counted_share(first) if first["of"] else "",
        HINTS[one["hint"]],
    )


TITLES = {
    "funnel": "Funnel",
    "qualification": "Qualified leads, and how they ended",
    "feedback": "What sales said",
    "scenarios": "Scenarios",
    "templates": "Mails",
    "sources": "Where leads come from",
    "groups": "Sensitive groups",
    "model": "How leads are rated",
}
SECTIONS: dict[str, Callable[[Row], None]] = {
    "funnel": _tell_funnel,
    "qualification": _tell_qualification,
    "feedback": _tell_feedback,
    "scenarios": tell_scenarios,
    "templates": tell_templates,
    "sources": _tell_sources,
    "groups": tell_groups,
    "model": tell_model,
}
