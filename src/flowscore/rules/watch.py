"""Condition -> what may change its answer: the changes it reads and the edges the clock passes.

What must be kept true (`members`, `when`) is asked again only for contacts of whom something
in this watch happened; a test holds that against asking everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, func, select

from flowscore.language import conditions as words
from flowscore.rules.operators import edge_offsets
from flowscore.rules.traits import COLUMNS_THAT_COUNT_AS_ATTRIBUTES
from flowscore.store.tables import attributes, company_attributes, contacts, enrollments, events

if TYPE_CHECKING:
    from flowscore.language.words import EventQuery, ValueTests
    from flowscore.rules.book import Book


@dataclass(frozen=True)
class Edge:
    """Instants `instant + offset` at which the clock alone may change a contact's answer.

    `local`: the column holds wall-clock times of the policy's zone. `through`: how a row that is
    not the contact's own leads to the contact; the next instant is found without it.
    """

    who: ColumnElement[Any]
    instant: ColumnElement[Any]
    where: tuple[ColumnElement[bool], ...]
    offset: int
    local: bool = False
    through: tuple[ColumnElement[bool], ...] = ()

    def passed(self, book: Book) -> Select[Any]:
        """The contacts for whom such an instant lies in (prev, now]."""
        low, high = self._bounds(book)
        inside = (self.instant > low, self.instant <= high)
        return select(self.who).where(*self.where, *inside, *self.through)

    def next(self, book: Book) -> Select[Any]:
        """The first such instant after `prev`, as it stands in the column (one look-up)."""
        low, _ = self._bounds(book)
        return select(func.min(self.instant)).where(*self.where, self.instant > low)

    def _bounds(self, book: Book) -> tuple[Any, Any]:
        if self.local:
            return book.local("prev", -self.offset), book.local("now", -self.offset)
        return book.prev - self.offset, book.now - self.offset


@dataclass
class Watch:
    """What a condition listens to."""

    changes: set[tuple[str, str]] = field(default_factory=set)  # (kind, name)
    events: set[str] = field(default_factory=set)  # names in the log
    behaviour: bool = False
    edges: list[Edge] = field(default_factory=list)

    def join(self, other: Watch) -> None:
        """Listen to what the other listens to as well."""
        self.changes |= other.changes
        self.events |= other.events
        self.behaviour = self.behaviour or other.behaviour
        self.edges += other.edges


@dataclass(frozen=True, eq=False)
class Asked:
    """An edge with its statements; conditions that share an edge share this."""

    edge: Edge
    passed: Select[Any]  # the contacts
    next: Select[Any]


def shared(book: Book, edge: Edge) -> Asked:
    """The book's one entry for this edge."""
    clauses = [str(one.compile(compile_kwargs={"literal_binds": True})) for one in edge.where]
    name = f"{type(edge).__name__} {edge.instant} {clauses} {edge.offset} {edge.local}"
    if name not in book.edges:
        book.edges[name] = Asked(edge, edge.passed(book), edge.next(book))
    found: Asked = book.edges[name]
    return found


EXISTENCE = Edge(contacts.c.id, contacts.c.created_at, (), 0)


def watch(condition: words.Condition) -> Watch:
    """Everything that may change the condition's answer for some contact."""
    seen = listen(condition)
    seen.changes.add(("contact", ""))
    seen.edges.append(EXISTENCE)
    return seen


@singledispatch
def listen(condition: words.Condition) -> Watch:
    """What one word listens to; one function for each."""
    raise TypeError(f"nothing to watch for {type(condition).__name__}")


@listen.register(words.All)
@listen.register(words.AnyOf)
def _(condition: words.All | words.AnyOf) -> Watch:
    seen = Watch()
    for one in condition.of:
        seen.join(listen(one))
    return seen


@listen.register
def _(condition: words.Not) -> Watch:
    return listen(condition.of)


@listen.register
def _(condition: words.ScoreIs) -> Watch:
    return Watch(changes={("score", condition.score)})


@listen.register
def _(condition: words.GradeIs) -> Watch:
    return Watch(changes={("grade", condition.grade)})


@listen.register
def _(condition: words.StageIs) -> Watch:
    return Watch(changes={("stage", "")})


