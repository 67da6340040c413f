"""Two known contacts who turn out to be one person, and whose a visitor is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import DBAPIError

from flowscore.store import merging
from flowscore.store.waiting import offer_waiting
from flowscore.views.people import find_contact
from store.taking import Project, at, call, change, look, names, send, tick, track

if TYPE_CHECKING:
    from flowscore.store.database import Store

ANA, OLD = "ana@x.es", "old@x.es"


def identify(hour: float, **fields: Any) -> dict[str, Any]:
    return call("identify", hour, **fields)


def together(hour: float) -> dict[str, Any]:
    """The call that names both by names that are known."""
    return identify(hour, user="u1", traits={"email": ANA}, id=f"together@{hour}")


def two(store: Store) -> tuple[int, int]:
    """u1, who came first, and the contact with the address."""
    send(store, track("a", 1, user="u1"), track("b", 2, user=ANA))
    tick(store, 2)
    found = dict(look(store, "SELECT kind, contact_id FROM identities"))
    return found["user"], found["email"]


def merge(store: Store, hour: float = 5, project: Project | None = None) -> None:
    send(store, together(hour))
    tick(store, hour, project)


# --- who is who -------------------------------------------------------------------------------


def test_an_identify_that_names_two_contacts_merges_the_younger_into_the_older(
    store: Store,
) -> None:
    first, _ = two(store)
    draws = look(store, f"SELECT draw_a, draw_b FROM contacts WHERE id = {first}")
    merge(store)
    assert look(store, "SELECT id, email, user_id, created_at FROM contacts") == [
        (first, ANA, "u1", at(1))
    ]
    assert look(store, "SELECT draw_a, draw_b FROM contacts") == draws  # ruling 131
    assert names(store).count("contact_created") == 1
    assert {"a", "b"} <= set(names(store))


@pytest.mark.parametrize("kind", ["track", "page", "group"])
def test_any_call_that_names_both_merges(store: Store, kind: str) -> None:
    two(store)
    both = {"context": {"traits": {"email": ANA}}, "event": "x", "groupId": "g"}
    send(store, call(kind, 3, user="u1", **both))
    tick(store, 3)
    assert look(store, "SELECT count(*) FROM contacts") == [(1,)]


@pytest.mark.parametrize(("before", "now"), [("u1", ANA), (ANA, "u1"), ("ANA@x.es ", "u1")])
def test_alias_merges_what_two_names_name(store: Store, before: str, now: str) -> None:
    two(store)
    send(store, call("alias", 3, user=now, previousId=before))
    tick(store, 3)
    assert look(store, "SELECT count(*), min(email_folded) FROM contacts") == [(1, ANA)]


def test_alias_of_two_addresses_is_mailed_at_the_new_one(store: Store) -> None:
    send(store, track("a", 1, user=OLD), track("b", 2, user=ANA))
    tick(store, 2)
    send(store, call("alias", 3, user=ANA, previousId=OLD))
    tick(store, 3)
    assert look(store, "SELECT email_folded FROM contacts") == [(ANA,)]
    send(store, track("c", 4, user=OLD))
    tick(store, 4)
    assert names(store)[-1] == "c"


def test_alias_of_a_visitor_names_them(store: Store) -> None:
    send(store, track("a", 1, anon="v"), call("alias", 2, user=ANA, previousId="v"))
    tick(store, 2)
    assert look(store, "SELECT known FROM contacts") == [(True,)]
    assert "a" in names(store)


def test_alias_of_an_id_that_is_heard_of_later(store: Store) -> None:
    send(store, call("alias", 1, user=ANA, previousId="u0"))
    tick(store, 1)
    send(store, track("a", 2, user="u0"))
    tick(store, 2)
    assert names(store) == ["contact_created", "a"]


def test_alias_of_one_visitor_by_two_people_merges_nobody(store: Store) -> None:
    send(store, call("alias", 1, user="u1", previousId="v", id="x"))
    send(store, call("alias", 2, user="u2", previousId="v", id="y"), track("a", 3, anon="v"))
    tick(store, 3)
    assert look(store, "SELECT user_id FROM contacts ORDER BY id") == [("u1",), ("u2",)]
    found = "SELECT c.user_id FROM events e JOIN contacts c ON c.id = e.contact_id"
    assert look(store, f"{found} WHERE e.name = 'a'") == [("u1",)]


def test_a_chain_of_names_is_one_person(store: Store) -> None:
    for number in range(6):
        send(
            store, track("a", number, user=f"u{number}"), track("b", number, user=f"{number}@x.es")
        )
    tick(store, 6)
    assert look(store, "SELECT count(*) FROM contacts") == [(12,)]
    for number in range(6):
        traits = {"email": f"{number}@x.es"}
        send(store, identify(7, user=f"u{number}", traits=traits, id=f"i{number}"))
        if number:
            alias = call("alias", 8, user=f"u{number}", previousId=f"u{number - 1}")
            send(store, {**alias, "messageId": f"l{number}"})
    tick(store, 8)
    assert look(store, "SELECT count(*) FROM contacts") == [(1,)]
    assert look(store, "SELECT count(*) FROM events WHERE behaviour") == [(12,)]


def test_one_id_for_everybody_merges_no_more_than_a_person_can_have(store: Store) -> None:
    """A tool that sends its own userId with each customer's address makes no crowd one person."""
    crowd = [track("a", 1, user=f"{n}@x.es", id=f"a{n}") for n in range(90)]
    send(store, *crowd)
    tick(store, 1)
    send(store, *(
        identify(2, user="robot", traits={"email": f"{n}@x.es"}, id=f"i{n}") for n in range(120)
    ))  # fmt: skip
    tick(store, 2)
    ((most,),) = look(store, """
        SELECT max(number) FROM (
            SELECT count(*) AS number FROM identities GROUP BY contact_id) AS sizes
    """)  # fmt: skip
    assert most == 50


