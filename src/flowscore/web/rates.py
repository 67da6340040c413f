"""How often somebody may do a thing: a token bucket for each, and a bound on how many there are."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

MOST = 20_000  # buckets; whoever has not come for longest is forgotten first


@dataclass
class Rate:
    """`burst` at once, then one every so many seconds; of one process, and lost with it."""

    burst: int
    every: float  # seconds
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, who: str, now: float) -> float:
        """0 if they may, at `now` in seconds; else how many seconds they have to wait."""
        left, at = self._buckets.pop(who, (float(self.burst), now))
        left = min(self.burst, left + max(0.0, now - at) / self.every)
        may = left >= 1
        self._buckets[who] = (left - may, now)
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        return 0.0 if may else (1 - left) * self.every


def network_of(host: str) -> str:
    """By whom a client is known: an IPv6 customer has 2^64 addresses, and is one."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> 64)
    return str(getattr(address, "ipv4_mapped", None) or address)
