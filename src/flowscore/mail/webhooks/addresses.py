"""Which machines a webhook may reach: public ones, and those that a person allowed.

Asked of every address that is really connected to, so a name that says something else the second
time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

HOST = re.compile(r"[\w.-]+")
NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# Not for others although the registries call them global: Azure's metadata, 6to4 relays,
# site-local IPv6 (RFC 3879), addresses for books (RFC 9637) and segments (RFC 9602).
INNER = [
    ip_network(text)
    for text in ("168.63.129.16/32", "192.88.99.0/24", "fec0::/10", "3fff::/20", "5f00::/16")
]
KINDS = ("unspecified", "loopback", "link_local", "multicast", "reserved", "private")
CGNAT = ip_network("100.64.0.0/10")


@dataclass(frozen=True, slots=True)
class Reach:
    """What is allowed beside public addresses: host names, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def why_not(self, host: str, address: Address) -> str:
        """Why an address is not to be connected to; empty when it may be."""
        real = unwrapped(address)
        kind = kind_of(real)
        if not kind or _plain(host) in self.hosts:
            return ""
        if any(real in network for network in self.networks):
            return ""
        return f"{real} is {kind}"


def read_reach(text: str) -> Reach:
    """Hosts and networks, told apart by commas or spaces: `crm.internal, 10.0.0.0/8`."""
    hosts, networks = set(), []
    for word in text.replace(",", " ").split():
        try:
            networks.append(ip_network(re.sub(r"[][]", "", word), strict=False))
        except ValueError:
            hosts.add(_read_host(word))
    return Reach(frozenset(hosts), tuple(networks))


def _read_host(word: str) -> str:
    host = _plain(word)
    if not HOST.fullmatch(host) or not host.strip("0123456789."):
        raise ValueError(
            "host names and networks told apart by commas, such as crm.internal, 10.0.0.0/8; "
            f"{word!r} is neither"
        )
    return host


def _plain(host: str) -> str:
    return host.casefold().rstrip(".")


def unwrapped(address: Address) -> Address:
    """The machine behind an address that wraps another: IPv4-mapped, NAT64 and 6to4."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def kind_of(address: Address) -> str:
    """What kind of inner address it is, in a word; empty for a public one."""
    for name in KINDS:
        if getattr(address, f"is_{name}"):
            return name.replace("_", "-")
    if address in CGNAT:
        return "shared (CGNAT)"
    if not address.is_global or any(address in network for network in INNER):
        return "not public"
    return ""


def read_address(text: str) -> Address:
    """What the resolver gave; the zone of a link-local address is of no interest."""
    return ip_address(text.partition("%")[0])
