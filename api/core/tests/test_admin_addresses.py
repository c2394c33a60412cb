"""Which addresses reach the admin's pages."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

OFFICE = "192.0.2.7"
ELSEWHERE = "198.51.100.9"
PROXY = "10.0.0.1"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def only_the_office(settings):
    settings.ALLOWED_ADMIN_IP_ADDRESSES = [OFFICE, "2001:db8:7::/48"]
    settings.NUM_PROXIES = 1


def status(path: str = "/admin/login/", peer: str = OFFICE, forwarded: str | None = None, **more: str) -> int:
    headers = {"X-Forwarded-For": forwarded, **more} if forwarded else more
    return Client(REMOTE_ADDR=peer, headers=headers).get(path).status_code


@pytest.mark.parametrize("peer", [OFFICE, f"::ffff:{OFFICE}", "2001:db8:7::1"])
def test_listed_addresses_reach_it(peer):
    assert status(peer=peer) == 200


@pytest.mark.parametrize("peer", [ELSEWHERE, "2001:db8:8::1", "", "a socket"])
@pytest.mark.parametrize(
    "path", ["/admin/", "/admin", "/admin/login/", "/admin/nowhere", "/administrator", "/sales-dashboard/"]
)
def test_others_do_not(peer, path):
    assert status(path, peer) == 403


@pytest.mark.parametrize("path", ["/api/v1/docs/", "/nowhere"])
def test_other_pages_are_for_everyone(path):
    assert status(path, ELSEWHERE) != 403


def test_a_listed_address_behind_a_proxy_reaches_it():
    assert status(peer=PROXY, forwarded=OFFICE) == 200


@pytest.mark.parametrize(
    ("peer", "forwarded"),
    [
        (PROXY, ELSEWHERE),
        (PROXY, f"{OFFICE}, {ELSEWHERE}"),  # the first is what the client wrote
        (ELSEWHERE, OFFICE),  # no proxy of ours
        (PROXY, "nonsense"),
    ],
)
def test_a_forged_header_makes_no_difference(peer, forwarded):
    assert status(peer=peer, forwarded=forwarded) == 403


@pytest.mark.parametrize("name", ["X-Real-IP", "Forwarded", "X-Client-IP"])
def test_no_other_header_counts(name):
    assert status(peer=PROXY, forwarded=ELSEWHERE, **{name: OFFICE}) == 403


def test_as_many_proxies_count_as_there_are(settings):
    settings.NUM_PROXIES = 2

    assert status(peer=PROXY, forwarded=f"{OFFICE}, 10.0.0.2") == 200
    assert status(peer=PROXY, forwarded=f"{OFFICE}, {ELSEWHERE}, 10.0.0.2") == 403


def test_with_no_list_everyone_reaches_it(settings):
    settings.ALLOWED_ADMIN_IP_ADDRESSES = []

    assert status(peer=ELSEWHERE) == 200


def test_a_list_that_cannot_be_read_stops_the_start(settings):
    settings.ALLOWED_ADMIN_IP_ADDRESSES = ["office"]

    with pytest.raises(ImproperlyConfigured, match=r"^ALLOWED_ADMIN_IP_ADDRESSES is not a valid list"):
        status()
