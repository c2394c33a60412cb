"""Where an environment's changes are sent, over HTTP."""

import pytest

from environments.models import Environment, EnvironmentWebhook
from permissions.tests.factories import grant

# Addresses and names that need no resolver: nothing here leaves the machine.
PUBLIC = "https://93.184.215.14/hook"


@pytest.fixture
def client(admin_client):
    return admin_client


def url(environment, rest=""):
    return f"/api/v1/environments/{environment.api_key}/webhooks/{rest}"


def test_is_made_listed_changed_and_deleted(client, environment):
    made = client.post(url(environment), {"url": PUBLIC, "secret": "s"}, format="json")
    one = url(environment, f"{made.json()['id']}/")
    listed = client.get(url(environment))
    replaced = client.put(one, {"url": f"{PUBLIC}/2", "enabled": False, "secret": ""}, format="json")
    patched = client.patch(one, {"enabled": True}, format="json")
    deleted = client.delete(one)

    assert made.status_code == 201
    assert set(made.json()) == {"id", "url", "enabled", "secret", "created_at", "updated_at"}
    assert (made.json()["url"], made.json()["enabled"], made.json()["secret"]) == (PUBLIC, True, "s")
    assert listed.json() == [made.json()]
    assert (replaced.json()["url"], replaced.json()["enabled"]) == (f"{PUBLIC}/2", False)
    assert (patched.json()["url"], patched.json()["enabled"]) == (f"{PUBLIC}/2", True)
    assert deleted.status_code == 204
    assert not EnvironmentWebhook.objects.exists()


def test_is_not_shown_by_itself(client, environment):
    webhook = environment.webhooks.create(url=PUBLIC)

    assert client.get(url(environment, f"{webhook.pk}/")).status_code == 405


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "text",
        "ftp://93.184.215.14/",
        "http://127.0.0.1/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/",
        "http://[::1]/",
        f"{PUBLIC}{'x' * 200}",
    ],
)
def test_leads_to_the_internet(client, environment, wrong):
    webhook = environment.webhooks.create(url=PUBLIC)

    made = client.post(url(environment), {"url": wrong}, format="json")
    changed = client.patch(url(environment, f"{webhook.pk}/"), {"url": wrong}, format="json")

    assert (made.status_code, changed.status_code) == (400, 400)
    assert list(made.json()) == list(changed.json()) == ["url"]
    assert environment.webhooks.get().url == PUBLIC


def test_who_sees_the_environment_reads_and_its_administrators_write(client_of, member, environment):
    client = client_of(member)
    webhook = environment.webhooks.create(url=PUBLIC)

    def statuses():
        return [
            client.get(url(environment)).status_code,
            client.post(url(environment), {"url": PUBLIC}).status_code,
            client.patch(url(environment, f"{webhook.pk}/"), {"enabled": False}).status_code,
        ]

    nothing = statuses()
    granted = grant(member, environment, "VIEW_ENVIRONMENT")
    reading = statuses()
    granted.delete()
    grant(member, environment, admin=True)

    assert (nothing, reading, statuses()) == ([403, 403, 403], [200, 403, 403], [200, 201, 200])


def test_another_environments_is_unknown(client, environment, project):
    other = Environment.objects.create(project=project, name="Other")
    webhook = other.webhooks.create(url=PUBLIC)

    responses = [
        getattr(client, method)(url(environment, f"{webhook.pk}/"), {"url": PUBLIC})
        for method in ("put", "patch", "delete")
    ]

    assert [each.status_code for each in responses] == [404, 404, 404]


def test_others_get_nothing(client_of, stranger, environment):
    environment.webhooks.create(url=PUBLIC)

    response = client_of(stranger).get(url(environment))

    assert response.status_code == 403
    assert PUBLIC.encode() not in response.content
