"""kill -9 at any step of a delivery, and again: every mail once, none lost (T15)."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from flowscore.clock import DAY, MINUTE
from mail.conftest import NOW, House, read_mail
from mail.smtp_server import Script, serve

MAILS = 16
SENDER = Path(__file__).with_name("dying_sender.py")


def fill(house: House) -> set[str]:
    """Two mails for each of ten people."""
    for number in range(MAILS // 2):
        contact = house.add_contact(f"c{number}@example.com")
        for which in "ab":
            house.queue(contact, f"welcome.{number}{which}.actions-0", queued_at=NOW - ord(which))
    return set(house.rows())


def run(
    house: House,
    where: str,
    fatal: int = 0,
    uncertain: str = "hold",
    now: int = NOW,
    cap: tuple[str, ...] = (),
) -> int:
    """The sender in a process of its own; its exit code."""
    engine = house.store.engine.url.render_as_string(hide_password=False)
    given = [engine, str(house.folder), where, str(now), str(fatal), uncertain, *cap]
    done = subprocess.run(
        [sys.executable, str(SENDER), *given],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, -9), done.stderr
    return done.returncode


def die_again_and_again(house: House, where: str, seed: int) -> int:
    """Until a run lives; gives the number of deaths."""
    fates = random.Random(seed)
    for deaths in range(6):
        if run(house, where, fates.randint(1, 28)) == 0:
            return deaths
    run(house, where)
    return 6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_t15_kill_9_in_the_folder_leaves_every_mail_once(house, seed):
    keys = fill(house)
    assert die_again_and_again(house, str(house.outbox), seed) > 1
    assert {path.name for path in house.outbox.glob("*.eml")} == {f"{key}.eml" for key in keys}
    rows = house.rows()
    assert {row["status"] for row in rows.values()} == {"sent"}
    assert {row["sent_at"] for row in rows.values()} == {NOW}
    assert all(mail["Date"] == "Fri, 04 Oct 2024 00:00:00 +0000" for mail in house.mails().values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3])
def test_t15_kill_9_over_smtp_leaves_only_the_socket_uncertain(house, seed):
    keys = fill(house)
    script = Script()
    with serve(script) as url:
        deaths = die_again_and_again(house, url, seed)
        assert deaths > 1
        taken = Counter(key_of(envelope.content) for envelope in script.taken)
        rows = house.rows()
        uncertain = {key for key, row in rows.items() if row["status"] == "uncertain"}
        assert {row["status"] for row in rows.values()} <= {"sent", "uncertain"}
        assert all(taken[key] == 1 for key in keys - uncertain)
        assert all(taken[key] <= 1 for key in uncertain)
        assert len(uncertain) <= 2 * deaths  # two lanes: two mails in a socket at most
        run(house, url, now=NOW + DAY)
        assert {k for k, row in house.rows().items() if row["status"] == "uncertain"} == uncertain
        run(house, url, uncertain="resend", now=NOW + DAY)
    assert {row["status"] for row in house.rows().values()} == {"sent"}
    assert {key_of(envelope.content) for envelope in script.taken} == keys
    ids = Counter(str(read_mail(envelope.content)["Message-ID"]) for envelope in script.taken)
    assert len(ids) == MAILS  # sent again, a mail keeps its Message-ID


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7])
def test_t15_kill_9_breaks_no_frequency_cap(house, seed):
    """Two mails wait for each, one a day may go: what a crash leaves unknown counts as sent."""
    keys = fill(house)
    script, fates, deaths = Script(), random.Random(seed), 0
    with serve(script) as url:
        for _ in range(5):
            deaths += run(house, url, fates.randint(8, 40), cap=("1",)) != 0
        run(house, url, cap=("1",))
        assert deaths
        first_day = Counter(envelope.rcpt_tos[0] for envelope in script.taken)
        assert set(first_day.values()) == {1}
        run(house, url, now=NOW + DAY, cap=("1",))
    whom = Counter(envelope.rcpt_tos[0] for envelope in script.taken)
    assert max(whom.values()) <= 2
    rows = house.rows()
    assert {row["status"] for row in rows.values()} <= {"sent", "uncertain"}
    taken = Counter(key_of(envelope.content) for envelope in script.taken)
    assert all(taken[key] == 1 for key in keys if rows[key]["status"] == "sent")


@pytest.mark.slow
def test_t15_kill_9_from_outside_at_any_moment(small_house):
    house = small_house
    keys = fill(house)
    fates = random.Random(5)
    script = Script()
    script.content = lambda _: time.sleep(0.01)  # type: ignore[assignment, return-value]
    with serve(script) as url:
        for _ in range(3):
            engine = str(house.store.engine.url)
            given = [engine, str(house.folder), url, str(NOW), "0", "hold"]
            child = subprocess.Popen(
                [sys.executable, str(SENDER), *given], stdout=subprocess.DEVNULL
            )
            time.sleep(0.6 + fates.random() * 0.6)
            child.kill()
            child.wait()
        run(house, url)
    taken = Counter(key_of(envelope.content) for envelope in script.taken)
    rows = house.rows()
    for key in keys:
        assert taken[key] == 1 or (rows[key]["status"] == "uncertain" and taken[key] == 0)


def test_a_claim_of_a_living_process_is_left_alone(small_house):
    from flowscore.mail import claims

    house = small_house
    house.queue(house.add_contact("ana@example.com"), "k1")
    owner = claims.new_owner()
    house.set("k1", status="sending", claimed_by=owner, lease_until=NOW + MINUTE)
    assert house.deliver().sent == 0
    assert house.deliver(now=NOW + MINUTE).sent == 1  # the lease has lapsed
    claims.retire(owner)


def test_a_claim_of_a_run_that_ended_is_taken_up_at_once(small_house):
    from flowscore.mail import claims

    house = small_house
    house.queue(house.add_contact("ana@example.com"), "k1")
    owner = claims.new_owner()
    house.set("k1", status="sending", claimed_by=owner, lease_until=NOW + DAY)
    claims.retire(owner)
    assert house.deliver().sent == 1


def key_of(content: bytes) -> str:
    """The message's key, out of its Message-ID."""
    return str(read_mail(content)["Message-ID"]).strip("<>").rpartition("@")[0].rpartition(".")[0]
