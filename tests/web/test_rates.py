"""Token buckets: so many at once, then one every so often, and never more buckets than fit."""

from __future__ import annotations

import pytest

from flowscore.web import rates
from flowscore.web.rates import Rate, network_of


def test_so_many_at_once_then_one_every_so_often() -> None:
    rate = Rate(burst=3, every=10)
    assert [rate.take("a", 0) for _ in range(4)] == [0, 0, 0, 10]
    assert rate.take("a", 4) == 6
    assert rate.take("a", 10) == 0
    assert rate.take("a", 10) == 10
    assert rate.take("b", 10) == 0, "each has a bucket"
    assert [rate.take("a", 10_000) for _ in range(4)] == [0, 0, 0, 10], "it never overflows"


def test_a_clock_that_goes_back_shuts_nobody_out() -> None:
    rate = Rate(burst=2, every=10)
    assert [rate.take("a", when) for when in (100, 0, 10)] == [0, 0, 0]


def test_whoever_has_not_come_for_longest_is_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "MOST", 100)
    rate = Rate(burst=1, every=3600)
    for number in range(1_000):
        rate.take(f"{number}", 0)
        rate.take("steady", 0)
    assert len(rate._buckets) == 100
    assert rate.take("steady", 0) > 0 and rate.take("999", 0) > 0
    assert rate.take("0", 0) == 0


def test_a_customer_of_ipv6_is_one_client() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1%eth0")
    assert network_of("2001:db8::1") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("testclient") == "testclient"


def test_ipv4_on_a_socket_of_both_is_not_one_client() -> None:
    """A server that listens on `::` sees every address of IPv4 as one of IPv6."""
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("::ffff:192.0.2.1") != network_of("::ffff:192.0.2.2")
