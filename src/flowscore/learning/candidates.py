"""Which attributes and behaviours are candidates: enough leads have them, and no rule reads them.

Each is counted in the database over all leads; what is known only after the sale is found by its
time, left out, and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from flowscore.language.grammar.sensitive import is_sensitive
from flowscore.learning import facts
from flowscore.learning.columns import Cut, Subject
from flowscore.learning.cutting import FEWEST, FINE_BINS, RARE_VALUES, Counts, cut, tidy_edges
from flowscore.learning.families import COMPANY, family_of_attribute, family_of_event
from flowscore.learning.lessons import LeftOut
from flowscore.learning.population import leads
from flowscore.learning.rates import NOBODY, Rate, is_clear, together
from flowscore.learning.weighing import is_worth_weighing
from flowscore.learning.yaml_words import key, scalar

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from flowscore.learning.asking import Question
    from flowscore.learning.covered import Covered

MOST_BEHAVIOURS = 60
MOST_DIFFERENT = 0.5  # values ÷ leads: above, a text names the lead
FEW_LATE = 5  # customers who got it too late, from which it may be a leak
NEARLY_ALL_LATE = 0.9
MEASURED = 0.95  # share of values that are numbers
FEW_NUMBERS = 8  # different ones; up to so many a number is an answer like a text
NAMES_PEOPLE = frozenset("email phone first_name last_name name full_name user_id address".split())


@dataclass
class Candidates:
    """Columns with their answers, counted over all leads; and what was left out, and why."""

    cuts: list[Cut] = field(default_factory=list)
    unclear: list[Cut] = field(default_factory=list)  # they close like all leads
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, subject: Subject, counts: Counts, everybody: Rate) -> None:
        """One more column; a rule that is there is weighed whatever it says."""
        made = cut(subject, counts)
        weighed = subject.source == "rule" or is_worth_weighing(made, everybody.share)
        (self.cuts if weighed else self.unclear).append(made)

    def refuse(self, name: str, reason: str, kind: Any) -> None:
        """One less, and why."""
        self.left_out.append(LeftOut(name, reason, kind))


# --- behaviour --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timed:
    """How many have it in time, and how many customers only when it was too late."""

    rate: Rate
    late: int

    @property
    def share_late(self) -> float:
        """Of the customers who have it at all."""
        return self.late / (self.late + self.rate.won) if self.late else 0.0


def count_behaviour(
    connection: Connection, rows: Select[Any], params: Mapping[str, Any]
) -> dict[str, Timed]:
    """By name."""
    found = connection.execute(facts.counted(rows), params)
    return {str(row.name): Timed(Rate(row.leads, row.won), row.late) for row in found}


def add_behaviours(
    connection: Connection,
    found: Candidates,
    everybody: Rate,
    known: Covered,
    question: Question,
    itself: frozenset[str],
) -> None:
    """Events, pages and sections that tell customers from others; one statement each."""
    kinds = (
        ("event", facts.event_facts(), _event_subject),
        ("page", facts.page_facts(), _page_subject),
        ("section", facts.section_facts(connection.dialect.name), _page_subject),
    )
    ranked: list[tuple[bool, float, Subject, Rate]] = []
    for kind, rows, subject_of in kinds:
        for name, timed in sorted(count_behaviour(connection, rows, {}).items()):
            if name in itself or name in question.left_out:
                continue
            event, about = (name, "") if kind == "event" else (facts.PAGE, name)
            if known.behaviour(event, about):
                continue
            subject = subject_of(name)
            if comes_after(timed):
                found.refuse(subject.label, too_late(timed), "leak")
            elif timed.rate.leads >= FEWEST:
                strength = abs(timed.rate.share - everybody.share) * timed.rate.leads**0.5
                clear = is_clear(timed.rate, everybody.share)
                ranked.append((not clear, -strength, subject, timed.rate))
    ranked.sort(key=lambda one: (*one[:2], one[2].key))
    for _, _, subject, rate in ranked[:MOST_BEHAVIOURS]:
        found.add(subject, Counts(everybody - rate, bins=[rate]), everybody)


def _event_subject(name: str) -> Subject:
    words = "any" if name in facts.MAIL else ""
    asked = f"{{{name}: any}}" if words else f"{{event: {key(name)}}}"
    place = f"on: {asked}, cap: {{times: 1}}"
    return Subject(f"event/{name}", "event", name, family_of_event(name), place, "flag")


def _page_subject(path: str) -> Subject:
    place = f"on: {{page_visited: {scalar(path)}}}, cap: {{times: 1}}"
    label = f"page {path}"
    return Subject(f"page/{path}", "event", label, family_of_event(facts.PAGE, path), place, "flag")


def comes_after(timed: Timed) -> bool:
    return timed.late >= FEW_LATE and timed.share_late >= NEARLY_ALL_LATE


def too_late(timed: Timed) -> str:
    return (
        f"known only after the outcome: of {timed.late + timed.rate.won:,} customers who have it, "
        f"{timed.late:,} had it only then"
    )


# --- attributes -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Profile:
    """An attribute over all leads: who has it in time, its different values, its numbers."""

    timed: Timed
    different: int
    numbers: int


def add_attributes(
    connection: Connection,
    found: Candidates,
    everybody: Rate,
    known: Covered,
    question: Question,
) -> None:
    """Attributes of people and of their companies that may say something."""
    for source, rows, taken in (
        ("attribute", facts.attribute_facts(), known.attributes),
        ("company", facts.company_facts(), known.company),
    ):
        profiles = _profiles(connection, rows)
        kept = {
            name: one
            for name, one in profiles.items()
            if name not in taken and _may_speak(found, source, name, one, question)
        }
        numbers = {name for name, one in kept.items() if _is_measured(one)}
        for name, counts in _count_numbers(connection, rows, numbers, everybody, kept):
            found.add(_attribute_subject(source, name, "number"), counts, everybody)
        for name, counts in _count_texts(connection, rows, set(kept) - numbers, everybody, kept):
            found.add(_attribute_subject(source, name, "text"), counts, everybody)


def _attribute_subject(source: Any, name: str, kind: Any) -> Subject:
    family = COMPANY if source == "company" else family_of_attribute(name)
    label = f"company {name}" if source == "company" else name
    return Subject(f"{source}/{name}", source, label, family, name, kind)


def _profiles(connection: Connection, rows: Select[Any]) -> dict[str, Profile]:
    """One statement for all attributes."""
    some = rows.subquery()
    shape = (
        select(
            some.c.name,
            func.count(some.c.text.distinct()).label("different"),
            func.count(some.c.number).label("numbers"),
        )
        .join_from(some, leads, leads.c.contact_id == some.c.contact_id)
        .where(some.c.known_at < leads.c.until_at)
        .group_by(some.c.name)
    )
    shapes = {row.name: row for row in connection.execute(shape)}
    counts = connection.execute(facts.counted(rows))
    found = {}
    for row in counts:
        one = shapes.get(row.name)
        timed = Timed(Rate(row.leads, row.won), row.late)
        found[row.name] = Profile(timed, one.different if one else 0, one.numbers if one else 0)
    return dict(sorted(found.items()))


def _may_speak(found: Candidates, source: str, name: str, one: Profile, question: Question) -> bool:
    """Whether the attribute may say something of the next lead; else why not is noted."""
    rate = one.timed.rate
    label = f"company {name}" if source == "company" else name
    if name in question.left_out:
        found.refuse(label, "you left it out", "asked")
    elif is_sensitive(name) and not question.sensitive:
        found.refuse(
            label,
            "sensitive attribute: a rule on it needs a justification; --include-sensitive takes "
            "it in",
            "sensitive",
        )
    elif one.timed.late >= FEW_LATE and one.timed.share_late > 0.5 and name not in question.used:
        found.refuse(label, f"{too_late(one.timed)} (or said again then)", "leak")
    elif name in NAMES_PEOPLE or _names_the_lead(one):
        found.refuse(label, "nearly every lead has another value: it names the lead", "id")
    elif rate.leads < FEWEST:
        found.refuse(label, f"only {rate.leads:,} leads have it", "thin")
    else:
        return True
    return False


def _names_the_lead(one: Profile) -> bool:
    leads_with_it = one.timed.rate.leads
    texts = one.numbers < MEASURED * leads_with_it
    return texts and leads_with_it >= FEWEST and one.different > MOST_DIFFERENT * leads_with_it


def _is_measured(one: Profile) -> bool:
    return one.numbers >= MEASURED * one.timed.rate.leads and one.different > FEW_NUMBERS


def _count_texts(
    connection: Connection,
    rows: Select[Any],
    names: set[str],
    everybody: Rate,
    profiles: Mapping[str, Profile],
) -> Iterator[tuple[str, Counts]]:
    """Each value that enough leads have; the rest of an attribute's values is one rare one."""
    if not names:
        return
    few = rows.subquery()
    chosen = select(few).where(few.c.name.in_(sorted(names)))
    found: dict[str, dict[str, Rate]] = {name: {} for name in sorted(names)}
    query = facts.counted(chosen, "text")
    for row in connection.execute(query.having(func.count() >= FEWEST)):
        if row.leads:
            found[row.name][row.text] = Rate(row.leads, row.won)
    for name, texts in found.items():
        whole = profiles[name].timed.rate
        rest = whole - together(texts.values())
        if rest.leads > 0:
            texts[RARE_VALUES] = rest
        yield name, Counts(everybody - whole, texts=texts)


