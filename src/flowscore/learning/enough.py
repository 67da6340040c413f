"""Whether there is enough to learn from; if not, what is missing, in words (E15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.clock import duration_text

if TYPE_CHECKING:
    from flowscore.learning.rates import Rate


def for_file(overall: Rate, enough: int) -> str:
    """Why nothing can be proposed of so many leads and customers; empty where it can."""
    others = overall.leads - overall.won
    if not overall.won:
        return "none of these leads became a customer: there is nothing to learn from yet"
    if not others:
        return (
            "every one of these leads became a customer: without those who did not, "
            "nothing tells the two apart"
        )
    if min(overall.won, others) < enough:
        few = _few(overall.won) if overall.won < enough else f"only {others:,} did not become one"
        return (
            f"too few to tell chance from pattern: of {overall.leads:,} leads {few}, expected at "
            f"least {enough:,} (--enough N sets another bar, at your own risk)"
        )
    return ""


def _few(won: int) -> str:
    return "1 became a customer" if won == 1 else f"{won:,} became customers"


def for_period(came: int, cycle: int) -> str:
    """Why leads that came in within `came` microseconds say little, if a sale takes `cycle`."""
    if came >= cycle:
        return ""
    return (
        f"too short a period: the leads came in within {duration_text(_whole(came))}, and half of "
        f"the customers took {duration_text(_whole(cycle))} or longer; who has not bought yet may "
        "still do so"
    )


def _whole(span: int) -> int:
    """Rounded to what can be said: whole days, hours or minutes."""
    from flowscore.clock import DAY, HOUR, MINUTE

    unit = next((one for one in (DAY, HOUR) if span >= 2 * one), MINUTE)
    return max(unit, round(span / unit) * unit)
