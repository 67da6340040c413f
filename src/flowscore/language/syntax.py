"""What is wrong with a text that is no YAML, said so that a marketer can mend it."""

from __future__ import annotations

import re

import yaml

from flowscore.errors import Mark, Problem

# What libyaml says, what we say, and what to do; the first row that fits.
ROWS: tuple[tuple[str, str, str], ...] = (
    (
        "mapping values are not allowed",
        "found a second ': ' where none can stand",
        "put a text that holds a colon into quotes; check the indentation of this line",
    ),
    (
        "could not find expected ':'",
        "found a line without its ':'",
        "write `key: value`; check that the quotes above are closed",
    ),
    (
        "found unexpected end of stream",
        "found the end of the file inside quotes",
        "close the quotes that open here",
    ),
    (
        "found unknown escape character",
        "found a backslash that double quotes do not know",
        "use single quotes: 'director\\|head of'",
    ),
    (
        "did not find expected ',' or ']'",
        "found a list in [ ] that is not closed here, or lacks a comma",
        "add the ',' or the ']'{opened}",
    ),
    (
        "did not find expected ',' or '}'",
        "found a mapping in { } that is not closed here, or lacks a comma",
        "add the ',' or the '}'{opened}",
    ),
    (
        "did not find expected node content",
        "found nothing where a value must stand",
        "close the [ or { before it, or write the value",
    ),
    (
        "did not find expected '-' indicator",
        "found a line that is neither an item of the list above nor outside of it",
        "begin it with '- ', or indent it as the line it belongs to",
    ),
    (
        "did not find expected key",
        "found a line that does not fit the indentation above",
        "line it up with the keys it belongs to; a text that begins with a quote must end with it",
    ),
    (
        "block sequence entries are not allowed",
        "found '- ' where no list can begin",
        "begin the list on a line of its own",
    ),
    (
        "did not find expected <document start>",
        "found text behind the end of the document",
        "begin the next document with a line '---'",
    ),
    (
        "did not find expected alphabetic or numeric character",
        "found a value that begins with '*' or '&'",
        "put it into quotes",
    ),
)
CONFLICT = re.compile(r"^(<{7}|>{7}|={7})(?=\s|$)", re.MULTILINE)
UNFINISHED = ("end of stream", "could not find expected ':'")
TAB = ("found a tab as indentation", "indent with spaces")
UNQUOTED = ("found a value that begins with {found}", "put the value into quotes")


def explain_syntax(error: yaml.YAMLError, text: str, file: str, first_line: int) -> Problem:
    """The problem behind a parser's error, at the place a person has to look at."""
    if conflict := CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + first_line
        message = f"found '{conflict[0]}', what a merge left over"
        return Problem(Mark(file, line, 1), message, hint="keep one of the two versions")
    place = _place(error)
    if place is None:
        return Problem(Mark(file), f"this is no YAML: {error}")
    line, column = place
    message, hint = _words(error, text, (line, column), first_line)
    return Problem(Mark(file, line + first_line, column + 1), message, hint=hint)


def _place(error: yaml.YAMLError) -> tuple[int, int] | None:
    """Where to look: for what was never finished, where it began."""
    mark = getattr(error, "problem_mark", None)
    if any(words in str(getattr(error, "problem", "")) for words in UNFINISHED):
        mark = getattr(error, "context_mark", None) or mark
    return (mark.line, mark.column) if mark else None


def _words(
    error: yaml.YAMLError, text: str, place: tuple[int, int], first_line: int
) -> tuple[str, str]:
    line, column = place
    said = str(getattr(error, "problem", "") or "")
    if _tab_at(text, line, column):
        return TAB
    if "cannot start any token" in said:
        found = (text.split("\n")[line] + " ")[column]
        return UNQUOTED[0].format(found=f"'{found}'"), UNQUOTED[1]
    for theirs, message, hint in ROWS:
        if theirs in said:
            return message, hint.replace("{opened}", _opened(error, first_line))
    return f"this is no YAML: {said or error}", "see the line above it too"


def _opened(error: yaml.YAMLError, first_line: int) -> str:
    mark = getattr(error, "context_mark", None)
    return f"; it opens in line {mark.line + first_line}" if mark else ""


def _tab_at(text: str, line: int, column: int) -> bool:
    """Whether the line is indented with a tab, at or before the place."""
    lines = text.split("\n")
    found = re.match(r" *\t", lines[line]) if line < len(lines) else None
    return found is not None
