"""Which addresses an alert may be sent to. Pure.

A webhook's URL comes from settings, but its name is resolved anew each time: whoever controls the name could point it
at the app's own network, its metadata service or itself. So each address is checked, and the checked one is used.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final

type Address = IPv4Address | IPv6Address

# Azure's own: instance metadata and App Service tokens are link-local; this one answers for DHCP, DNS and agents
# (Microsoft Learn, "What is IP address 168.63.129.16?").
_PLATFORM: Final = frozenset({IPv4Address("168.63.129.16")})
# IPv6 that wraps an IPv4 address: NAT64 (RFC 6052), 6to4 (RFC 3056), and ::a.b.c.d of old.
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")


def refusal(address: Address, *, internal: bool = False, loopback: bool = False) -> str | None:
    """Why nothing is sent to that address; None when it may be.

    `internal`: private addresses are allowed (the host was named in ALERT_ALLOWED_HOSTS). `loopback`: this machine is
    allowed (local mode). Link-local and platform addresses never are.
    """
    address = _unwrapped(address)
    if address.is_loopback:
        return None if loopback else "this machine"
    if address in _PLATFORM or address.is_link_local:
        return "a metadata or link-local address"
    if address.is_multicast or address.is_unspecified or address.is_reserved:
        return "an address that is no single host"
    private = not address.is_global or (isinstance(address, IPv6Address) and address.is_site_local)
    return "a private address" if private and not internal else None


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is None and address in _COMPATIBLE and int(address) > 1:
        inner = IPv4Address(int(address))
    return inner or address
