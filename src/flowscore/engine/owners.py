"""`assign_owner`: one address for all, or each of a list in turn (ruling 130)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from flowscore.engine import profile
from flowscore.engine.scratch import walking
from flowscore.engine.states import read_state, write_state

if TYPE_CHECKING:
    from flowscore.engine.path import Path, Verb
    from flowscore.engine.work import Work
    from flowscore.language.actions import AssignOwner


def assign(action: AssignOwner, path: Path) -> Verb:
    """The effect: attribute `owner`. Turns go oldest enrollment first; the holdout takes none."""
    address = func.coalesce(walking.c.email, "")  # else databases differ in where such people stand
    ordered = (
        select(walking.c.enrollment_id, walking.c.contact_id)
        .where(path.touched())
        .order_by(walking.c.entered_at, address, walking.c.key)
    )
    counter = f"round robin {path.scenario.name} {action.path}"

    def effect(work: Work) -> None:
        rows = work.run(ordered, this_turn=work.turn).all()
        first = _take_turns(work, counter, len(rows)) if action.round_robin else 0
        wanted = {
            row.contact_id: (row.enrollment_id, action.owners[(first + n) % len(action.owners)])
            for n, row in enumerate(rows)
        }
        profile.write_attribute(work, "owner", action.path, wanted)

    return effect


def _take_turns(work: Work, counter: str, count: int) -> int:
    """How many turns were taken before; these are taken now."""
    before = int(read_state(work.connection, counter) or 0)
    if count:
        write_state(work.connection, counter, before + count)
    return before
