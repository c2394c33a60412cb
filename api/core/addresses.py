"""Who a request is from: the one place that says so.

A client writes into `X-Forwarded-For` what it likes, and each proxy adds the address that it saw. So the last
`NUM_PROXIES` entries are true, if they come from one of our proxies at all: of a peer outside of
`FORWARDED_ALLOW_IPS` the header means nothing, as in front of both doors (`core.asgi.front`).
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from core.asgi.front import TrustedPeers

# What one customer of a provider has: limits by single address mean nothing to whoever has so many.
_IPV6_PREFIX = 64


def client_address(request: HttpRequest | Request) -> str:
    """Return the address of the client, behind `NUM_PROXIES` trusted proxies; empty for a unix socket."""
    peer: str = request.META.get("REMOTE_ADDR") or ""
    hops = settings.NUM_PROXIES
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if not hops or not forwarded or not _is_proxy(peer):
        return peer
    entries = forwarded.split(",")
    address = _read(entries[-min(hops, len(entries))])
    return peer if address is None else str(address)


def client_network(request: HttpRequest | Request) -> str:
    """Return what limits are counted by: the client's IPv4 address, or the network of its IPv6 address."""
    address = _read(client_address(request))
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address or "")


def _is_proxy(peer: str) -> bool:
    return _trusted(tuple(settings.FORWARDED_ALLOW_IPS))((peer, 0) if peer else None)


@lru_cache(maxsize=8)
def _trusted(networks: tuple[str, ...]) -> TrustedPeers:
    return TrustedPeers(networks)


def _read(entry: str) -> IPv4Address | IPv6Address | None:
    """Return the address in an entry, which may come with a port: `192.0.2.1:443`, `[2001:db8::1]:443`."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
