"""An author's mistakes on their way up: each is a `Problem`, and none hides its neighbours."""

from __future__ import annotations

from types import TracebackType

from flowscore.errors import Mark, Problem
from flowscore.language.document import Node


class MistakesError(Exception):
    """What is wrong below a node; caught where the definition is read."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


class Gathering:
    """Lets siblings be read although one is wrong; `settle` raises what they found together.

    with gathering:
        one = shape.read(node, names)
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, MistakesError):
            self.problems += error.problems
            return True
        return False

    def settle(self) -> None:
        """Raise everything that was wrong, if anything was."""
        if self.problems:
            raise MistakesError(*self.problems)


def mistake(node: Node, message: str, hint: str = "", mark: Mark | None = None) -> MistakesError:
    """One mistake at a node's value (or at the mark given)."""
    return MistakesError(Problem(mark or node.mark, message, node.path, hint))


def misplaced(node: Node, message: str, hint: str = "") -> MistakesError:
    """One mistake at the key that holds the node."""
    return mistake(node, message, hint, node.place)


def unexpected(node: Node, expected: str, hint: str = "") -> MistakesError:
    """What was found and what was expected instead."""
    return mistake(node, f"found {node.shown}, expected {expected}", hint)
