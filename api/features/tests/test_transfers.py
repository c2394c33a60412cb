"""Exports and imports of features: what a file says, who may have it made or read, what comes of it."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from audit.models import AuditRecord, RowChange
from environments.models import Environment
from features.models import (
    EnvironmentFeatureVersion,
    Feature,
    FeatureExport,
    FeatureImport,
    FeatureState,
    TransferStatus,
)
from features.services.exports import LONGEST, request_export, run_export
from features.services.imports import request_import, run_import
from features.services.versioning import enable_versioning
from features.tasks import FILES_KEPT, forget_exports_and_imports
from features.tests.factories import (
    default_state,
    make_feature,
    make_identity_override,
    make_option,
    make_segment_override,
)
from identities.models import Identity
from permissions.tests.factories import grant
from projects.models import Project, Tag
from segments.models import Segment
from tasks.services import run_due

EXPORT = "/api/v1/features/create-feature-export/"
CHECKOUT = {
    "name": "checkout",
    "default_enabled": False,
    "is_server_key_only": True,
    "initial_value": "10",
    "value": 20,
    "type": "MULTIVARIATE",
    "enabled": True,
    "multivariate": [
        {"percentage_allocation": 25.0, "default_percentage_allocation": 50.0, "value": 30, "type": "int"},
        {"percentage_allocation": 5, "default_percentage_allocation": 40, "value": "True", "type": "bool"},
    ],
}


def download(export_id):
    return f"/api/v1/features/download-feature-export/{export_id}/"


def import_into(environment):
    return f"/api/v1/features/feature-import/{environment.pk}"


def upload(client, environment, content: Any, strategy="SKIP"):
    """Send a file: `content` as JSON, unless it is the very bytes."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    file = SimpleUploadedFile("features.json", data, "application/json")
    return client.post(import_into(environment), {"file": file, "strategy": strategy}, format="multipart")


@pytest.fixture
def run():
    """Send a request and do what it leaves to be done in the background."""

    def call(request, *args, **kwargs):
        response = request(*args, **kwargs)
        run_due()
        return response

    return call


@pytest.fixture
def imported(run, admin_client, environment):
    """Return what becomes of an import: `imported([{"name": "checkout"}], strategy="SKIP")`."""

    def call(content, strategy="SKIP", into=environment):
        response = run(upload, admin_client, into, content, strategy)
        assert response.status_code == 201, response.content
        return FeatureImport.objects.get(pk=response.json()["id"])

    return call


