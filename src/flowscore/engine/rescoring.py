"""Rescoring: scores are judged anew from the whole log though no definition changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowscore.engine import recompute, registry
from flowscore.engine.moves import Moves

if TYPE_CHECKING:
    from flowscore.store.database import Store


@dataclass(frozen=True)
class Rescored:
    """Which scores were judged anew, what moved, and whether the next tick notices it."""

    scores: tuple[str, ...]
    moved: Moves
    fires: bool
    resumed: bool = False
    """It went on where an earlier one was stopped."""


def rescore(
    store: Store,
    names: Sequence[str] = (),
    *,
    fires: bool = False,
    watch: Callable[[int], None] = lambda _: None,
) -> Rescored | None:
    """Judge scores (all where none is named) anew as of the watermark; None before a tick.

    Silently, but with `fires` the next tick notices what moved. One that was stopped is gone on
    with: no tick came between, so nothing has to be judged twice. `watch` is told how many more
    contacts are done.
    """
    with store.lock_tick():
        with store.read() as connection:
            if registry.watermark(connection) is None:
                return None
            project = registry.live_project(connection)
            wanted = tuple(names) or tuple(project.scores)
            resumed = recompute.is_rescoring(connection, project, wanted, fires=fires)
        if not resumed:
            registry.catch_up(store)
            with store.transact() as connection:
                recompute.order_scores(connection, project, wanted, fires=fires)
        moved = registry.catch_up(store, watch)
    return Rescored(wanted, moved or Moves(), fires, resumed)