def test_a_former_name_finds_the_person(store: Store) -> None:
    send(store, track("a", 1, user=OLD), track("b", 2, user=ANA))
    tick(store, 2)
    send(store, call("alias", 3, user=ANA, previousId=OLD))
    tick(store, 3)
    with store.read() as connection:
        assert find_contact(connection, "Old@X.es").email == ANA


def test_a_tick_that_dies_within_a_merge_has_done_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, younger = two(store)
    send(store, together(5))
    with monkeypatch.context() as patch:
        patch.setattr(merging, "STATEMENTS", [*merging.STATEMENTS[:9], "SELECT dies"])
        with pytest.raises(DBAPIError):
            tick(store, 5)
    assert look(store, "SELECT id FROM contacts ORDER BY id") == [(older,), (younger,)]
    tick(store, 5)
    tick(store, 6)
    assert look(store, "SELECT id FROM contacts") == [(older,)]
    assert look(store, "SELECT count(*) FROM events") == [(3,)]


# --- the address that is mailed ---------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
def test_the_address_said_last_is_mailed(store: Store, late: bool) -> None:
    said = [
        identify(2, user="u1", traits={"email": OLD}),
        identify(4, user="u1", traits={"email": ANA}),
    ]
    for hour, one in enumerate(reversed(said) if late else said, 10):
        send(store, one, received=hour)
        tick(store, hour)
    assert look(store, "SELECT email, email_at FROM contacts") == [(ANA, at(4))]


def test_history_changes_an_address_only_if_it_is_newer(store: Store) -> None:
    send(store, identify(4, user="u1", traits={"email": ANA}))
    tick(store, 4)
    send(store, identify(2, user="u1", traits={"email": OLD}), historical=True, received=5)
    tick(store, 5)
    assert look(store, "SELECT email FROM contacts") == [(ANA,)]


# --- what hangs on a contact ------------------------------------------------------------------


def walk(store: Store, contact: int, key: str, at_: int, position: int, scenario: str = "s") -> int:
    change(
        store,
        f"""INSERT INTO enrollments (contact_id, scenario, definition_id, key, own_at, entered_at,
        position, due_at, held, reason, entered_after, came)
        VALUES ({contact}, '{scenario}', 1, '{key}', 1, {at_}, {position}, 1, false, '', 0, false)
        """,
    )
    ((number,),) = look(store, "SELECT max(id) FROM enrollments")
    return int(number)


def mail(store: Store, contact: int, walk: int, status: str = "queued") -> int:
    change(
        store,
        f"""INSERT INTO messages (key, kind, contact_id, enrollment_id, scenario, step, priority,
        place, template, topic, entered_at, queued_at, due_at, status, next_at, attempts,
        sent_event) VALUES ('k{walk}', 'email', {contact}, {walk}, 's', 'steps/0', 0, 0, 'hello',
        'news', 1, 1, 1, '{status}', 1, 0, true)""",
    )
    ((number,),) = look(store, "SELECT max(id) FROM messages")
    return int(number)


