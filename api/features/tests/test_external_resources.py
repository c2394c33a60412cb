"""`feature-external-resources/`: issues and the like that belong to a feature."""

import pytest

from features.models import ExternalResource
from features.tests.factories import make_feature

ISSUE = {"type": "GITLAB_ISSUE", "url": "https://gitlab.com/acme/shop/-/issues/7"}


@pytest.fixture
def url(feature) -> str:
    return f"/api/v1/projects/{feature.project_id}/features/{feature.pk}/feature-external-resources/"


def test_come_and_go(admin_client, url, feature):
    empty = admin_client.get(url).json()
    body = {**ISSUE, "metadata": {"title": "Slow", "state": "opened", "color": "red"}}

    made = admin_client.post(url, body, format="json")

    shown = {**ISSUE, "id": made.json()["id"], "feature": feature.pk}
    shown["metadata"] = {"title": "Slow", "state": "opened"}
    one = f"{url}{shown['id']}/"
    assert (empty, made.status_code, made.json()) == ({"results": []}, 201, shown)
    assert admin_client.get(url).json() == {"results": [shown]}
    assert admin_client.get(one).json() == shown
    assert [admin_client.delete(one).status_code, admin_client.get(one).status_code] == [204, 404]


def test_one_of_another_feature_is_not_found(admin_client, url, project):
    foreign = ExternalResource.objects.create(feature=make_feature(project), **ISSUE)

    assert admin_client.get(f"{url}{foreign.pk}/").status_code == 404
    assert admin_client.delete(f"{url}{foreign.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("type_", "address", "reason"),
    [
        (
            "GITHUB_ISSUE",
            "https://github.com/acme/shop/issues/7",
            "This Project doesn't have a valid GitHub integration configuration",
        ),
        ("GITHUB_PR", "https://github.com/acme/shop/wiki", "Invalid GitHub Issue/PR URL"),
        ("GITLAB_MR", "https://gitlab.com/acme/shop/-/issues/7", "Invalid GitLab Issue/MR URL"),
    ],
)
def test_what_is_none_of_the_kind_or_of_a_site_that_is_not_integrated_is_refused(
    admin_client, url, type_, address, reason
):
    response = admin_client.post(url, {"type": type_, "url": address})

    assert (response.status_code, response.json()) == (400, {"detail": reason})


def test_the_same_is_linked_once(admin_client, url):
    statuses = [admin_client.post(url, ISSUE).status_code for _ in range(2)]

    assert statuses == [201, 400]
