"""`code-references/`: where scans of repositories have found features."""

from typing import Any

import pytest

from features.models import CodeRepository
from features.tests.factories import make_feature

REPOSITORY = "https://github.com/acme/shop"


@pytest.fixture
def scan(admin_client, project):
    def send(*references: tuple[str, str, int], url: str = REPOSITORY, revision: str = "4f1c2d"):
        lines = [
            {"feature_name": name, "file_path": path, "line_number": line} for name, path, line in references
        ]
        body = {"repository_url": url, "revision": revision, "code_references": lines}
        return admin_client.post(f"/api/v1/projects/{project.pk}/code-references/", body, format="json")

    return send


@pytest.fixture
def references(admin_client, project, feature):
    url = f"/api/v1/projects/{project.pk}/features/{feature.pk}/"
    return lambda rest="code-references/": admin_client.get(f"{url}{rest}").json()


def test_the_last_scan_of_each_repository_counts(scan, references, project, feature):
    other = make_feature(project, name="other")
    scan((feature.name, "old.py", 1))

    answer = scan((feature.name, "cart/view one.py", 12), (feature.name, "b.py", 2), ("unknown", "c.py", 3))
    scan((feature.name, "main.go", 7), (other.name, "main.go", 8), url="https://github.com/acme/pay")

    shop, pay = references()
    scanned_at = answer.json()["created_at"]
    assert answer.status_code == 201
    assert answer.json() == {
        "repository_url": REPOSITORY,
        "vcs_provider": "github",
        "revision": "4f1c2d",
        "code_references": [
            {"feature_name": feature.name, "file_path": "cart/view one.py", "line_number": 12},
            {"feature_name": feature.name, "file_path": "b.py", "line_number": 2},
        ],
        "created_at": scanned_at,
        "project": project.pk,
    }
    assert shop["last_successful_repository_scanned_at"] == shop["last_feature_found_at"] == scanned_at
    assert shop["code_references"][0] == {
        "file_path": "cart/view one.py",
        "line_number": 12,
        "scanned_at": scanned_at,
        "vcs_provider": "github",
        "repository_url": REPOSITORY,
        "revision": "4f1c2d",
        "permalink": f"{REPOSITORY}/blob/4f1c2d/cart/view%20one.py#L12",
    }
    assert (pay["repository_url"], len(pay["code_references"])) == ("https://github.com/acme/pay", 1)
    assert references("")["code_references_counts"] == [
        {
            "repository_url": each["repository_url"],
            "count": len(each["code_references"]),
            "last_successful_repository_scanned_at": each["last_successful_repository_scanned_at"],
            "last_feature_found_at": each["last_feature_found_at"],
        }
        for each in (shop, pay)
    ]


def test_a_scan_that_finds_nothing_says_so(scan, references, feature):
    found = scan((feature.name, "a.py", 1)).json()["created_at"]
    nothing = scan(revision="next")

    (shop,) = references()
    assert nothing.status_code == 201
    assert (shop["revision"], shop["code_references"]) == ("next", [])
    assert shop["last_feature_found_at"] == found
    assert shop["last_successful_repository_scanned_at"] == nothing.json()["created_at"]
    assert references("")["code_references_counts"][0]["count"] == 0


def test_a_feature_that_no_scan_has_found_has_none(scan, references):
    scan()

    assert references() == []
    assert references("")["code_references_counts"] == []


def test_only_what_a_scan_can_have_found_is_taken(admin_client, project, feature):
    url = f"/api/v1/projects/{project.pk}/code-references/"
    line = {"feature_name": feature.name, "file_path": "a.py", "line_number": 1}
    body = {"repository_url": REPOSITORY, "revision": "1", "code_references": [line]}
    wrong: list[dict[str, Any]] = [
        {"repository_url": "shop"},
        {"revision": "x" * 101},
        {"vcs_provider": "sourceforge"},
        {"code_references": [{**line, "line_number": 0}]},
        {"code_references": [{**line, "file_path": "x" * 4097}]},
        {"code_references": [{**line, "feature_name": "x" * 101}]},
    ]

    answers = [admin_client.post(url, {**body, **each}, format="json") for each in wrong]

    assert [each.status_code for each in answers] == [400] * 6
    assert [list(each.json()) for each in answers] == [list(each) for each in wrong]
    assert not CodeRepository.objects.exists()