def walks(store: Store) -> list[tuple[Any, ...]]:
    return look(store, "SELECT id, outcome, reason FROM enrollments ORDER BY id")


class Again:
    """A scenario that may be entered every time."""

    mode = "every_time"

    @property
    def reenroll(self) -> Again:
        return self


def test_of_two_walks_the_one_further_on_goes_on(store: Store) -> None:
    older, younger = two(store)
    first, second = walk(store, older, "a", 10, 0), walk(store, younger, "b", 20, 3)
    done = walk(store, younger, "c", 30, 0, scenario="other")
    merge(store)
    assert walks(store) == [
        (first, "exited", "merged"),
        (second, None, ""),
        (done, None, ""),
    ]
    assert look(store, "SELECT DISTINCT contact_id FROM enrollments") == [(older,)]


def test_walks_of_a_scenario_for_every_occurrence_go_on_side_by_side(store: Store) -> None:
    older, younger = two(store)
    walk(store, older, "a", 10, 0)
    walk(store, younger, "b", 20, 3)
    walk(store, younger, "c", 30, 0)
    merge(store, project=Project(scenarios={"s": Again()}))
    assert [outcome for _, outcome, _ in walks(store)] == [None, None, "exited"]


def test_an_occurrence_of_both_keeps_one_key(store: Store) -> None:
    older, younger = two(store)
    walk(store, older, "a", 10, 1)
    walk(store, younger, "a", 5, 1)
    decide = """INSERT INTO decisions (contact_id, scenario, definition_id, key, at, own_at, reason)
        VALUES ({}, 's', 1, 'x', 1, 1, 'conditions')"""
    for contact in (older, younger):
        change(store, decide.format(contact))
    merge(store)
    assert look(store, "SELECT key, outcome FROM enrollments ORDER BY id") == [
        ("a", "exited"),
        (f"a/{younger}", None),
    ]
    assert look(store, "SELECT contact_id FROM decisions") == [(older,)]


def test_a_mail_queued_for_both_goes_once(store: Store) -> None:
    older, younger = two(store)
    again = Project(scenarios={"s": Again()})
    for contact, key, place in ((older, "a", 2), (younger, "b", 1)):
        mail(store, contact, walk(store, contact, key, 10, place))
    merge(store, project=again)
    assert look(store, "SELECT contact_id, status, reason FROM messages ORDER BY id") == [
        (older, "queued", None),
        (older, "withheld", "merged"),
    ]


def test_a_mail_of_a_walk_that_ended_so_does_not_go(store: Store) -> None:
    older, younger = two(store)
    mail(store, older, walk(store, older, "a", 10, 2), "sent")
    mail(store, younger, walk(store, younger, "b", 20, 1))
    merge(store)
    assert look(store, "SELECT contact_id, status, reason FROM messages ORDER BY id") == [
        (older, "sent", None),
        (older, "withheld", "merged"),
    ]


def line(store: Store, contact: int, rule: str, kind: str, key: str, points: int, own: int) -> None:
    change(
        store,
        f"""INSERT INTO ledger (contact_id, score, rule, kind, key, points, own_at, tick_at,
        reason) VALUES ({contact}, 's', '{rule}', '{kind}', '{key}', {points}, {own}, 1, '')""",
    )


def test_points_of_one_occurrence_stand_once(store: Store) -> None:
    older, younger = two(store)
    for contact in (older, younger):
        line(store, contact, "weekly", "rule", "2026-W01", 5, 1)
        line(store, contact, "bought", "rule", f"order-{contact}", 7, 1)
        line(store, contact, "is big", "when", "1/1", 3, 1)
    merge(store)
    sums = "SELECT rule, sum(points) FROM ledger GROUP BY rule ORDER BY rule"
    assert look(store, sums) == [("bought", 14), ("is big", 3), ("weekly", 5)]


@pytest.mark.parametrize("reset_of", ["older", "younger", "both"])
def test_a_when_that_stood_for_both_stands_once_after_a_reset(store: Store, reset_of: str) -> None:
    """What a reset has made worth nothing is not taken back once more."""
    older, younger = two(store)
    for contact, name, own in ((older, "older", 1), (younger, "younger", 2)):
        line(store, contact, "is-big", "when", "1/1", 3, own)
        if reset_of in (name, "both"):
            line(store, contact, "", "reset", f"r{name}", -3, 9)
    merge(store)
    assert look(store, "SELECT sum(points) FROM ledger WHERE kind = 'when'") == [(3,)]
    assert look(store, "SELECT count(*) FROM ledger WHERE key LIKE 'merge/%'") == [(0,)]


