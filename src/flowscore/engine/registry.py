"""What is live: versions of definitions in the store, the watermark, and `apply`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, func, insert, null, select, update

from flowscore.engine import outbox, recompute
from flowscore.engine.enrollment import stands_there, states_of
from flowscore.engine.moves import Moves
from flowscore.engine.program import Applied, Program, Version, compile_program
from flowscore.engine.refusals import refuse_if_needed
from flowscore.engine.states import read_state, write_state
from flowscore.errors import FlowscoreError
from flowscore.language.document import read_documents
from flowscore.language.project import Project, digest, read_definition, read_stored
from flowscore.store.tables import definitions, enrollments

if TYPE_CHECKING:
    from flowscore.language.scenario import Scenario
    from flowscore.rules.book import Book
    from flowscore.store.database import Store

KINDS = ("policy", "list", "score", "grade", "lifecycle", "scenario")


@dataclass
class ApplyReport:
    """What an apply changed: (kind, name) by what became of it."""

    added: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    unchanged: int = 0
    recomputed: list[str] = field(default_factory=list)
    moved: Moves = field(default_factory=Moves)
    """What the recompute moved."""
    resumed: bool = False
    """It went on with one that was stopped; nothing else was to be recomputed."""
    taken_in: dict[str, int] = field(default_factory=dict)
    """How many contacts stand where a scenario begins that is to take them in, by its name."""


# ---------------------------------------------------------------- state


TAKES_IN = "takes in existing"  # the state's key for the scenarios that the next tick asks


def watermark(connection: Connection) -> int | None:
    """The instant of the last tick, None before the first."""
    return read_state(connection, "watermark")


def set_watermark(connection: Connection, at: int) -> None:
    """This instant's tick is done."""
    write_state(connection, "watermark", at)


# ---------------------------------------------------------------- what is live

_programs: dict[tuple[str, int], Program] = {}


def program(connection: Connection, dialect: str) -> Program:
    """The compiled live project; compiled once per apply."""
    key = (str(connection.engine.url), read_state(connection, "revision") or 0)
    if key not in _programs:
        _programs.clear()
        _programs[key] = compile_program(load_applied(connection), dialect)
    return _programs[key]


def live_project(connection: Connection) -> Project:
    """The project as last applied; who stands where in older versions is not asked."""
    live = select(definitions).where(definitions.c.retired_at.is_(null()))
    return _read_live(connection, connection.execute(live.order_by(definitions.c.id)).all())


def _read_live(connection: Connection, rows: Sequence[Any]) -> Project:
    templates = read_state(connection, "templates") or {}
    return read_stored([(row.file, row.line, row.source) for row in rows], templates)


def load_applied(connection: Connection) -> Applied:
    """The live project, and every version of a scenario that somebody is inside of."""
    rows = connection.execute(select(definitions).order_by(definitions.c.id)).all()
    live = [row for row in rows if row.retired_at is None]
    project = _read_live(connection, live)
    return Applied(
        project=project,
        versions=tuple(_versions(connection, rows, project)),
        score_ids={row.name: row.id for row in live if row.kind == "score"},
    )


def _versions(connection: Connection, rows: Sequence[Any], project: Project) -> Iterator[Version]:
    inside, watched = _peopled(connection)
    before: dict[str, list[Any]] = {}
    for row in rows:
        if row.kind != "scenario":
            continue
        is_live = row.retired_at is None
        scenario = project.scenarios[row.name] if is_live else None
        if row.id in inside:
            scenario = scenario or _read(row, project)
        elif row.id in watched:
            scenario = scenario or _read_if_possible(row, project)
        if scenario is not None:
            first = takes_in_anew(before.get(row.name, []), row.live_from)
            yield Version(scenario, row.id, is_live, row.live_from, first)
        before.setdefault(row.name, []).append(row)


def _peopled(connection: Connection) -> tuple[set[int], set[int]]:
    """The versions with people inside, and those whose finished people's goal is measured."""
    rows = enrollments.c
    inside = select(rows.definition_id).where(rows.ended_at.is_(null())).distinct()
    measured = and_(rows.outcome == "finished", rows.goal_until > (watermark(connection) or 0))
    watched = select(rows.definition_id).where(measured).distinct()
    return set(connection.scalars(inside)), set(connection.scalars(watched))


