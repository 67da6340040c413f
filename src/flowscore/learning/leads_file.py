"""Reads a CSV of leads with an outcome column: which column is what, and what was left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from flowscore.errors import FlowscoreError
from flowscore.language.grammar.sensitive import is_sensitive
from flowscore.learning.columns import Column, Kind, Sheet, Subject, Value
from flowscore.learning.families import family_of_attribute
from flowscore.learning.lessons import LeftOut
from flowscore.store.columns import CONTACT_WORDS, name_columns, slugged
from flowscore.store.fields import Reject
from flowscore.store.forms import NUMBER
from flowscore.store.readers import read_csv, read_header

if TYPE_CHECKING:
    from flowscore.learning.asking import Question

MISSING = frozenset(
    "na n/a nan null none nil select unknown unspecified undefined - -- ? . #n/a (none) (blank) "
    "not_set".split()
) | {"not specified", "not provided", "not set", "select one", "please select"}
YES = frozenset("yes y true t 1 1.0 si sí ja oui sim won win converted customer success".split())
NO = frozenset("no n false f 0 0.0 nein non não lost lose open lead failure".split())
ADDRESSES = frozenset({"email", "user_id", "anonymous_id", "company_id"})
WITH_SEPARATORS = re.compile(r"[-+]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?|[-+]?\d+,\d+")
DATE = re.compile(r"\d{4}-\d\d?-\d\d?([T ].*)?|\d\d?[/.-]\d\d?[/.-]\d{2,4}( .*)?")
MOSTLY = 0.95  # of the known values: then a column is of numbers, or of dates
DIFFERENT = 0.98  # of the known values: then a column names each lead
FEW = 30  # known values from which a column may be taken for an id


@dataclass
class LeadsFile:
    """The leads of a file; `tokens` counts cells that say in words that nothing is known."""

    sheet: Sheet
    left_out: list[LeftOut]
    tokens: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0


def read_leads(path: Path, question: Question) -> LeadsFile:
    """Every column of the file, typed, but those that can say nothing."""
    header = read_header(path, question.encoding)
    _refuse_unnamed(path, header)
    outcome = _find(path, header, question.outcome)
    rows, unreadable = _rows(path, header, question.encoding)
    if not rows:
        raise FlowscoreError(f"{path}: no leads below the line of column names")
    won = _outcomes(path, outcome, [row.get(outcome, "") for row in rows], question.positive)
    read = LeadsFile(Sheet([], won, ()), [], unreadable=unreadable)
    named = {_find(path, header, name) for name in (*question.left_out, *question.used)}
    wanted = {_find(path, header, name) for name in question.left_out}
    names = name_columns(path, header, {}, CONTACT_WORDS)
    columns = []
    for column in (name for name in header if name != outcome):
        if column in wanted:
            read.left_out.append(LeftOut(column, "you left it out"))
        elif not _is_of_no_use(read, column, names[column], column in named, question):
            cells = [row.get(column, "") for row in rows]
            columns += _typed(read, column, names[column], cells)
    leads = ["|".join(row.values()) for row in rows]
    read.sheet = Sheet(leads, won, tuple(columns))
    return read


def _refuse_unnamed(path: Path, header: list[str]) -> None:
    for place, column in enumerate(header, 1):
        if not column:
            raise FlowscoreError(
                f"{path}:1: column {place} has no name, expected one in the first line; "
                "write a name there (is the first line a line of column names at all?)"
            )
    twins = [column for column, times in Counter(header).items() if times > 1]
    if twins:
        raise FlowscoreError(
            f"{path}:1: the column {twins[0]!r} stands twice, expected each once; "
            "rename one of them, or take it out"
        )


def _find(path: Path, header: list[str], name: str | None) -> str:
    """The column of that name, in whatever case."""
    shown = ", ".join(repr(column) for column in header[:12]) + " …" * (len(header) > 12)
    if name is None:
        raise FlowscoreError(
            f"{path}: which column says who became a customer? name it: --outcome COLUMN; "
            f"the columns are {shown}"
        )
    for column in header:
        if column == name or slugged(column) == slugged(name):
            return column
    near = get_close_matches(slugged(name), [slugged(column) for column in header], 1)
    meant = next((column for column in header if near and slugged(column) == near[0]), None)
    hint = f"did you mean {meant!r}?" if meant else f"the columns are {shown}"
    raise FlowscoreError(f"{path}:1: there is no column {name!r}; {hint}")


def _rows(path: Path, header: list[str], encoding: str) -> tuple[list[dict[str, str]], int]:
    rows, unreadable = [], 0
    for _, row in read_csv(path, {column: column for column in header}, encoding):
        if isinstance(row, Reject):
            unreadable += 1
        else:
            rows.append(row)
    return rows, unreadable


# --- the outcome ------------------------------------------------------------------------------


def _outcomes(path: Path, column: str, cells: Sequence[str], positive: str | None) -> list[int]:
    """1 for each lead that won; a lead of whom the column says nothing did not."""
    found = Counter(cell.casefold() for cell in cells)
    known = {cell: count for cell, count in found.items() if not _is_missing(cell)}
    wanted = _positive(path, column, known, positive)
    return [int(cell.casefold() in wanted) for cell in cells]


def _positive(path: Path, column: str, known: Mapping[str, int], positive: str | None) -> set[str]:
    shown = ", ".join(f"{cell!r} ({count:,})" for cell, count in Counter(known).most_common(8))
    if positive is not None:
        if positive.casefold() not in known:
            raise FlowscoreError(
                f"{path}: --positive {positive}: the column {column!r} never says that; "
                f"it says {shown or 'nothing'}"
            )
        return {positive.casefold()}
    wins = {cell for cell in known if cell in YES}
    if wins and all(cell in YES | NO for cell in known):
        return wins
    if not wins and known and all(cell in NO for cell in known):
        return set()
    raise FlowscoreError(
        f"{path}: which value of {column!r} means that a lead became a customer? "
        f"It says {shown or 'nothing'}; name it: --positive VALUE"
    )


# --- the other columns ------------------------------------------------------------------------


def _is_of_no_use(
    read: LeadsFile, column: str, name: str, is_named: bool, question: Question
) -> bool:
    """Whether the column's name alone keeps it out; then why is noted."""
    reason = ""
    if name in ADDRESSES:
        reason = "it names the lead and says nothing of the next one"
    elif name == "-":
        reason = "its name has no letter or digit that an attribute could be called by"
    elif (is_sensitive(column) or is_sensitive(name)) and not question.sensitive:
        read.left_out.append(LeftOut(column, SENSITIVE_NAME, "sensitive"))
        return True
    if reason and not is_named:
        read.left_out.append(LeftOut(column, reason, "id"))
    return bool(reason) and not is_named


