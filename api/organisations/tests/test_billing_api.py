"""What dashboards ask about plans, where there are none."""

import pytest

NO_SUBSCRIPTION = {"detail": "Organisation has no subscription"}


@pytest.fixture
def path(organisation) -> str:
    return f"/api/v1/organisations/{organisation.pk}/"


def test_there_is_no_subscription_to_manage(admin_client, path):
    responses = [
        admin_client.get(f"{path}portal-url/"),
        admin_client.post(f"{path}get-hosted-page-url-for-subscription-upgrade/", {"plan_id": "x"}),
        admin_client.post(f"{path}update-subscription/", {"hosted_page_id": "x"}),
    ]

    assert [(each.status_code, each.json()) for each in responses] == [(400, NO_SUBSCRIPTION)] * 3


def test_an_update_names_its_page(admin_client, path):
    response = admin_client.post(f"{path}update-subscription/", {})

    assert (response.status_code, list(response.json())) == (400, ["hosted_page_id"])


def test_billing_is_for_administrators(client_of, member, stranger, path):
    for user in (member, stranger):
        client = client_of(user)
        responses = [
            client.get(f"{path}portal-url/"),
            client.get(f"{path}get-subscription-metadata/"),
            client.post(f"{path}get-hosted-page-url-for-subscription-upgrade/", {}),
            client.post(f"{path}update-subscription/", {}),
        ]
        assert [each.status_code for each in responses] == [403] * 4


def test_nobody_is_warned_of_a_limit_that_is_not_there(client_of, member, stranger, path):
    own = client_of(member).get(f"{path}api-usage-notification/")

    assert own.json() == {"count": 0, "next": None, "previous": None, "results": []}
    assert client_of(stranger).get(f"{path}api-usage-notification/").status_code == 403
