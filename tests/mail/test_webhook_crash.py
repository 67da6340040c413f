"""kill -9 at any step of a delivery of webhooks, and again: none lost, a second time same id."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from flowscore.clock import DAY, MINUTE
from flowscore.mail import claims
from flowscore.mail.webhooks.courier import Ready
from mail.conftest import NOW, House
from mail.receivers import Receiver, receiving, says
from mail.webhook_house import Webhooks

TESTS = Path(__file__).parents[1]
SENDER = Path(__file__).with_name("dying_webhook_sender.py")
KEYS = {f"hook.{number}.actions-0" for number in range(12)}


def start(house: House, fatal: int = 0, *folder: str) -> subprocess.Popen[str]:
    """The sender in a process of its own."""
    engine = house.store.engine.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, str(SENDER), engine, str(NOW), str(fatal), *folder],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(house: House, fatal: int = 0, *folder: str) -> int:
    """To its end; gives the exit code."""
    child = start(house, fatal, *folder)
    _, told = child.communicate(timeout=120)
    assert child.returncode in (0, -9), told
    return child.returncode


@pytest.mark.slow
def test_kill_9_at_any_step_loses_none(house):
    webhooks = Webhooks(house)
    fates = random.Random(2)
    with receiving(Receiver()) as crm:
        for key in KEYS:
            webhooks.queue(key, crm.url)
        deaths = 0
        while deaths < 5 and run(house, fates.randint(1, 24)) == -9:
            deaths += 1
        assert deaths > 1
        assert run(house) == 0
    assert {row["status"] for row in house.rows().values()} == {"sent"}
    came = Counter(crm.ids)
    assert set(came) == KEYS
    # What was in a socket, or taken and not yet written down, came again under its id.
    assert sum(came.values()) - len(KEYS) <= 4 * deaths
    assert all(request.verified() == {"type": "lead"} for request in crm.got)


@pytest.mark.slow
def test_kill_9_at_any_step_leaves_each_webhook_as_one_whole_file(small_house, tmp_path):
    webhooks, folder, fates = Webhooks(small_house), tmp_path / "outbox", random.Random(3)
    for key in KEYS:
        webhooks.queue(key, "${CRM_URL}/leads")
    deaths = 0
    while deaths < 5 and run(small_house, fates.randint(1, 24), str(folder)) == -9:
        deaths += 1
    assert deaths > 1
    assert run(small_house, 0, str(folder)) == 0
    assert {row["status"] for row in small_house.rows().values()} == {"sent"}
    found = {file.name: json.loads(file.read_text()) for file in folder.iterdir()}
    assert set(found) == {f"{key}.json" for key in KEYS}
    assert all(f"{one['webhook-id']}.json" == name for name, one in found.items())


@pytest.mark.slow
def test_kill_9_from_outside_while_receivers_are_slow(small_house):
    webhooks = Webhooks(small_house)

    def slowly(_):
        time.sleep(0.15)
        return says(200)

    with receiving(Receiver(slowly)) as crm:
        for key in KEYS:
            webhooks.queue(key, crm.url)
        child = start(small_house)
        until = time.monotonic() + 30
        while len(crm.got) < 5 and time.monotonic() < until:
            time.sleep(0.01)
        child.kill()
        child.communicate()
        rows = small_house.rows()
        assert {rows[key]["status"] for key in KEYS} >= {"sending", "sent"}
        assert webhooks.deliver().sent == sum(row["status"] != "sent" for row in rows.values())
    assert set(crm.ids) == KEYS
    assert {row["status"] for row in small_house.rows().values()} == {"sent"}


def test_a_claim_of_a_living_process_is_left_alone(small_house):
    webhooks, owner = Webhooks(small_house), claims.new_owner()
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", crm.url, status="sending", claimed_by=owner, lease_until=NOW + MINUTE)
        assert webhooks.deliver().sent == 0
        assert webhooks.deliver(NOW + MINUTE).sent == 1  # the lease has lapsed
    claims.retire(owner)


def test_a_claim_of_a_run_that_ended_is_taken_up_at_once(small_house):
    webhooks, owner = Webhooks(small_house), claims.new_owner()
    claims.retire(owner)
    with receiving(Receiver()) as crm:
        webhooks.queue("k1", crm.url, status="sending", claimed_by=owner, lease_until=NOW + DAY)
        assert small_house.deliver().sent == 0  # the mails' delivery leaves it alone
        assert webhooks.row("k1")["status"] == "sending"
        assert webhooks.deliver().sent == 1


def test_an_error_of_our_own_loses_none(small_house):
    """A bug on the way of one: the others are settled, and it is queued as before."""
    webhooks = Webhooks(small_house)

    class Clumsy:
        outside = True

        def ready(self, key, payload):
            return Ready(key, self.go)

        async def go(self):
            raise RuntimeError("a bug")

        async def close(self):
            pass

    webhooks.queue("k1", "https://example.com/")
    with pytest.raises(RuntimeError, match="a bug"):
        webhooks.deliver(courier=Clumsy())
    row = webhooks.row("k1")
    assert (row["status"], row["claimed_by"], row["attempts"]) == ("queued", None, 0)
