"""A small world whose people are explained: YAML and calls stand in the test."""

from __future__ import annotations

from typing import Any

from engine.world import World
from flowscore.engine.registry import live_project
from flowscore.views.explain import explain, explain_list, explain_scenario

ANA, BEN = "ana@x.example", "ben@x.example"
Row = dict[str, Any]


class Explained(World):
    """The world, and what is said of its people."""

    def explain(self, who: str = ANA) -> Row:
        with self.store.read() as connection:
            return explain(connection, live_project(connection), who)

    def score(self, name: str = "engagement", who: str = ANA) -> Row:
        [found] = [one for one in self.explain(who)["scores"] if one["score"] == name]
        return found

    def scenario(self, name: str, who: str = ANA) -> Row:
        with self.store.read() as connection:
            return explain_scenario(connection, live_project(connection), who, name)

    def list(self, name: str, who: str = ANA) -> Row:
        with self.store.read() as connection:
            return explain_list(connection, live_project(connection), who, name)
