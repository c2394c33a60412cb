"""Where webhooks never lead: into the network that the server stands in, however it is spelled."""

import pytest

from core.outgoing.sockets import PlainSocket
from core.tests.name_servers import name_server
from core.tests.receivers import receiver, status
from environments.serializers.webhooks import EnvironmentWebhookSerializer
from features.services.change_sets import Change, apply_change_set
from tasks.services import run_due
from webhooks.models import Delivery

LOOPBACK = [
    "127.0.0.1",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x0000000007f000001",
    "017700000001",
    "0177.0.0.1",
    "0x7f.1",
    "0x7f.0.0.0x1",
    "0",
    "0.0.0.0",
    "0x0",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "localhost",
    "LOCALHOST",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
]
METADATA = [
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "025177524776",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
]
PRIVATE = [
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "3232235521",
    "100.64.0.1",
    "169.254.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::ffff:10.0.0.1]",
    "[fc00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
]
USERINFO = [
    "kim@127.0.0.1",
    "kim:secret@localhost",
    "93.184.215.14@127.0.0.1",
    "93.184.215.14:443@[::1]",
    "127.0.0.1%40@127.1",
    "93.184.215.14%23@0x7f.1",
]
NAMES = {
    "metadata.google.internal": ["169.254.169.254"],
    "loopback.example.org": ["127.0.0.1"],
    "private6.example.org": ["fd00::1"],
    "mixed.example.org": ["93.184.215.14", "10.0.0.1"],
    "mapped.example.org": ["::ffff:127.0.0.1"],
}
OTHER = ["file:///etc/passwd", "gopher://93.184.215.14/", "http://93.184.215.14\\@127.0.0.1/"]
REDIRECTS = [301, 302, 303, 307, 308]
# What a name leads to when it is saved, and later.
REBINDING = {"rebinding4.example.org": "127.0.0.1", "rebinding6.example.org": "::1"}


@pytest.fixture
def connections(monkeypatch) -> list[tuple[str, int]]:
    """Where the client has connected to."""
    connected: list[tuple[str, int]] = []
    by_system = PlainSocket.connect

    def connect(self, address):
        connected.append(address)
        return by_system(self, address)

    monkeypatch.setattr(PlainSocket, "connect", connect)
    return connected


@pytest.fixture
def servers(monkeypatch):
    """A name server, and a server on this machine where forbidden targets lead to, as far as they can."""
    names = {name: [addresses] for name, addresses in NAMES.items()}
    names |= {name: [["93.184.215.14"], [address]] for name, address in REBINDING.items()}
    names["redirecting.example.org"] = [["127.0.0.1"]]
    with name_server(monkeypatch, names) as name_servers, receiver() as inside:
        yield name_servers, inside


def test_there_are_eighty():
    numbers = [
        len(each) for each in (LOOPBACK, METADATA, PRIVATE, USERINFO, NAMES, OTHER, REDIRECTS, REBINDING)
    ]
    assert sum(numbers) >= 80


def test_forbidden_targets_are_not_saved_and_get_no_connection(environment, feature, servers, connections):
    _, inside = servers
    hosts = [*LOOPBACK, *METADATA, *PRIVATE, *USERINFO, *NAMES]
    urls = [f"http://{host}:{inside.port}/hook" for host in hosts] + OTHER

    taken = [url for url in urls if EnvironmentWebhookSerializer(data={"url": url}).is_valid()]
    # As if they had been saved when that was still allowed.
    for url in urls:
        environment.webhooks.create(url=url)
    apply_change_set([Change(feature.pk, environment.pk, enabled=True)], author=None)
    run_due()

    assert taken == []
    failed = Delivery.objects.failed().filter(attempts=1, response_status=None)
    assert failed.count() == len(urls)
    assert set(failed.values_list("error", flat=True)) == {
        "The host is in a private network.",
        "Only http and https URLs are called.",
    }
    assert (connections, inside.requests) == ([], [])


def test_a_name_that_leads_elsewhere_once_it_is_saved_gets_no_connection(
    admin_client, environment, feature, servers, connections
):
    name_servers, inside = servers
    for name in REBINDING:
        webhook = {"url": f"http://{name}:{inside.port}/hook"}
        path = f"/api/v1/environments/{environment.api_key}/webhooks/"
        assert admin_client.post(path, webhook, format="json").status_code == 201
    apply_change_set([Change(feature.pk, environment.pk, enabled=True)], author=None)
    run_due()

    assert sorted(name_servers.lookups) == sorted([*REBINDING, *REBINDING])
    assert list(Delivery.objects.values_list("status", "error")) == [
        ("FAILED", "The host is in a private network.")
    ] * len(REBINDING)
    assert (connections, inside.requests) == ([], [])


def test_where_a_redirect_leads_gets_no_connection(settings, environment, feature, servers, connections):
    settings.OUTGOING_ALLOWED_HOSTS = ["redirecting.example.org"]
    _, inside = servers
    codes = iter(REDIRECTS)

    def redirect(connection):
        connection.sendall(status(next(codes), f"Location: {inside.url()}"))

    with receiver(redirect) as outside:
        environment.webhooks.create(url=outside.url("redirecting.example.org"))
        for code in REDIRECTS:
            apply_change_set([Change(feature.pk, environment.pk, value=code)], author=None)
        run_due()

    assert list(Delivery.objects.order_by("pk").values_list("response_status", flat=True)) == REDIRECTS
    assert connections == [("127.0.0.1", outside.port)] * len(REDIRECTS)
    assert inside.requests == []
