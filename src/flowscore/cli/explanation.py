"""One contact, explained to a person: the text voice of `explain`."""

from __future__ import annotations

from typing import Any

from flowscore.cli.explanation_points import tell_score
from flowscore.cli.explanation_trees import as_of, section, tell_grade, tell_journey
from flowscore.cli.printer import say
from flowscore.views.sentences import mail_words, refusal_words, stay_words, walk_words
from flowscore.views.words import day

Row = dict[str, Any]


def tell_contact(told: Row, *, every: bool = False) -> None:
    """Who, the cells, the journey, the points, lists, scenarios, mails, and what did not happen.

    `every`: all lines of the ledger, not only the newest.
    """
    _tell_person(told)
    for grade in told["grades"]:
        tell_grade(grade)
    if told["journey"]:
        tell_journey(told["journey"])
    for score in told["scores"]:
        tell_score(score, every=every)
    for title, rows, words in (
        ("Lists", told["lists"], stay_words),
        ("Scenarios", told["scenarios"], walk_words),
        ("Mails", told["mails"], mail_words),
        ("Did not enroll", told["refused"], refusal_words),
    ):
        say()
        section(title, [words(row) for row in rows])


def _tell_person(told: Row) -> None:
    say(f"{told['contact']}, created {day(told['created_at'])}{as_of(told)}")
    if told["names"]:
        say(f"  also known as {', '.join(name['value'] for name in told['names'])}")
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
