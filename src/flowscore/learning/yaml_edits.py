"""Edits of the YAML: points of rules that are there, new rules behind the last, no other line."""

from __future__ import annotations

import difflib
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flowscore.errors import FlowscoreError
from flowscore.language.document import LINE_BREAK, LOADER, Document, Node, read_documents
from flowscore.language.folder import SCENARIOS, TEMPLATES, read_scenario_files
from flowscore.language.project import load_project
from flowscore.learning.proposals import LEARNED, remark, rule_text
from flowscore.learning.yaml_words import number

if TYPE_CHECKING:
    from flowscore.learning.lessons import Proposal

BOM = "\ufeff"
POINTS = re.compile(r"[-+]?\d+(?:\.\d+)?")
COMMA = re.compile(r"\s*,")
NEW_FILE = f"{SCENARIOS}/scores/{LEARNED}.yaml"


@dataclass(frozen=True)
class Splice:
    """So much text of a file, from one place to another, becomes another text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Edit:
    """A file before and after; `before` is empty where it is new."""

    file: str
    before: str
    after: str

    @property
    def diff(self) -> str:
        """As `git diff` shows it."""
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.after))
        source = f"a/{self.file}" if self.before else "/dev/null"
        lines = difflib.unified_diff(before, after, source, f"b/{self.file}")
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def edits(root: Path, proposals: Sequence[Proposal], because: str) -> list[Edit]:
    """What has to be written so that the folder says what is proposed."""
    found = []
    known = _scores(root)
    by_file: dict[str, list[Splice]] = {}
    for score in dict.fromkeys(one.score for one in proposals):
        mine = [one for one in proposals if one.score == score]
        if score in known:
            document = known[score]
            text = _text(root, document.file)
            by_file.setdefault(document.file, []).extend(
                _splices(text, document.root, mine, because)
            )
        else:
            found.append(Edit(NEW_FILE, "", new_score(score, mine, because)))
    for file, splices in by_file.items():
        before = _text(root, file)
        found.append(Edit(file, before, _spliced(before, splices)))
    return [one for one in found if one.before != one.after]


def new_score(name: str, proposals: Sequence[Proposal], because: str) -> str:
    """A whole definition, for a project that has no score yet."""
    rules = "".join(f"  {line}\n" for line in _rule_lines(proposals, because))
    objective = "objective: Who is likely to become a customer, judged by who did.\n"
    return f"score: {name}\n{objective}rules:\n{rules}"


def _rule_lines(proposals: Iterable[Proposal], because: str) -> list[str]:
    return [f"- {rule_text(one, because)} # {remark(one)}" for one in proposals]


def _scores(root: Path) -> dict[str, Document]:
    """The document of each score in the folder."""
    found: dict[str, Document] = {}
    for file in read_scenario_files(root)[0]:
        for document in read_documents(file.text, file.name)[0]:
            if (name := document.root.items.get("score")) is not None:
                found.setdefault(str(name.value), document)
    return found


def _text(root: Path, file: str) -> str:
    """The file as it stands, line ends and all, without its byte order mark."""
    return (root / file).read_bytes().decode("utf-8").removeprefix(BOM)


# --- where in the text ------------------------------------------------------------------------


def _splices(
    text: str, score: Node, proposals: Sequence[Proposal], because: str
) -> Iterator[Splice]:
    rules = {str(one.items["name"].value): one for one in score.items["rules"].elements}
    starts = [0, *(found.end() for found in LINE_BREAK.finditer(text))]
    for one in proposals:
        if one.now is not None:
            yield _points(text, starts, rules[one.name], one)
    added = [one for one in proposals if one.now is None]
    if added:
        yield _behind_the_last(text, starts, score.items["rules"], added, because)


def _points(text: str, starts: Sequence[int], rule: Node, proposal: Proposal) -> Splice:
    """The number behind `points:` of one rule."""
    node = rule.items["points"]
    start = starts[node.mark.line - 1] + node.mark.column - 1
    found = POINTS.match(text, start)
    if not found or float(found[0]) != node.value or not _is_its_own(node):
        raise FlowscoreError(
            f"{node.mark}: the points of the rule '{proposal.name}' are not a number written "
            f"there (an alias?); write {number(proposal.points)} by hand; nothing was written"
        )
    return Splice(start, found.end(), number(proposal.points))


def _is_its_own(node: Node) -> bool:
    """Whether the value stands behind its key, and is no copy of an anchored one."""
    return node.place < node.mark and node.mark.line - node.place.line <= 1


def _behind_the_last(
    text: str, starts: Sequence[int], rules: Node, added: Sequence[Proposal], because: str
) -> Splice:
    end, in_brackets, dash = _end_of_rules(text, starts, rules)
    if in_brackets:
        items = ", ".join(rule_text(one, because) for one in added)
        comma = COMMA.match(text, end)
        place = comma.end() if comma else end
        return Splice(place, place, f" {items}" if comma else f", {items}")
    ending = "\r\n" if "\r\n" in text else "\n"
    line_end = LINE_BREAK.search(text, end)
    place = line_end.start() if line_end else len(text)
    lines = _rule_lines(added, because)
    return Splice(place, place, "".join(f"{ending}{' ' * dash}{line}" for line in lines))


def _end_of_rules(text: str, starts: Sequence[int], rules: Node) -> tuple[int, bool, int]:
    """Where the last rule's text ends, whether the list is in brackets, the dash's column."""
    events = yaml.parse(LINE_BREAK.sub("\n", text), Loader=LOADER)
    place = (rules.mark.line - 1, rules.mark.column - 1)
    for event in events:
        mark: Any = event.start_mark
        if isinstance(event, yaml.SequenceStartEvent) and (mark.line, mark.column) == place:
            end = _last_end(events)
            written = text[: starts[end.line] + end.column]
            return len(written.rstrip()), bool(event.flow_style), place[1]
    raise FlowscoreError(f"{rules.mark}: the rules are an alias; add new ones by hand")


def _last_end(events: Iterator[Any]) -> Any:
    """The end of the last thing in the sequence that has just begun."""
    depth, flows, last = 1, [False], None
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            flows.append(bool(event.flow_style))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            in_brackets = flows.pop()
            if not depth:
                return last
            last = event.end_mark if in_brackets else last
        else:
            last = event.end_mark
    raise AssertionError("a sequence that begins ends")


def _spliced(text: str, splices: Iterable[Splice]) -> str:
    """All of them, from the last to the first so that places stay right."""
    for one in sorted(splices, key=lambda one: one.start, reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text


# --- writing ----------------------------------------------------------------------------------


def write(root: Path, wanted: Sequence[Edit]) -> None:
    """Write the edits if the folder would still be right with them; else nothing at all."""
    _try_out(root, wanted)
    for one in wanted:
        path = root / one.file
        path.parent.mkdir(parents=True, exist_ok=True)
        bom = BOM if path.exists() and path.read_bytes().startswith(BOM.encode()) else ""
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes((bom + one.after).encode())
        beside.replace(path)  # in one step


def _try_out(root: Path, wanted: Sequence[Edit]) -> None:
    """Load a copy of the folder with the edits in it."""
    with tempfile.TemporaryDirectory(prefix="flowscore-learn-") as name:
        copy = Path(name)
        for folder in (SCENARIOS, TEMPLATES):
            if (root / folder).is_dir():
                shutil.copytree(root / folder, copy / folder)
        for one in wanted:
            path = copy / one.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(one.after.encode())
        problems = [one for one in load_project(copy)[1] if one.severity == "error"]
    if problems:
        first = problems[0]
        raise FlowscoreError(
            f"{first.mark}: with the proposed points the folder would have a mistake: "
            f"{first.message}; nothing was written"
        )


def readable(edit_list: Sequence[Edit]) -> str:
    """All differences, one file after the other."""
    return "".join(one.diff for one in edit_list)
