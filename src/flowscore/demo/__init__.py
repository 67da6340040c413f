"""A small company, sixty days, in one command: made-up people run through the shipped project."""

from __future__ import annotations

from flowscore.demo.company import SEED, UNTIL, company
from flowscore.demo.reactions import reactions
from flowscore.demo.run import run_demo

__all__ = ["SEED", "UNTIL", "company", "reactions", "run_demo"]
