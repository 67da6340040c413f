"""Any part of a definition in a few words, as a plan and a history of versions name it."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from flowscore.clock import DAY, HOUR, MINUTE, duration_text
from flowscore.language import actions, lifecycle, policy, scenario, scoring
from flowscore.language.conditions import Condition
from flowscore.language.triggers import Trigger
from flowscore.language.words import WHOLE_SHARE, Word
from flowscore.rules.explain import sentence

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPOKEN = frozenset({"mark", "description", "objective"})  # what only people read


@singledispatch
def phrase(value: Any) -> str:
    """The words for a value; one function for each kind of part."""
    return f"{value:g}" if isinstance(value, float) else str(value)


@phrase.register(type(None))
def _(value: None) -> str:
    return "none"


@phrase.register
def _(value: bool) -> str:
    return "true" if value else "false"


@phrase.register
def _(value: tuple) -> str:
    return ", ".join(map(phrase, value)) or "none"


@phrase.register
def _(word: Word) -> str:
    """Anything without words of its own: what it says beside its defaults."""
    return " ".join(
        f"{label(name)} {phrase(value)}"
        for name, value in word.__dict__.items()
        if name not in SPOKEN and value != type(word).model_fields[name].get_default()
    )


@phrase.register(Condition)
@phrase.register(Trigger)
def _(word: Condition | Trigger) -> str:
    return sentence(word)


def label(field: str) -> str:
    """A field's name as a person says it."""
    return LABELS.get(field, field.replace("_", " "))


LABELS = {
    "otherwise": "else",
    "frequency_caps": "frequency cap",
    "capped_wait": "a capped mail waits",
    "names": "name",
    "sums": "sum",
    "on": "trigger",
}


def share_text(share: int) -> str:
    """`10%` of a share in millionths."""
    return f"{100 * share / WHOLE_SHARE:g}%"


def span_text(duration: int) -> str:
    """`7 days`: weeks are told in days, so that 7 days → 5 days can be held side by side."""
    if duration % DAY == 0 and duration > DAY:
        return f"{duration // DAY} days"
    return duration_text(duration)


def clock_text(time: int) -> str:
    """`09:00` of a time of day in microseconds after midnight."""
    return f"{time // HOUR:02}:{time % HOUR // MINUTE:02}"


def days_text(days: tuple[int, ...]) -> str:
    """`mon, tue`."""
    return ", ".join(WEEKDAYS[day] for day in days)


# ---------------------------------------------------------------- steps


@phrase.register
def _(step: actions.AddPoints) -> str:
    verb, way = ("subtract", "from") if step.points < 0 else ("add", "to")
    reason = f" ({step.reason})" if step.reason else ""
    return f"{verb} {_points(abs(step.points))} {way} {step.score}{reason}"


@phrase.register
def _(step: actions.ResetScore) -> str:
    return f"reset score {phrase(step.scores)}"


@phrase.register
def _(step: actions.AddToList) -> str:
    return f"add to list {phrase(step.lists)}"


@phrase.register
def _(step: actions.RemoveFromList) -> str:
    return f"remove from list {phrase(step.lists)}"


@phrase.register
def _(step: actions.MoveToList) -> str:
    return f"move from list {phrase(step.origin)} to {phrase(step.to)}"


@phrase.register
def _(step: actions.SetStage) -> str:
    return f"set stage {step.stage}{' (also back)' if step.back else ''}"


@phrase.register
def _(step: actions.SetAttribute) -> str:
    return "set " + ", ".join(f"{name} to {phrase(value)}" for name, value in step.values)


@phrase.register
def _(step: actions.AssignOwner) -> str:
    return f"assign owner {'in turn ' if step.round_robin else ''}{phrase(step.owners)}"


@phrase.register
def _(step: actions.ChangeConsent) -> str:
    return f"{'subscribe to' if step.granted else 'unsubscribe from'} {phrase(step.topics)}"


@phrase.register
def _(step: actions.SendEmail) -> str:
    late, once = step.unless_late_by, step.once_per
    said = f"send mail {phrase(step.templates)}"
    said += f", unless late by {span_text(late)}" if late is not None else ""
    return said + (f", once per {span_text(once)}" if once is not None else "")


@phrase.register
def _(step: actions.Notify) -> str:
    return f"notify {phrase(step.to)} with {phrase(step.templates)}"


@phrase.register
def _(step: actions.CallWebhook) -> str:
    return f"call webhook {step.url}"


@phrase.register
def _(step: actions.Wait) -> str:
    if step.duration is not None:
        return f"wait {span_text(step.duration)}"
    until = "wait until " + (clock_text(step.until) if step.until is not None else "00:00")
    until += f" on {days_text(step.days)}" if step.days else ""
    return until + _zone(step.timezone)


