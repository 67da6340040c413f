"""Every version that was ever live: what changed from one to the next, and who is on which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from flowscore.engine import recompute
from flowscore.engine.registry import definitions_of, load_applied
from flowscore.errors import FlowscoreError
from flowscore.language.document import Node, read_documents
from flowscore.language.project import Project, read_stored
from flowscore.planning.consequences import needs_trying
from flowscore.planning.differences import differences
from flowscore.planning.foresight import foresee
from flowscore.planning.plan import Plan, make_plan
from flowscore.planning.restoring import Restored, restore
from flowscore.planning.standing import Standing
from flowscore.planning.summaries import summary
from flowscore.store.database import Store
from flowscore.store.tables import contacts, definitions, enrollments
from flowscore.views.columns import shown_at
from flowscore.views.people import name_known

if TYPE_CHECKING:
    from flowscore.language.words import Scope

Row = dict[str, Any]

UNFINISHED = (
    "scores are being judged anew and whoever did it was stopped; the next tick, apply or "
    "rescore goes on with it"
)


@dataclass(frozen=True)
class Versions:
    """What a door may ask about versions, one method each."""

    store: Store
    root: Path
    live: Callable[[Connection], Project]

    def plan(
        self, new: Project, *, whole: bool = False, watch: Callable[[int], None] = lambda _: None
    ) -> Plan:
        """What an apply of this project would change.

        What that moves is tried out and taken back where a look does not tell it: on everybody
        (`whole`), or on a sample of many.
        """
        with self._standing(new) as standing:
            if not needs_trying(standing):
                return make_plan(standing)
        with ExitStack() as held:
            why = self._take_lock(held)
            standing = held.enter_context(self._standing(new))
            if not why and recompute.is_pending(standing.connection):
                why = UNFINISHED
            standing.unforeseen = why
            if not why:
                standing.foresight = foresee(self.store, standing, whole=whole, watch=watch)
            return make_plan(standing)

    def _take_lock(self, held: ExitStack) -> str:
        """The tick's, so that nothing moves meanwhile; why it cannot be taken."""
        try:
            held.enter_context(self.store.lock_tick())
        except FlowscoreError as error:
            return str(error)
        return ""

    @contextmanager
    def _standing(self, new: Project) -> Iterator[Standing]:
        with self.store.read() as connection:
            yield Standing(connection, self.store.dialect, load_applied(connection), new)

    def history(self, name: str) -> list[Row]:
        """The versions of a definition, newest first."""
        with self.store.read() as connection:
            rows = list(connection.execute(select(definitions).order_by(definitions.c.id)))
            own = _versions_of(name, rows)
            return [*_history(connection, own, rows)][::-1]

    def source(self, name: str, version: int | None) -> Row:
        """A version as it was written; the newest where none is named."""
        with self.store.read() as connection:
            rows = list(connection.execute(select(definitions).order_by(definitions.c.id)))
        row = _version(version, _versions_of(name, rows))
        return {
            row.kind: name,
            "version": row.version,
            "where": f"{row.file}:{row.line}",
            "applied_at": shown_at(row.applied_at),
            "text": row.source,
        }

    def restore(self, name: str, version: int) -> Restored:
        """Write a version's text into `scenarios/` in the place of what stands there."""
        with self.store.read() as connection:
            rows = list(connection.execute(select(definitions).order_by(definitions.c.id)))
        own = _versions_of(name, rows)
        text = _version(version, own).source
        what = (own[0].kind, name)
        return restore(self.root, what, text, kept={row.source for row in own})


def _versions_of(name: str, rows: list[Any]) -> list[Any]:
    """The versions of a scenario that was ever live, oldest first; else of what is called so."""
    kinds = {row.kind for row in rows if row.name == name}
    scenarios = {row.name for row in rows if row.kind == "scenario"}
    if not kinds and not scenarios:
        raise FlowscoreError("no scenario was ever applied; `flowscore apply` makes one live")
    kinds = {row.kind for row in rows if row.name == name}
    if "scenario" in kinds or not kinds:
        name_known(
            name, {r.name for r in rows if r.kind == "scenario"}, "scenario that was ever live"
        )
        kinds = {"scenario"}
    if len(kinds) > 1:
        raise FlowscoreError(f"'{name}' is a {' and a '.join(sorted(kinds))}: no telling which")
    return [row for row in rows if row.kind in kinds and row.name == name]


