"""Which URLs the server may be told to call."""

import socket
from ipaddress import ip_address
from threading import Event

import pytest
from django.core.exceptions import ValidationError

from core import public_urls
from core.public_urls import PublicUrlValidator, addresses_of, is_public


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """A DNS: the addresses of each name that it knows. Addresses are read by the system, as always."""
    known: dict[str, list[str]] = {}
    by_system = socket.getaddrinfo

    def look_up(host, port, **options):
        addresses = known.get(host, [host])
        return [found for address in addresses for found in by_system(address, port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize(
    "url",
    [
        "https://93.184.215.14/hooks",
        "http://93.184.215.14",
        "HTTPS://93.184.215.14:8443/hooks?a=b#c",
        "https://kim:secret@93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        "https://nobody-has-this-name.invalid/hooks",
    ],
)
def test_what_leads_to_the_internet_is_taken(url):
    PublicUrlValidator()(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1.2.3/",
        "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://localhost:8000/",
        "http://kim@127.0.0.1/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
        "http://[fc00::1]/",
        "http://[fe80::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
    ],
)
def test_what_leads_into_a_private_network_is_refused(url):
    with pytest.raises(ValidationError) as refusal:
        PublicUrlValidator()(url)

    assert refusal.value.code == "private_host"


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1"])
def test_every_spelling_of_an_address_is_read_as_a_client_would(host):
    assert addresses_of(host, 80) == [ip_address("127.0.0.1")]
    with pytest.raises(ValidationError):
        PublicUrlValidator()(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks",
        "//93.184.215.14/",
        "ftp://93.184.215.14/",
        "file:///etc/passwd",
        "gopher://93.184.215.14/",
        "javascript:alert(1)",
        "http://",
        "http:///hooks",
        "http://93.184.215.14:99999/",
        "http://127.0.0.1\\@93.184.215.14/",
        "http://93.184.215.14\r\nX-Header: 1/",
        "http://93.184.215.14/ hooks",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        f"http://{'a' * 64}.example.org:0x50/",
        "http://\0/",
    ],
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(ValidationError) as refusal:
        PublicUrlValidator()(url)

    assert refusal.value.code == "invalid"


def test_one_private_address_among_several_is_enough(names):
    names["hooks.example.org"] = ["93.184.215.14", "10.0.0.1"]

    with pytest.raises(ValidationError):
        PublicUrlValidator()("https://hooks.example.org/")


def test_a_name_with_public_addresses_is_taken(names):
    names["hooks.example.org"] = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]

    PublicUrlValidator()("https://hooks.example.org/")


@pytest.mark.parametrize("host", [f"{'a' * 64}.example.org", "a..example.org", ".", ""])
def test_a_host_that_the_dns_could_not_have_has_no_addresses(host):
    assert [each for each in addresses_of(host, 80) if is_public(each)] == []


def test_a_slow_name_server_holds_nobody_up(monkeypatch):
    answered = Event()
    monkeypatch.setattr(public_urls, "RESOLVE_SECONDS", 0.01)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(10))

    found = addresses_of("slow.example.org", 443)
    answered.set()

    assert found == []
