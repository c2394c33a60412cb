"""`mv-options/`: a feature's variants, one by one."""

import pytest

from audit.models import AuditRecord
from features.models import Feature, FeatureType, MultivariateOption
from features.tests.factories import default_state, make_feature, make_option
from projects.models import Project


@pytest.fixture
def url(feature) -> str:
    return f"/api/v1/projects/{feature.project_id}/features/{feature.pk}/mv-options/"


def body(feature: Feature, share: float = 10, **fields: object) -> dict[str, object]:
    return {
        "feature": feature.pk,
        "type": "unicode",
        "string_value": "red",
        "default_percentage_allocation": share,
        **fields,
    }


def test_an_option_gets_its_share_in_every_environment(admin_client, url, feature, environment):
    response = admin_client.post(url, body(feature, 30, key="red"), format="json")

    assert response.status_code == 201
    option = MultivariateOption.objects.get()
    assert response.json() == {
        "id": option.pk,
        "uuid": str(option.uuid),
        "feature": feature.pk,
        "type": "unicode",
        "string_value": "red",
        "integer_value": None,
        "boolean_value": None,
        "default_percentage_allocation": 30.0,
        "key": "red",
    }
    assert (
        default_state(feature, environment).multivariate_feature_state_values.get().percentage_allocation
        == 30
    )
    assert Feature.objects.get().type == FeatureType.MULTIVARIATE
    assert AuditRecord.objects.get().log == "Multivariate option added to feature 'new_checkout'."


def test_a_deleted_one_is_gone_everywhere_and_the_last_makes_the_feature_standard(
    admin_client, url, feature, environment
):
    option = make_option(feature, "red", 30)

    response = admin_client.delete(f"{url}{option.pk}/")

    assert response.status_code == 204
    assert not default_state(feature, environment).multivariate_feature_state_values.exists()
    assert Feature.objects.get().type == FeatureType.STANDARD
    assert AuditRecord.objects.get().log == "Multivariate option removed from feature 'new_checkout'."


def test_a_changed_default_leaves_environments_alone(admin_client, url, feature, environment):
    option = make_option(feature, "red", 30)

    response = admin_client.put(f"{url}{option.pk}/", body(feature, 50, key="red"), format="json")

    assert response.json()["default_percentage_allocation"] == 50
    assert (
        default_state(feature, environment).multivariate_feature_state_values.get().percentage_allocation
        == 30
    )


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"type": "int", "integer_value": 5, "string_value": "x"}, ("int", None, 5, None)),
        ({"type": "bool", "boolean_value": False}, ("bool", None, None, False)),
        ({"integer_value": 5}, ("int", None, 5, None)),
        ({"string_value": " "}, ("unicode", " ", None, None)),
    ],
)
def test_the_type_says_which_value_counts(admin_client, url, feature, sent, shown):
    sent = {"feature": feature.pk, "default_percentage_allocation": 0, **sent}

    answered = admin_client.post(url, sent, format="json").json()

    columns = ("type", "string_value", "integer_value", "boolean_value")
    assert tuple(answered[column] for column in columns) == shown


def test_a_patch_of_a_value_keeps_the_type(admin_client, url, feature):
    option = make_option(feature, 5, 10)

    answered = admin_client.patch(f"{url}{option.pk}/", {"integer_value": 6}, format="json").json()

    assert (answered["type"], answered["integer_value"], answered["default_percentage_allocation"]) == (
        "int",
        6,
        10,
    )


def test_the_default_shares_stay_within_100_percent(admin_client, url, feature):
    make_option(feature, "green", 60)

    response = admin_client.post(url, body(feature, 50), format="json")

    assert response.status_code == 400
    assert response.json() == {"default_percentage_allocation": ["Invalid percentage allocation"]}
    assert MultivariateOption.objects.count() == 1


def test_so_do_the_shares_that_environments_really_have(admin_client, url, feature, environment):
    option = make_option(feature, "green", 10)
    option.allocations.update(percentage_allocation=95)

    response = admin_client.post(url, body(feature, 10), format="json")

    assert response.status_code == 400
    assert response.json() == {"default_percentage_allocation": ["Invalid percentage allocation"]}


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("control", '"control" is a reserved variant key.'),
        ("taken", "Multivariate option with this key already exists for the feature."),
        ("", "This field may not be blank."),
        ("no slug", 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'),
        ("x" * 256, "Ensure this field has no more than 255 characters."),
    ],
)
def test_keys_that_cannot_be_are_refused(admin_client, url, feature, key, reason):
    make_option(feature, "green", 10, key="taken")

    response = admin_client.post(url, body(feature, key=key), format="json")

    assert response.status_code == 400
    assert response.json() == {"key": [reason]}


def test_an_unchanged_key_and_many_empty_ones_are_fine(admin_client, url, feature):
    option = make_option(feature, "green", 10, key="green")
    make_option(feature, "blue", 10)

    kept = admin_client.put(f"{url}{option.pk}/", body(feature, key="green"), format="json")
    another = admin_client.post(url, body(feature, key=None), format="json")

    assert [kept.status_code, another.status_code] == [200, 201]


def test_a_share_must_be_given(admin_client, url, feature):
    response = admin_client.post(url, {"feature": feature.pk, "string_value": "red"}, format="json")

    assert response.json() == {"default_percentage_allocation": ["This field is required."]}


def test_the_body_names_the_feature_of_the_path(admin_client, url, project):
    response = admin_client.post(url, body(make_feature(project)), format="json")

    assert response.status_code == 400
    assert list(response.json()) == ["feature"]


def test_of_another_feature_are_not_found(admin_client, url, project):
    option = make_option(make_feature(project), "red", 10)

    assert admin_client.get(f"{url}{option.pk}/").status_code == 404


def test_of_others_are_out_of_reach(admin_client, client_of, stranger, url, feature):
    option = make_option(feature, "red", 10)
    client = client_of(stranger)
    by_uuid = f"/api/v1/multivariate/options/get-by-uuid/{option.uuid}/"

    statuses = [
        client.get(url).status_code,
        client.post(url, body(feature)).status_code,
        client.delete(f"{url}{option.pk}/").status_code,
        client.get(by_uuid).status_code,
        admin_client.get(by_uuid).status_code,
    ]

    assert statuses == [404, 403, 403, 404, 200]


def test_a_feature_of_another_project_is_not_found(admin_client, organisation, feature):
    sibling = Project.objects.create(organisation=organisation, name="Sibling")

    response = admin_client.post(
        f"/api/v1/projects/{sibling.pk}/features/{feature.pk}/mv-options/", body(feature)
    )

    assert response.status_code == 404


def test_an_option_of_a_deleted_feature_is_not_found_by_uuid(admin_client, feature):
    option = make_option(feature, "red", 10)
    feature.delete()

    assert admin_client.get(f"/api/v1/multivariate/options/get-by-uuid/{option.uuid}/").status_code == 404