def test_points_of_being_created_stand_once(store: Store) -> None:
    older, _ = two(store)
    made = look(store, "SELECT contact_id, id FROM events WHERE name = 'contact_created'")
    for contact, event in made:
        change(
            store,
            f"""INSERT INTO ledger (contact_id, score, rule, kind, key, points, own_at, tick_at,
            event_id, reason) VALUES ({contact}, 's', 'new', 'rule', 'e{event}', 4, 1, 1, {event},
            '')""",
        )
        walk(store, contact, f"e{event}", 1, 1)
        change(store, f"UPDATE enrollments SET event_id = {event} WHERE contact_id = {contact}")
    merge(store)
    assert look(store, "SELECT contact_id, points FROM ledger") == [(older, 4)]
    kept = dict(made)[older]
    assert look(store, "SELECT DISTINCT event_id FROM enrollments") == [(kept,)]


@pytest.mark.parametrize("which", ["suppressed", "company"])
def test_what_one_of_them_has_the_person_has(store: Store, which: str) -> None:
    older, _ = two(store)
    if which == "company":
        send(store, call("group", 3, user=ANA, groupId="acme"))
    else:
        send(store, track("Email Bounced", 3, user=ANA))
    tick(store, 3)
    merge(store)
    column = "company_id" if which == "company" else "suppressed"
    assert look(store, f"SELECT id FROM contacts WHERE {column} IS NOT NULL") == [(older,)]


# --- consent ----------------------------------------------------------------------------------


def says(word: str, hour: float, topic: str = "news", **who: Any) -> dict[str, Any]:
    return track(word, hour, properties={"topic": topic}, id=f"{word}@{hour}/{topic}", **who)


def granted(store: Store, topic: str = "news") -> bool | None:
    found = look(store, f"SELECT granted FROM consents WHERE topic = '{topic}'")
    return bool(found[0][0]) if found else None


@pytest.mark.parametrize("late", [False, True])
def test_of_what_was_said_apart_the_stricter_holds(store: Store, late: bool) -> None:
    """Also where the call that tells they are one comes in before what they said."""
    calls = [
        says("Unsubscribed", 2, user="u1"),
        says("Subscribed", 3, user=ANA),
        says("Subscribed", 3, topic="offers", user=ANA),
        together(5),
    ]
    for hour, one in enumerate(reversed(calls) if late else calls, 10):
        send(store, one, received=hour)
        tick(store, hour)
    assert granted(store) is False
    assert granted(store, "offers") is True
    send(store, says("Subscribed", 20, user=ANA))
    tick(store, 20)
    assert granted(store) is True  # from then on the newest word wins, as ever


@pytest.mark.parametrize("late", [False, True])
def test_what_was_said_once_they_were_one_is_newer_or_older(store: Store, late: bool) -> None:
    calls = [
        says("Unsubscribed", 2, user="u1"),
        together(3),
        says("Subscribed", 4, user=ANA),
        together(6),
    ]
    for hour, one in enumerate(reversed(calls) if late else calls, 10):
        send(store, one, received=hour)
        tick(store, hour)
    assert granted(store) is True


def test_who_refused_all_under_one_name_has_refused(store: Store) -> None:
    two(store)
    send(store, says("Subscribed", 4, user=ANA), says("Unsubscribed", 3, topic="all", user="u1"))
    tick(store, 4)
    merge(store)
    assert granted(store) is False


# --- whose a visitor is -----------------------------------------------------------------------


def owner(store: Store, event: str = "looked") -> list[tuple[Any, ...]]:
    return look(
        store,
        f"""SELECT c.email_folded, c.known FROM events e JOIN contacts c ON c.id = e.contact_id
        WHERE e.name = '{event}'""",
    )


@pytest.mark.parametrize("kind", ["identify", "group", "alias"])
def test_a_call_of_these_kinds_says_who_a_visitor_is(store: Store, kind: str) -> None:
    more = {"groupId": "g", "previousId": "u9"}
    send(store, track("looked", 1, anon="v"), call(kind, 2, user=ANA, anon="v", **more))
    tick(store, 2)
    assert owner(store) == [(ANA, True)]


