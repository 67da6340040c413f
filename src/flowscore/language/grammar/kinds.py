"""The kinds of definition: one row each, and how a document tells which it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from flowscore.errors import Mark
from flowscore.language.document import Node
from flowscore.language.grammar.grades import GRADE, read_grade
from flowscore.language.grammar.lifecycle import LIFECYCLE, read_lifecycle
from flowscore.language.grammar.mistakes import misplaced, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.policy import POLICY, read_policy
from flowscore.language.grammar.scenario import LIST, SCENARIO, read_contact_list, read_scenario
from flowscore.language.grammar.scoring import SCORE, read_score
from flowscore.language.grammar.shapes import Table
from flowscore.language.grammar.spelling import listed, near
from flowscore.language.words import Scope


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of definition: its keys, how it is read, and what it is."""

    table: Table
    read: Callable[[Node, Names], Scope]
    says: str


KINDS: dict[str, Kind] = {
    "scenario": Kind(SCENARIO, read_scenario, "Trigger, conditions, actions."),
    "score": Kind(SCORE, read_score, "One scoring dimension: rules that give or take points."),
    "grade": Kind(GRADE, read_grade, "Fit against engagement: a matrix over two scores."),
    "lifecycle": Kind(
        LIFECYCLE, read_lifecycle, "The funnel's stages and what qualifies for each; one."
    ),
    "list": Kind(LIST, read_contact_list, "A list of contacts; dynamic when it has members."),
    "policy": Kind(POLICY, read_policy, "How mail may be sent; one per project."),
}
SINGLE = ("policy", "lifecycle")  # a project has one


def kind_of(root: Node) -> str:
    """The kind of a document: the one of the kinds' keys that it carries."""
    found = [key for key in root.items if key in KINDS]
    if not found:
        raise _no_kind(root)
    if len(found) > 1:
        message = f"found '{found[0]}' and '{found[1]}' in one document"
        raise misplaced(
            root.items[found[1]], message, "begin the next definition with a line '---'"
        )
    return found[0]


def read_root(root: Node, names: Names) -> Scope:
    """The definition of a document."""
    kind = kind_of(root)
    return KINDS[kind].read(root, replace(names, here=f"{kind}/{root.items[kind].value}"))


def _no_kind(root: Node) -> Exception:
    kinds = listed(KINDS)
    if not root.items:
        return unexpected(root, f"a definition: a mapping with one of {kinds}")
    for key, child in root.items.items():
        kind = near(key, KINDS)
        if kind:
            return misplaced(child, f"unknown kind '{key}'", f"did you mean '{kind}'?")
    first = next(iter(root.items.values()))
    message = f"found {root.shown}, which is no definition"
    return mistake(root, message, f"it needs one of {kinds}: with its name", first.place)


def refuse_twin(root: Node, kind: str, seen: dict[tuple[str, str], Mark]) -> None:
    """A second definition of the same kind and name, a second policy …; notes the first."""
    node = root.items[kind]
    name = "" if kind in SINGLE else str(node.value)
    if (kind, name) in seen:
        message = f"there is a {kind} '{name}' already" if name else f"found a second {kind}"
        hint = "a project has one; " if not name else "choose another name; "
        raise misplaced(node, message, f"{hint}the first stands at {seen[kind, name]}")
    seen[kind, name] = node.place
