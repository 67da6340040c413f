"""Learns from a CSV of leads with an outcome column: close rates, and a scorecard to add up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowscore.learning import enough
from flowscore.learning.columns import Column, Cut, Sheet
from flowscore.learning.comparing import compare, require_yardstick
from flowscore.learning.covered import covered
from flowscore.learning.cutting import count, cut
from flowscore.learning.doubts import suspicion
from flowscore.learning.leads_file import LeadsFile, missing_words, read_leads
from flowscore.learning.lessons import LeftOut, Lessons
from flowscore.learning.proposals import homes_of, propose
from flowscore.learning.questions import questions
from flowscore.learning.telling import tell_rates
from flowscore.learning.thresholds import lines_of
from flowscore.learning.weighing import Scorecard, is_worth_weighing, weigh

if TYPE_CHECKING:
    from flowscore.language.project import Project
    from flowscore.learning.asking import Question


def learn_from_file(path: Path, question: Question, project: Project) -> Lessons:
    """Close rates, points and lines from a file; `project` says which scores there are."""
    if question.compare:
        require_yardstick()
    read = read_leads(path, question)
    sheet = read.sheet
    lessons = Lessons(str(question.outcome), sheet.overall, notes=_notes(read))
    lessons.left_out = list(read.left_out)
    every = [
        cut(one.subject, count(one, sheet.won, range(len(sheet.won)))) for one in sheet.columns
    ]
    lessons.stop = enough.for_file(sheet.overall, question.enough)
    free = _without_covered(every, project, lessons)
    kept = _without_suspects(sheet, free, question, lessons)
    card = None if lessons.stop else _weigh(sheet, kept, lessons)
    tell_rates(lessons, every, card)
    lessons.questions = questions(lessons) if card else []
    if card is not None:
        _propose(lessons, sheet, card, project, question)
        if question.compare:
            cuts = [one.cut for one in card.columns.values()]
            lessons.compared, lessons.held_out = compare(_only(sheet, cuts), cuts)
    return lessons


def _notes(read: LeadsFile) -> list[str]:
    notes = []
    if read.tokens:
        words = missing_words(read.tokens.most_common(6))
        notes.append(f"read as «not known»: {words}, and empty cells")
    if read.unreadable:
        notes.append(f"{read.unreadable:,} lines were left out: they have too few or many cells")
    return notes


def _without_covered(cuts: Sequence[Cut], project: Project, lessons: Lessons) -> list[Cut]:
    """The cuts without columns that a rule of the project reads: only the store can judge those."""
    read = covered([project]).attributes
    for one in cuts:
        if one.subject.place in read:
            reason = "a rule reads it already; flowscore learn without a file judges that rule"
            lessons.left_out.append(LeftOut(one.subject.label, reason, "asked"))
    return [one for one in cuts if one.subject.place not in read]


def _without_suspects(
    sheet: Sheet, cuts: Sequence[Cut], question: Question, lessons: Lessons
) -> list[Cut]:
    """The cuts without columns that look as if they were filled in after the outcome."""
    used = {name.casefold() for name in question.used}
    kept = []
    for one in cuts:
        reason = suspicion(one, sheet.overall)
        label = one.subject.label
        if reason and label.casefold() not in used and one.subject.place not in used:
            hint = f"was it known before? then --use '{label}'"
            lessons.left_out.append(LeftOut(label, f"{reason}; {hint}", "suspicious"))
        else:
            kept.append(one)
    return kept


def _weigh(sheet: Sheet, cuts: Sequence[Cut], lessons: Lessons) -> Scorecard:
    clear = [one for one in cuts if is_worth_weighing(one, sheet.overall.share)]
    unclear = [one.subject.label for one in cuts if one not in clear]
    if unclear:
        lessons.left_out.append(
            LeftOut(", ".join(unclear), "close like all leads, as far as can be told", "thin")
        )
    return weigh(_only(sheet, clear), clear, range(len(sheet.won)))


def _only(sheet: Sheet, cuts: Sequence[Cut]) -> Sheet:
    """The sheet with the columns of these cuts, in their order."""
    by_key: dict[str, Column] = {column.subject.key: column for column in sheet.columns}
    return Sheet(sheet.leads, sheet.won, tuple(by_key[one.subject.key] for one in cuts))


def _propose(
    lessons: Lessons, sheet: Sheet, card: Scorecard, project: Project, question: Question
) -> None:
    homes = homes_of(project, question.score)
    lessons.proposals = propose(card, project, homes)
    totals = card.totals(sheet, range(len(sheet.won)))
    lessons.lines = [lines_of(homes.attributes, totals, sheet.won, {})]
