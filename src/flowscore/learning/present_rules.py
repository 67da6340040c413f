"""The rules that are there: who has their points in time, and how those close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, select

from flowscore.language.scoring import Rule
from flowscore.learning import facts
from flowscore.learning.candidates import (
    FEW_LATE,
    Candidates,
    Timed,
    comes_after,
    count_behaviour,
    too_late,
)
from flowscore.learning.columns import Subject
from flowscore.learning.cutting import Counts
from flowscore.learning.families import COMPANY, DEMOGRAPHIC, family_of_event
from flowscore.learning.proposals import FEW
from flowscore.learning.weighing import Scorecard, Weighed
from flowscore.rules.triggers import listens_to
from flowscore.store.tables import definitions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowscore.language.project import Project
    from flowscore.learning.rates import Rate
    from flowscore.rules.book import Book

NOTHING = "its points stay as they are"


@dataclass(frozen=True)
class Present:
    """The rules of the live project that also stand in the folder, by SCORE/RULE."""

    rules: Mapping[str, Rule]
    whens: tuple[Select[Any], ...]
    params: Mapping[str, Any]

    @classmethod
    def of(cls, live: Project, folder: Project, book: Book, mark: int) -> Present:
        """Those that can be judged; what is only in the folder gave no points yet."""
        known = set(_rules(folder))
        rules = {name: rule for name, rule in _rules(live).items() if name in known}
        lasting = {name: rule for name, rule in rules.items() if facts.is_lasting(rule)}
        whens = tuple(facts.when_facts(name, rule, book) for name, rule in lasting.items())
        return cls(rules, whens, book.instants(mark, mark))

    def count(self, connection: Connection) -> dict[str, Timed]:
        """Who has the points of each rule: one statement for all `on` rules, one a `when` rule."""
        found = count_behaviour(connection, facts.ledger_facts(), self.params)
        for rows in self.whens:
            found |= count_behaviour(connection, rows, self.params)
        return found

    def add_to(self, connection: Connection, found: Candidates, everybody: Rate) -> None:
        """Each rule that can be judged as a column; of the others why not."""
        counted = self.count(connection)
        for name, rule in self.rules.items():
            timed = counted.get(name)
            reason, kind = _unjudged(rule, timed)
            if reason:
                found.refuse(f"rule {name}", f"{reason}; {NOTHING}", kind)
            elif timed is not None:
                counts = Counts(everybody - timed.rate, bins=[timed.rate])
                found.add(_subject(name, rule), counts, everybody)


def _rules(project: Project) -> dict[str, Rule]:
    return {
        f"{score.name}/{rule.name}": rule
        for score in project.scores.values()
        for rule in score.rules
    }


def _unjudged(rule: Rule, timed: Timed | None) -> tuple[str, str]:
    """Why a rule cannot be judged, and which sort of reason that is."""
    if rule.when is not None and not facts.is_lasting(rule):
        return "what it asks cannot be asked of the past", "thin"
    leads = timed.rate.leads if timed else 0
    if timed is not None and (
        comes_after(timed) or (rule.when and timed.late >= FEW_LATE and timed.share_late > 0.5)
    ):
        return too_late(timed), "leak"
    if leads < FEW:
        return f"only {leads:,} leads had its points before the outcome", "thin"
    return "", ""


def _subject(name: str, rule: Rule) -> Subject:
    kind = "count" if rule.on else "flag"
    return Subject(f"rule/{name}", "rule", f"rule {name}", _family(rule), name, kind)  # type: ignore[arg-type]


def _family(rule: Rule) -> str:
    if rule.when is not None:
        return COMPANY if "CompanyIs" in repr(rule.when) else DEMOGRAPHIC
    names = sorted(name for trigger in rule.on for name in listens_to(trigger) if name)
    return family_of_event(names[0] if names else "")


def as_written(card: Scorecard, present: Present) -> Scorecard:
    """The scorecard as rules can say it: points cannot be 0, so a rule keeps one point at least."""
    columns = {
        key: one
        if one.cut.subject.source != "rule" or one.points[1]
        else replace(one, points=(0, 1 if present.rules[one.cut.subject.place].points > 0 else -1))
        for key, one in card.columns.items()
    }
    return replace(card, columns=columns)


def as_they_are(card: Scorecard, present: Present) -> Scorecard:
    """The same columns with the points that the rules have now."""
    columns = {
        key: Weighed(
            one.cut, one.rates, one.evidence, 1.0, (0, present.rules[one.cut.subject.place].points)
        )
        for key, one in card.columns.items()
        if one.cut.subject.source == "rule"
    }
    return Scorecard(columns, card.overall, card.strength)


def applied_at(connection: Connection) -> Iterator[tuple[str, int]]:
    """Each score's name, and the tick at which its present version became live."""
    query = select(definitions.c.name, definitions.c.live_from).where(
        definitions.c.kind == "score",
        definitions.c.retired_at.is_(None),
        definitions.c.live_from.is_not(None),
    )
    for row in connection.execute(query):
        yield row.name, row.live_from