def _read(row: Any, project: Project) -> Any:
    return read_definition(row.source, row.file, row.line, project)


def _read_if_possible(row: Any, project: Project) -> Any:
    """None where it names what has gone: nobody is inside, its goal is measured no more."""
    try:
        return _read(row, project)
    except FlowscoreError:
        return None


def takes_in_anew(earlier: Sequence[Any], mark: int | None) -> bool:
    """Whether no version before enrolled those already there; the versions come oldest first.

    One that was switched off, or was replaced before a tick, enrolled nobody: the one before
    it answers.
    """
    for row in reversed(earlier):
        said, enabled = _says(row, "enroll_existing", False), _says(row, "enabled", True)
        if not said:
            return True
        if enabled and row.live_from != mark:
            return False
    return True


def _says(row: Any, key: str, default: bool) -> bool:
    """A switch of a version; what else it names may be long gone."""
    documents, _ = read_documents(row.source, row.file, row.line)
    nodes = [document.root.items.get(key) for document in documents]
    said = [node.value is True for node in nodes if node is not None]
    return said[-1] if said else default


# ---------------------------------------------------------------- apply


def apply_project(
    store: Store,
    project: Project,
    now: int,
    enroll_existing: Sequence[str] = (),
    *,
    fires: bool = False,
    watch: Callable[[int], None] = lambda _: None,
) -> ApplyReport:
    """Make the project live in one transaction; people inside finish on their version.

    `now` is the clock, for the record. What became stale is then recomputed silently (ruling
    128), batch for batch, and `watch` is told how many more contacts are done; with `fires` the
    next tick notices what moved. It enrolls into the scenarios `enroll_existing` who stands there
    already (ruling 45).
    """
    report = ApplyReport()
    with store.lock_tick():
        resumed = catch_up(store, watch)
        with store.transact() as connection:
            make_live(connection, project, now, report, fires=fires)
            if enroll_existing:
                _invite(connection, project, enroll_existing)
        report.moved = catch_up(store, watch) or report.moved
        if resumed is not None and not report.moved.contacts:
            report.moved, report.resumed = resumed, True
        with store.read() as connection:
            live = program(connection, store.dialect)
            report.taken_in = dict(_standing_there(connection, live, enroll_existing))
    return report


def make_live(
    connection: Connection, project: Project, now: int, report: ApplyReport, *, fires: bool
) -> None:
    """Record the definitions and order what became stale, in the caller's transaction."""
    old = load_applied(connection)
    refuse_if_needed(connection, old, project)
    mark = watermark(connection)
    _record(connection, project, now, mark, report)
    outbox.ask_again(connection)
    outbox.follow_topics(connection, _newly_of(old.project, project))
    templates = {name: one.model_dump() for name, one in project.templates.items()}
    write_state(connection, "templates", templates)
    write_state(connection, "revision", (read_state(connection, "revision") or 0) + 1)
    if mark is not None:
        new = live_project(connection)
        report.recomputed = recompute.order_changes(connection, old.project, new, fires=fires)


def catch_up(store: Store, watch: Callable[[int], None] = lambda _: None) -> Moves | None:
    """Work off a recompute that was ordered, each batch in a transaction of its own.

    Whoever holds the tick's lock does it first, so that no tick sees half of one. `watch` is told
    how many more contacts are done. Returns what moved; None where nothing was ordered.
    """
    with store.read() as connection:
        if not recompute.is_pending(connection):
            return None
    while True:
        with store.transact() as connection:
            mark = watermark(connection)
            assert mark is not None  # nothing is ordered before the first tick
            judged = recompute.do_batch(connection, program(connection, store.dialect), mark)
        watch(judged.contacts)
        if not judged.contacts:
            return judged.moved


def _newly_of(old: Project, new: Project) -> dict[str, str]:
    """The templates whose topic is another than before, with it."""
    before = {name: one.topic for name, one in old.templates.items()}
    now = {name: one.topic for name, one in new.templates.items()}
    return {name: now[name] for name in before.keys() & now.keys() if before[name] != now[name]}


