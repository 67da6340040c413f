"""What a project defines, by name: what a definition may refer to while it is being read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a project. None stands for what a broken file keeps from being known."""

    scores: Mapping[str, Mapping[str, float] | None] = field(default_factory=dict)  # with bands
    lists: Mapping[str, bool] = field(default_factory=dict)  # True: dynamic
    grades: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)  # with cells
    stages: tuple[str, ...] | None = ()  # of the lifecycle, in order
    scenarios: frozenset[str] = frozenset()
    topics: tuple[str, ...] | None = ()
    templates: frozenset[str] = frozenset()
    here: str = ""  # "scenario/NAME": the definition being read

    @property
    def in_scenario(self) -> bool:
        """Whether the definition being read is one that people enter."""
        return self.here.startswith("scenario/")