@listen.register
def _(condition: words.AttributeIs) -> Watch:
    seen = Watch(changes={("attribute", one.name) for one in condition.attributes})
    for one in condition.attributes:
        seen.edges += attribute_edges(one)
    return seen


@listen.register
def _(condition: words.CompanyIs) -> Watch:
    seen = Watch(changes={("company", one.name) for one in condition.attributes})
    seen.changes.add(("company", ""))
    for one in condition.attributes:
        seen.edges += company_edges(one)
    return seen


@listen.register
def _(condition: words.InList) -> Watch:
    return Watch(changes={("list", name) for name in condition.lists})


@listen.register
def _(condition: words.Happened) -> Watch:
    query = condition.query
    seen = Watch(events=set(query.names))
    for offset in (query.within, query.older_than):
        if offset is not None:
            seen.edges += [event_edge(name, offset) for name in query.names]
    if reads_the_clock(query.where):
        seen.edges.append(every_contact_with(query))
    return seen


@listen.register
def _(condition: words.ThisEvent) -> Watch:
    return Watch(edges=[EVERYBODY_INSIDE] if reads_the_clock(condition.properties) else [])


@listen.register
def _(condition: words.MailIgnored) -> Watch:
    return Watch(
        events={"email_sent", condition.awaited},
        edges=[event_edge("email_sent", condition.within)],
    )


@listen.register
def _(condition: words.Inactive) -> Watch:
    quiet = Edge(events.c.contact_id, events.c.own_at, (events.c.behaviour,), condition.duration)
    created = Edge(contacts.c.id, contacts.c.created_at, (), condition.duration)
    return Watch(behaviour=True, edges=[quiet, created])


@listen.register
def _(condition: words.MayMail) -> Watch:
    return Watch(changes={("consent", "")})


@listen.register
def _(condition: words.Drawn) -> Watch:
    return Watch()


def event_edge(name: str, offset: int) -> Edge:
    """An event of that name becomes `offset` old."""
    return Edge(events.c.contact_id, events.c.own_at, (events.c.name == name,), offset)


def attribute_edges(asked: ValueTests) -> list[Edge]:
    """The instants at which a date in the attribute crosses a window of one of the tests."""
    found = []
    for offset in {at for test in asked.tests for at in edge_offsets(test)}:
        if asked.name in COLUMNS_THAT_COUNT_AS_ATTRIBUTES:
            found.append(Edge(contacts.c.id, contacts.c.created_at, (), offset))
            continue
        named = (attributes.c.name == asked.name,)
        found.append(Edge(attributes.c.contact_id, attributes.c.instant, named, offset))
        found.append(Edge(attributes.c.contact_id, attributes.c.local, named, offset, local=True))
    return found


def company_edges(asked: ValueTests) -> list[Edge]:
    """The same of an attribute of the company, for everybody in it."""
    rows = company_attributes
    named = (rows.c.name == asked.name,)
    members = (contacts.c.company_id == rows.c.company_id,)
    found = []
    for offset in {at for test in asked.tests for at in edge_offsets(test)}:
        found.append(Edge(contacts.c.id, rows.c.instant, named, offset, through=members))
        found.append(Edge(contacts.c.id, rows.c.local, named, offset, local=True, through=members))
    return found


def reads_the_clock(properties: tuple[ValueTests, ...]) -> bool:
    """Whether a property of an event is held against the clock (`where: {due: {within: …}}`)."""
    return any(edge_offsets(test) for asked in properties for test in asked.tests)


class EveryTick(Edge):
    """No index knows when a property's date crosses a window: whoever has the event is asked."""

    def passed(self, book: Book) -> Select[Any]:
        return select(self.who).where(*self.where).distinct()

    def next(self, book: Book) -> Select[Any]:
        return select(func.max(book.prev)).where(select(1).where(*self.where).exists())


def every_contact_with(query: EventQuery) -> Edge:
    """All who have such an event, at every tick."""
    named = (events.c.name.in_(query.names),)
    return EveryTick(events.c.contact_id, events.c.own_at, named, 0)


# Nor when a date in the event that enrolled somebody does: whoever is inside is asked.
EVERYBODY_INSIDE = EveryTick(
    enrollments.c.contact_id, enrollments.c.due_at, (enrollments.c.ended_at.is_(None),), 0
)
