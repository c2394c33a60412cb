"""Organisations' webhooks over HTTP: where they are kept. Nothing is sent here."""

import pytest

from organisations.models import Organisation, OrganisationWebhook

PUBLIC = "https://93.184.215.14/hooks?token=1"


def path_of(organisation: Organisation, rest: str = "") -> str:
    return f"/api/v1/organisations/{organisation.pk}/webhooks/{rest}"


def test_a_webhook_is_made_changed_and_deleted(admin_client, organisation):
    made = admin_client.post(path_of(organisation), {"url": PUBLIC, "organisation": 999})
    path = path_of(organisation, f"{made.json()['id']}/")
    patched = admin_client.patch(path, {"enabled": False})
    replaced = admin_client.put(path, {"url": PUBLIC, "secret": "hush"})
    listed = admin_client.get(path_of(organisation))

    webhook = organisation.webhooks.get()
    assert (made.status_code, made.json()["enabled"], made.json()["secret"]) == (201, True, "")
    assert (patched.status_code, patched.json()["enabled"]) == (200, False)
    assert replaced.json() == {
        "id": webhook.pk,
        "url": PUBLIC,
        "enabled": False,
        "secret": "hush",
        "created_at": webhook.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": webhook.updated_at.isoformat().replace("+00:00", "Z"),
    }
    assert webhook.updated_at > webhook.created_at
    assert listed.json() == {"count": 1, "next": None, "previous": None, "results": [replaced.json()]}
    assert admin_client.delete(path).status_code == 204
    assert not OrganisationWebhook.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "hooks"}, "url"),
        ({"url": "ftp://93.184.215.14/"}, "url"),
        ({"url": "http://127.0.0.1:8000/"}, "url"),
        ({"url": "http://localhost/"}, "url"),
        ({"url": "http://93.184.215.14:99999/"}, "url"),
        ({"url": f"https://93.184.215.14/{'x' * 200}"}, "url"),
        ({"url": PUBLIC, "secret": "x" * 256}, "secret"),
        ({"url": PUBLIC, "enabled": None}, "enabled"),
    ],
)
def test_a_malformed_webhook_is_refused(body, field, admin_client, organisation):
    response = admin_client.post(path_of(organisation), body)

    assert (response.status_code, list(response.json())) == (400, [field])
    assert not OrganisationWebhook.objects.exists()


def test_webhooks_are_for_administrators(client_of, member, stranger, organisation):
    webhook = organisation.webhooks.create(url=PUBLIC)
    path = path_of(organisation, f"{webhook.pk}/")

    for user in (member, stranger):
        client = client_of(user)
        responses = [
            client.get(path_of(organisation)),
            client.post(path_of(organisation), {"url": PUBLIC}),
            client.get(path),
            client.put(path, {"url": PUBLIC}),
            client.delete(path),
        ]
        assert [each.status_code for each in responses] == [403] * 5
        reason = "User does not have sufficient privileges to perform this action"
        assert {each.json()["detail"] for each in responses} == {reason}
    assert list(OrganisationWebhook.objects.all()) == [webhook]


def test_another_organisations_webhook_is_hidden(admin_client, organisation, stranger):
    theirs = stranger.organisations.get().webhooks.create(url=PUBLIC)
    path = path_of(organisation, f"{theirs.pk}/")

    responses = [admin_client.get(path), admin_client.patch(path, {}), admin_client.delete(path)]

    assert [each.status_code for each in responses] == [404] * 3
    assert list(OrganisationWebhook.objects.all()) == [theirs]
