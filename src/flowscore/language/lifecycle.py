"""The lifecycle: the funnel's stages and what qualifies for each (LANGUAGE 5)."""

from __future__ import annotations

from flowscore.language.conditions import Condition
from flowscore.language.words import Scope, Word


class Stage(Word):
    """One stage; bare (no `when`) it is reached by `set_stage` alone, the first one by everybody.

    Who no longer fulfils `when` of a stage that may `retreat` falls back from it.
    """

    name: str
    when: Condition | None = None
    retreat: bool = False


class Lifecycle(Scope):
    """The stages of the funnel, in order; one lifecycle per project."""

    stages: tuple[Stage, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The stages' names, in order."""
        return tuple(stage.name for stage in self.stages)
