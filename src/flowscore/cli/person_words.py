"""What is held of one person, as that person can read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from flowscore.cli.lead_words import feedback_words
from flowscore.cli.printer import counted, say
from flowscore.views.sentences import mail_words, refusal_words, stay_words
from flowscore.views.words import day, number

Row = dict[str, Any]
RIGHTS = (
    "Nothing but the rules above rates anybody; who may change them is seen in the files.",
    "An unsubscribe link stands in every marketing mail; what was granted can be taken back.",
)


def tell_person(told: Row) -> None:
    """Who, what came in, what was agreed to, what it is used for, and what was sent."""
    say(f"{told['contact']}: all that is held of this person, as of {day(told['as_of'])} (UTC)")
    for title, lines in (
        ("Who", _who(told)),
        ("What came in", _came_in(told)),
        ("Consent", _consent(told)),
        ("Consent as it was given", map(_record, told["consent_records"])),
        ("Opens and clicks", _tracked(told["tracking"])),
        ("What it is used for: points", _points(told)),
        ("What it is used for: where the person stands", _standing(told)),
        ("What it is used for: lists", map(stay_words, told["lists"])),
        ("What it is used for: scenarios", map(walk_words, told["scenarios"])),
        ("Scenarios that did not begin", map(refusal_words, told["refused"])),
        ("What was sent, and to whom", map(mail_words, told["mails"])),
        ("What came back", map(_returned, told["came_back"])),
        ("What sales said", map(_said, told["feedback"])),
        ("How this is decided", RIGHTS),
    ):
        _tell(title, lines)


def _tell(title: str, lines: Iterable[str]) -> None:
    shown = list(lines)
    say()
    say(f"{title}:" if shown else f"{title}: nothing")
    for line in shown:
        say(f"  {line}")


def _who(told: Row) -> Iterator[str]:
    yield f"known since {day(told['created_at'])}"
    for one in told["identities"]:
        yield f"{KINDS[one['kind']]}: {one['value']}"
    for one in told["attributes"]:
        yield f"{one['name']}: {one['value']} (since {day(one['since'])})"
    for name, value in (told["company"] or {}).items():
        yield f"company's {name}: {value}"


KINDS = {"email": "address", "user": "userId", "anonymous": "visitor"}


def _came_in(told: Row) -> Iterator[str]:
    """Each kind of event with how often and when; --json lists them all."""
    found: dict[str, list[Row]] = defaultdict(list)
    for event in told["events"]:
        found[event["name"] + " by a machine" * bool(event["machine"])].append(event)
    for name, events in found.items():
        first, last = day(events[0]["at"]), day(events[-1]["at"])
        until = f" to {last}" if len(events) > 1 else ""
        through = sorted({event["source"] for event in events if event["source"]})
        by = f", through {', '.join(through)}" if through else ""
        yield f"{name}: {counted(len(events), 'time')}, {first}{until}{by}"
    if told["waiting"]:
        yield f"{counted(len(told['waiting']), 'line')} came in and waits for the next tick"
    for one in told["sign_ups"]:
        yield f"a form was filled in with the address {day(one['at'])}: {one['status']}"
    for one in told["rejected"]:
        yield f"a call was not taken {day(one['received_at'])}, {one['source']}: {one['reason']}"


def _consent(told: Row) -> Iterator[str]:
    if told["suppressed"]:
        yield f"gets no mail any more: {told['suppressed']}"
    for one in told["consent"]:
        word = "granted" if one["granted"] else "refused"
        source = f" ({one['source']})" if one["source"] else ""
        yield f"{one['topic']}: {word} {day(one['at'])}{source}"
    for event in told["consent_history"]:
        topic = event["topic"] or (event["properties"] or {}).get("topic") or "email"
        yield f"{day(event['at'])} {event['name']} {topic}"


def _record(one: Row) -> str:
    """When, what, where, by which words, and the proof."""
    word = "granted" if one["granted"] else "refused"
    source = f" ({one['source']})" if one["source"] else ""
    text = f"; agreed to: «{one['text']}»" if one["text"] else ""
    proof = f"; proof {one['proof']}" if one["proof"] else ""
    return f"{day(one['at'])} {word} {one['topic']}{source}{text}{proof}"


def _tracked(told: Row) -> Iterator[str]:
    """What is noticed of the mails' opens and clicks, and who said so."""
    yield f"{TRACKED[told['holds']]} (the policy says {told['policy']})"
    if told["chosen"] is not None:
        yield f"the person's own choice: {told['chosen']}"


TRACKED = {
    "full": "kept with the person",
    "anonymous": "only counted, not kept with the person",
    "off": "not noticed",
}


def _returned(event: Row) -> str:
    """`2026-01-03 10:00 email_bounced: hard, no_such_address`."""
    said = [str(event["properties"][key]) for key in ("type", "kind") if key in event["properties"]]
    return f"{day(event['at'])} {event['name']}" + (f": {', '.join(said)}" if said else "")


def _points(told: Row) -> Iterator[str]:
    """Every score with all of its rules, and what each gives this person now."""
    for score in told["scores"]:
        whose = " of the company" if score["of"] == "company" else ""
        yield f"{score['score']}: {number(score['balance'])} points{whose}"
        if words := score["objective"] or score["description"]:
            yield f"  {words}"
        now = _worth(score["lines"])
        for rule in score["rules"]:
            counts = f": counts {number(now[rule['rule']])} now" if rule["rule"] in now else ""
            yield f"  {rule['rule']}: {rule['means']}{counts}"
        given = {line["rule"] for line in score["lines"] if line["kind"] == "scenario"}
        for name in sorted(given):
            yield f"  scenario {name}: counts {number(now[name])} now"


def _worth(lines: list[Row]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for line in lines:
        found[line["rule"]] += line["worth"] or 0
    return found


def _standing(told: Row) -> Iterator[str]:
    for grade in told["grades"]:
        yield f"{grade['grade']}: {grade['cell'] or 'no cell yet'}; {grade['legend']}"
    if journey := told["journey"]:
        for stay in journey["history"]:
            skipped = " (passed over)" if stay["skipped"] else ""
            why = f": {stay['why']}" if stay["why"] and not stay["skipped"] else ""
            yield f"stage {stay['stage']}{skipped} since {day(stay['entered_at'])}{why}"


def walk_words(walk: Row) -> str:
    """`thanks, 2026-01-03 10:00 until now: Thanks. It begins when: order_completed.`"""
    end = f" to {day(walk['ended_at'])}" if walk["ended_at"] else " until now"
    about = f": {walk['description']}" if walk["description"] else ""
    told = f"{walk['scenario']}, {day(walk['entered_at'])}{end}{about}"
    if not walk["begins"]:
        return told
    stop = "" if told.endswith((".", "!", "?")) else "."
    return f"{told}{stop} It begins when: {walk['begins']}."


def _said(event: Row) -> str:
    keys = ("verdict", "reason", "amount", "by")
    return feedback_words({key: event["properties"].get(key) for key in keys} | {"at": event["at"]})
