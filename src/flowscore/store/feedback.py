"""What sales says of a lead: the verdicts there are, and how a call or a row gives one."""

from __future__ import annotations

import math
import re
from typing import Any

from flowscore.store.fields import LONGEST, RefusedError, kind_of, shown

FEEDBACK = "sales_feedback"
MOST = 10**15  # of an amount; beyond, numbers lose their cents
VERDICTS = ("qualified", "not_qualified", "won", "lost")
EXPECTED = ", ".join(VERDICTS[:-1]) + f" or {VERDICTS[-1]}"


def read_feedback(properties: dict[str, Any]) -> dict[str, Any]:
    """The properties with the verdict as it is stored and the amount as a number.

    `Not Qualified` is `not_qualified`, as names of events are; what means nothing is refused.
    """
    read = {**properties, "verdict": _verdict(properties.get("verdict"))}
    if properties.get("reason") is not None:
        read["reason"] = _reason(properties["reason"])
    if properties.get("amount") not in (None, ""):
        read["amount"] = _amount(properties["amount"])
    return read


def _verdict(given: Any) -> str:
    found = re.sub(r"[^a-z]+", "_", given.lower()).strip("_") if type(given) is str else None
    if found in VERDICTS:
        return found
    raise RefusedError(f"verdict: found {shown(given)}, expected {EXPECTED}")


def _reason(given: Any) -> str:
    if type(given) is not str:
        raise RefusedError(f"reason: found {kind_of(given)}, expected text")
    if len(given) > LONGEST:
        raise RefusedError(f"reason: found {len(given)} letters, expected at most {LONGEST}")
    return given.strip()


def _amount(given: Any) -> int | float:
    """A number from 0 on, also as text; `1200` stays whole."""
    written = type(given) is str and re.fullmatch(r"\d+(\.\d+)?", given.strip(), re.ASCII)
    number = float(given) if written or type(given) in (int, float) else math.nan
    if not 0 <= number <= MOST:
        raise RefusedError(f"amount: found {shown(given)}, expected a number from 0 to {MOST:,}")
    return int(number) if number.is_integer() else number
