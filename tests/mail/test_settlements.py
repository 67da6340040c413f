"""What an answer means for a mail: decisions without a server or a store."""

from __future__ import annotations

import pytest

from flowscore.clock import HOUR, MINUTE
from flowscore.mail.settlements import BACKOFF, Attempt, settle, withhold
from flowscore.mail.transport import Refused, Sent, Uncertain

NOW = 10**15


def refused(code: int, text: str = "no", scope: str = "recipient") -> Refused:
    return Refused(code, text, code >= 500, scope)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "status", "stops"),
    [
        (Sent("250 ok"), "sent", False),
        (Uncertain("lost"), "uncertain", True),
        (refused(550, "5.1.1 no such user"), "failed", False),
        (refused(554, "rejected"), "failed", False),
        (refused(550, "5.7.1 relaying denied"), "queued", True),
        (refused(530, "log in first"), "queued", True),
        (refused(452, "mailbox full"), "queued", False),
        (refused(450, "greylisted", "sender"), "queued", False),
        (refused(554, "spam", "sender"), "queued", True),
        (refused(421, "going", "server"), "queued", True),
        (Refused(0, "connection refused", False, "server"), "queued", True),
        (Refused(0, "needs SMTPUTF8", True, "recipient"), "failed", False),
    ],
)
def test_each_answer_has_its_status(outcome, status, stops):
    settled = settle(Attempt(7, 0, NOW), outcome)
    assert (settled.status, bool(settled.stops)) == (status, stops)
    assert settled.sent_at == (NOW if status == "sent" else None)


def test_only_a_server_that_refuses_the_mailbox_is_a_bounce():
    assert settle(Attempt(7, 0, NOW), refused(550)).reason == "bounced: 550 no"
    bad = settle(Attempt(7, 0, NOW), Refused(0, "needs SMTPUTF8", True, "recipient"))
    assert bad.reason == "address: needs SMTPUTF8"


def test_a_server_that_is_away_costs_no_attempt():
    settled = settle(Attempt(7, 3, NOW), refused(421, scope="server"))
    assert (settled.attempts, settled.next_at) == (3, NOW + MINUTE)


def test_pauses_grow_and_end_after_two_days():
    pauses = [settle(Attempt(7, n, NOW), refused(451)).next_at - NOW for n in range(len(BACKOFF))]
    assert pauses == sorted(pauses)
    assert sum(pauses) <= 48 * HOUR
    assert settle(Attempt(7, len(BACKOFF), NOW), refused(451)).status == "failed"


def test_withholding_is_no_attempt():
    settled = withhold(Attempt(7, 2, NOW), "render: x")
    assert (settled.status, settled.attempts, settled.reason) == ("withheld", 2, "render: x")
