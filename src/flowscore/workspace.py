"""Every verb that a door needs, over a project folder and its store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowscore.clock import clock_now
from flowscore.errors import FlowscoreError
from flowscore.ground import Ground

if TYPE_CHECKING:
    from flowscore.engine.moves import Moves
    from flowscore.engine.registry import ApplyReport
    from flowscore.engine.tick import TickReport
    from flowscore.errors import Problem
    from flowscore.learning.asking import Question
    from flowscore.learning.lessons import Lessons
    from flowscore.mail.delivery import DeliveryReport
    from flowscore.mail.returns.taking import Desk, Taken
    from flowscore.mail.templates import Rendered
    from flowscore.orders import Feedback, Grid, Reading
    from flowscore.planning.plan import Plan
    from flowscore.planning.versions import Versions
    from flowscore.store.erasing import Erased
    from flowscore.store.imports import ImportReport, Source
    from flowscore.store.rejects import Rejects
    from flowscore.store.write_keys import WriteKeys
    from flowscore.views.look import Look

Row = dict[str, Any]
Watch = Callable[[int], None]
"""Told how much more is done, for a progress bar."""


def ignore(_: int) -> None:
    """Nobody watches."""


class Workspace(Ground):
    """Opens what a verb needs when it needs it; `validate` touches neither store nor settings."""

    # --- the folder ---------------------------------------------------------------------------

    def init(self) -> list[Path]:
        """Copy the starter project into the folder; a file that is there stays as it is."""
        from flowscore.starter import copy_starter

        return copy_starter(self.root)

    def problems(self) -> list[Problem]:
        """Every mistake and warning; in a clean folder also what a look at the store raises."""
        from flowscore.planning.doubting import with_unseen

        return with_unseen(*self.loaded, self.root, lambda: self.store_place)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a definition, for editors."""
        from flowscore.language.schema import json_schema

        return json_schema()

    def plan(self, *, whole: bool = False, watch: Watch = ignore) -> Plan:
        """What `apply` would change, without changing it; refused while there is a mistake.

        `whole`: what changed scores would move is tried on everybody, however many they are.
        """
        from flowscore.planning.plan import first_plan

        project = self.clean()
        place = self.store_place
        if isinstance(place, Path) and not place.is_file():
            return first_plan(project)
        return self.versions.plan(project, whole=whole, watch=watch)

    def apply(
        self, enroll_existing: Sequence[str] = (), *, fires: bool = False, watch: Watch = ignore
    ) -> ApplyReport:
        """Make the folder live; refused while it has a mistake.

        The next tick enrolls into `enroll_existing` who stands there already, and with `fires`
        notices what changed scores moved.
        """
        from flowscore.engine.registry import apply_project
        from flowscore.views.people import name_known

        project = self.clean()
        for name in enroll_existing:
            name_known(name, project.scenarios, "scenario")
        store = self.open_or_create_store()
        return apply_project(store, project, clock_now(), enroll_existing, fires=fires, watch=watch)

    def rescore(
        self, scores: Sequence[str] = (), *, fires: bool = False, watch: Watch = ignore
    ) -> Row | None:
        """Judge scores (all by default) anew from the whole log; None before the first tick."""
        from flowscore.engine.rescoring import rescore
        from flowscore.views.people import name_known

        self.require_live()
        for name in scores:
            name_known(name, self.live.scores, "score")
        found = rescore(self.store, scores, fires=fires, watch=watch)
        if found is None:
            return None
        said = {"scores_judged": list(found.scores), "fires": fires, "resumed": found.resumed}
        return {**said, **self.told(found.moved)}

    def told(self, moves: Moves) -> Row:
        """What a recompute moved, with addresses and the words of the live project."""
        from flowscore.planning.moving import moved

        with self.reading() as (connection, project):
            return moved(connection, moves, project).as_row()

    def contacts_to_judge(self) -> int:
        """How many a recompute goes through; 0 where there is no store yet."""
        from flowscore.engine.recompute import count_contacts

        place = self.store_place
        if isinstance(place, Path) and not place.is_file():
            return 0
        with self.store.read() as connection:
            return count_contacts(connection)

    @cached_property
    def versions(self) -> Versions:
        """Of what is live and was: plans, histories, and the way back."""
        from flowscore.planning.versions import Versions

        return Versions(self.store, self.root, self._live)

    # --- intake -------------------------------------------------------------------------------

    def import_contacts(
        self, file: Path, reading: Reading, *, as_live: bool, watch: Watch = ignore
    ) -> ImportReport:
        """Contacts of a CSV or JSONL file, into the inbox."""
        from flowscore.store.imports import import_contacts

        store = self.open_or_create_store()
        source = self._source(file, reading)
        return import_contacts(store, source, clock_now(), as_live=as_live, progress=watch)

    def import_events(
        self,
        file: Path,
        reading: Reading,
        *,
        as_live: bool,
        historical: bool,
        watch: Watch = ignore,
    ) -> ImportReport:
        """Events of a CSV or JSONL file, into the inbox."""
        from flowscore.store.imports import import_events

        store = self.open_or_create_store()
        source = self._source(file, reading)
        return import_events(
            store, source, clock_now(), as_live=as_live, historical=historical, progress=watch
        )

    def _source(self, file: Path, reading: Reading) -> Source:
        """Times without a zone are local in the policy's."""
        from flowscore.mail.scope import reader_zone
        from flowscore.store.imports import Source

        zone = reader_zone(None, self.loaded[0].policy.timezone)
        return Source(file, reading.columns, reading.encoding, zone)

    def next_step(self) -> str:
        """What to do after something came in."""
        with self.reading() as (_, project):
            return f"Next: {'flowscore apply, then ' * project.is_empty}flowscore tick"

    def enroll(self, scenario: str, email: str) -> None:
        """Ask the next tick to enroll a contact by hand."""
        from flowscore.orders import enrollment_request
        from flowscore.store.inbox import receive
        from flowscore.views.people import find_contact, name_known

        with self.reading() as (connection, project):
            name_known(scenario, project.scenarios, "scenario")
            found = find_contact(connection, email)
        receive(self.store, [enrollment_request(scenario, found.email, clock_now())])

    def note_feedback(self, email: str, feedback: Feedback) -> bool:
        """Hand what sales says to the next tick; whether it was new."""
        from flowscore.store.inbox import receive
        from flowscore.views.people import find_contact

        with self.store.read() as connection:
            found = find_contact(connection, email)
        line = feedback.line(found.email, clock_now())
        return receive(self.store, [line], look=True).taken == 1

    @property
    def write_keys(self) -> WriteKeys:
        """The keys by which sources send events."""
        from flowscore.store.write_keys import WriteKeys

        return WriteKeys(self.open_or_create_store(), clock_now)

    def rejects(self, since: int = 0) -> Rejects:
        """What sources sent and could not be taken."""
        from flowscore.store.rejects import Rejects

        return Rejects(self.store, since)

    def consent(self, email: str) -> list[Row]:
        """The words of consent of one address, with whether each is proven to be theirs."""
        from flowscore.views.consent_proofs import consent_of

        with self.store.read() as connection:
            return consent_of(connection, email, self.mail_settings.secret)

    def erase(self, name: str, kind: str = "email") -> Erased:
        """Erase whoever has the address (or userId): the person goes, the sums stay."""
        from flowscore.engine.recompute import order_texts
        from flowscore.mail.transport import discard
        from flowscore.store.erasing import Outside, erase
        from flowscore.store.naming import called
        from flowscore.views.people import nobody_called

        outside = Outside(partial(discard, self.settings.outbox), order_texts)
        done = erase(self.store, called(kind, name), clock_now(), outside)
        if done.did_nothing:
            with self.store.read() as connection:
                raise FlowscoreError(nobody_called(connection, kind, name))
        return done

    @property
    def returns_desk(self) -> Desk:
        """Where mail that came back is taken in."""
        from flowscore.surroundings import returns_desk_of

        return returns_desk_of(self.mail_settings, self.open_or_create_store())

    def read_bounces(self, stop: Callable[[], bool] = lambda: False) -> Taken:
        """Take in what lies in the bounce mailbox; `stop` is asked between mails."""
        from flowscore.surroundings import read_bounces

        return read_bounces(self.root, self.settings, self.returns_desk, stop)

    # --- time ---------------------------------------------------------------------------------

    def watermark(self) -> int | None:
        """The last tick that has run, or None."""
        from flowscore.engine.registry import watermark

        with self.store.read() as connection:
            return watermark(connection)

    def has_work(self, now: int) -> bool:
        """Whether a tick or a delivery at that instant would find something to do."""
        from flowscore.engine.tick import owed
        from flowscore.mail.claims import is_due

        if owed(self.store, now, self.settings.tick_every):
            return True
        with self.store.read() as connection:
            return is_due(connection, now)

    def run_owed_ticks(self, now: int, before_tick: Callable[[], None]) -> TickReport:
        """Every tick of the grid that is owed up to now, in order; `before_tick` may raise."""
        from flowscore.engine.tick import run_ticks

        self.require_live()
        step = self.settings.tick_every
        return run_ticks(self.store, until=now, step=step, before_tick=before_tick)

    def is_as_applied(self) -> bool:
        """Whether `scenarios/` still says what is live."""
        from flowscore.language.project import load_project
        from flowscore.views.freshness import is_as_applied

        with self.store.read() as connection:
            folder = self.root / "scenarios"
            return is_as_applied(connection, folder, lambda: load_project(self.root)[0])

    def require_live(self) -> None:
        """Refuse to tick before anything was applied: events would be taken in for nobody."""
        assert self.live is not None

    def tick(
        self,
        now: int,
        grid: Grid,
        delivered: list[DeliveryReport] | None = None,
        watch: Watch = ignore,
    ) -> TickReport:
        """The ticks of a grid that are owed, by default up to now.

        With `delivered` a delivery follows each tick, as of that tick, and is noted there.
        """
        from flowscore.engine.tick import run_ticks

        self.require_live()
        until = now if grid.until is None else grid.until
        step = grid.every or self.settings.tick_every
        grid.refuse_going_back(until, self.watermark())

        def deliver(instant: int) -> None:
            assert delivered is not None
            delivered.append(self.deliver(instant))

        return run_ticks(
            self.store,
            from_=grid.first,
            until=until,
            step=step,
            before_tick=lambda: watch(1),
            after_tick=None if delivered is None else deliver,
        )

    def deliver(self, now: int, stop: Callable[[], bool] = lambda: False) -> DeliveryReport:
        """Send what is queued and due; `stop` is asked between mails whether to end early."""
        from flowscore.mail.delivery import deliver
        from flowscore.surroundings import deliver_webhooks

        settings = self.mail_settings
        report = deliver(
            self.store, self.live, self.templates, self.transport, now, settings=settings, stop=stop
        )
        # After the mails, so that no receiver holds them up.
        webhooks = deliver_webhooks(self.root, self.settings, self.store, now, stop)
        return replace(report, webhooks=webhooks)

    def settle_uncertain(self, key: str, *, resend: bool) -> str:
        """Settle a mail of which a crash left unknown whether it went out; gives the address."""
        from flowscore.mail.by_hand import queue_again, settle_as_sent

        with self.store.transact(durable=True) as connection:
            if resend:
                return queue_again(connection, key)
            return settle_as_sent(connection, key, clock_now())

    def resume_sending(self) -> str | None:
        """Lift the pause of `pause_when`; gives why it stood, or None where none did."""
        from flowscore.mail.pause import lift

        return lift(self.store)

    def refuse_unstoppable_mail(self) -> None:
        """A service that sends marketing mail over SMTP needs a way out of it."""
        from flowscore.settings import refuse_unstoppable_mail

        topics = {name: self.templates.topic(name) for name in self.templates.names}
        marketing = [n for n, topic in topics.items() if topic not in (None, "transactional")]
        refuse_unstoppable_mail(self.settings, marketing)

    def look_after_webhooks(self) -> str:
        """What a service says of webhooks; refused where they want what the environment lacks."""
        from flowscore.engine.registry import load_applied
        from flowscore.surroundings import look_after_webhooks

        with self.store.read() as connection:
            versions = load_applied(connection).versions
        scenarios = [version.scenario for version in versions]
        return look_after_webhooks(self.root, self.settings, scenarios)

    def learn(self, question: Question) -> Lessons:
        """Points from results, of the store or of a file; writes `scenarios/` when told to."""
        from flowscore.learning.lesson import learn

        there = question.file is None or (self.root / "scenarios").is_dir()
        return learn(question, self.root, self.clean() if there else None, self.reading)

    # --- looking ------------------------------------------------------------------------------

    @cached_property
    def look(self) -> Look:
        """Read-only answers from the store, one method each."""
        from flowscore.views.look import Look

        return Look(self.store, self._live)

    def preview(self, template: str, email: str) -> Rendered:
        """The mail as that contact would get it."""
        asked = (template, email, clock_now())
        return self.look.preview(self.templates, self.mail_settings, asked)

    def report(self, section: str | None = None, **wishes: Any) -> Row:
        """What became of leads, mails and scenarios, as one document (`reporting.Wishes`)."""
        from flowscore.planning.phrases import phrase
        from flowscore.views.reporting.inquiry import Wishes
        from flowscore.views.reporting.report import make_report

        with self.reading() as (connection, project):
            return make_report(connection, project, Wishes(**wishes), phrase, section)
