"""Finding every name of a project before its definitions are read, broken files included."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flowscore.language.document import Document, Node
from flowscore.language.grammar.grades import cells_named
from flowscore.language.grammar.names import Names

HEADING = re.compile(
    r"^(scenario|score|grade|lifecycle|list|policy):[ \t]*['\"]?([a-z0-9-]+)", re.MULTILINE
)


def names_of_documents(
    documents: Iterable[Document], broken: Iterable[str], templates: Iterable[str]
) -> Names:
    """What the documents define, right or wrong; of broken texts, what their headings say."""
    roots = [document.root for document in documents]
    headings = [found for text in broken for found in HEADING.findall(text)]
    return Names(
        scores={
            **{name: None for kind, name in headings if kind == "score"},
            **{name: _bands(root) for name, root in _named(roots, "score")},
        },
        lists={
            **{name: False for kind, name in headings if kind == "list"},
            **{name: "members" in root.items for name, root in _named(roots, "list")},
        },
        grades={
            **{name: None for kind, name in headings if kind == "grade"},
            **{name: cells_named(root) for name, root in _named(roots, "grade")},
        },
        stages=None if any(kind == "lifecycle" for kind, _ in headings) else _stages(roots),
        scenarios=frozenset(
            [name for kind, name in headings if kind == "scenario"]
            + [name for name, _ in _named(roots, "scenario")]
        ),
        topics=None if any(kind == "policy" for kind, _ in headings) else _topics(roots),
        templates=frozenset(templates),
    )


def _named(roots: list[Node], kind: str) -> list[tuple[str, Node]]:
    named = [(root.items[kind].value, root) for root in roots if kind in root.items]
    return [(str(name), root) for name, root in named if isinstance(name, str | int)]


def _bands(root: Node) -> dict[str, float]:
    bands = root.items["bands"].items if "bands" in root.items else {}
    return {
        name: float(node.value)
        for name, node in bands.items()
        if isinstance(node.value, int | float) and not isinstance(node.value, bool)
    }


def _stages(roots: list[Node]) -> tuple[str, ...] | None:
    """The stages of the lifecycle; None where it does not say which they are."""
    for _, root in _named(roots, "lifecycle"):
        stages = root.items["stages"].elements if "stages" in root.items else ()
        names = [_stage(node) for node in stages]
        return tuple(name for name in names if name) if names and all(names) else None
    return ()


def _stage(node: Node) -> str:
    named = node.items.get("stage", node).value
    return str(named) if isinstance(named, str | int) else ""


def _topics(roots: list[Node]) -> tuple[str, ...]:
    topics = [root.items["topics"] for _, root in _named(roots, "policy") if "topics" in root.items]
    return tuple(str(one.value) for topic in topics for one in topic.elements)
