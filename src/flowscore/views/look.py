"""What a door may ask of an open store, one method each; a name that is not there is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, func, not_, select

from flowscore.language.project import Project
from flowscore.store.database import Store
from flowscore.store.tables import inbox
from flowscore.views.columns import watermark
from flowscore.views.explain import explain, explain_list, explain_scenario
from flowscore.views.export import Extract, write_export
from flowscore.views.leads import Asked, Queue, open_queue
from flowscore.views.listings import (
    Mails,
    Row,
    Wanted,
    list_contacts,
    list_inside,
    list_lists,
    list_mails,
    list_members,
    list_scenarios,
)
from flowscore.views.people import find_contact, name_known
from flowscore.views.person import person
from flowscore.views.preview import preview

if TYPE_CHECKING:
    from flowscore.mail.settings import MailSettings
    from flowscore.mail.templates import Rendered, Templates

Rows = Iterator[Row]
NEVER = -(10**17)  # before every instant


@dataclass(frozen=True)
class Look:
    """Read-only; each answer is of one moment of the store."""

    store: Store
    live: Callable[[Connection], Project]

    def unseen(self, last: int, now: int) -> int:
        """How many lines that came in up to now no tick at or before `last` will see."""
        with self.store.read() as connection:
            mark = watermark(connection)
        came = inbox.c.received_at <= now
        if mark is None or mark < last:  # that tick is still to come, and takes newcomers too
            came = and_(came, inbox.c.received_at > last, not_(inbox.c.quiet))
        query = select(func.count()).select_from(inbox).where(came)
        with self.store.inbox_engine.connect() as connection:
            return connection.scalar(query) or 0

    def explain(self, email: str) -> Row:
        """Everything the store can say of one contact."""
        with self.store.read() as connection:
            return explain(connection, self.live(connection), email)

    def explain_scenario(self, email: str, name: str) -> Row:
        """Why the contact is, or is not, in this scenario."""
        with self.store.read() as connection:
            return explain_scenario(connection, self.live(connection), email, name)

    def explain_list(self, email: str, name: str) -> Row:
        """Why the contact is, or is not, in this list."""
        with self.store.read() as connection:
            return explain_list(connection, self.live(connection), email, name)

    @contextmanager
    def contacts(self, **wanted: Any) -> Iterator[Rows]:
        """Contacts with their balances, cells, stage and lists."""
        asked = Wanted(**wanted)
        with self.store.read() as connection:
            project = self.live(connection)
            if asked.in_list is not None:
                name_known(asked.in_list, project.lists, "list")
            if asked.score is not None:
                name_known(asked.score, project.scores, "score")
            yield list_contacts(connection, project, asked)

    @contextmanager
    def lists(self, name: str | None, limit: int | None) -> Iterator[Rows]:
        """Every list with its size, or who is in one."""
        with self.store.read() as connection:
            every = list_lists(connection, self.live(connection))
            if name is None:
                yield every
            else:
                name_known(name, (row["list"] for row in every), "list")
                yield list_members(connection, name, limit)

    @contextmanager
    def scenarios(self, inside: str | None, limit: int | None) -> Iterator[Rows]:
        """Every scenario and how its people fare, or who is inside one."""
        with self.store.read() as connection:
            every = list_scenarios(connection, self.live(connection))
            if inside is None:
                yield every
            else:
                name_known(inside, (row["scenario"] for row in every), "scenario")
                yield list_inside(connection, inside, limit)

    @contextmanager
    def mails(self, **wanted: Any) -> Iterator[Rows]:
        """The outbox, the newest first."""
        asked = Mails(**wanted)
        with self.store.read() as connection:
            if asked.contact is not None:
                find_contact(connection, asked.contact)
            yield list_mails(connection, asked)

    def person(self, email: str) -> Row:
        """Everything that is held of one person, and what it is used for."""
        with self.store.read() as connection:
            return person(connection, self.live(connection), email)

    @contextmanager
    def leads(self, asked: Asked) -> Iterator[Queue]:
        """The queue for sales."""
        with self.store.read() as connection:
            yield open_queue(connection, self.live(connection), asked)

    def pause(self) -> str:
        """Since when and why no mail is sent; empty where nothing stands in its way."""
        from flowscore.mail.pause import find_pause

        with self.store.read() as connection:
            return str(find_pause(connection) or "")

    def preview(
        self, templates: Templates, settings: MailSettings, asked: tuple[str, str, int]
    ) -> Rendered:
        """The mail as a contact would get it; `asked` is (template, address, now)."""
        with self.store.read() as connection:
            return preview(connection, self.live(connection), templates, settings, asked)

    def export(self, folder: Path, watch: Callable[[int], None]) -> dict[str, int]:
        """Every table as JSON lines below the folder; gives the rows written."""
        with self.store.read() as connection:
            at = watermark(connection)
            project = self.live(connection)
            extract = Extract(
                connection,
                tuple(project.scores),
                NEVER if at is None else at,
                project.company_scores,
                project.first_stage,
            )
            return write_export(extract, folder, watch)
