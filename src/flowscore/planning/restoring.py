"""Back to an older version: its text put into its file, and nothing else in it touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowscore.errors import FlowscoreError
from flowscore.language.document import LINE_BREAK, Document, read_documents
from flowscore.language.folder import SCENARIOS, read_scenario_files

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

BOM = "\ufeff"


@dataclass(frozen=True)
class Restored:
    """Where the text stands now, and whether the file was made for it."""

    file: str
    line: int
    new: bool


def restore(root: Path, what: tuple[str, str], text: str, kept: Collection[str]) -> Restored:
    """Write a definition's older text where it stands; where it is gone, a new file.

    `what` is its kind and name.

    `kept` are the texts that the store has of it: what is none of them would be lost, and is
    refused.
    """
    document = _find(root, *what)
    if document is None:
        return _write_new(root, *what, text)
    place = document.root.mark
    where = f"{place.file}:{place.line}"
    if document.text == text:
        raise FlowscoreError(f"{where} says that already; nothing was written")
    if document.text not in kept:
        raise FlowscoreError(
            f"{where} was edited since the last apply, and that would be lost: apply it first "
            "(then it is kept as a version too), or take the edit back; nothing was written"
        )
    _splice(root / place.file, document, text)
    return Restored(place.file, place.line, new=False)


def _find(root: Path, kind: str, name: str) -> Document | None:
    """The document that defines it now."""
    files, problems = read_scenario_files(root)
    found: list[Document] = []
    for file in files:
        documents, wrong = read_documents(file.text, file.name)
        problems += wrong
        found += [one for one in documents if _defines(one, kind, name)]
    if len(found) > 1:
        places = " and ".join(str(one.root.mark) for one in found)
        raise FlowscoreError(f"{kind} '{name}' stands twice, in {places}: take one out first")
    if not found and problems:
        raise FlowscoreError(
            f"{problems[0].mark}: {problems[0].message}; mend it first, since {kind} '{name}' "
            "may stand in a part that cannot be read; nothing was written"
        )
    return found[0] if found else None


def _defines(document: Document, kind: str, name: str) -> bool:
    node = document.root.items.get(kind)
    return node is not None and str(node.value) == name


def _write_new(root: Path, kind: str, name: str, text: str) -> Restored:
    file = f"{SCENARIOS}/{name}.yaml"
    path = root / file
    if path.exists():
        raise FlowscoreError(
            f"{file} is there already and does not define {kind} '{name}': move it out of the "
            f"way, or put the text in yourself (flowscore scenarios show {name})"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return Restored(file, 1, new=True)


def _splice(path: Path, document: Document, text: str) -> None:
    """The document's lines are exchanged; line ends, marks and every other line stay."""
    whole = path.read_bytes().decode("utf-8")
    bom = BOM if whole.startswith(BOM) else ""
    whole = whole.removeprefix(BOM)
    starts = [0, *(found.end() for found in LINE_BREAK.finditer(whole)), len(whole)]
    first = document.root.mark.line - 1
    last = min(first + document.text.count("\n"), len(starts) - 1)
    start = starts[first]
    before = whole[start : start + document.root.mark.column - 1]
    if before.strip():  # the definition begins behind a `---` on its line
        text = f"{before.rstrip()}\n{text}"
    if "\r\n" in whole:
        text = text.replace("\n", "\r\n")
    path.write_bytes((bom + whole[:start] + text + whole[starts[last] :]).encode("utf-8"))
