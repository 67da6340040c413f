"""Lists, walks, mails and refusals of one contact, a line each."""

from __future__ import annotations

from typing import Any

from flowscore.views.explain_lines import place_text
from flowscore.views.words import day, event_words

Row = dict[str, Any]


def stay_words(stay: Row) -> str:
    """Which list, since when, and why."""
    until = f" until {day(stay['left_at'])}" if stay["left_at"] else ""
    why = stay["why"] or stay["cause"]
    return f"{stay['list']} since {day(stay['joined_at'])}{until}" + (f": {why}" if why else "")


def walk_words(walk: Row) -> str:
    """Which scenario, by what event, which ways it went, and where it stands."""
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


def mail_words(mail: Row) -> str:
    """What went, or why it did not, and what came back of it."""
    what = what_goes(mail)
    start = f"{what} by {mail['scenario']}, queued {day(mail['queued_at'])}"
    back = _answers(mail["answered"]) + "".join(f"; {_came_back(one)}" for one in mail["returned"])
    if mail["status"] == "sent":
        return f"{start}; sent {day(mail['sent_at'])}{back}"
    return f"{start}; {mail['status']}" + (f": {reason}" if (reason := why(mail)) else "") + back


def _answers(times: Row) -> str:
    """`; opened 1 time, clicked 2 times; by machines: opened 1 time`."""
    said = ""
    for prefix, start in (("", "; "), ("by_machine_", "; by machines: ")):
        found = [(what, times.get(prefix + what)) for what in ("opened", "clicked")]
        words = [f"{what} {number:,} time{'s' * (number != 1)}" for what, number in found if number]
        said += start + ", ".join(words) if words else ""
    return said


def _came_back(told: Row) -> str:
    """`bounced 2026-11-22 12:14, hard: no_such_address 5.1.1 (unknown user)`."""
    start = f"{told['what']} {day(told['at'])}" + (f", {told['type']}" if told["type"] else "")
    words = " ".join(str(told[name]) for name in ("kind", "code") if told[name])
    text = f" ({told['text']})" if told["text"] else ""
    return f"{start}: {words}{text}" if words or text else start


def refusal_words(refusal: Row) -> str:
    """The occurrence, and the gate that refused it."""
    because = event_words(refusal["event"])
    start = f"{refusal['scenario']} {day(refusal['at'])}" + (f", {because}" if because else "")
    return f"{start}: {_why_not(refusal)}  {place_text(refusal)}"


def _why_not(refusal: Row) -> str:
    """The gate in words: what was asked, and what was seen instead."""
    if refusal["reason"] == "loop":
        return "kept firing itself and was stopped"
    if refusal["reason"] == "reenroll":
        return str(refusal["condition"] or "reenroll")
    seen = f"; seen: {refusal['seen']}" if refusal["seen"] is not None else ""
    return f"asked: {refusal['condition'] or 'its conditions'}{seen}"