def _version(version: int | None, own: list[Any]) -> Any:
    """The one with that number, the newest where none is named."""
    if version is None:
        return own[-1]
    for row in own:
        if row.version == version:
            return row
    numbers = ", ".join(str(row.version) for row in own)
    of = f"{own[0].kind} '{own[0].name}'"
    raise FlowscoreError(f"{of} has no version {version}; there are: {numbers}")


def _history(connection: Connection, own: list[Any], rows: list[Any]) -> Iterator[Row]:
    fates = _fates(connection, [row.id for row in own])
    before: Any = None
    for row in own:
        yield {
            row.kind: row.name,
            "version": row.version,
            "state": "live" if row.retired_at is None else "retired",
            "applied_at": shown_at(row.applied_at),
            "live_from": shown_at(row.live_from),
            "retired_at": shown_at(row.retired_at),
            "where": f"{row.file}:{row.line}",
            **(fates.get(row.id, NOBODY) if row.kind == "scenario" else {}),
            "changes": list(_changes(row, before, own, rows)),
        }
        before = row


NOBODY = dict.fromkeys(("entered", "inside", "finished", "exited", "converted", "held"), 0)


def _fates(connection: Connection, ids: list[int]) -> dict[int, dict[str, int]]:
    """How the people of each version fared; `held` are those of them to whom nothing is done."""
    of = enrollments.c
    query = (
        select(of.definition_id, of.outcome, of.held, func.count())
        .join(contacts, contacts.c.id == of.contact_id)
        .where(of.definition_id.in_(ids), contacts.c.email.is_not(None))
        .group_by(of.definition_id, of.outcome, of.held)
    )
    found: dict[int, dict[str, int]] = {}
    for id_, outcome, held, count in connection.execute(query):
        fate = found.setdefault(id_, dict(NOBODY))
        fate["entered"] += count
        fate[outcome or "inside"] = fate.get(outcome or "inside", 0) + count
        fate["held"] += count if held else 0
    return found


# ---------------------------------------------------------------- what changed


def _changes(row: Any, before: Any, own: list[Any], rows: list[Any]) -> Iterator[str]:
    if before is not None and before.retired_at < row.applied_at:
        yield f"it was gone since {shown_at(before.retired_at)}"
    earlier = [one for one in own if one.id < row.id and one.digest == row.digest]
    if earlier:
        yield f"the same as version {earlier[-1].version}"
    try:
        new = _as_it_was(row, rows)
        yield from differences(_as_it_was(before, rows), new) if before else summary(new)
    except FlowscoreError as error:
        yield f"what changed cannot be told: {error}"


def _as_it_was(row: Any, rows: list[Any]) -> Scope:
    """The definition of that version, read among those that were live beside it."""
    beside = [one for one in rows if one.applied_at <= row.applied_at < _end(one)]
    texts = [(one.file, one.line, one.source) for one in beside]
    project = read_stored(texts, _whatever_is_named(texts))
    return next(
        one for kind, name, one in definitions_of(project) if (kind, name) == (row.kind, row.name)
    )


def _end(row: Any) -> float:
    return float("inf") if row.retired_at is None else float(row.retired_at)


def _whatever_is_named(texts: list[tuple[str, int, str]]) -> dict[str, dict[str, str]]:
    """Mails that may be gone are no mistake of an old version: each word could be one's name."""
    documents = (one for text in texts for one in read_documents(text[2], text[0], text[1])[0])
    words = {word for one in documents for word in _scalars(one.root)}
    return {word: {"name": word, "topic": "", "file": ""} for word in words}


def _scalars(node: Node) -> Iterator[str]:
    if isinstance(node.value, str):
        yield node.value
    for inner in (*node.elements, *node.items.values()):
        yield from _scalars(inner)
