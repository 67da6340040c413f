"""What is sent, what is withheld and why, in which order; on both databases."""

from __future__ import annotations

import pytest

from flowscore.clock import DAY, HOUR, MINUTE


def test_deliver_writes_one_eml_for_each_mail(house):
    ana = house.add_contact("Ana@example.com", first_name="Ana")
    house.queue(ana, "welcome.1.actions-0")
    report = house.deliver()
    assert (report.sent, report.waiting, report.stopped) == (1, 0, "")
    mail = house.mails()["welcome.1.actions-0"]
    assert mail["To"] == "Ana@example.com"
    assert mail["Subject"] == "Hello Ana"
