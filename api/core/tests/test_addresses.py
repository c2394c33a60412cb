"""Who a request is from, whatever it says itself."""

import pytest
from django.test import RequestFactory

from core.addresses import client_address, client_network

PROXY = "10.0.0.5"
VISITOR = "198.51.100.7"


def request_from(peer: str, forwarded: str | None = None):
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    return RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)


@pytest.mark.parametrize(
    ("peer", "forwarded", "hops", "expected"),
    [
        (VISITOR, None, 1, VISITOR),
        (PROXY, VISITOR, 1, VISITOR),
        (PROXY, f"203.0.113.1, {VISITOR}", 1, VISITOR),
        (PROXY, f"203.0.113.1,{VISITOR}, 10.0.0.9", 2, VISITOR),
        (PROXY, VISITOR, 2, VISITOR),
        (PROXY, VISITOR, 0, PROXY),
        (PROXY, f"{VISITOR}:4711", 1, VISITOR),
        (PROXY, "[2001:db8::7]:4711", 1, "2001:db8::7"),
        (PROXY, f"::ffff:{VISITOR}", 1, VISITOR),
        (PROXY, "nonsense", 1, PROXY),
        (PROXY, "", 1, PROXY),
        (PROXY, "'; DROP TABLE users; --", 1, PROXY),
        ("", VISITOR, 1, VISITOR),
    ],
)
def test_the_entry_of_the_first_trusted_proxy_counts(peer, forwarded, hops, expected, settings):
    settings.NUM_PROXIES = hops

    assert client_address(request_from(peer, forwarded)) == expected


def test_of_a_peer_that_is_no_proxy_of_ours_the_header_means_nothing():
    assert client_address(request_from(VISITOR, "203.0.113.1")) == VISITOR


def test_which_peers_are_believed_is_a_setting(settings):
    settings.FORWARDED_ALLOW_IPS = ["198.51.100.0/24"]

    assert client_address(request_from(VISITOR, "203.0.113.1")) == "203.0.113.1"
    assert client_address(request_from(PROXY, "203.0.113.1")) == PROXY


def test_addresses_of_one_ipv6_network_count_as_one():
    networks = {client_network(request_from(f"2001:db8::{host}")) for host in ("1", "2", "ffff:1")}

    assert networks == {"2001:db8::/64"}
    assert client_network(request_from("2001:db8:0:1::1")) == "2001:db8:0:1::/64"
    assert client_network(request_from(VISITOR)) == VISITOR