@phrase.register
def _(step: actions.WaitFor) -> str:
    return f"wait for {sentence(step.trigger)}, up to {span_text(step.up_to)}"


@phrase.register
def _(step: actions.If) -> str:
    return f"if {sentence(step.condition)}"


@phrase.register
def _(step: actions.Split) -> str:
    return f"split into {phrase(step.branches)}"


@phrase.register
def _(branch: actions.Portion) -> str:
    return f"{branch.name} {share_text(branch.share)}"


@phrase.register
def _(step: actions.EnrollIn) -> str:
    return f"enroll in {phrase(step.scenarios)}"


@phrase.register
def _(step: actions.Exit) -> str:
    return f"exit ({step.reason})" if step.reason else "exit"


# ---------------------------------------------------------------- what stands around steps


@phrase.register
def _(word: scenario.Reenroll) -> str:
    after = f" {span_text(word.after)}" if word.after is not None else ""
    return word.mode.replace("_", " ") + after


@phrase.register
def _(goal: scenario.Goal) -> str:
    within = f", up to {span_text(goal.up_to)}" if goal.up_to is not None else ""
    return sentence(goal.trigger) + within


@phrase.register
def _(rule: scoring.Rule) -> str:
    where = f"for {phrase(rule.on)}" if rule.on else f"while {phrase(rule.when)}"
    asked = f", if {phrase(rule.conditions)}" if rule.conditions is not None else ""
    cap = f", at most {phrase(rule.cap)}" if rule.cap is not None else ""
    fades = f", decay {phrase(rule.decay)}" if rule.decay is not None else ""
    return f"{_points(rule.points)} {where}{asked}{cap}{fades}"


@phrase.register
def _(cap: scoring.Cap) -> str:
    often = "once" if cap.times == 1 else f"{cap.times} times"
    said = often if cap.times is not None else _points(cap.points or 0)
    return said + (f" per {span_text(cap.per)}" if cap.per is not None else " ever")


@phrase.register
def _(range_: scoring.Range) -> str:
    low = "no limit" if range_.min is None else f"{range_.min:g}"
    return f"{low} to {'no limit' if range_.max is None else f'{range_.max:g}'}"


@phrase.register
def _(decay: scoring.Expires) -> str:
    return f"expires after {span_text(decay.after)}"


@phrase.register
def _(decay: scoring.Linear) -> str:
    return f"linear over {span_text(decay.over)}"


@phrase.register
def _(decay: scoring.HalfLife) -> str:
    return f"half-life {span_text(decay.half)}"


@phrase.register
def _(decay: scoring.Steps) -> str:
    return f"loses {share_text(decay.lose)} every {span_text(decay.every)}"


@phrase.register
def _(decay: scoring.Idle) -> str:
    idle = f"idle for {span_text(decay.after)}"
    if decay.reset:
        return f"{idle} resets"
    again = f", again every {span_text(decay.every)}" if decay.every is not None else ""
    return f"{idle} loses {_points(decay.lose or 0)}{again}"


@phrase.register
def _(decay: scoring.Steady) -> str:
    return "none"


@phrase.register
def _(axis: scoring.Axis) -> str:
    labels = [
        f"{label} below" if number is None else f"{label} from {number:g}"
        for label, number in axis.labels
    ]
    return f"score {axis.score}: {', '.join(labels)}"


@phrase.register
def _(stage: lifecycle.Stage) -> str:
    when = f"when {sentence(stage.when)}" if stage.when is not None else "by set_stage alone"
    return when + (", may fall back from it" if stage.retreat else "")


@phrase.register
def _(sender: policy.Sender) -> str:
    reply = f", replies to {sender.reply_to}" if sender.reply_to else ""
    return f"{sender.name} <{sender.address}>{reply}".lstrip()


@phrase.register
def _(cap: policy.FrequencyCap) -> str:
    return f"{cap.emails} {'mail' if cap.emails == 1 else 'mails'} per {span_text(cap.per)}"


@phrase.register
def _(window: policy.SendWindow) -> str:
    days = f" on {days_text(window.days)}" if window.days else ""
    return (
        f"{clock_text(window.opens)} to {clock_text(window.closes)}{days}{_zone(window.timezone)}"
    )


@phrase.register
def _(pause: policy.PauseWhen) -> str:
    shares = (("bounces", pause.bounces), ("complaints", pause.complaints))
    said = [f"{name} {share_text(share)}" for name, share in shares if share is not None]
    return f"{' or '.join(said)} of the last {pause.of_last}"


def _points(points: float) -> str:
    return f"{points:g} {'point' if abs(points) == 1 else 'points'}"


def _zone(name: str | None) -> str:
    return "" if name is None else " in the contact's zone" if name == "contact" else f" in {name}"