def test_an_event_beside_an_anonymous_id_does_not(store: Store) -> None:
    send(store, track("looked", 1, anon="v"), track("b", 2, user=ANA, anon="v"))
    tick(store, 2)
    assert owner(store) == [(None, False)]


def test_a_claim_that_was_earlier_takes_over_what_came_alone(store: Store) -> None:
    send(store, track("looked", 3, anon="v"), identify(4, user=OLD, anon="v"))
    send(store, track("bought", 4, user=OLD, anon="v"))
    tick(store, 4)
    (who,) = look(store, "SELECT e.id, e.contact_id FROM events e WHERE e.name = 'looked'")
    change(
        store,
        f"""INSERT INTO ledger (contact_id, score, rule, kind, key, points, own_at, tick_at,
        event_id, reason) VALUES ({who[1]}, 's', 'r', 'rule', 'x', 5, 1, 1, {who[0]}, '')""",
    )
    change(store, f"INSERT INTO balances VALUES ({who[1]}, 's', 5, 5, 5)")
    change(store, "DELETE FROM changes")
    send(store, identify(2, user=ANA, anon="v", id="earlier"), received=6)
    tick(store, 6)
    assert owner(store) == [(ANA, True)]
    assert owner(store, "bought") == [(OLD, True)]
    assert look(store, "SELECT c.email FROM ledger l JOIN contacts c ON c.id = l.contact_id") == [
        (ANA,)
    ]
    told = set(look(store, "SELECT kind, contact_id FROM changes WHERE kind = 'merged'"))
    assert len(told) == 2  # both are reckoned anew


def test_an_anonymous_id_that_many_claim_names_nobody(store: Store) -> None:
    send(store, track("looked", 1, anon="kiosk"))
    for number in range(5):
        send(store, identify(2 + number, user=f"{number}@x.es", anon="kiosk"))
    tick(store, 8)
    assert owner(store) == [("0@x.es", True)]
    send(store, identify(9, user="sixth@x.es", anon="kiosk"), track("later", 10, anon="kiosk"))
    tick(store, 10)
    assert owner(store) == owner(store, "later") == [(None, False)]
    assert look(store, "SELECT count(*) FROM contacts") == [(7,)]


def test_thousands_of_claims_cost_no_more_than_a_few(store: Store) -> None:
    for hour in (1, 2):
        send(store, *(
            identify(hour, user=f"{hour}-{n}@x.es", anon="undefined-1", id=f"{hour}-{n}")
            for n in range(1000)
        ))  # fmt: skip
        send(store, track("looked", hour, anon="undefined-1", id=f"l{hour}"))
        tick(store, hour)
    assert look(store, "SELECT count(*) FROM claims") == [(1,)]
    assert set(owner(store)) == {(None, False)}
    assert look(store, "SELECT count(*) FROM contacts") == [(2001,)]


@pytest.mark.parametrize("nobody", ["undefined", "NULL", " null ", "[object Object]", "anonymous"])
def test_words_that_name_nobody_are_no_ids(store: Store, nobody: str) -> None:
    send(store, identify(1, user=ANA, anon=nobody), identify(2, user=nobody, traits={"email": OLD}))
    tick(store, 2)
    assert look(store, "SELECT kind, value FROM identities ORDER BY value") == [
        ("email", ANA),
        ("email", OLD),
    ]


# --- what an older flowscore kept -------------------------------------------------------------


def test_what_waited_for_a_merge_is_applied(store: Store) -> None:
    two(store)
    kept = '{"type": "identify", "userId": "u1", "traits": {"email": "ana@x.es"}}'
    alias = '{"type": "alias", "userId": "u1", "previousId": "u7"}'
    broken = '{"type": "alias", "userId": "u1"}'
    for name, kind, waits, content in (
        ("k", "identify", "merge", kept),
        ("l", "alias", "alias", alias),
        ("m", "alias", "alias", broken),
    ):
        change(
            store,
            f"""INSERT INTO calls VALUES ('{name}', '{kind}', {at(2)}, {at(2)}, {at(2)}, '{waits}',
            '{content.replace(":", chr(92) + ":")}')""",
        )
    send(store, track("c", 3, user="u7"))
    for _ in range(2):
        offer_waiting(store)
        tick(store, 6)
    assert look(store, "SELECT count(*) FROM contacts") == [(1,)]
    assert look(store, "SELECT message_id FROM calls WHERE waiting IS NOT NULL") == [("m",)]
