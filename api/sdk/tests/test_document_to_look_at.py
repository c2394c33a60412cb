"""The environment document, for people."""

from permissions.tests.factories import grant


def url(environment):
    return f"/api/v1/environments/{environment.api_key}/document/"


def test_is_the_document_that_sdks_get(admin_client, server_sdk_client, environment, feature):
    server_sdk_client.get("/api/v1/environment-document/")

    shown = admin_client.get(url(environment))

    assert shown.status_code == 200
    served = server_sdk_client.get("/api/v1/environment-document/").json()
    assert shown.json()["feature_states"] == served["feature_states"] != []
    assert shown.json().keys() == served.keys()
    assert shown.json()["project"] == served["project"]


def test_shows_a_change_at_once(admin_client, environment, feature):
    before = admin_client.get(url(environment)).json()
    state = feature.feature_states.get(environment=environment)
    state.enabled = True
    state.save()

    after = admin_client.get(url(environment)).json()

    assert [each["feature_states"][0]["enabled"] for each in (before, after)] == [False, True]


def test_is_for_who_may_see_the_environment(client_of, member, stranger, environment):
    client = client_of(member)
    refused = [
        client.get(url(environment)).status_code,
        client_of(stranger).get(url(environment)).status_code,
    ]
    grant(member, environment, "VIEW_ENVIRONMENT")

    assert refused == [403, 403]
    assert client.get(url(environment)).status_code == 200
