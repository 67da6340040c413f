"""What every route stands on: the workspace, the writer, the clock, the counters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from flowscore.clock import clock_now
from flowscore.web.metrics import Metrics
from flowscore.web.recording import Recorder
from flowscore.web.writer import Writer

if TYPE_CHECKING:
    from flowscore.language.project import Project
    from flowscore.mail.settings import MailSettings
    from flowscore.settings import Settings
    from flowscore.store.database import Store
    from flowscore.workspace import Workspace


@dataclass
class Reception:
    """One for each server; looks into the store block and belong into a thread of their own."""

    workspace: Workspace
    clock: Callable[[], int] = clock_now  # microseconds
    metrics: Metrics = field(default_factory=Metrics)

    @cached_property
    def writer(self) -> Writer:
        """Keeps what comes in."""
        return Writer(self.store)

    @cached_property
    def recorder(self) -> Recorder:
        """Makes lines of opens and clicks."""
        return Recorder(lambda: self.store, self.writer, self.clock, self.metrics)

    @property
    def store(self) -> Store:
        """Where everything is."""
        return self.workspace.store

    @property
    def settings(self) -> Settings:
        """As read at the start."""
        return self.workspace.settings

    @property
    def mail(self) -> MailSettings:
        """What links are built from."""
        return self.workspace.mail_settings

    @property
    def live(self) -> Project:
        """What is live now; blocks, and raises FlowscoreError before the first apply."""
        return self.workspace.live
