"""Tells what was learned, step by step, as the close-rate method goes."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from flowscore.cli.printer import counted, say, show_table
from flowscore.clock import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from flowscore.learning.lessons import CloseRate, Cycle, Lessons, Lines, Proposal
    from flowscore.learning.rates import Rate


def tell_lessons(lessons: Lessons, *, every: bool) -> None:
    """The whole report; where there is too little to learn from, it ends with that."""
    _tell_conversion(lessons)
    if lessons.cycle:
        _tell_cycle(lessons.cycle)
    _tell_rates(lessons.rates, every)
    _tell_left_out(lessons)
    if lessons.stop:
        say("\n" + fill(f"Nothing is proposed: {lessons.stop}.", 99))
        return
    _tell_proposals(lessons)
    for lines in lessons.lines:
        _tell_lines(lines)
    if lessons.lines:
        say("   proposed: what three of four customers had collected before they bought (half or a")
        say("   quarter of them, where most others have that too).")
    _tell_comparison(lessons)
    for question, answer in lessons.questions:
        say(f"\n{question}\n{indented(answer)}")
    _tell_edit(lessons)


def indented(text: str) -> str:
    """A long sentence in lines that fit a terminal."""
    return fill(text, 96, initial_indent="   ", subsequent_indent="   ", break_on_hyphens=False)


def share(rate: Rate) -> str:
    """`12.5%`; of nobody nothing."""
    return f"{rate.share:.1%}" if rate.leads else ""


def span(microseconds: int) -> str:
    """About how long: `45 minutes`, `12 days`."""
    for unit, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if microseconds >= 2 * unit or unit == MINUTE:
            return counted(round(microseconds / unit), word)
    raise AssertionError("every span has minutes")


def _tell_conversion(lessons: Lessons) -> None:
    overall = lessons.overall
    say(f"1. Conversion rate (outcome: {lessons.outcome})")
    say(
        f"   {counted(overall.won, 'customer')} of {counted(overall.leads, 'lead')}"
        f"{lessons.period}: {overall.share:.1%}"
    )
    for note in lessons.notes:
        say(f"   {note}")


def _tell_cycle(cycle: Cycle) -> None:
    told = (
        f"From the first touch to the sale: {span(cycle.middle)} in the middle of all customers, "
        f"up to {span(cycle.most)} for nine in ten. That is {cycle.advice}."
    )
    say(indented(told))


def _tell_rates(rates: Sequence[CloseRate], every: bool) -> None:
    shown = [one for one in rates if every or one.clear or one.points]
    if not rates:
        return
    say("\n2. to 4. What was known before the outcome, its close rate, beside all leads")
    heads = ("family", "what", "", "leads", "customers", "close rate", "smoothed", "× average",
             "points")  # fmt: skip
    rows = [
        (
            one.family, one.what, one.answer, f"{one.rate.leads:,}", f"{one.rate.won:,}",
            share(one.rate), f"{one.smoothed:.1%}", f"{one.lift:.1f} ×",
            "" if one.points is None else f"{one.points:+d}" if one.points else "0",
        )
        for one in sorted(shown, key=lambda one: (one.family, -abs(one.smoothed), one.what))
    ]  # fmt: skip
    show_table(heads, rows) if rows else say("   Nothing closes clearly better or worse than all.")
    if len(rates) > len(shown):
        say(f"   {len(rates) - len(shown):,} more close like all leads; --all shows them.")
    say("   smoothed: as if some average leads stood by, so that few leads prove little.")
    if any(one.points == 0 for one in shown):
        say("   0 points: clear by itself, but other columns say the same already.")


def _tell_left_out(lessons: Lessons) -> None:
    if lessons.left_out:
        say("\nNot used")
    for one in lessons.left_out:
        word = {"leak": "LEAK: ", "suspicious": "SUSPICIOUS: "}.get(one.kind, "")
        say(indented(f"{one.name}: {word}{one.reason}"))


CHANGED = ("score", "rule", "now", "proposed", "leads", "close rate", "then", "")
ADDED = ("score", "rule", "points", "leads", "close rate", "× average")


def _tell_proposals(lessons: Lessons) -> None:
    changed = [one for one in lessons.proposals if one.now is not None]
    added = [one for one in lessons.proposals if one.now is None]
    say("\nPoints: every 5 points double the odds; what several things share counts once")
    if changed:
        say("What changed for the rules that are there")
        show_table(CHANGED, [_changed(one) for one in changed])
    if added:
        say("New rules")
        show_table(ADDED, [_added(one) for one in added])
    if not lessons.proposals:
        say("   Nothing tells customers from the others clearly enough for points.")


def _changed(one: Proposal) -> tuple[object, ...]:
    then = f"{share(one.then)} of {one.then.leads:,}" if one.then and one.then.leads else ""
    return (
        one.score, one.name, f"{one.now:g}", one.points, f"{one.rate.leads:,}", share(one.rate),
        then, one.note,
    )  # fmt: skip


def _added(one: Proposal) -> tuple[object, ...]:
    lift = f"{one.lift:.1f} ×"
    return one.score, one.name, f"{one.points:+d}", f"{one.rate.leads:,}", share(one.rate), lift


def _tell_lines(lines: Lines) -> None:
    say(f"\nThe line in `{lines.score}`: what leads would collect with these points")
    names = ("lowest", "quarter", "middle", "three quarters", "highest")
    rows = [("customers", *lines.customers), ("others", *lines.others)]
    show_table(("", *names), [row for row in rows if len(row) > 1])
    heads = ("from", "leads", "customers", "of these win", "of all customers", "")
    show_table(
        heads,
        [
            (
                one.points, f"{one.leads:,}", f"{one.won:,}", f"{one.precision:.1%}",
                f"{one.recall:.1%}", ", ".join(filter(None, (one.name, "proposed" * one.proposed))),
            )
            for one in lines.lines
        ],
    )  # fmt: skip


def _tell_comparison(lessons: Lessons) -> None:
    if not lessons.compared or lessons.held_out is None:
        return
    held = lessons.held_out
    say(f"\nHeld out: {counted(held.leads, 'lead')} ({held.won:,} customers) not learned from")
    rows = [(one.model, f"{one.auc:.3f}", f"{one.top_decile:.2f} ×") for one in lessons.compared]
    show_table(("model", "ROC-AUC", "top tenth"), rows)
    say("   ROC-AUC: the chance that a customer stands above another lead; 0.5 is a coin.")
    say("   top tenth: how many times the average close rate the highest tenth has.")


def _tell_edit(lessons: Lessons) -> None:
    if lessons.written:
        say(f"\nWritten: {', '.join(lessons.written)}. Next: git diff, then flowscore plan")
    elif lessons.diff:
        say("\nThe edit (--write makes it):")
        say(lessons.diff.rstrip("\n"))
    elif lessons.yaml:
        say("\nA score to begin with:")
        say(lessons.yaml.rstrip("\n"))
    elif lessons.proposals:
        say("\nThe points in scenarios/ are these already; there is nothing to write.")