def _invite(connection: Connection, project: Project, names: Sequence[str]) -> None:
    """Leave a note for the next tick.

    Nothing is compiled before it stands: a refusal takes the revision back that it is kept under.
    """
    for name in names:
        _refuse_taking_in(project.scenarios[name])
    asked = {*names, *(read_state(connection, TAKES_IN) or ())}
    write_state(connection, TAKES_IN, sorted(asked))


def _standing_there(
    connection: Connection, live: Program, names: Sequence[str]
) -> Iterator[tuple[str, int]]:
    """How many contacts stand where each of these scenarios begins."""
    for name in dict.fromkeys(names):
        standing = stands_there(live.applied.project.scenarios[name], live.book)
        yield name, count_rows(connection, standing, live.book)


def _refuse_taking_in(scenario: Scenario) -> None:
    """Only into a state can people be already; an event happens, and is over."""
    if not states_of(scenario):
        raise FlowscoreError(
            f"scenario '{scenario.name}' ({scenario.mark}) cannot enroll who stands there already: "
            "a trigger of it is no state that people are in. States are: score (reaches, "
            "falls_to), grade, stage, list_joined, attribute with `to` and without `from`, "
            "subscribed, unsubscribed, inactive. `flowscore scenarios enroll` enrolls one "
            "contact into any scenario"
        )
    if not scenario.enabled:
        raise FlowscoreError(
            f"scenario '{scenario.name}' ({scenario.mark}) is switched off (enabled: false), "
            "so nobody would enter: switch it on in the file first"
        )


def count_rows(connection: Connection, rows: Select[Any], book: Book) -> int:
    """How many rows a statement of the book finds as of the watermark; none before a tick."""
    mark = watermark(connection)
    if mark is None:
        return 0
    query = select(func.count()).select_from(rows.subquery())
    return connection.execute(query, book.instants(mark, mark)).scalar_one()


def _record(
    connection: Connection, project: Project, now: int, mark: int | None, report: ApplyReport
) -> None:
    rows = connection.execute(select(definitions).where(definitions.c.retired_at.is_(null()))).all()
    live = {(row.kind, row.name): row for row in rows}
    for kind, name, definition in definitions_of(project):
        row = live.pop((kind, name), None)
        meaning = digest(definition)
        if row is not None and row.digest == meaning:
            report.unchanged += 1
            _note_place(connection, row, definition, project.sources[f"{kind}/{name}"])
            continue
        (report.added if row is None else report.changed).append((kind, name))
        if row is not None:
            _retire(connection, row.id, now)
        _insert(connection, project, (kind, name, definition, meaning), now, mark)
    for (kind, name), row in live.items():
        report.removed.append((kind, name))
        _retire(connection, row.id, now)


def definitions_of(project: Project) -> Iterator[tuple[str, str, Any]]:
    """Kind, name and meaning of everything that an apply makes live."""
    for kind, group in (
        ("list", project.lists),
        ("score", project.scores),
        ("grade", project.grades),
        ("scenario", project.scenarios),
    ):
        for name, definition in group.items():
            yield kind, name, definition
    if project.lifecycle is not None:
        yield "lifecycle", project.lifecycle.name, project.lifecycle
    if f"policy/{project.policy.name}" in project.sources:
        yield "policy", project.policy.name, project.policy


def _note_place(connection: Connection, row: Any, definition: Any, source: str) -> None:
    """The same meaning in another place or layout: the newest text is the one to show."""
    mark = definition.mark
    connection.execute(
        update(definitions)
        .where(definitions.c.id == row.id)
        .values(file=mark.file, line=mark.line, source=source)
    )


def _retire(connection: Connection, id_: int, now: int) -> None:
    connection.execute(update(definitions).where(definitions.c.id == id_).values(retired_at=now))


def _insert(
    connection: Connection,
    project: Project,
    what: tuple[str, str, Any, str],
    now: int,
    mark: int | None,
) -> None:
    kind, name, definition, meaning = what
    newest = select(func.coalesce(func.max(definitions.c.version), 0)).where(
        definitions.c.kind == kind, definitions.c.name == name
    )
    connection.execute(
        insert(definitions).values(
            kind=kind,
            name=name,
            version=connection.execute(newest).scalar_one() + 1,
            source=project.sources[f"{kind}/{name}"],
            digest=meaning,
            file=definition.mark.file,
            line=definition.mark.line,
            applied_at=now,
            live_from=mark,
        )
    )
