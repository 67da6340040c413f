"""Erasing one person from a store that real calls filled, and what may come in afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select, text

from flowscore.errors import FlowscoreError
from flowscore.mail.message import file_name
from flowscore.mail.transport import discard
from flowscore.store import forgetting
from flowscore.store.database import open_store
from flowscore.store.erasing import Erased, Outside, erase
from flowscore.store.imports import Source, import_contacts
from flowscore.store.inbox import receive
from flowscore.store.rejects import Rejected, keep_rejects
from flowscore.store.tables import TABLES

from .taking import at, call, look, names, rows_of, send, tick, track

if TYPE_CHECKING:
    from flowscore.store.database import Store

ANA: dict[str, Any] = {"user": "u-ana", "anon": "v-ana"}
TELLING = ("ana@x.es", "u-ana", "v-ana", "annie", "telltale")
"""What tells that it was her."""


def gone(store: Store, hours: float = 100, name: tuple[str, str] = ("email", "ana@x.es")) -> Erased:
    """Erased that many hours after the start."""
    return erase(store, name, at(hours), Outside(lambda _: 0, lambda _: None))


def known(store: Store) -> list[str]:
    """The addresses and userIds of all contacts."""
    rows = look(store, "SELECT coalesce(email, user_id, 'visitor') FROM contacts ORDER BY id")
    return [name for (name,) in rows]


def everything(store: Store) -> str:
    """Every row of every table, in small letters."""
    found = []
    for table in TABLES.values():
        opened = store.receive() if table.name in ("inbox", "rejects") else store.read()
        with opened as connection:
            found += [(table.name, *row) for row in connection.execute(select(table))]
    return json.dumps(found, default=str, ensure_ascii=False).casefold()


def lived(store: Store) -> None:
    """Ana under three names, Ben beside her; one line of each is still waiting."""
    send(
        store,
        call("identify", 1, **ANA, traits={"email": "Ana@x.es", "first_name": "Annie"}),
        call("page", 2, anon="v-ana", properties={"path": "/pricing", "note": "telltale"}),
        call("page", 3, **ANA, properties={"url": "https://acme.example/u/ana@x.es"}),
        track("subscribed", 4, user="ana@x.es", properties={"topic": "news"}),
        track("bought", 5, **ANA, id="order of ana@x.es", properties={"gift": "telltale"}),
        track("sales_feedback", 6, user="ana@x.es", properties={"verdict": "won", "amount": 9}),
        track("bought", 7, user="ben@x.es", id="other", properties={"utm_source": "fair"}),
        call("group", 8, **ANA, groupId="acme", traits={}),
    )
    tick(store, 50)
    send(store, track("late", 60, user="ana@x.es"), received=60)
    send(store, track("late", 60, user="joana@x.es", id="joana"), received=60)


# --- what goes --------------------------------------------------------------------------------


def test_nothing_tells_who_it_was(store: Store) -> None:
    lived(store)
    with store.receive() as connection:
        keep_rejects(connection, [Rejected("site", "no name", '{"m": "ANA@x.es"}', at(9))])
        keep_rejects(connection, [Rejected("site", "no name", '{"m": "joana@x.es"}', at(9))])
    report = gone(store)
    told = everything(store)
    assert [one for one in TELLING if one in told.replace("joana@x.es", "")] == []
    assert "joana@x.es" in told, "somebody whose address ends alike"
    assert known(store) == ["ben@x.es"]
    assert (report.was_known, report.gone["inbox"], report.gone["rejects"]) == (True, 1, 1)


def test_the_files_hold_no_trace_of_what_was_deleted(tmp_path: Path) -> None:
    """But for what was deleted before, as lines of the inbox are; PostgreSQL has its VACUUM."""
    store = open_store(tmp_path / "flowscore.db", create=True)
    lived(store)
    gone(store)
    for name in ("flowscore.db", "flowscore.db-wal"):
        found = (tmp_path / name).read_bytes().decode("latin-1").casefold()
        assert [one for one in TELLING if one in found.replace("joana@x.es", "")] == []
    store.close()


def test_what_is_counted_stays_and_belongs_to_nobody(store: Store) -> None:
    lived(store)
    before = look(store, "SELECT name, own_at FROM events ORDER BY id")
    (number,) = look(store, "SELECT id FROM contacts WHERE email = 'Ana@x.es'")[0]
    gone(store)
    assert look(store, "SELECT name, own_at FROM events ORDER BY id") == before
    kept = look(store, f"SELECT contact_id, at FROM departed WHERE contact_id = {number}")
    assert kept == [(number, at(100))]
    subjects = look(
        store, f"SELECT subject FROM events WHERE name = 'page_viewed' AND contact_id = {number}"
    )
    assert sorted(one or "" for (one,) in subjects) == ["", "/pricing"], "a path with her address"
    assert look(store, "SELECT count(*), count(contact_id) FROM consent_records") == [(1, 0)]


def test_whoever_has_no_address_is_counted_nowhere_and_goes_whole(store: Store) -> None:
    send(store, track("bought", 1, user="u-7"), track("bought", 2, user="u-8"))
    tick(store, 10)
    gone(store, name=("user", "u-7"))
    assert look(store, "SELECT count(*) FROM events WHERE name = 'bought'") == [(1,)]
    assert look(store, "SELECT count(*) FROM departed") == [(0,)]


def test_an_address_that_no_tick_has_taken_is_erased_too(store: Store) -> None:
    send(store, track("bought", 1, user="ana@x.es"))
    report = gone(store)
    assert (report.was_known, report.gone["inbox"]) == (False, 1)
    send(store, track("bought", 2, user="ana@x.es", id="again"))
    tick(store, 10)
    assert known(store) == []


def test_the_second_time_says_when_the_first_was(store: Store) -> None:
    lived(store)
    gone(store)
    told = everything(store)
    again = gone(store, 200)
    assert (again.was_known, again.before, any(again.gone.values())) == (False, at(100), False)
    assert everything(store) == told
    assert gone(store, name=("email", "zoe@x.es")).did_nothing


def test_other_names_of_the_person_are_erased_with_the_one_that_is_told(store: Store) -> None:
    lived(store)
    gone(store, name=("user", "u-ana"))
    assert known(store) == ["ben@x.es"]
    send(store, track("bought", 99, user="ana@x.es", id="back"))
    tick(store, 110)
    assert "ana@x.es" not in known(store)


def message(store: Store, status: str, **more: Any) -> None:
    """A mail to Ana in the outbox."""
    with store.transact() as connection:
        (number,) = connection.execute(
            text("SELECT contact_id FROM identities WHERE value = 'ana@x.es'")
        ).one()
        row = {
            "key": f"thanks.1.{status}", "kind": "email", "contact_id": number, "scenario": "t",
            "step": status, "template": "hello", "topic": "news", "entered_at": at(9),
            "queued_at": at(9), "due_at": at(9), "next_at": at(9), "status": status,
            "response": "250 taken for <ana@x.es>", "reason": "render: no telltale in it",
            "sent_at": at(9), "settled_at": at(9), **more,
        }  # fmt: skip
        connection.execute(TABLES["messages"].insert().values(**row))


def test_mails_that_wait_are_not_sent_and_those_sent_are_stripped(
    store: Store, tmp_path: Path
) -> None:
    lived(store)
    for status in ("queued", "uncertain", "sent", "withheld"):
        message(store, status)
        (tmp_path / f"thanks.1.{status}.eml").write_text("To: ana@x.es")
    message(store, "sent", kind="webhook", key="hook", step="hook", payload={"to": "ana@x.es"})
    (tmp_path / "hook.json").write_text("ana@x.es")
    (tmp_path / "other.eml").write_text("To: ben@x.es")

    def sweep(keys: Sequence[str]) -> int:
        return discard(tmp_path, keys)

    erase(store, ("email", "ana@x.es"), at(100), Outside(sweep, lambda _: None))
    assert [path.name for path in tmp_path.glob("*.*") if "flowscore" not in path.name
            and path.suffix in (".eml", ".json")] == ["other.eml"]  # fmt: skip
    rows = look(store, "SELECT status, reason, response FROM messages ORDER BY id")
    assert rows == [("sent", "render", None), ("withheld", "render", None)]
    assert [one for one in TELLING if one in everything(store).replace("joana@x.es", "")] == []
    tick(store, 110)
    sent = look(store, "SELECT count(*) FROM events WHERE name = 'email_sent'")
    assert sent == [(1,)], "told of at once, since no tick can do it any more"


def test_while_a_mail_is_handed_over_nobody_is_erased(store: Store) -> None:
    lived(store)
    message(store, "sending", claimed_by="a", lease_until=at(200))
    told = everything(store)
    with pytest.raises(FlowscoreError, match="being handed over at this moment"):
        gone(store)
    assert everything(store) == told


def test_while_a_tick_runs_nobody_is_erased(store: Store) -> None:
    lived(store)
    with store.lock_tick(), pytest.raises(FlowscoreError, match="tick is being run"):
        gone(store)
    assert "ben@x.es" in known(store)
    assert len(known(store)) == 2


def test_whoever_dies_on_the_way_has_erased_nobody_and_may_say_it_again(store: Store) -> None:
    lived(store)

    def die(_: Sequence[str]) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase(store, ("email", "ana@x.es"), at(100), Outside(die, lambda _: None))
    assert len(known(store)) == 2
    gone(store)
    assert known(store) == ["ben@x.es"]
    assert [one for one in TELLING if one in everything(store).replace("joana@x.es", "")] == []


KILLED = """
import os, signal, sys
from flowscore.store.database import open_store
from flowscore.store.erasing import Outside, erase
die = lambda _: os.kill(os.getpid(), signal.SIGKILL)
erase(open_store(sys.argv[1]), ("email", "ana@x.es"), int(sys.argv[2]), Outside(die, die))
"""


def test_a_process_that_is_killed_on_the_way_has_erased_nobody(
    store: Store, store_url: str
) -> None:
    lived(store)
    before = everything(store)
    words = [sys.executable, "-c", KILLED, store_url, str(at(100))]
    assert subprocess.run(words, check=False, timeout=60).returncode == -signal.SIGKILL
    assert everything(store) == before
    gone(store)
    assert known(store) == ["ben@x.es"]


def test_a_tick_after_it_takes_the_company_without_them(store: Store) -> None:
    lived(store)
    gone(store)
    (company,) = look(store, "SELECT id FROM companies")[0]
    told = look(store, "SELECT name FROM changes WHERE kind = 'left company'")
    assert told == [(str(company),)]


# --- what does not come back ------------------------------------------------------------------


@pytest.fixture
def erased(store: Store) -> Store:
    lived(store)
    gone(store)
    return store


@pytest.mark.parametrize(
    "line",
    [
        track("bought", 120, user="ana@x.es"),
        track("bought", 120, user="u-ana"),
        call("identify", 120, user="u-new", traits={"email": "ANA@x.es"}),
        call("identify", 120, user="u-ana", traits={"email": "else@x.es"}),
        call("alias", 120, user="u-new", previousId="u-ana"),
        call("alias", 90, user="u-new", previousId="v-ana"),
        track("unsubscribed", 120, user="ana@x.es"),
        track("subscribed", 90, user="ana@x.es"),
        track("bought", 90, anon="v-ana"),
    ],
)
def test_a_name_of_theirs_is_not_taken_in(erased: Store, line: dict[str, Any]) -> None:
    send(erased, line, received=120)
    assert tick(erased, 130) > 0, "it is taken, and nothing comes of it"
    assert known(erased) == ["ben@x.es", "joana@x.es"] or known(erased) == ["ben@x.es"]
    told = everything(erased).replace("joana@x.es", "")
    assert [one for one in TELLING if one in told] == []


def test_others_keep_their_lines_without_the_forgotten_name(erased: Store) -> None:
    send(
        erased,
        call("identify", 120, user="ben@x.es", anon="v-ana", traits={"city": "Lugo"}),
        track("bought", 90, user="ben@x.es", anon="v-ana", id="of old"),
        call("identify", 121, user="u-zoe", traits={"city": "Vigo"}),
        received=121,
    )
    tick(erased, 130)
    send(erased, call("identify", 131, user="u-zoe", traits={"email": "ana@x.es", "age": 7}),
         received=131)  # fmt: skip
    tick(erased, 140)
    cities = look(erased, "SELECT text FROM attributes ORDER BY text")
    assert cities == [("7",), ("lugo",), ("vigo",)]
    assert "ana@x.es" not in everything(erased).replace("joana@x.es", "")


def test_a_visitor_is_a_new_one_after_the_erasure(erased: Store) -> None:
    send(erased, track("bought", 120, anon="v-ana"), received=120)
    tick(erased, 130)
    assert known(erased)[-1] == "visitor"
    bought = look(erased, "SELECT count(*) FROM events WHERE name = 'bought'")
    assert bought == [(3,)]


def test_new_consent_lets_them_in_as_a_new_person(erased: Store) -> None:
    send(
        erased,
        track("seen", 110, user="ana@x.es"),
        track("subscribed", 120, user="ana@x.es", properties={"topic": "news"}),
        track("bought", 121, user="u-ana", id="later"),
        received=121,
    )
    tick(erased, 130)
    assert sorted(known(erased)) == ["ana@x.es", "ben@x.es", "joana@x.es", "u-ana"]
    assert "seen" not in names(erased), "it happened before the consent"
    assert names(erased) == ["contact_created", "subscribed"]
    send(
        erased,
        track("bought", 40, user="ana@x.es", id="history"),
        track("bought", 140, user="ana@x.es", id="new"),
        received=140,
    )
    tick(erased, 150)
    assert names(erased) == ["contact_created", "subscribed", "bought"], "what was gone stays gone"


def test_they_can_be_erased_again(erased: Store) -> None:
    send(erased, track("subscribed", 120, user="ana@x.es"), received=120)
    tick(erased, 130)
    assert gone(erased, 140).was_known
    send(
        erased,
        track("bought", 150, user="ana@x.es"),
        track("subscribed", 120, user="ana@x.es", id="of old"),
        received=150,
    )
    tick(erased, 160)
    assert "ana@x.es" not in known(erased)


def test_a_sign_up_may_ask_them_again(erased: Store) -> None:
    (line,) = rows_of([track("signup", 120, user="ana@x.es")], 120)
    asked = line._replace(kind="signup", properties="{}", email="ana@x.es", name=None)
    receive(erased, [asked])
    tick(erased, 130)
    assert look(erased, "SELECT kind FROM messages") == [("confirm",)]
    assert "ana@x.es" not in known(erased)


def test_a_mail_that_asks_the_address_back_goes_with_it(store: Store, tmp_path: Path) -> None:
    for name in ("ana", "ben"):
        (line,) = rows_of([track("signup", 1, user=f"{name}@x.es", id=name)], 1)
        receive(store, [line._replace(kind="signup", properties="{}", email=f"{name}@x.es")])
    tick(store, 2)
    asked = look(store, "SELECT key FROM messages ORDER BY id")
    (tmp_path / f"{file_name(asked[0][0])}.eml").write_text("To: ana@x.es")
    report = erase(
        store,
        ("email", "ana@x.es"),
        at(3),
        Outside(lambda keys: discard(tmp_path, keys), lambda _: None),
    )
    assert (report.was_known, report.gone["files"]) == (False, 1)
    assert look(store, "SELECT key FROM messages") == asked[1:]


def imported(store: Store, folder: Path, rows: str, hours: float) -> Any:
    path = folder / "people.csv"
    path.write_text(f"email,created_at,consent,consent_at\n{rows}\n")
    return import_contacts(store, Source(path), at(hours))


def test_an_import_brings_nobody_back_without_new_consent(erased: Store, tmp_path: Path) -> None:
    rows = "Ana@x.es,2026-01-01,yes,\nzoe@x.es,2026-01-01,yes,"
    report = imported(erased, tmp_path, rows, 120)
    assert report.erased == 1
    tick(erased, 130)
    assert sorted(known(erased)) == ["ben@x.es", "joana@x.es", "zoe@x.es"]
    imported(erased, tmp_path, "ana@x.es,2026-01-01,yes,2026-01-02", 140)
    tick(erased, 150)
    assert "ana@x.es" not in known(erased), "consent that was given before the erasure"
    imported(erased, tmp_path, "ana@x.es,2026-01-01,no,2026-01-07", 160)
    tick(erased, 165)
    assert "ana@x.es" not in known(erased), "no consent at all"
    imported(erased, tmp_path, "ana@x.es,2026-01-01,yes,2026-01-07", 170)
    tick(erased, 180)
    assert "ana@x.es" in known(erased)
    assert imported(erased, tmp_path, "ana@x.es,2026-01-01,yes,", 190).erased == 0


def test_names_are_kept_as_salted_digests(store: Store, tmp_path: Path) -> None:
    lived(store)
    gone(store)
    digests = [digest for (digest,) in look(store, "SELECT digest FROM forgotten")]
    assert len(digests) == 3
    assert all(len(one) == 64 for one in digests)
    with store.read() as connection:
        salt = forgetting.find_salt(connection)
        assert forgetting.forgotten_since(connection, ("email", "ana@x.es")) == at(100)
        assert forgetting.forgotten_since(connection, ("email", "ben@x.es")) is None
    assert salt
    assert len(salt) == 64


def test_where_nobody_was_erased_one_look_up_is_all_it_costs(store: Store) -> None:
    asked: list[str] = []
    send(store, track("bought", 1, user="ana@x.es"))
    event.listen(
        store.engine, "before_cursor_execute", lambda *told: asked.append(f"{told[2]} {told[3]}")
    )
    tick(store, 10)
    about = [one for one in asked if "forgotten" in one and "CREATE TEMP TABLE" not in one]
    assert len(about) == 1
    assert forgetting.SALT in about[0]
