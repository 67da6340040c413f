"""Shares of people: `10%`, `0.5%`, in millionths of everybody."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import Shape, alone
from flowscore.language.words import WHOLE_SHARE

SHARE_TEXT = re.compile(r"(\d{1,3})(?:\.(\d{1,4}))?%")
PERCENT = WHOLE_SHARE // 100


def read_share(node: Node, names: Names) -> int:
    """A share with its sign, in millionths."""
    share = share_of(node.value) if isinstance(node.value, str) else None
    if share is None:
        raise unexpected(node, "a share with its sign, such as 10%", _share_hint(node))
    if share > WHOLE_SHARE:
        raise unexpected(node, "a share of at most 100%")
    return share


def share_of(text: str) -> int | None:
    """`0.5%` as millionths; None for anything else."""
    found = SHARE_TEXT.fullmatch(text)
    if found is None:
        return None
    return int(found[1]) * PERCENT + int((found[2] or "").ljust(4, "0"))


def share_text(share: int) -> str:
    """`33.3%`."""
    whole, rest = divmod(share, PERCENT)
    decimals = f"{rest:04d}".rstrip("0")
    return f"{whole}{'.' if decimals else ''}{decimals}%"


def _share_hint(node: Node) -> str:
    """The share that was likely meant: `10`, `0.1`, `10 %`, `10 percent`."""
    if isinstance(node.value, float) and 0 < node.value < 1:
        return f"did you mean '{node.value * 100:g}%'?"
    found = re.fullmatch(r"(\d{1,3}(?:[.,]\d{1,4})?)\s*(%|percent|pct)?", str(node.value).lower())
    return f"did you mean '{found[1].replace(',', '.')}%'?" if found else alone(node)


def nearest_whole_split(shares: Sequence[int]) -> list[int]:
    """Whole percents that add up to 100, as near as they can be (largest remainders first)."""
    total = sum(shares)
    exact = [share * 100 / total for share in shares]
    whole = [int(one) for one in exact]
    by_rest = sorted(range(len(shares)), key=lambda at: (whole[at] - exact[at], at))
    for at in by_rest[: 100 - sum(whole)]:
        whole[at] += 1
    return whole


SHARE = Shape(read_share, {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,4})?%$"})
