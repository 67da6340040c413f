"""A project folder and what it is joined with: settings, definitions, templates and store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowscore.errors import FlowscoreError, Problem, UncleanError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowscore.language.project import Project
    from flowscore.mail.settings import MailSettings
    from flowscore.mail.templates import Templates
    from flowscore.mail.transport import Transport
    from flowscore.settings import Settings
    from flowscore.store.database import Store


class Ground:
    """What the verbs of a workspace stand on, each opened when it is needed, and once."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._known_live: tuple[Any, Project] | None = None

    @cached_property
    def settings(self) -> Settings:
        """From the environment and `.env`."""
        from flowscore.settings import read_settings

        return read_settings(self.root)

    @cached_property
    def store_place(self) -> str | Path:
        """Where the store is: the URL that was set, else `flowscore.db` in the folder."""
        url = self.settings.database_url
        if url is None:
            return self.root / "flowscore.db"
        text = url.get_secret_value()
        return self.root / text.removeprefix("sqlite:///") if text.startswith("sqlite") else text

    @cached_property
    def store(self) -> Store:
        """The store; a missing one is refused."""
        from flowscore.store.database import open_store

        return open_store(self.store_place)

    def open_or_create_store(self) -> Store:
        """The store; made when this is the first thing that comes in."""
        from flowscore.store.database import open_store

        self.require_project()
        if "store" not in self.__dict__:
            self.__dict__["store"] = open_store(self.store_place, create=True)
        return self.store

    def require_project(self) -> None:
        """Refuse a folder that holds no scenarios, before anything is made in it."""
        if not (self.root / "scenarios").is_dir():
            raise FlowscoreError(
                f"{self.root}: no flowscore project here (there is no folder `scenarios`); "
                f"go into one, name one with --project, or make one: flowscore init {self.root}"
            )

    @cached_property
    def loaded(self) -> tuple[Project, list[Problem]]:
        """The folder as it stands now, with every problem in its definitions and templates."""
        from flowscore.language.outside import unset_variables
        from flowscore.language.project import in_order, load_project

        self.require_project()
        project, problems = load_project(self.root)
        if any(unset_variables(project, {})):  # a webhook asks the environment (ruling 103)
            from flowscore.settings import environment_of

            problems += unset_variables(project, environment_of(self.root))
        return project, in_order([*problems, *self._read_templates[1]])

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, Project]]:
        """One moment of the store, and the project that is live in it."""
        with self.store.read() as connection:
            yield connection, self._live(connection)

    def _live(self, connection: Connection) -> Project:
        """Read anew only after an apply, since a delivery asks for it at every tick."""
        from flowscore.engine.registry import live_project
        from flowscore.engine.states import read_state

        revision = read_state(connection, "revision")
        if self._known_live is None or self._known_live[0] != revision:
            self._known_live = (revision, live_project(connection))
        return self._known_live[1]

    @property
    def live(self) -> Project:
        """What `apply` made live last; nothing live is refused."""
        with self.reading() as (_, project):
            if not project.is_empty:
                return project
        raise FlowscoreError("nothing is live yet: run `flowscore apply` first")

    @cached_property
    def mail_settings(self) -> MailSettings:
        """What mail needs to know of its surroundings; the secret is made when links need it."""
        from flowscore.surroundings import mail_settings_of

        return mail_settings_of(self.root, self.settings)

    @cached_property
    def templates(self) -> Templates:
        """The mail templates as they stand in the folder; one that is broken is left out."""
        return self._read_templates[0]

    @cached_property
    def _read_templates(self) -> tuple[Templates, list[Problem]]:
        from flowscore.mail.templates import load_templates

        return load_templates(self.root)

    @cached_property
    def transport(self) -> Transport:
        """SMTP when a server is set, else .eml files in the outbox."""
        from flowscore.surroundings import transport_of

        return transport_of(self.mail_settings)

    def clean(self) -> Project:
        """The folder's project; refused while it has a mistake."""
        project, problems = self.loaded
        if any(problem.severity == "error" for problem in problems):
            raise UncleanError(problems)
        return project

    def close(self) -> None:
        """Give back what was opened."""
        opened = self.__dict__.pop("store", None)
        if opened is not None:
            opened.close()
