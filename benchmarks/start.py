"""How long `flowscore validate` takes on the shipped project, against Python with what it needs."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from figures import Figure
from measure import Cost, cost_of

ROOT = Path(__file__).parent.parent
VALIDATE = [sys.executable, "-m", "flowscore", "validate"]
BARE = [sys.executable, "-c", "import pydantic, yaml, typer"]
MOST_SECONDS, MOST_TIMES = 0.35, 3.0


def measure_start(quick: bool) -> list[Figure]:
    """In turns, so that both meet the same neighbours; the medians."""
    rounds = 5 if quick else 21
    cost_of(VALIDATE, ROOT)
    pairs = [(cost_of(VALIDATE, ROOT), cost_of(BARE, ROOT)) for _ in range(rounds)]
    ours, bare = _median([one for one, _ in pairs]), _median([other for _, other in pairs])
    times = ours.cpu / bare.cpu
    return [
        Figure(
            "`flowscore validate` on the shipped project",
            f"{ours.wall:.2f} s ({ours.cpu:.2f} s of processor)",
            f"{bare.wall:.2f} s ({bare.cpu:.2f} s): importing pydantic, yaml and typer",
            f"{times:.1f} ×",
            f"{MOST_SECONDS} s, {MOST_TIMES:.0f} ×",
            ours.wall <= MOST_SECONDS and times <= MOST_TIMES,
        )
    ]


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        statistics.median(one.wall for one in costs), statistics.median(one.cpu for one in costs)
    )