def test_an_export_is_asked_for_first_and_downloaded_when_it_is_done(
    run, admin_client, environment, feature, project
):
    tag = Tag.objects.create(project=project, label="billing")
    option = make_option(feature, "red", 30, key="red")
    default_state(feature, environment).multivariate_feature_state_values.update(percentage_allocation=12.5)
    make_feature(project, name="untagged")
    feature.tags.add(tag)
    feature.refresh_from_db()
    body = {"environment_id": environment.pk, "tag_ids": [tag.pk]}

    asked = run(admin_client.post, EXPORT, body, format="json")
    file = admin_client.get(download(asked.json()["id"]))

    export = FeatureExport.objects.get()
    assert asked.status_code == 201
    assert asked.json() == {
        "id": export.pk,
        "name": f"Production | {export.created_at:%Y-%m-%d %H:%M} UTC",
        "environment_id": environment.pk,
        "status": "PROCESSING",
        "created_at": export.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert file.status_code == 200
    assert file.headers["Content-Type"] == "application/json"
    assert file.headers["Content-Disposition"] == f"attachment; filename=feature_export.{export.pk}.json"
    assert file.json() == [
        {
            "name": "new_checkout",
            "default_enabled": False,
            "is_server_key_only": False,
            "initial_value": "blue",
            "value": "blue",
            "type": "MULTIVARIATE",
            "enabled": False,
            "multivariate": [
                {
                    "percentage_allocation": 12.5,
                    "default_percentage_allocation": 30.0,
                    "value": option.value,
                    "type": "unicode",
                    "key": "red",
                }
            ],
            "description": None,
            "is_archived": False,
        }
    ]
    listed = admin_client.get(f"/api/v1/projects/{project.pk}/feature-exports/").json()
    assert listed["results"] == [{**asked.json(), "status": "SUCCESS"}]
    every = run(admin_client.post, EXPORT, {**body, "tag_ids": []}, format="json").json()["id"]
    assert [each["name"] for each in admin_client.get(download(every)).json()] == ["new_checkout", "untagged"]
    assert [each["id"] for each in _listed(admin_client, project, "exports")] == [every, export.pk]


def _listed(client, project, kind):
    return client.get(f"/api/v1/projects/{project.pk}/feature-{kind}/").json()["results"]


def test_an_export_that_is_not_done_cannot_be_downloaded(admin_client, environment):
    export = FeatureExport.objects.create(environment=environment, name="Production")

    waiting = admin_client.get(download(export.pk))
    FeatureExport.objects.update(status=TransferStatus.FAILED)
    failed = admin_client.get(download(export.pk))

    assert [waiting.status_code, failed.status_code] == [400, 400]
    assert waiting.json()["detail"] == "Unable to download export with status 'PROCESSING'."
    assert failed.json()["detail"] == "Unable to download export with status 'FAILED'."


@pytest.mark.parametrize(
    "body",
    [
        {"tag_ids": []},
        {"environment_id": "x", "tag_ids": []},
        {"environment_id": 1},
        {"environment_id": 1, "tag_ids": 4},
    ],
)
def test_an_export_names_an_environment_and_tags(admin_client, environment, body):
    given = {**body, "environment_id": environment.pk} if body.get("environment_id") == 1 else body

    assert admin_client.post(EXPORT, given, format="json").status_code == 400
    assert not FeatureExport.objects.exists()


def test_tags_of_another_project_are_refused(admin_client, environment, organisation):
    elsewhere = Project.objects.create(organisation=organisation, name="Elsewhere")
    tag = Tag.objects.create(project=elsewhere, label="theirs")

    response = admin_client.post(
        EXPORT, {"environment_id": environment.pk, "tag_ids": [tag.pk]}, format="json"
    )

    assert response.status_code == 400
    assert response.json() == {"tag_ids": ["Tags must be from the environment's project."]}


def test_lists_show_only_environments_that_the_caller_administers(
    member, client_of, environment, project, admin_client
):
    grant(member, project, "VIEW_PROJECT")
    theirs = Environment.objects.create(project=project, name="Theirs")
    grant(member, theirs, admin=True)
    for each in (environment, theirs):
        FeatureExport.objects.create(environment=each, name=each.name)
        FeatureImport.objects.create(environment=each, strategy="SKIP")
    member_client = client_of(member)

    for kind in ("exports", "imports"):
        seen = [each["environment_id"] for each in _listed(member_client, project, kind)]
        assert seen == [theirs.pk]
        assert len(_listed(admin_client, project, kind)) == 2
    exports = {each.environment_id: each.pk for each in FeatureExport.objects.all()}
    assert member_client.get(download(exports[environment.pk])).status_code == 403
    assert member_client.get(download(exports[theirs.pk])).status_code == 400  # not done yet


def test_only_administrators_of_the_organisation_import(client_of, member, project, environment):
    grant(member, project, admin=True)

    response = upload(client_of(member), environment, [CHECKOUT])

    assert response.status_code == 403
    assert not FeatureImport.objects.exists()


def test_an_import_sets_its_environment_from_the_file_and_others_from_the_defaults(
    imported, environment, project, admin_client, admin
):
    other = Environment.objects.create(project=project, name="Staging")

    done = imported([CHECKOUT])

    feature = Feature.objects.get(name="checkout")
    here, there = default_state(feature, environment), default_state(feature, other)
    assert done.status == "SUCCESS"
    assert (feature.type, feature.initial_value, feature.is_server_key_only) == ("MULTIVARIATE", "10", True)
    assert (here.enabled, here.value, _shares(here)) == (True, 20, [(30, 25), (True, 5)])
    assert (there.enabled, there.value, _shares(there)) == (False, 10, [(30, 50), (True, 40)])
    assert _listed(admin_client, project, "imports") == [
        {
            "id": done.pk,
            "environment_id": environment.pk,
            "strategy": "SKIP",
            "status": "SUCCESS",
            "created_at": done.created_at.isoformat().replace("+00:00", "Z"),
        }
    ]
    records = AuditRecord.objects.filter(author=admin).order_by("pk")
    assert [(each.log, each.environment_id) for each in records] == [
        ("New Flag / Remote Config created: checkout", None),
        ("New Flag / Remote Config created: checkout", environment.pk),
        ("New Flag / Remote Config created: checkout", other.pk),
        ("Flag state updated for feature: checkout", environment.pk),
        ("Remote config value updated for feature: checkout", environment.pk),
        ("Multivariate value changed for feature 'checkout'.", environment.pk),
        ("Features imported into environment 'Production': 1", environment.pk),
    ]
    assert RowChange.objects.filter(table_name="features_feature", actor_id=admin.pk, source="task").exists()


def _shares(state):
    shares = state.multivariate_feature_state_values.order_by("pk")
    return [(each.multivariate_feature_option.value, each.percentage_allocation) for each in shares]


def test_features_that_are_there_are_skipped(imported, environment, feature):
    AuditRecord.objects.all().delete()

    imported([{**CHECKOUT, "name": "NEW_checkout"}, {"name": "another"}])

    feature.refresh_from_db()
    assert (feature.initial_value, default_state(feature, environment).value) == ("blue", "blue")
    assert list(Feature.objects.values_list("name", flat=True)) == ["new_checkout", "another"]
    assert not AuditRecord.objects.filter(log__icontains="new_checkout").exists()


def test_features_that_are_there_are_replaced_with_all_that_hung_on_them(
    imported, environment, feature, project
):
    segment = Segment.objects.create(project=project, name="beta")
    make_segment_override(feature, environment, segment, "green")
    make_identity_override(feature, Identity.objects.create(environment=environment, identifier="kim"), "red")
    other = make_feature(project, name="other")

    imported([{**CHECKOUT, "name": "NEW_checkout"}], strategy="OVERWRITE_DESTRUCTIVE")

    new = Feature.objects.get(name="NEW_checkout")
    assert new.pk != feature.pk
    assert set(Feature.objects.all()) == {new, other}
    assert [state.value for state in FeatureState.objects.filter(feature=new)] == [20]
    assert not FeatureState.objects.filter(feature=feature).exists()
    assert AuditRecord.objects.filter(log="Flag / Remote Config Deleted: new_checkout").count() == 1


def test_files_of_other_servers_are_read(imported, environment):
    imported(
        [
            {"name": "boolean", "value": "True", "type": "bool", "enabled": "True", "initial_value": True},
            {"name": "number", "value": "5", "type": "int", "default_enabled": True, "initial_value": 5},
            {"name": "text", "value": 5, "type": "unicode", "multivariate": None, "initial_value": 1.5},
            {"name": "nothing", "value": None, "type": None, "initial_value": None, "unknown": [1]},
            {"name": "fraction", "value": 1.5, "multivariate": [{"value": 7}]},
        ]
    )

    features = Feature.objects.order_by("pk")
    states = {each.name: default_state(each, environment) for each in features}
    assert {name: (state.value, state.enabled) for name, state in states.items()} == {
        "boolean": (True, True),
        "number": (5, True),
        "text": ("5", False),
        "nothing": (None, False),
        "fraction": ("1.5", False),
    }
    assert [each.initial_value for each in features] == ["True", "5", "1.5", None, None]
    assert [each.type for each in features] == [*["STANDARD"] * 4, "MULTIVARIATE"]
    assert _shares(states["fraction"]) == [(7, 100)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[" + b" " * 2_000_000 + b"]", "File size is too large."),
        (b"not json", "The file isn't JSON: Expecting value: line 1 column 1 (char 0)"),
        (
            b'["\xff"]',
            "The file isn't JSON: 'utf-8' codec can't decode byte 0xff in position 2: invalid start byte",
        ),
        (b"", "The file isn't JSON: Expecting value: line 1 column 1 (char 0)"),
        ({"name": "x"}, "The file must hold a list of features."),
        ([1], "Feature 1: Invalid data. Expected a dictionary, but got int."),
        ([{"name": "x"}, {}], "Feature 2: name: This field is required."),
        ([{"name": "x"}, {"name": "X"}], "Feature 2 ('X'): Feature 1 has the same name."),
        ([{"name": "x", "enabled": "perhaps"}], "Feature 1 ('x'): enabled: Must be a valid boolean."),
        ([{"name": "x", "type": "ODD"}], "Feature 1 ('x'): type: \"ODD\" is not a valid choice."),
        ([{"name": "x", "value": 2**31}], "Feature 1 ('x'): value: Ensure this value is a 32-bit integer."),
        (
            [{"name": "x", "value": "y", "type": "int"}],
            "Feature 1 ('x'): value: A valid integer is required.",
        ),
        ([{"name": "x", "value": "\0"}], "Feature 1 ('x'): value: Null characters are not allowed."),
        (
            [{"name": "x", "multivariate": [{"value": 1}, {"value": 2, "type": "bool"}]}],
            "Feature 1 ('x'): multivariate 2, value: Must be a valid boolean.",
        ),
        (
            [{"name": "x", "multivariate": [{"value": 1}, {"value": 2}]}],
            "Feature 1 ('x'): multivariate: Multivariate percentage values exceed 100%.",
        ),
        (
            [{"name": "x", "multivariate": [{"value": 1, "percentage_allocation": 101}]}],
            "Feature 1 ('x'): multivariate 1, percentage_allocation: Invalid percentage allocation",
        ),
        (
            [{"name": "x", "multivariate": [{"value": 1, "key": "control"}]}],
            "Feature 1 ('x'): multivariate 1, key: \"control\" is a reserved variant key.",
        ),
        ([{"name": "9"}], "Feature '9': Feature name must match regex: [a-zX]+"),
    ],
)
def test_a_malformed_file_is_refused_with_what_is_wrong_and_where(
    admin_client, environment, project, content, reason
):
    project.feature_name_regex = "[a-zX]+"
    project.save()

    response = upload(admin_client, environment, content)

    assert response.status_code == 400
    assert response.json() == {"file": [reason]}
    assert not FeatureImport.objects.exists()


def test_what_is_wrong_is_not_listed_without_end(admin_client, environment):
    response = upload(admin_client, environment, [{"name": f"x{each}", "enabled": 7} for each in range(500)])

    assert len(response.json()["file"]) == 6


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"strategy": "SKIP"}, "file"),
        ({"strategy": "SKIP", "file": "[]"}, "file"),
        ({"strategy": "MERGE"}, "strategy"),
    ],
)
def test_an_import_is_a_file_and_a_known_strategy(admin_client, environment, body, field):
    response = admin_client.post(import_into(environment), body, format="multipart")

    assert response.status_code == 400
    assert field in response.json()


def test_a_second_import_waits_for_the_first(admin_client, environment, project):
    first = upload(admin_client, environment, [{"name": "first"}])

    second = upload(admin_client, environment, [{"name": "second"}])
    elsewhere = upload(
        admin_client, Environment.objects.create(project=project, name="Staging"), [{"name": "second"}]
    )

    assert (first.status_code, second.status_code, elsewhere.status_code) == (201, 400, 201)
    assert first.json()["status"] == "PROCESSING"
    assert second.json() == ["Can't import features, since already processing a feature import."]


def test_an_import_that_is_lost_does_not_stand_in_the_way_for_ever(imported, environment, project):
    lost = FeatureImport.objects.create(environment=environment, strategy="SKIP")
    FeatureImport.objects.update(created_at=timezone.now() - LONGEST)

    imported([{"name": "checkout"}])

    lost.refresh_from_db()
    assert lost.status == "FAILED"
    FeatureImport.objects.filter(pk=lost.pk).update(created_at=timezone.now() - FILES_KEPT)
    FeatureExport.objects.create(environment=environment, name="lost")
    FeatureExport.objects.update(created_at=timezone.now() - LONGEST)
    forget_exports_and_imports()
    assert FeatureExport.objects.get().status == "FAILED"
    assert [each.status for each in FeatureImport.objects.all()] == ["SUCCESS"]


def test_an_import_that_fails_changes_nothing_and_says_so(admin_client, environment, project, feature):
    into = upload(
        admin_client, environment, [{"name": "new_checkout"}, {"name": "x"}], "OVERWRITE_DESTRUCTIVE"
    )
    project.feature_name_regex = "[a-z_]{2,}"  # which was not so when the file was taken
    project.save()

    run_import(into.json()["id"])

    assert FeatureImport.objects.get().status == "FAILED"
    assert list(Feature.objects.all()) == [feature]
    assert upload(admin_client, environment, [{"name": "xy"}]).status_code == 201


def test_a_project_that_wants_owners_gives_imported_features_to_whoever_imports(imported, project, admin):
    project.enforce_feature_owners = True
    project.save()

    imported([{"name": "checkout"}])

    assert list(Feature.objects.get().owners.all()) == [admin]


def test_where_versions_are_kept_a_new_feature_has_one_that_says_what_the_file_does(
    imported, environment, admin, run, admin_client
):
    enable_versioning(environment, author=admin)
    staging = Environment.objects.create(project=environment.project, name="Staging")

    imported([CHECKOUT])

    feature = Feature.objects.get(name="checkout")
    version = EnvironmentFeatureVersion.objects.get(feature=feature)
    here, there = default_state(feature, environment), default_state(feature, staging)
    assert (version.is_live, version.published_by, here.environment_feature_version) == (True, admin, version)
    assert (here.enabled, here.value, _shares(here)) == (True, 20, [(30, 25), (True, 5)])
    assert (there.enabled, there.value) == (False, 10)
    logs = AuditRecord.objects.filter(environment=environment).values_list("log", flat=True)
    assert list(logs[:2]) == [
        "Features imported into environment 'Production': 1",
        "New version published for feature: checkout",
    ]
    export = run(admin_client.post, EXPORT, {"environment_id": environment.pk, "tag_ids": []}, format="json")
    file = admin_client.get(download(export.json()["id"])).json()
    assert [(each["name"], each["enabled"], each["value"]) for each in file] == [("checkout", True, 20)]


@pytest.mark.parametrize("versioned", [False, True], ids=["in place", "by versions"])
def test_the_number_of_statements_does_not_grow_with_the_file(admin, environment, versioned):
    def statements(number):
        names = [f"n{number}_{each}" for each in range(number)]
        file = json.dumps([{**CHECKOUT, "name": name} for name in names]).encode()
        waiting = request_import(environment, file=file, strategy="SKIP", author=admin)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            run_import(waiting.pk)
        assert Feature.objects.filter(name__in=names).count() == number
        return len(queries)

    Environment.objects.create(project=environment.project, name="Staging")
    if versioned:
        enable_versioning(environment, author=admin)

    assert statements(2) == statements(20)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
VALUES = st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | TEXTS
SHARES = st.integers(0, 33)
VARIANTS = st.lists(st.tuples(VALUES, SHARES, SHARES), max_size=3)
FEATURES = st.lists(
    st.tuples(TEXTS, VALUES, st.booleans(), st.booleans(), st.booleans(), VARIANTS), min_size=1, max_size=4
)


def _flags(environment):
    """Return what SDKs evaluate locally, without what tells one project from another."""
    key = environment.server_side_keys.create(name="server")
    document = APIClient(headers={"X-Environment-Key": key.key}).get("/api/v1/environment-document/").json()
    return [
        {
            "feature": (state["feature"]["name"], state["feature"]["type"]),
            "enabled": state["enabled"],
            "value": (type(state["feature_state_value"]), state["feature_state_value"]),
            "variants": [
                (each["multivariate_feature_option"]["value"], each["percentage_allocation"])
                for each in state["multivariate_feature_state_values"]
            ],
        }
        for state in document["feature_states"]
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(features=FEATURES)
def test_what_is_exported_and_imported_elsewhere_serves_the_same_flags(environment, admin, features):
    with transaction.atomic():
        elsewhere = Project.objects.create(organisation=environment.project.organisation, name="Elsewhere")
        target = Environment.objects.create(project=elsewhere, name="Production")
        for number, (text, value, enabled, default, archived, variants) in enumerate(features):
            feature = make_feature(
                environment.project,
                name=f"f{number}",
                initial_value=text,
                default_enabled=default,
                is_archived=archived,
                description=text,
            )
            state = default_state(feature, environment)
            state.enabled, state.value = enabled, value
            state.save()
            for option_value, first, share in variants:
                option = make_option(feature, option_value, first)
                state.multivariate_feature_state_values.filter(multivariate_feature_option=option).update(
                    percentage_allocation=share
                )

        export = request_export(environment, tag_ids=[], author=admin)
        run_export(export.pk)
        export.refresh_from_db()
        copy = request_import(target, file=export.data.encode(), strategy="SKIP", author=admin)
        run_import(copy.pk)

        assert _flags(target) == _flags(environment)
        again = request_export(target, tag_ids=[], author=admin)
        run_export(again.pk)
        again.refresh_from_db()
        assert json.loads(again.data) == json.loads(export.data)
        transaction.set_rollback(True)
