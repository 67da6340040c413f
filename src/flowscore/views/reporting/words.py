"""Numbers of the report as a person reads them: shares, spans of time, signs."""

from __future__ import annotations

from typing import Any

from flowscore.clock import DAY, HOUR, MINUTE


def percent(share: float | None) -> str:
    """`12.0 %`."""
    return "" if share is None else f"{100 * share:.1f} %"


def minus(number: float) -> str:
    """`+3.9`, with a real minus sign below 0."""
    shown = f"{number:+.1f}"
    return shown.replace("-", "\N{MINUS SIGN}") if float(shown) else "0.0"


def span_text(span: float | None) -> str:
    """`40 minutes`, `5.2 hours`, `12.4 days`, of microseconds."""
    if span is None:
        return ""
    for unit, word in ((2 * DAY, "day"), (HOUR, "hour"), (0, "minute")):
        if span >= unit:
            size = {"day": DAY, "hour": HOUR, "minute": MINUTE}[word]
            shown = f"{span / size:.1f}".removesuffix(".0")
            return f"{shown} {word}{'' if shown == '1' else 's'}"
    return f"\N{MINUS SIGN}{span_text(-span)}"


def in_hours(span: float | None) -> float | None:
    """Microseconds as hours."""
    return None if span is None else round(span / HOUR, 4)


def hours_text(hours: float | None) -> str:
    """The same words, of what the document holds."""
    return span_text(None if hours is None else hours * HOUR)


def people(number: int, one: str = "contact", many: str | None = None) -> str:
    """`1 contact`, `1,234 contacts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def are(number: int) -> str:
    """The verb that goes with a number."""
    return "is" if number == 1 else "are"


def amount_text(amount: Any) -> str:
    """`1,200` or `1,200.50`, in whatever currency the feedback was in."""
    return "" if amount is None else f"{amount:,.2f}".removesuffix(".00")