SENSITIVE_NAME = (
    "its name has a word of the sensitive attributes, so a rule on it needs a justification; "
    "--include-sensitive takes it in"
)


def _typed(read: LeadsFile, column: str, name: str, cells: Sequence[str]) -> list[Column]:
    """The column with its values as texts or numbers; nothing where it can say nothing."""
    values = [None if _note_missing(read, cell) else cell for cell in cells]
    known = [value for value in values if value is not None]
    reason = _says_nothing(known, len(cells))
    if reason:
        read.left_out.append(LeftOut(column, reason, "id"))
        return []
    kind, typed = _type(values, known)
    if kind == "dates":
        read.left_out.append(LeftOut(column, DATES, "date"))
    family = family_of_attribute(column)
    empties = sorted({cell.casefold() for cell in cells if cell and _is_missing(cell)})
    shape: Kind = "number" if kind == "number" else "text"
    subject = Subject(f"attribute/{name}", "attribute", column, family, name, shape, tuple(empties))
    return [Column(subject, typed)]


DATES = "only whether it is known counts: a calendar date does not come again"


def _type(values: Sequence[str | None], known: Sequence[str]) -> tuple[str, list[Value]]:
    if _share(known, _is_number) >= MOSTLY:
        if {float(value) for value in known if _is_number(value)} <= {0.0, 1.0}:
            return "text", [_flag(value) for value in values]
        return "number", [_number(value) for value in values]
    if all(value.casefold() in YES | NO for value in known):
        return "text", [_flag(value) for value in values]
    if _share(known, lambda value: bool(DATE.fullmatch(value))) >= MOSTLY:
        return "dates", [None if value is None else "known" for value in values]
    return "text", [None if value is None else value.casefold() for value in values]


def _flag(value: str | None) -> Value:
    """A boolean keeps the spelling of the file, since rules compare texts."""
    return None if value is None else value.casefold()


def _share(known: Sequence[str], test: object) -> float:
    return sum(bool(test(value)) for value in known) / len(known)  # type: ignore[operator]


def _says_nothing(known: Sequence[str], leads: int) -> str:
    """Why a column cannot tell leads apart, if it cannot."""
    if not known:
        return "it is empty"
    if _share(known, lambda value: bool(WITH_SEPARATORS.fullmatch(value))) >= MOSTLY:
        return "its numbers have separators, and are texts to an import: write 1200.5, not 1,200.50"
    distinct = len({value.casefold() for value in known})
    if distinct == 1 and len(known) == leads:
        return f"it says {known[0]!r} of every lead"
    decimals = any("." in value for value in known) and _share(known, _is_number) >= MOSTLY
    if len(known) >= FEW and distinct >= DIFFERENT * len(known) and not decimals:
        return "nearly every lead has another value: it names the lead, like an id"
    return ""


def _is_number(value: str) -> bool:
    return NUMBER.fullmatch(value) is not None  # as an import reads it


def _number(value: str | None) -> float | None:
    if value is None or not _is_number(value):
        return None
    return float(value)


def _note_missing(read: LeadsFile, cell: str) -> bool:
    if not _is_missing(cell):
        return False
    if cell:
        read.tokens[cell] += 1
    return True


def _is_missing(cell: str) -> bool:
    return not cell or cell.casefold() in MISSING


def missing_words(tokens: Iterable[tuple[str, int]]) -> str:
    """`'Select' (5,860 cells)`: what was read as not known."""
    return ", ".join(f"{word!r} ({count:,} cells)" for word, count in tokens)
