"""Where changes are sent: which addresses are taken, and trying one out."""

import hashlib
import hmac
import json
import socket

import pytest

from core.tests.receivers import answering, receiver, status
from permissions.tests.factories import grant

TEST = "/api/v1/webhooks/test/"


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


def of_environment(environment):
    return {"type": "environment", "id": environment.api_key}


def of_organisation(organisation):
    return {"type": "organisation", "id": organisation.pk}


def tried(client, url, scope, secret="s"):
    return client.post(TEST, {"webhook_url": url, "secret": secret, "scope": scope}, format="json")


def test_any_2xx_is_a_success_and_what_was_sent_is_signed(admin_client, environment, organisation):
    with receiver(answering(status(204))) as received:
        of_one = tried(admin_client, received.url(), of_environment(environment))
        sample = json.loads(received.body)
        signature = received.headers["x-flagsmith-signature"]
        of_all = tried(admin_client, received.url(), of_organisation(organisation), secret="")

    assert (of_one.status_code, of_all.status_code) == (200, 200)
    assert of_one.json() == {"detail": "Webhook test successful", "status": 204}
    assert (
        signature == hmac.digest(b"s", received.requests[0].partition(b"\r\n\r\n")[2], hashlib.sha256).hex()
    )
    assert "x-flagsmith-signature" not in received.headers
    assert sample["event_type"] == "FLAG_UPDATED"
    assert sample["data"]["new_state"]["environment"] == {"id": environment.pk, "name": environment.name}
    assert json.loads(received.body)["event_type"] == "AUDIT_LOG_CREATED"


@pytest.mark.parametrize("code", [302, 404, 503])
def test_any_other_answer_is_told_by_its_code_alone(admin_client, environment, code):
    with receiver(
        answering(status(code).replace(b"Length: 0\r\n\r\n", b"Length: 6\r\n\r\nsecret"))
    ) as received:
        response = tried(admin_client, received.url(), of_environment(environment))

    assert response.status_code == 400
    assert response.json() == {
        "detail": "Webhook returned error status",
        "body": f"Webhook returned HTTP {code}.",
        "status": code,
    }


def test_a_receiver_that_is_not_there_is_told_with_advice(admin_client, environment):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    response = tried(admin_client, f"http://127.0.0.1:{port}/", of_environment(environment))

    assert response.status_code == 400
    assert set(response.json()) == {"detail", "body"}
    assert response.json()["detail"] == "Could not connect to webhook URL"
    assert "connection was refused" in response.json()["body"]


def test_who_may_try_a_webhook_depends_on_the_scope(
    client_of, member, environment, organisation, stranger, admin_client
):
    grant(member, environment, admin=True)
    unknown = [
        None,
        {},
        "environment",
        [of_environment(environment)],
        {"type": "project", "id": 1},
        {"type": "environment", "id": environment.pk},
        {"type": "environment", "id": "unknown"},
        {"type": "organisation", "id": "x"},
        {"type": "organisation", "id": 2**31},
    ]

    with receiver() as received:
        statuses = {
            (who, scope["type"]): tried(client, received.url(), scope).status_code
            for who, client in (("member", client_of(member)), ("stranger", client_of(stranger)))
            for scope in (of_environment(environment), of_organisation(organisation))
        }
        refused = [tried(admin_client, received.url(), scope).status_code for scope in unknown]
        missing = admin_client.post(TEST, {"webhook_url": received.url()}, format="json")

    assert statuses == {
        ("member", "environment"): 200,
        ("member", "organisation"): 403,
        ("stranger", "environment"): 403,
        ("stranger", "organisation"): 403,
    }
    assert refused == [403] * len(unknown)
    assert (missing.status_code, list(missing.json())) == (403, ["detail"])
    assert len(received.requests) == 1


def test_internal_addresses_and_other_schemes_are_refused_wherever_a_url_is_given(
    admin_client, environment, organisation, monkeypatch, settings
):
    settings.OUTGOING_ALLOWED_HOSTS = []
    by_system = socket.getaddrinfo
    names = {"private4.example.org": "10.0.0.1", "private6.example.org": "fd00::1"}

    def look_up(host, *rest, **more):
        if host == "unknown.example.org":
            raise socket.gaierror
        return by_system(names.get(host, host), *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    def statuses(url):
        webhooks = f"/api/v1/environments/{environment.api_key}/webhooks/"
        answers = [
            tried(admin_client, url, of_environment(environment)),
            admin_client.post(webhooks, {"url": url}, format="json"),
            admin_client.post(
                f"/api/v1/organisations/{organisation.pk}/webhooks/", {"url": url}, format="json"
            ),
        ]
        return [(each.status_code, list(each.json())) for each in answers]

    for url in (
        "http://127.0.0.1/",
        "http://localhost/",
        "http://169.254.169.254/",
        "http://[::1]/",
        "http://2130706433/",
        "http://private4.example.org/",
        "http://private6.example.org/",
        "ftp://93.184.215.14/",
        "file:///etc/passwd",
    ):
        assert statuses(url) == [(400, ["webhook_url"]), (400, ["url"]), (400, ["url"])]
    # What doesn't resolve is kept, and reaches nobody.
    assert [code for code, _ in statuses("http://unknown.example.org/")] == [400, 201, 201]
