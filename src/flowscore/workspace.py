"""A project folder with its settings, definitions, templates and store: every verb a door needs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowscore.clock import clock_now
from flowscore.errors import FlowscoreError, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowscore.engine.registry import ApplyReport
    from flowscore.engine.tick import TickReport
    from flowscore.language.project import Project
    from flowscore.mail.delivery import DeliveryReport
    from flowscore.mail.templates import Templates
    from flowscore.settings import Settings
    from flowscore.store.database import Store

Row = dict[str, Any]
Watch = Callable[[int], None]
"""Told how much more is done, for a progress bar."""

NEVER = -(10**17)  # before every instant

STARTER = ("scenarios", "templates/email")


def ignore(_: int) -> None:
    """Nobody watches."""


class Workspace:
    """Opens what a verb needs when it needs it; `validate` touches neither store nor settings."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    # --- what it joins ------------------------------------------------------------------------

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
        """The folder as it stands now, with every problem in it."""
        from flowscore.language.project import load_project

        self.require_project()
        return load_project(self.root)

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, Project]]:
        """One moment of the store, and the project that is live in it."""
        from flowscore.engine.registry import live_project

        with self.store.read() as connection:
            yield connection, live_project(connection)

    @property
    def live(self) -> Project:
        """What `apply` made live last; nothing live is refused."""
        with self.reading() as (_, project):
            if project.scenarios or project.scores or project.lists:
                return project
        raise FlowscoreError("nothing is live yet: run `flowscore apply` first")

    # --- the folder ---------------------------------------------------------------------------

    def init(self) -> list[Path]:
        """Copy the starter project into the folder; a file that is there stays as it is."""
        if (self.root / "scenarios").exists():
            raise FlowscoreError(
                f"{self.root / 'scenarios'} is there already; "
                "choose another folder, nothing was written"
            )
        made = [path for part in STARTER for path in self._copy_starter(part)]
        self.__dict__.pop("loaded", None)
        return [*made, *self._write_gitignore()]

    def _copy_starter(self, part: str) -> Iterator[Path]:
        source = starter_folder() / part
        for file in sorted(source.rglob("*")):
            target = self.root / part / file.relative_to(source)
            if file.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
                yield target

    def _write_gitignore(self) -> Iterator[Path]:
        """The store, the mails and the secrets are not for version control."""
        target = self.root / ".gitignore"
        if not target.exists():
            target.write_text("flowscore.db*\ninbox.db*\noutbox/\n.env\n.flowscore/\n")
            yield target

    def problems(self) -> list[Problem]:
        """Every mistake and warning in scenarios and templates."""
        return self.loaded[1]

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a definition, for editors."""
        from flowscore.language.schema import json_schema

        return json_schema()

    def apply(self) -> ApplyReport:
        """Make the folder live; refused while it has a mistake."""
        from flowscore.engine.registry import apply_project

        project, problems = self.loaded
        if any(problem.severity == "error" for problem in problems):
            raise UncleanError(problems)
        return apply_project(self.open_or_create_store(), project, clock_now())

    def contents(self) -> str:
        """How many definitions and templates the folder holds, in words."""
        project = self.loaded[0]
        parts = {
            "scenarios": project.scenarios,
            "scores": project.scores,
            "lists": project.lists,
            "templates": project.templates,
        }
        return ", ".join(f"{len(those)} {word}" for word, those in parts.items())

    # --- intake -------------------------------------------------------------------------------

    def next_step(self) -> str:
        """What to do after something came in."""
        with self.reading() as (_, project):
            live = project.scenarios or project.scores or project.lists
        return f"Next: {'' if live else 'flowscore apply, then '}flowscore tick"

    def enroll(self, scenario: str, email: str) -> None:
        """Ask the next tick to enroll a contact by hand."""
        from flowscore.views.people import find_contact, name_known

        with self.reading() as (connection, project):
            name_known(scenario, project.scenarios, "scenario")
            found = find_contact(connection, email)
        self._receive_enrollment(scenario, found)

    # --- time ---------------------------------------------------------------------------------

    def run_owed_ticks(self, now: int, after_tick: Callable[..., None] | None = None) -> TickReport:
        """Every tick of the grid that is owed up to now, in order."""
        from flowscore.engine.tick import owed, run_ticks

        step = self.settings.tick_every
        with self.store.read() as connection:
            first, last = owed(connection, now, step)
        return run_ticks(self.store, self.live, first, last, step, after_tick)

    def tick(
        self,
        now: int,
        *,
        first: int | None = None,
        last: int | None = None,
        every: int | None = None,
        deliver: bool = False,
        watch: Watch = ignore,
    ) -> TickReport:
        """The ticks of a grid in [first, last], by default those that are owed up to now."""
        raise NotImplementedError

    def deliver(self, now: int, watch: Watch = ignore) -> DeliveryReport:
        """Send what is queued and due, each mail asked again whether it may go."""
        from flowscore.mail.delivery import deliver

        return deliver(self.store, self.live, self.templates, self.transport, now)

    @cached_property
    def templates(self) -> Templates:
        """The mail templates as they stand in the folder; one that is broken is left out."""
        from flowscore.mail.templates import load_templates

        return load_templates(self.root)[0]

    @cached_property
    def transport(self) -> Any:
        """SMTP when a server is set, else .eml files; nothing without a way to unsubscribe."""
        raise NotImplementedError

    # --- looking ------------------------------------------------------------------------------

    def explain(self, email: str) -> Row:
        """Everything the store can say of one contact."""
        from flowscore.views.explain import explain

        with self.reading() as (connection, project):
            return explain(connection, project, email)

    @contextmanager
    def contacts(self, **wanted: Any) -> Iterator[Iterator[Row]]:
        """Contacts with their balances and lists; names that are not there are refused."""
        from flowscore.views.listings import Wanted, list_contacts
        from flowscore.views.people import name_known

        asked = Wanted(**wanted)
        with self.reading() as (connection, project):
            if asked.in_list is not None:
                name_known(asked.in_list, project.lists, "list")
            if asked.score is not None:
                name_known(asked.score, project.scores, "score")
            yield list_contacts(connection, project, asked)

    @contextmanager
    def lists(self, name: str | None, limit: int | None) -> Iterator[Iterator[Row]]:
        """Every list with its size, or who is in one."""
        from flowscore.views.listings import list_lists, list_members
        from flowscore.views.people import name_known

        with self.reading() as (connection, project):
            if name is None:
                yield list_lists(connection, project)
            else:
                known = {row["list"] for row in list_lists(connection, project)}
                yield list_members(connection, name_known(name, known, "list"), limit)

    @contextmanager
    def scenarios(self, inside: str | None, limit: int | None) -> Iterator[Iterator[Row]]:
        """Every scenario and how its people fare, or who is inside one."""
        from flowscore.views.listings import list_inside, list_scenarios
        from flowscore.views.people import name_known

        with self.reading() as (connection, project):
            if inside is None:
                yield list_scenarios(connection, project)
            else:
                known = {row["scenario"] for row in list_scenarios(connection, project)}
                yield list_inside(connection, name_known(inside, known, "scenario"), limit)

    @contextmanager
    def mails(self, **wanted: Any) -> Iterator[Iterator[Row]]:
        """The outbox, the newest first."""
        from flowscore.views.listings import Mails, list_mails

        with self.store.read() as connection:
            yield list_mails(connection, Mails(**wanted))

    def settle_uncertain(self, key: str, *, resend: bool) -> str:
        """Settle a mail of which a crash left unknown whether it went out; gives the address."""
        raise NotImplementedError

    def preview(self, template: str, email: str) -> Rendered:
        """The mail as that contact would get it."""
        raise NotImplementedError

    def export(self, folder: Path, watch: Watch = ignore) -> dict[str, int]:
        """Every table as JSON lines below the folder; gives the rows written."""
        from flowscore.views.columns import watermark
        from flowscore.views.export import Extract, write_export

        folder.mkdir(parents=True, exist_ok=True)
        with self.reading() as (connection, project):
            at = watermark(connection)
            extract = Extract(connection, tuple(project.scores), NEVER if at is None else at)
            return write_export(extract, folder, watch)

    def close(self) -> None:
        """Give back what was opened."""
        opened = self.__dict__.pop("store", None)
        if opened is not None:
            opened.close()


class UncleanError(FlowscoreError):
    """The folder has mistakes; nothing of it goes live."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("the folder has mistakes, nothing was applied")
        self.problems = problems


def starter_folder() -> Path:
    """The project that is shipped: inside the package, or at the top of a checkout."""
    packaged = Path(__file__).parent / "starter"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]
