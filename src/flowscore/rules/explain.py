"""Conditions and triggers in English."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from flowscore.clock import DAY, HOUR, MINUTE, duration_text
from flowscore.language import conditions as words
from flowscore.language import triggers
from flowscore.language.words import WHOLE_SHARE, Bounds
from flowscore.rules.happened import AT_LEAST_ONCE
from flowscore.rules.operators import test_in_english

if TYPE_CHECKING:
    from flowscore.language.words import EventQuery, ValueTests


@singledispatch
def sentence(word: Any) -> str:
    """The condition or trigger as a person would say it; one function for each word."""
    raise TypeError(f"no English for {type(word).__name__}")


@sentence.register
def _(word: words.All) -> str:
    return _joined(" and ", word.of) or "always"


@sentence.register
def _(word: words.AnyOf) -> str:
    return _joined(" or ", word.of) or "never"


def _joined(link: str, several: tuple[words.Condition, ...]) -> str:
    return sentence(several[0]) if len(several) == 1 else link.join(map(_grouped, several))


def _grouped(word: words.Condition) -> str:
    """One of several; a leaf that says `or` itself (A4 or B4) is set apart like a group."""
    said = sentence(word)
    several = isinstance(word, (words.All, words.AnyOf)) and len(word.of) > 1
    return f"({said})" if several or " or " in said else said


@sentence.register
def _(word: words.Not) -> str:
    return f"not: {_grouped(word.of)}"


@sentence.register
def _(word: words.ScoreIs) -> str:
    return f"score {word.score} {bounds_text(word.bounds)}"


@sentence.register
def _(word: words.GradeIs) -> str:
    return f"grade {word.grade} is {' or '.join(word.cells)}"


@sentence.register
def _(word: words.StageIs) -> str:
    if word.at_least is not None:
        return f"stage at least {word.at_least}"
    return f"stage is {' or '.join(word.stages)}"


@sentence.register
def _(word: words.AttributeIs) -> str:
    return " and ".join(asked_text(one) for one in word.attributes)


@sentence.register
def _(word: words.CompanyIs) -> str:
    return " and ".join(f"company's {asked_text(one)}" for one in word.attributes)


@sentence.register
def _(word: words.InList) -> str:
    return f"in list {' or '.join(word.lists)}"


@sentence.register
def _(word: words.Happened) -> str:
    return query_text(word.query)


@sentence.register
def _(word: words.ThisEvent) -> str:
    return " and ".join(f"this event's {asked_text(one)}" for one in word.properties)


@sentence.register
def _(word: words.MailIgnored) -> str:
    return f"{_mail_text(word)} {_not_answered(word.awaited)} within {duration_text(word.within)}"


@sentence.register
def _(word: words.Inactive) -> str:
    return f"no behaviour for {duration_text(word.duration)}"


@sentence.register
def _(word: words.MayMail) -> str:
    return f"may be mailed ({' or '.join(word.topics) or 'in general'})"


@sentence.register
def _(word: words.Drawn) -> str:
    return f"drawn at random ({share_text(word.share)})"


@sentence.register
def _(word: triggers.ScoreCrosses) -> str:
    return f"score {word.score} {word.direction.replace('_', ' ')} {word.threshold:g}"


@sentence.register
def _(word: triggers.ScoreGains) -> str:
    return f"score {word.score} gains {word.points:g} within {duration_text(word.within)}"


@sentence.register
def _(word: triggers.GradeEnters) -> str:
    return f"grade {word.grade} enters {' or '.join(word.cells)}"


@sentence.register
def _(word: triggers.StageEnters) -> str:
    return f"enters stage {' or '.join(word.stages)}"


@sentence.register
def _(word: triggers.OnEvent) -> str:
    return query_text(word.query)


@sentence.register
def _(word: triggers.NoEvent) -> str:
    agreeing = f" on the same {' and '.join(word.same)}" if word.same else ""
    return (
        f"no {query_text(word.awaited)}{agreeing} within {duration_text(word.within)} "
        f"after {query_text(word.after)}"
    )


@sentence.register
def _(word: triggers.MailNotAnswered) -> str:
    return f"{_mail_text(word)} {_not_answered(word.awaited)} within {duration_text(word.within)}"


@sentence.register
def _(word: triggers.GoneQuiet) -> str:
    return f"no behaviour for {duration_text(word.duration)}"


@sentence.register
def _(word: triggers.ContactCreated) -> str:
    return "contact created"


@sentence.register
def _(word: triggers.AttributeChanges) -> str:
    parts = [f"attribute {word.attribute} changes"]
    if word.origin is not None:
        parts.append("from a value that " + _tests_text(word.origin))
    if word.to is not None:
        parts.append("to a value that " + _tests_text(word.to))
    return " ".join(parts)


@sentence.register
def _(word: triggers.ConsentChanges) -> str:
    said = {"all": "everything", "email": "mail in general"}
    return f"{word.word} {' or '.join(said.get(one, one) for one in word.topics)}"


@sentence.register
def _(word: triggers.DateComes) -> str:
    whose = "the event's " if word.of_event else ""
    every = "every year " if word.yearly else ""
    zone = {None: "", "contact": ", contact's own time"}.get(word.timezone, f", {word.timezone}")
    return f"{every}{_when_it_comes(word)} {whose}{word.name}{_hour(word)}{zone}"


def _when_it_comes(word: triggers.DateComes) -> str:
    """`3 days before`, `on`, `at`."""
    offset = word.offset if word.days is None else word.days * DAY
    if not offset:
        return "at" if word.days is None else "on"
    side = "before" if offset < 0 else "after"
    return f"{duration_text(abs(offset))} {side}"


def _hour(word: triggers.DateComes) -> str:
    if word.days is None:
        return ""
    return f" at {word.at // HOUR:02d}:{word.at % HOUR // MINUTE:02d}"


@sentence.register
def _(word: triggers.ListJoined) -> str:
    return f"joins list {' or '.join(word.lists)}"


@sentence.register
def _(word: triggers.ListLeft) -> str:
    return f"leaves list {' or '.join(word.lists)}"


@sentence.register
def _(word: triggers.Schedule) -> str:
    return f"on schedule ({word.cron or word.at})"


@sentence.register
def _(word: triggers.Manual) -> str:
    return "enrolled by hand"


def share_text(share: int) -> str:
    """`10%`, of a share in millionths."""
    return f"{share * 100 / WHOLE_SHARE:g}%"


def bounds_text(bounds: Bounds) -> str:
    """`at least 50 and below 80`."""
    said = [
        f"{key.replace('_', ' ')} {value:g}"
        for key, value in bounds.model_dump().items()
        if value is not None
    ]
    return " and ".join(said)


def asked_text(asked: ValueTests) -> str:
    """`country is ES and is not known`."""
    return f"{asked.name} {_tests_text(asked)}"


def _tests_text(asked: ValueTests) -> str:
    return " and ".join(test_in_english(test) for test in asked.tests)


def query_text(query: EventQuery) -> str:
    """`page_viewed /pricing at least 3 times within 30 days`."""
    parts = [" or ".join(query.names)]
    if query.subjects:
        parts.append(" or ".join(query.subjects))
    if query.topics:
        parts.append("on " + " or ".join(query.topics))
    if query.links:
        parts.append("link " + " or ".join(query.links))
    if query.where:
        parts.append("where " + " and ".join(asked_text(one) for one in query.where))
    if query.times not in (AT_LEAST_ONCE, NO_DEMAND):
        parts.append(bounds_text(query.times) + " times")
    parts += [f"with {one.name} adding up to {bounds_text(one.bounds)}" for one in query.sums]
    if query.same:
        parts.append(f"of the same {' and '.join(query.same)}")
    return " ".join(parts + _window(query))


NO_DEMAND = Bounds()  # on the count, where only a sum is asked for


def _window(query: EventQuery) -> list[str]:
    parts = []
    if query.within is not None:
        parts.append(f"within {duration_text(query.within)}")
    if query.older_than is not None:
        parts.append(f"more than {duration_text(query.older_than)} ago")
    if query.since_entry:
        parts.append("since entering")
    return parts


def _mail_text(word: words.MailIgnored | triggers.MailNotAnswered) -> str:
    named = " or ".join(word.templates) or "any mail"
    return named + (f" on {' or '.join(word.topics)}" if word.topics else "")


def _not_answered(awaited: str) -> str:
    return "not " + awaited.removeprefix("email_")
