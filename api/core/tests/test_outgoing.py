"""Calls to addresses that people gave: what is sent, and where nothing is."""

import hashlib
import hmac
import socket
import ssl
import time

import pytest

from core.outgoing import CallFailedError, TargetForbiddenError, as_bytes, client, post, signed
from core.outgoing.sockets import TlsSocket
from core.tests.certificates import self_signed
from core.tests.receivers import answering, dripping, receiver, silent, status


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


@pytest.fixture
def dns(monkeypatch) -> list[list[str]]:
    """What a name server answers to each question in turn; the last answer stays."""
    answers: list[list[str]] = []
    by_system = socket.getaddrinfo

    def look_up(host, port, **options):
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for address in addresses for found in by_system(address, port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return answers


def test_the_very_bytes_are_posted_and_signed():
    body = as_bytes({"b": {"z": 1, "a": "é"}, "a": None})

    with receiver() as received:
        answer = post(received.url() + "/ä?q=1#x", body, signed(body, "secret"))

    assert (answer.status, answer.is_success) == (200, True)
    assert received.requests[0].startswith(b"POST /hook/%C3%A4?q=1 HTTP/1.1\r\n")
    assert received.body == body == b'{"a": null, "b": {"a": "\\u00e9", "z": 1}}'
    assert received.headers["content-type"] == "application/json"
    assert received.headers["host"] == f"127.0.0.1:{received.port}"
    assert received.headers["x-flagsmith-signature"] == hmac.digest(b"secret", body, hashlib.sha256).hex()
    assert signed(body, "") == {}


def test_an_answer_is_what_it_says_and_redirects_are_not_followed():
    with receiver() as elsewhere:
        for code in (204, 301, 404, 503):
            with receiver(answering(status(code, f"Location: {elsewhere.url()}"))) as received:
                assert post(received.url(), b"{}").status == code
        large = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000_000
        with receiver(answering(large)) as received:
            assert post(received.url(), b"{}").is_success

    assert elsewhere.requests == []


@pytest.mark.parametrize("react", [dripping, silent])
def test_all_together_has_a_limit_of_time(react):
    begun_at = time.monotonic()

    with receiver(react) as received, pytest.raises(CallFailedError, match=r"no answer within 0\.2 seconds"):
        post(received.url(), b"{}", timeout_seconds=0.2)

    assert time.monotonic() - begun_at < 2


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n"]
)
def test_what_speaks_no_http_has_not_answered(answer):
    with receiver(answering(answer)) as received, pytest.raises(CallFailedError):
        post(received.url(), b"{}")


def test_where_nobody_listens_nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(CallFailedError, match="The connection was refused"):
        post(f"http://127.0.0.1:{port}/", b"{}")
    with pytest.raises(CallFailedError, match="can't be resolved"):
        post("http://a..b/", b"{}")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2/",
        "http://10.0.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://192.0.0.192/",
        "http://192.88.99.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[2002:a00:1::]/",
        "http://[64:ff9b::a00:1]/",
        "http://[3fff::1]/",
        "file:///etc/passwd",
        "gopher://93.184.215.14/",
        "/hook",
    ],
)
def test_private_networks_are_not_called_and_nothing_but_http(url):
    with pytest.raises(TargetForbiddenError):
        post(url, b"{}")


def test_a_name_that_leads_elsewhere_when_it_is_called_is_refused(dns, settings):
    settings.OUTGOING_ALLOWED_HOSTS = []
    dns.append(["127.0.0.1"])

    with receiver() as received, pytest.raises(TargetForbiddenError):
        post(received.url("hook.example.org"), b"{}")

    assert received.requests == []


def test_one_private_address_among_several_is_enough(dns, settings):
    settings.OUTGOING_ALLOWED_HOSTS = []
    dns.append(["93.184.215.14", "127.0.0.1"])

    with receiver() as received, pytest.raises(TargetForbiddenError):
        post(received.url("hook.example.org"), b"{}")

    assert received.requests == []


def test_connected_is_to_the_address_that_was_checked(dns):
    dns += [["127.0.0.1"], ["10.0.0.1"]]  # to whoever asks again

    with receiver() as received:
        post(received.url("hook.example.org"), b"{}")

    assert received.headers["host"] == f"hook.example.org:{received.port}"


def test_hosts_in_a_private_network_may_be_allowed_by_name_or_network(dns, settings):
    dns.append(["127.0.0.1"])

    for allowed in ("Hook.example.org", "127.0.0.0/8", "127.0.0.1"):
        settings.OUTGOING_ALLOWED_HOSTS = [allowed]
        with receiver() as received:
            assert post(received.url("hook.example.org"), b"{}").is_success
    settings.OUTGOING_ALLOWED_HOSTS = ["other.example.org", "10.0.0.0/8"]
    with pytest.raises(TargetForbiddenError):
        post("http://hook.example.org/", b"{}")


def test_the_next_address_is_tried_where_the_first_does_not_answer(dns, settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.0/8", "::1"]
    dns.append(["127.0.0.2", "127.0.0.1"])

    with receiver() as received:
        assert post(received.url("hook.example.org"), b"{}").is_success


def test_proxies_of_the_process_are_not_asked(monkeypatch):
    with receiver() as proxy, receiver() as received:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

        post(received.url(), b"{}")

    assert (len(received.requests), proxy.requests) == (1, [])


def test_credentials_in_a_url_are_sent_as_such():
    with receiver() as received:
        post(received.url("kim:p%40ss@127.0.0.1"), b"{}")

    assert received.headers["authorization"] == "Basic a2ltOnBAc3M="
    assert b"p%40ss" not in received.requests[0]


def test_a_server_has_to_prove_who_it_is(dns, tmp_path, monkeypatch):
    dns.append(["127.0.0.1"])
    certificate = self_signed("hook.example.org", tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)

    with receiver(tls=serving) as received:
        with pytest.raises(CallFailedError, match="certificate isn't trusted"):
            post(received.url("hook.example.org", "https"), b"{}")
        trusting = ssl.create_default_context(cafile=certificate)
        trusting.sslsocket_class = TlsSocket
        monkeypatch.setattr(client, "_tls", lambda: trusting)
        with pytest.raises(CallFailedError, match="certificate isn't trusted"):
            post(received.url("other.example.org", "https"), b"{}")
        answer = post(received.url("hook.example.org", "https"), b"{}")

    assert answer.is_success
    assert len(received.requests) == 1
    with receiver(dripping, serving) as slow, pytest.raises(CallFailedError, match="no answer within"):
        post(slow.url("hook.example.org", "https"), b"{}", timeout_seconds=0.3)
