"""URLs that people give and this server will call: none may lead into the network that it stands in."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.deconstruct import deconstructible

RESOLVE_SECONDS = 2.0

# Assigned, and yet nobody's on the internet at large; not all versions of Python know of each. The first is
# where machines of Azure find their host.
_SPECIAL = [
    ip_network(network)
    for network in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001:20::/28",
        "3fff::/20",
        "5f00::/16",
    )
]
# IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits.
_TRANSLATED = [ip_network("64:ff9b::/96"), ip_network("::ffff:0:0:0/96"), ip_network("::/96")]
_TRANSLATED_AT_HOME = ip_network("64:ff9b:1::/48")


@deconstructible
class PublicUrlValidator:
    """Refuses what is no http or https URL, and hosts that are, or resolve to, private addresses.

    A name that can't be resolved now is taken: it may be on its way into the DNS. Names can change, so
    whoever calls the URL has to ask `may_be_called` about the very address that it connects to.
    """

    _is_url = URLValidator(schemes=["http", "https"])

    def __call__(self, url: str) -> None:
        self._is_url(url)
        parts = urlsplit(url)
        try:
            port = parts.port or 443
        except ValueError as error:  # beyond 65535
            raise ValidationError(self._is_url.message, code=self._is_url.code) from error
        if "\\" in url:  # which some programs read as a slash, so that another host begins before it
            raise ValidationError(self._is_url.message, code=self._is_url.code)
        host = parts.hostname or ""
        if not all(may_be_called(host, address) for address in addresses_of(host, port)):
            raise ValidationError("The host must not be in a private network.", code="private_host")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicUrlValidator)

    def __hash__(self) -> int:
        return hash(PublicUrlValidator)


@cache
def _resolvers() -> ThreadPoolExecutor:
    # A name whose servers are dead holds one for longer than anybody waits: as many as are called at once.
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="resolve")


os.register_at_fork(after_in_child=_resolvers.cache_clear)  # its threads don't come along


def addresses_of(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    """Return the addresses of a host; none where it can't be resolved, or not in two seconds.

    The system's resolver reads every form that a client would read: `127.1`, `0x7f000001`, `2130706433`.
    """
    look_up = _resolvers().submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = look_up.result(RESOLVE_SECONDS)
    except (OSError, UnicodeError):  # unknown, too late, or no name that the DNS could have
        look_up.cancel()
        return []
    return [ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


def may_be_called(host: str, address: IPv4Address | IPv6Address) -> bool:
    """Whether this server may call `address`, of `host`: a public one, or one that the settings allow."""
    if is_public(address):
        return True
    for allowed in settings.OUTGOING_ALLOWED_HOSTS:
        try:
            if address in ip_network(allowed, strict=False):
                return True
        except ValueError:  # no network, so it is a name
            if allowed.lower() == host.lower():
                return True
    return False


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the internet at large, and not an IPv6 form of one that isn't."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and any(address in network for network in _TRANSLATED):
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or address in _TRANSLATED_AT_HOME:
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast
