"""The audit log on the wire: of a project, an organisation, and of all that somebody administers."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditRecord, ChangeType, RelatedObjectType
from audit.services import record
from environments.models import Environment
from permissions.tests.factories import grant
from projects.models import Tag


@pytest.fixture
def lists(project) -> list[str]:
    return [
        "/api/v1/audit/",
        f"/api/v1/organisations/{project.organisation_id}/audit/",
        f"/api/v1/projects/{project.pk}/audit/",
    ]


@pytest.fixture
def write(environment, admin):
    """Write a record about the environment, unless something else is said."""

    def written(log="Said", **words) -> AuditRecord:
        of = {
            "author": admin,
            "related_object": environment,
            "related_object_type": RelatedObjectType.ENVIRONMENT,
            "organisation_id": environment.project.organisation_id,
            "project_id": environment.project_id,
            "environment_id": environment.pk,
        }
        return record(log, **of | words)

    return written


def logs(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [each["log"] for each in response.json()["results"]]


def test_a_row_has_what_clients_show(admin_client, write, admin, environment, lists):
    written = write("Environment updated: Production", changes=[{"field": "name", "old": "a", "new": "b"}])

    for path in lists:
        [item] = admin_client.get(path).json()["results"]
        detail = admin_client.get(f"{path}{written.pk}/").json()

        assert item == {
            "id": written.pk,
            "created_date": written.created_date.isoformat().replace("+00:00", "Z"),
            "log": "Environment updated: Production",
            "author": item["author"],
            "environment": item["environment"],
            "project": item["project"],
            "related_object_id": environment.pk,
            "related_object_uuid": None,
            "related_object_type": "ENVIRONMENT",
            "is_system_event": False,
        }
        assert (item["author"]["email"], item["author"]["id"]) == (admin.email, admin.pk)
        assert item["environment"]["api_key"] == environment.api_key
        assert "metadata" not in item["environment"]
        assert item["project"]["name"] == environment.project.name
        assert detail.items() >= item.items()
        assert detail["change_details"] == [{"field": "name", "old": "a", "new": "b"}]
        assert detail["change_type"] == "UPDATE"


def test_the_detail_says_what_kind_of_change_it_was_and_lists_what_the_contract_lists(
    admin_client, write, feature, environment
):
    changes = [{"field": "enabled", "old": None, "new": True}]
    of_state = {"related_object_type": RelatedObjectType.FEATURE_STATE}
    cases = [
        (write(changes=changes, change_type=ChangeType.CREATE, **of_state), "CREATE", changes),
        (write(changes=changes, change_type=ChangeType.CREATE), "CREATE", []),
        (write(changes=changes, change_type=ChangeType.DELETE), "DELETE", []),
        (write(), "UNKNOWN", []),
    ]

    for written, change_type, details in cases:
        answer = admin_client.get(f"/api/v1/audit/{written.pk}/").json()

        assert (answer["change_type"], answer["change_details"]) == (change_type, details)


def test_the_uuid_is_shown_where_clients_look_for_one(admin_client, write, environment):
    write("version", related_object_type=RelatedObjectType.EF_VERSION)
    write("segment", related_object_type=RelatedObjectType.SEGMENT, change_type=ChangeType.DELETE)
    write("segment updated", related_object_type=RelatedObjectType.SEGMENT)

    rows = admin_client.get("/api/v1/audit/").json()["results"]

    uuid = str(environment.uuid)
    assert {each["log"]: each["related_object_uuid"] for each in rows} == {
        "version": uuid,
        "segment": uuid,
        "segment updated": None,
    }


def test_rows_come_newest_first_in_pages(admin_client, write, lists):
    for number in range(3):
        write(f"row {number}")

    for path in lists:
        assert logs(admin_client.get(path, {"page_size": 2})) == ["row 2", "row 1"]
        assert logs(admin_client.get(path, {"page_size": 2, "page": 2})) == ["row 0"]


def test_every_filter_narrows_each_list(admin_client, member, write, feature, environment, lists):
    staging = Environment.objects.create(project=environment.project, name="Staging")
    write("of the system", author=None)
    write("of a member 100%", author=member)
    write("of staging", environment_id=staging.pk)
    write("of no environment", environment_id=None)
    write("of a feature", related_object=feature, related_object_type=RelatedObjectType.FEATURE)
    old = write("old")
    moment = old.created_date
    cases = [
        ("is_system_event=true", {"of the system"}),
        ("search=A+MEMBER+100%25", {"of a member 100%"}),
        (f"author={member.pk}", {"of a member 100%"}),
        (f"environments={staging.pk}", {"of staging"}),
        (f"related_object_type=FEATURE&related_object_id={feature.pk}", {"of a feature"}),
        (f"created_after={moment.isoformat().replace('+', '%2B')}", {"old"}),
    ]
    for path in lists:
        for query, expected in cases:
            assert set(logs(admin_client.get(f"{path}?{query}"))) == expected, query

        everything = set(logs(admin_client.get(f"{path}?project={environment.project_id}&search=&page=1")))
        assert len(everything) == 6
        assert set(logs(admin_client.get(f"{path}?is_system_event=false"))) == everything - {"of the system"}
        both = f"{path}?environments={staging.pk}&environments={environment.pk}"
        assert set(logs(admin_client.get(both))) == everything - {"of no environment"}
        assert logs(admin_client.get(f"{path}?project=0")) == []
        early = (moment - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert logs(admin_client.get(f"{path}?created_before={early}")) == []
        assert admin_client.get(f"{path}?search={'x' * 257}").status_code == 400
        assert admin_client.get(f"{path}?environments=x").status_code == 400


def test_each_list_costs_the_same_queries_for_one_row_and_for_ten(
    admin_client, write, environment, lists, django_assert_num_queries, django_assert_max_num_queries
):
    write()
    Tag.objects.all().delete()
    for query in ({}, {"history": "true"}):
        for path in lists:
            with django_assert_max_num_queries(9) as counted:
                admin_client.get(path, query)
            before = len(counted.captured_queries)
            for _ in range(3):
                write()
                Environment.objects.create(project=environment.project, name=f"{timezone.now()}")
            with django_assert_num_queries(before):
                admin_client.get(path, query)


def test_what_flagsmith_does_not_audit_is_listed_when_the_history_is_asked_for(
    admin_client, admin, project, lists
):
    organisation = project.organisation_id
    admin_client.post(f"/api/v1/projects/{project.pk}/tags/", {"label": "beta"}, format="json")
    admin_client.put(
        f"/api/v1/projects/{project.pk}/",
        {"name": "Shop", "organisation": organisation},
        headers={"X-Request-Id": "from-a-proxy"},
        format="json",
    )
    admin_client.post(f"/api/v1/organisations/{organisation}/groups/", {"name": "Engineers"}, format="json")

    for path in lists:
        assert logs(admin_client.get(path)) == []
        rows = admin_client.get(path, {"history": "true", "author": admin.pk}).json()["results"]
        by_log = {each["log"]: each for each in rows}

        assert {"Tag created: beta", "Project updated: Shop"} <= by_log.keys()
        assert ("Group created: Engineers" in by_log) is ("projects/" not in path)
        updated = by_log["Project updated: Shop"]
        assert updated["author"]["email"] == admin.email
        assert (updated["related_object_type"], updated["related_object_id"]) == ("PROJECT", project.pk)
        detail = admin_client.get(f"{path}{updated['id']}/", {"history": "true"}).json()
        assert detail.items() >= updated.items()
        assert (detail["change_type"], detail["change_details"]) == (
            "UPDATE",
            [{"field": "name", "old": "Web shop", "new": "Shop"}],
        )
        assert detail["changed_by"] == {"name": admin.email, "source": "api", "request_id": "from-a-proxy"}
        found = admin_client.get(path, {"history": "true", "search": "tag CREATED: b"})
        assert logs(found) == ["Tag created: beta"]
        kind = admin_client.get(path, {"history": "true", "related_object_type": "TAG"})
        assert logs(kind) == ["Tag created: beta"]


def test_rows_of_a_deletion_say_so_in_the_history(admin_client, feature, project):
    feature.delete()

    path = f"/api/v1/projects/{project.pk}/audit/"
    newest = admin_client.get(path, {"history": "true", "related_object_type": "FEATURE"}).json()["results"][
        0
    ]
    detail = admin_client.get(f"{path}{newest['id']}/", {"history": "true"}).json()

    assert newest["log"] == "Feature deleted: new_checkout"
    assert detail["change_type"] == "DELETE"
    assert newest["is_system_event"]


def test_the_export_has_all_rows_that_match_and_no_formulas(admin_client, write, lists, monkeypatch):
    monkeypatch.setattr("audit_log.selectors._PIECE", 2)
    for log in ("=1+1", "+1", "-1", "@x", "\tx", 'said "so", twice'):
        write(log)
    write("of the system", author=None)

    for path in lists:
        response = admin_client.get(f"{path}export/", {"is_system_event": "false"})
        rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))

        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert "attachment" in response["Content-Disposition"]
        assert [each["log"] for each in rows] == [
            'said "so", twice',
            "'\tx",
            "'@x",
            "'-1",
            "'+1",
            "'=1+1",
        ]
        assert {each["environment"] for each in rows} == {"Production"}


def test_the_export_of_the_history_tells_before_and_after(admin_client, project):
    tag = Tag.objects.create(project=project, label="beta")
    tag.label = "gamma"
    tag.save()

    response = admin_client.get(f"/api/v1/projects/{project.pk}/audit/export/", {"history": "true"})
    newest = next(csv.DictReader(io.StringIO(response.getvalue().decode())))

    assert newest["log"] == "Tag updated: gamma"
    assert newest["changes"] == '[{"field": "label", "old": "beta", "new": "gamma"}]'


def test_regular_users_see_no_row_unless_they_may_view_a_projects_audit_log(
    client_of, member, stranger, write, lists
):
    written = write()
    own, of_organisation, of_project = lists

    for user in (member, stranger):
        client = client_of(user)
        assert logs(client.get(own)) == []
        assert logs(client.get(own, {"history": "true"})) == [] or user == stranger
        assert client.get(f"{own}{written.pk}/").status_code == 404
        for path in (of_organisation, of_project):
            assert client.get(path).status_code == 403, path
            assert client.get(f"{path}export/").status_code == 403
            assert client.get(f"{path}{written.pk}/").status_code == 403

    grant(member, written.project, "VIEW_AUDIT_LOG")
    assert logs(client_of(member).get(of_project)) == ["Said"]
    assert logs(client_of(member).get(own)) == []
    assert client_of(member).get(of_organisation).status_code == 403


def test_nothing_of_the_log_can_be_written(admin_client, write, lists):
    written = write()

    for path in lists:
        assert admin_client.post(path, {"log": "x"}, format="json").status_code == 405
        for method in (admin_client.put, admin_client.patch, admin_client.delete):
            assert method(f"{path}{written.pk}/", {"log": "x"}, format="json").status_code == 405
