"""How long `flowscore validate` takes on the shipped project, against Python with what it needs."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
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
    with tempfile.TemporaryDirectory() as compiled:
        use = _as_installed(compiled)
        cost_of(VALIDATE, ROOT, use)
        cost_of(BARE, ROOT, use)
        pairs = [(cost_of(VALIDATE, ROOT, use), cost_of(BARE, ROOT, use)) for _ in range(rounds)]
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


def _as_installed(compiled: str) -> dict[str, str]:
    """pip compiles what it installs: where nothing may be written beside the source, here too."""
    kept = {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": compiled}


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        statistics.median(one.wall for one in costs), statistics.median(one.cpu for one in costs)
    )
