"""One contact, explained to a person: the text voice of `explain`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowscore.cli.printer import say, show_table

Row = dict[str, Any]
SHOWN_LINES = 40


def tell_contact(told: Row) -> None:
    """Who, the points, the lists, the scenarios, the mails, and what did not happen."""
    _tell_person(told)
    for score in told["scores"]:
        _tell_score(score)
    _section("Lists", told["lists"], _list_row)
    _section("Scenarios", told["scenarios"], _walk_row)
    _section("Mails", told["mails"], _mail_row)
    _section("Did not enroll", told["refused"], _refusal_row)


def day(instant: str | None) -> str:
    """`2026-11-22 09:00` of an RFC 3339 instant; seconds only where there are any."""
    if not instant:
        return ""
    shown = instant.replace("T", " ").rstrip("Z")[:19]
    return shown.removesuffix(":00") if shown.count(":") == 2 else shown


def _tell_person(told: Row) -> None:
    say(f"{told['contact']}, created {day(told['created_at'])}, as of {day(told['as_of'])} (UTC)")
    if told["suppressed"]:
        say(f"  gets no mail any more: {told['suppressed']}")
    if told["attributes"]:
        say(f"  {_listed(told['attributes'])}")
    if told["company"]:
        say(f"  with the company {_listed(told['company'])}")
    for consent in told["consent"]:
        word = "granted" if consent["granted"] else "refused"
        source = f" ({consent['source']})" if consent["source"] else ""
        say(f"  consent to {consent['topic']}: {word} {day(consent['at'])}{source}")
    if not told["consent"]:
        say("  consent: none recorded")


def _listed(values: Row) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def _tell_score(score: Row) -> None:
    say()
    say(f"{score['score']}: {score['balance']} points{_standing(score)}")
    for words in (score["objective"], score["description"]):
        if words:
            say(f"  {words}")
    if score["lines"]:
        heads = ("  when", "points", "by", "because of", "where")
        show_table(heads, _line_rows(score["lines"]))


def _standing(score: Row) -> str:
    parts = [f"{score['band']!r}"] if score["band"] else []
    if score["next_band"]:
        parts.append(f"{score['next_band']['missing']} more to {score['next_band']['band']!r}")
    return f" ({', '.join(parts)})" if parts else ""


def _line_rows(lines: list[Row]) -> list[tuple[str, ...]]:
    """The newest, with one row for all that is older, so that they still add up."""
    old, shown = lines[:-SHOWN_LINES], lines[-SHOWN_LINES:]
    rows = [_line_row(line) for line in shown]
    if old:
        sum_ = round(sum(line["points"] for line in old), 8)
        earlier = f"{len(old):,} earlier lines; --json shows them"
        rows.insert(0, ("  before", f"{sum_:+}", "", earlier, ""))
    return rows


def _line_row(line: Row) -> tuple[str, ...]:
    by = f"scenario {line['rule']}" if line["kind"] == "scenario" else line["rule"]
    because = event_words(line["event"]) or line["reason"]
    return (f"  {day(line['at'])}", f"{line['points']:+}", by, because, _place(line))


def event_words(event: Row | None) -> str:
    """The event in a few words: its name and the properties that fit."""
    if not event:
        return ""
    properties = ", ".join(f"{name}: {value}" for name, value in event["properties"].items())
    words = f"{event['name']} ({properties})" if properties else event["name"]
    return words if len(words) <= 70 else words[:69] + "…"


def _place(row: Row) -> str:
    version = f" (version {row['version']})" if (row["version"] or 1) > 1 else ""
    return f"{row['where'] or ''}{version}"


def _section(title: str, rows: Iterable[Row], words: Any) -> None:
    shown = [words(row) for row in rows]
    say()
    say(f"{title}:" if shown else f"{title}: none")
    for line in shown:
        say(f"  {line}")


def _list_row(stay: Row) -> str:
    until = f" until {day(stay['left_at'])}" if stay["left_at"] else ""
    why = stay["why"] or stay["cause"]
    return f"{stay['list']} since {day(stay['joined_at'])}{until}" + (f": {why}" if why else "")


def _walk_row(walk: Row) -> str:
    because = event_words(walk["event"])
    start = f"{walk['scenario']}: entered {day(walk['entered_at'])}" + (
        f" by {because}" if because else ""
    )
    held = "; held out: nothing is done" if walk["held"] else ""
    return f"{start}{held}{_ways(walk)}; {_where_it_stands(walk)}"


def _ways(walk: Row) -> str:
    """Which way it went wherever there were several."""
    went = [f"{one['step']} {one['outcome']}" for one in walk["done"] if one["outcome"]]
    return f"; {', '.join(went)}" if went else ""


def _where_it_stands(walk: Row) -> str:
    if walk["state"] == "inside":
        return _what_next(walk)
    said = f"{walk['state']} {day(walk['converted_at'] or walk['ended_at'])}{_why_over(walk)}"
    if walk["state"] == "finished" and walk["goal_until"]:
        said += f"; its goal ({walk['goal']}) counts until {day(walk['goal_until'])}"
    return said


def _why_over(walk: Row) -> str:
    why = {"goal": walk["goal"], "exit_when": walk["exit_when"]}.get(walk["reason"])
    if walk["state"] == "converted":
        why = walk["goal"]
    return f" ({why or walk['reason']})" if why or walk["reason"] else ""


def _what_next(walk: Row) -> str:
    """Behind the last step there is nothing but the end."""
    if walk["waits_for"]:
        until = day(walk["waits_until"])
        return f"waits at {walk['next_step']} for {walk['waits_for']}, until {until}"
    next_ = f"next {walk['next_step']} due" if walk["next_step"] else "ends"
    return f"{next_} {day(walk['due_at'])}"


def what_goes(mail: Row) -> str:
    """The template, of internal mail also to whom it goes, or the POST."""
    if mail["kind"] == "webhook":
        return f"POST {mail['url']}"
    return f"{mail['template']} to {mail['to']}" if mail["kind"] == "notify" else mail["template"]


WAITS = {
    "window": "waits for its send window, until",
    "capped": "waits for a frequency cap, asked again",
}


def why(mail: Row) -> str:
    """Why it was not sent, or what it waits for."""
    if mail["waits"]:
        return f"{WAITS[mail['waits']]} {day(mail['next_at'])}"
    return mail["reason"] or ""


def _mail_row(mail: Row) -> str:
    what = what_goes(mail)
    start = f"{what} by {mail['scenario']}, queued {day(mail['queued_at'])}"
    if mail["status"] == "sent":
        return f"{start}; sent {day(mail['sent_at'])}"
    return f"{start}; {mail['status']}" + (f": {reason}" if (reason := why(mail)) else "")


def _refusal_row(refusal: Row) -> str:
    because = event_words(refusal["event"])
    start = f"{refusal['scenario']} {day(refusal['at'])}" + (f", {because}" if because else "")
    return f"{start}: {_why_not(refusal)}  {_place(refusal)}"


def _why_not(refusal: Row) -> str:
    """The gate in words: what was asked, and what was seen instead."""
    if refusal["reason"] == "loop":
        return "kept firing itself and was stopped"
    if refusal["reason"] == "reenroll":
        return str(refusal["condition"] or "reenroll")
    seen = f"; seen: {refusal['seen']}" if refusal["seen"] is not None else ""
    return f"asked: {refusal['condition'] or 'its conditions'}{seen}"
