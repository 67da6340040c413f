"""Learns from the store: what leads were and did before the outcome, counted in the database."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from flowscore.clock import datetime_of
from flowscore.engine.registry import watermark
from flowscore.errors import FlowscoreError
from flowscore.language.project import digest
from flowscore.learning import enough, population
from flowscore.learning.candidates import Candidates, add_attributes, add_behaviours
from flowscore.learning.comparing import compare, require_yardstick
from flowscore.learning.covered import covered
from flowscore.learning.cycles import cycle_of
from flowscore.learning.lessons import Lessons, Proposal
from flowscore.learning.outcomes import Outcome, find_outcome
from flowscore.learning.population import Period
from flowscore.learning.present_rules import Present, applied_at, as_they_are, as_written
from flowscore.learning.proposals import homes_of, propose
from flowscore.learning.questions import questions
from flowscore.learning.sampling import load_sheet
from flowscore.learning.telling import tell_rates
from flowscore.learning.thresholds import lines_of
from flowscore.learning.twins import without_twins
from flowscore.learning.weighing import Scorecard, weigh
from flowscore.rules.book import Book

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from flowscore.language.project import Project
    from flowscore.learning.asking import Question
    from flowscore.learning.columns import Sheet
    from flowscore.learning.rates import Rate


FEW_AGES = 10  # customers below which nobody knows how long a sale takes


def learn_from_store(
    connection: Connection, live: Project, folder: Project, question: Question
) -> Lessons:
    """Close rates, points and lines; `folder` is the project as its files say it now."""
    if question.compare:
        require_yardstick()
    homes_of(folder, question.score)
    lessons = _learn(connection, live, folder, question)
    population.forget(connection)  # where it fails, the transaction takes the table with it
    return lessons


def _learn(connection: Connection, live: Project, folder: Project, question: Question) -> Lessons:
    mark = watermark(connection)
    if mark is None:
        raise FlowscoreError(
            "no tick has run yet, so nothing is known of anybody: flowscore apply, "
            "flowscore import events FILE --historical, flowscore tick"
        )
    book = Book.of(live, connection.dialect.name)
    outcome = find_outcome(connection, live, book, question.outcome)
    present = Present.of(live, folder, book, mark)
    params = dict(present.params)
    period = Period(population.last_moment(connection, mark), question.first, question.last)
    ages = population.customers_ages(connection, outcome, period, params)
    lessons, everybody = _gather(connection, outcome, period, ages, params)
    lessons.notes += _not_live(live, folder)
    lessons.stop = lessons.stop or enough.for_file(everybody, question.enough)
    found = _candidates(connection, everybody, (live, folder), question, outcome, present)
    lessons.left_out = found.left_out
    if lessons.stop:
        tell_rates(lessons, [*found.cuts, *found.unclear], None)
        return lessons
    sheet, cuts = without_twins(load_sheet(connection, found.cuts, present.whens, params), found)
    if len(sheet.won) < everybody.leads:
        lessons.notes.append(
            f"close rates are of all leads; points and lines are fitted on {len(sheet.won):,} of "
            "them, the same ones each time"
        )
    card = as_written(weigh(sheet, cuts, range(len(sheet.won))), present)
    tell_rates(lessons, [*found.cuts, *found.unclear], card)
    lessons.questions = questions(lessons)
    _propose(lessons, sheet, card, folder, question)
    if question.compare:
        old = as_they_are(card, present)
        written = partial(as_written, present=present)
        lessons.compared, lessons.held_out = compare(sheet, cuts, old, written)
    lessons.proposals = _with_then(connection, lessons.proposals, outcome, period, ages, present)
    return lessons


def _gather(
    connection: Connection,
    outcome: Outcome,
    period: Period,
    ages: Sequence[int],
    params: dict[str, Any],
) -> tuple[Lessons, Rate]:
    """The leads; those too young to have bought are left out, customers or not."""
    cycle = cycle_of(ages)
    ripe = period
    if cycle is not None and period.last is None and len(ages) >= FEW_AGES:
        ripe = replace(period, last=period.as_of - cycle.middle + 1)
    everybody = population.gather(connection, outcome, ripe, ages, params)
    whole, span = population.came(connection, period)
    lessons = Lessons(outcome.english, everybody, period=_words(ripe, period), cycle=cycle)
    if cycle is not None and len(ages) >= FEW_AGES:
        lessons.stop = enough.for_period(span, cycle.middle)
    if whole > everybody.leads:
        lessons.notes.append(
            f"{whole - everybody.leads:,} leads came in too late to be judged: half of the "
            "customers took longer to buy than these have had"
        )
    return lessons, everybody


def _not_live(live: Project, folder: Project) -> list[str]:
    """Rules are judged by the points they gave, so a score that was edited since is told."""
    edited = [
        name
        for name, score in folder.scores.items()
        if name not in live.scores or digest(score) != digest(live.scores[name])
    ]
    return [
        f"scenarios/ says something else than what is live in {name}: its rules are judged as they "
        "are live, new ones not at all (flowscore apply makes them so)"
        for name in edited
    ]


def _words(ripe: Period, asked: Period) -> str:
    """Whoever named an instant meant before it; one that is found is counted in."""
    since = f" from {datetime_of(ripe.first):%Y-%m-%d}" if ripe.first is not None else ""
    if asked.last is not None:
        until = f"before {datetime_of(asked.last):%Y-%m-%d %H:%M}"
    else:
        last = ripe.as_of if ripe.last is None else ripe.last - 1
        until = f"up to {datetime_of(last):%Y-%m-%d %H:%M}"
    return f" that came in{since} {until}"


def _candidates(
    connection: Connection,
    everybody: Rate,
    projects: tuple[Project, Project],
    question: Question,
    outcome: Outcome,
    present: Present,
) -> Candidates:
    found = Candidates()
    if not 0 < everybody.won < everybody.leads:
        return found
    known = covered(projects)
    present.add_to(connection, found, everybody)
    add_attributes(connection, found, everybody, known, question)
    add_behaviours(connection, found, everybody, known, question, outcome.events)
    return found


def _propose(
    lessons: Lessons, sheet: Sheet, card: Scorecard, folder: Project, question: Question
) -> None:
    homes = homes_of(folder, question.score)
    lessons.proposals = propose(card, folder, homes, wanted=question.score)
    for score in dict.fromkeys(one.score for one in lessons.proposals):
        mine = {
            key: one
            for key, one in card.columns.items()
            if (one.cut.subject.place.startswith(f"{score}/") and one.cut.subject.source == "rule")
            or (one.cut.subject.source != "rule" and homes.of(one.cut.subject) == score)
        }
        totals = Scorecard(mine, card.overall, card.strength).totals(sheet, range(len(sheet.won)))
        if len(set(totals)) == 1:
            continue  # nobody stands above anybody: there is no line to draw
        bands = dict(folder.scores[score].bands) if score in folder.scores else {}
        lessons.lines.append(lines_of(score, totals, sheet.won, bands))


def _with_then(
    connection: Connection,
    proposals: list[Proposal],
    outcome: Outcome,
    period: Period,
    ages: Sequence[int],
    present: Present,
) -> list[Proposal]:
    """The close rates of the rules as they were when their score became live (E06)."""
    since = {score: at for score, at in applied_at(connection) if at < period.as_of}
    found: dict[str, Rate] = {}
    for at in sorted(set(since.values())):
        then = replace(period, as_of=at)
        population.gather(connection, outcome, then, ages, dict(present.params))
        counted = present.count(connection)
        scores = {score for score, applied in since.items() if applied == at}
        found |= {n: one.rate for n, one in counted.items() if n.partition("/")[0] in scores}
    return [
        one if one.now is None else replace(one, then=found.get(f"{one.score}/{one.name}"))
        for one in proposals
    ]
