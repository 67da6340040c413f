"""`assign_owner`: one address for all, or each of a list in turn (ruling 130)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, update

from flowscore.engine import profile
from flowscore.engine.scratch import walking
from flowscore.engine.states import read_state, write_state
from flowscore.language.actions import AssignOwner
from flowscore.language.words import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flowscore.engine.path import Path, Verb
    from flowscore.engine.work import Work


# Databases differ in where those stand who have no address.
OLDEST_FIRST = (walking.c.entered_at, func.coalesce(walking.c.email, ""), walking.c.key)


def assign(action: AssignOwner, path: Path) -> Verb:
    """The effect: attribute `owner`. Turns go oldest enrollment first; the holdout takes none."""
    ordered = (
        select(walking.c.enrollment_id, walking.c.contact_id)
        .where(path.touched())
        .order_by(*OLDEST_FIRST)
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


def keep_turns_in_order(work: Work, paths: Mapping[int, Path]) -> None:
    """Where owners take turns, the oldest enrollment goes first, whoever's it is (ruling 130).

    Enrollments walk in waves, in each of them one of a contact. Elsewhere a wave is the n-th of
    each contact; here it ends where a contact comes again, so that no wave overtakes another.
    """
    versions: dict[int, list[int]] = {}  # by the scenario's place in the order
    for id_, path in paths.items():
        if _takes_turns(path):
            versions.setdefault(path.order, []).append(id_)
    for of_scenario in versions.values():
        rows = select(walking).where(walking.c.definition_id.in_(of_scenario))
        waves = list(_waves(work.once(rows.order_by(*OLDEST_FIRST))))
        if waves:
            work.connection.execute(SET_TURN, waves)


def _waves(rows: Iterable[Any]) -> Iterator[dict[str, int]]:
    """The wave of each enrollment; a new one begins where a contact comes again."""
    wave = 1
    met: set[int] = set()
    for row in rows:
        if row.contact_id in met:
            wave, met = wave + 1, set()
        met.add(row.contact_id)
        yield {"number": row.enrollment_id, "wave": wave}


def _takes_turns(path: Path) -> bool:
    return any(isinstance(w, AssignOwner) and w.round_robin for w in walk(path.scenario.actions))


SET_TURN = (
    update(walking)
    .where(walking.c.enrollment_id == bindparam("number"))
    .values(turn=bindparam("wave"))
)