def _count_numbers(
    connection: Connection,
    rows: Select[Any],
    names: set[str],
    everybody: Rate,
    profiles: Mapping[str, Profile],
) -> Iterator[tuple[str, Counts]]:
    """Each attribute in fine bins, by the quantiles of its numbers; two statements for all."""
    if not names:
        return
    edges = _quantiles(connection, rows, names)
    few = rows.subquery()
    place = case(
        *((few.c.name == name, _bin_of(few.c.number, edges[name])) for name in sorted(names)),
        else_=0,
    )
    binned = select(few.c.contact_id, few.c.name, few.c.known_at, place.label("bin")).where(
        few.c.name.in_(sorted(names)), few.c.number.is_not(None)
    )
    found = {name: [NOBODY] * (len(edges[name]) + 1) for name in sorted(names)}
    for row in connection.execute(facts.counted(binned, "bin")):
        found[row.name][row.bin] = Rate(row.leads, row.won)
    for name, bins in found.items():
        yield name, Counts(everybody - together(bins), edges=edges[name], bins=bins)


def _bin_of(number: Any, edges: Sequence[float]) -> Any:
    whens = [(number < edge, place) for place, edge in enumerate(edges)]
    return case(*whens, else_=len(edges)) if whens else 0


def _quantiles(
    connection: Connection, rows: Select[Any], names: set[str]
) -> dict[str, list[float]]:
    """The first number of each of twenty equal parts."""
    few = rows.subquery()
    tile = func.ntile(FINE_BINS).over(partition_by=few.c.name, order_by=few.c.number)
    tiled = (
        select(few.c.name, few.c.number, tile.label("tile"))
        .join_from(few, leads, leads.c.contact_id == few.c.contact_id)
        .where(
            few.c.name.in_(sorted(names)),
            few.c.number.is_not(None),
            few.c.known_at < leads.c.until_at,
        )
        .subquery()
    )
    query = (
        select(tiled.c.name, func.min(tiled.c.number).label("first"))
        .group_by(tiled.c.name, tiled.c.tile)
        .order_by(tiled.c.name, tiled.c.tile)
    )
    firsts: dict[str, list[float]] = {name: [] for name in names}
    for row in connection.execute(query):
        firsts[row.name].append(float(row.first))
    return {name: tidy_edges(some[1:], some[0]) for name, some in firsts.items()}
