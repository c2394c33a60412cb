"""What stands in the audit log after a change: which sentences, by whom, about what."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import reverse

from audit.models import AuditRecord, RowChange
from environments.models import Environment, PublishedRevision
from features.models import Feature, FeatureSegment, FeatureState, MultivariateOption
from features.services.features import update_feature
from identities.models import Identity
from organisations.models import Organisation
from organisations.tests.factories import make_key
from projects.models import Project
from segments.models import Segment


class Told:
    """What the audit log says since it was last asked."""

    def __init__(self) -> None:
        self.seen = 0
        self.now()

    def now(self) -> list[Any]:
        rows = list(AuditRecord.objects.filter(pk__gt=self.seen).order_by("pk"))
        self.seen = rows[-1].pk if rows else self.seen
        return rows

    def sentences(self) -> list[tuple[str, str]]:
        return [(each.log, each.related_object_type) for each in self.now()]


@pytest.fixture
def told(db) -> Told:
    return Told()


@pytest.fixture
def identity(environment) -> Identity:
    return Identity.objects.create(environment=environment, identifier="kim")


@pytest.fixture
def segment(project) -> Segment:
    return Segment.objects.create(project=project, name="Beta")


def default_state(feature) -> FeatureState:
    return FeatureState.objects.get(feature=feature, identity=None, feature_segment=None)


def make_environment() -> Environment:
    """One of another organisation."""
    organisation = Organisation.objects.create(name="Elsewhere")
    project = Project.objects.create(organisation=organisation, name="Elsewhere")
    return Environment.objects.create(project=project, name="Elsewhere")


def details_of(client, record) -> dict[str, Any]:
    return client.get(f"/api/v1/audit/{record.pk}/").json()


def test_enabled_and_value_in_one_put_make_two_rows_and_nothing_makes_none(
    admin_client, admin, feature, environment, told
):
    state = default_state(feature)
    path = f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/"
    told.now()

    body = {"feature": feature.pk, "enabled": True, "feature_state_value": "green"}
    assert admin_client.put(path, body, format="json").status_code == 200
    rows = told.now()
    assert admin_client.put(path, body, format="json").status_code == 200

    assert [(each.log, each.related_object_type) for each in rows] == [
        ("Flag state updated for feature: new_checkout", "FEATURE_STATE"),
        ("Remote config value updated for feature: new_checkout", "FEATURE_STATE"),
    ]
    assert {(each.author, each.environment, each.related_object_id) for each in rows} == {
        (admin, environment, state.pk)
    }
    assert details_of(admin_client, rows[0])["change_details"] == [
        {"field": "enabled", "old": False, "new": True}
    ]
    assert details_of(admin_client, rows[1])["change_details"] == [
        {"field": "feature_state_value", "old": "blue", "new": "green"}
    ]
    assert told.now() == []


def test_a_feature_is_told_of_once_and_its_states_once_for_each_environment(
    admin_client, project, environment, told
):
    Environment.objects.create(project=project, name="Staging")
    path = f"/api/v1/projects/{project.pk}/features/"
    created = admin_client.post(path, {"name": "dark_mode", "initial_value": "1"}, format="json").json()
    at_first = told.now()
    admin_client.patch(f"{path}{created['id']}/", {"description": "At night."}, format="json")
    admin_client.patch(f"{path}{created['id']}/", {"description": "At night."}, format="json")
    updated = told.now()
    admin_client.delete(f"{path}{created['id']}/")
    [deleted] = told.now()

    assert [(each.log, each.related_object_type) for each in at_first] == [
        ("New Flag / Remote Config created: dark_mode", "FEATURE"),
        ("New Flag / Remote Config created: dark_mode", "FEATURE_STATE"),
        ("New Flag / Remote Config created: dark_mode", "FEATURE_STATE"),
    ]
    assert [each.environment and each.environment.name for each in at_first] == [
        None,
        "Production",
        "Staging",
    ]
    assert [(each.log, each.change_type) for each in updated] == [
        ("Flag / Remote Config updated: dark_mode", "UPDATE")
    ]
    assert (deleted.log, deleted.related_object_type) == (
        "Flag / Remote Config Deleted: dark_mode",
        "FEATURE",
    )
    assert details_of(admin_client, deleted)["change_details"] == []
    assert {each.related_object_id for each in (at_first[0], *updated, deleted)} == {created["id"]}


def test_an_environment_is_told_of_without_its_states(admin_client, project, feature, told):
    body = {"name": "Staging", "project": project.pk}
    key = admin_client.post("/api/v1/environments/", body, format="json").json()["api_key"]
    created = told.sentences()
    admin_client.put(f"/api/v1/environments/{key}/", body | {"name": "Test"}, format="json")
    updated = told.sentences()
    admin_client.post(f"/api/v1/environments/{key}/clone/", {"name": "Copy"}, format="json")
    cloned = told.sentences()
    admin_client.delete(f"/api/v1/environments/{key}/")

    assert created == [("New Environment created: Staging", "ENVIRONMENT")]
    assert updated == [("Environment updated: Test", "ENVIRONMENT")]
    assert cloned == [("New Environment created: Copy", "ENVIRONMENT")]
    assert told.now() == []


def test_an_identity_override_is_told_of_from_its_creation_to_its_end(
    admin_client, feature, environment, identity, told
):
    path = f"/api/v1/environments/{environment.api_key}/identities/{identity.pk}/featurestates/"
    body = {"feature": feature.pk, "enabled": True, "feature_state_value": "red"}
    state = admin_client.post(path, body, format="json").json()["id"]
    [created] = told.now()
    admin_client.put(f"{path}{state}/", body | {"enabled": False}, format="json")
    switched = told.sentences()
    admin_client.put(f"{path}{state}/", body | {"enabled": False, "feature_state_value": "x"}, format="json")
    valued = told.sentences()
    admin_client.delete(f"{path}{state}/")
    deleted = told.sentences()
    admin_client.post(path, body | {"enabled": False}, format="json")
    [like_default] = told.now()

    assert created.log == "Identity override created for feature 'new_checkout' and identity 'kim'"
    detail = details_of(admin_client, created)
    assert detail["change_type"] == "CREATE"
    assert {"field": "enabled", "old": None, "new": True} in detail["change_details"]
    assert {"field": "feature_state_value", "old": None, "new": "red"} in detail["change_details"]
    whom = "feature 'new_checkout' and identity 'kim'"
    assert switched == [(f"Flag state / Remote config value updated for {whom}", "FEATURE_STATE")]
    assert valued == [(f"Remote config value updated for identity override on {whom}.", "FEATURE_STATE")]
    assert deleted == [(f"Flag state / Remote config value deleted for {whom}", "FEATURE_STATE")]
    assert like_default.log == f"Remote config value updated for identity override on {whom}."


def test_segment_overrides_are_told_of_and_their_end_and_order_as_the_features(
    admin_client, feature, environment, segment, project, told
):
    other = Segment.objects.create(project=project, name="Other")
    base = f"/api/v1/environments/{environment.api_key}/features/{feature.pk}/create-segment-override/"
    for each, enabled in ((segment, True), (other, False)):
        body = {
            "feature_segment": {"segment": each.pk},
            "enabled": enabled,
            "feature_state_value": {"type": "unicode", "string_value": "red"},
        }
        assert admin_client.post(base, body, format="json").status_code == 201
    created = told.sentences()
    places = FeatureSegment.objects.order_by("priority")
    admin_client.post(
        "/api/v1/features/feature-segments/update-priorities/",
        [{"id": place.pk, "priority": 1 - number} for number, place in enumerate(places)],
        format="json",
    )
    [reordered] = told.now()
    admin_client.delete(f"/api/v1/features/feature-segments/{places[0].pk}/")
    [deleted] = told.now()

    assert created == [
        ("Segment override created for feature 'new_checkout' and segment 'Beta'", "FEATURE_STATE"),
        (
            "Remote config updated for segment override on feature 'new_checkout' and segment 'Other'.",
            "FEATURE_STATE",
        ),
    ]
    assert reordered.log == "Segment overrides re-ordered for feature 'new_checkout'."
    assert deleted.log.startswith("Flag state / Remote config value deleted for feature 'new_checkout' and")
    for each, change_type in ((reordered, "UNKNOWN"), (deleted, "DELETE")):
        assert (each.related_object_type, each.related_object_id) == ("FEATURE", feature.pk)
        detail = details_of(admin_client, each)
        assert (detail["change_type"], detail["change_details"]) == (change_type, [])


def test_variants_are_told_of_as_the_features(admin_client, feature, environment, project, told):
    path = f"/api/v1/projects/{project.pk}/features/{feature.pk}/mv-options/"
    body = {"feature": feature.pk, "string_value": "green", "default_percentage_allocation": 10}
    option = admin_client.post(path, body, format="json").json()["id"]
    added = told.sentences()
    share = {"multivariate_feature_option": option, "percentage_allocation": 30}
    admin_client.put(
        f"/api/v1/environments/{environment.api_key}/featurestates/{default_state(feature).pk}/",
        {"enabled": False, "multivariate_feature_state_values": [share]},
        format="json",
    )
    [allocated] = told.now()
    admin_client.delete(f"{path}{option}/")
    removed = told.sentences()

    assert added == [("Multivariate option added to feature 'new_checkout'.", "FEATURE")]
    assert (allocated.log, allocated.related_object_type, allocated.related_object_id) == (
        "Multivariate value changed for feature 'new_checkout'.",
        "FEATURE_STATE",
        feature.pk,
    )
    assert removed == [("Multivariate option removed from feature 'new_checkout'.", "FEATURE")]
    assert not MultivariateOption.objects.exists()


def test_what_hangs_on_something_deleted_writes_no_rows_of_its_own(
    admin_client, feature, environment, segment, identity, project, told
):
    place = FeatureSegment.objects.create(feature=feature, segment=segment, environment=environment)
    FeatureState.objects.create(feature=feature, environment=environment, feature_segment=place)
    FeatureState.objects.create(feature=feature, environment=environment, identity=identity)

    admin_client.delete(f"/api/v1/environments/{environment.api_key}/identities/{identity.pk}/")
    of_identity = told.sentences()
    admin_client.delete(f"/api/v1/projects/{project.pk}/segments/{segment.pk}/")
    of_segment = told.sentences()
    admin_client.delete(f"/api/v1/projects/{project.pk}/")

    assert of_identity == []
    assert of_segment == [("Segment deleted: Beta", "SEGMENT")]
    assert told.now() == []


def test_whoever_changes_something_is_named_by_every_path(
    admin_client, superuser_client, client_of, feature, project, admin
):
    key = make_key(project.organisation, name="ci")
    machine = client_of(None)
    machine.credentials(HTTP_AUTHORIZATION=f"Api-Key {key.secret}")
    feature_path = f"/api/v1/projects/{project.pk}/features/{feature.pk}/"
    since = RowChange.objects.latest("pk").pk

    admin_client.patch(feature_path, {"description": "by the API"}, format="json")
    machine.patch(feature_path, {"description": "by a key"}, format="json")
    no_rows = {
        f"{table}-{number}": 0
        for table in ("multivariate_options", "feature_states")
        for number in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    in_admin = reverse("admin:features_feature_change", args=[feature.pk])
    answer = superuser_client.post(in_admin, {"description": "by the admin", **no_rows})
    assert answer.status_code == 302, answer.context["errors"]
    Feature.objects.filter(pk=feature.pk).update(description="by a shell")

    rows = RowChange.objects.filter(table_name="features_feature", pk__gt=since).order_by("pk")
    assert [(each.after and each.after["description"], each.actor_name, each.source) for each in rows] == [
        ("by the API", admin.email, "api"),
        ("by a key", "ci", "api"),
        ("by the admin", "root@example.org", "admin"),
        ("by a shell", "", ""),
    ]
    assert rows[1].master_key_id == key.pk
    assert rows[3].before == {"description": "by the admin"}


@pytest.mark.django_db(transaction=True)
def test_two_people_who_edit_one_flag_at_once_are_both_told_of_with_true_before_and_after(
    feature, environment, admin, member
):
    """The second waits for the first, and starts from what that has left, whatever it had read before."""
    stale = Feature.objects.select_related("project").get(pk=feature.pk)
    waits = threading.Event()

    def second() -> None:
        try:
            waits.set()
            update_feature(stale, author=member, description="second")
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        update_feature(
            Feature.objects.select_related("project").get(pk=feature.pk), author=admin, description="first"
        )
        thread.start()
        waits.wait(5)
    thread.join(10)

    said = [
        (each.author, each.changes[0]["old"], each.changes[0]["new"])
        for each in AuditRecord.objects.filter(log__startswith="Flag / Remote Config updated").order_by("pk")
    ]
    rows = RowChange.objects.filter(table_name="features_feature", operation="UPDATE").order_by("pk")
    assert said == [(admin, None, "first"), (member, "first", "second")]
    assert [(each.before, each.after) for each in rows] == [
        ({"description": None}, {"description": "first"}),
        ({"description": "first"}, {"description": "second"}),
    ]
    for each in rows:
        assert PublishedRevision.objects.filter(xid=each.xid, environment_id=environment.pk).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_says_which_revision_it_became(admin_client, feature, environment):
    state = default_state(feature)
    path = f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/"

    elsewhere = make_environment()

    response = admin_client.put(path, {"enabled": True}, format="json")

    record = AuditRecord.objects.first()
    change = RowChange.objects.filter(table_name="features_featurestate").latest("pk")
    expected = [{"environment": environment.pk, "revision": int(response["X-Burgee-Revision"])}]
    assert details_of(admin_client, record)["revisions"] == expected
    of_row = admin_client.get(f"/api/v1/audit/{change.pk}/", {"history": "true"}).json()
    assert (of_row["revisions"], of_row["change_details"]) == (
        expected,
        [{"field": "enabled", "old": False, "new": True}],
    )

    with transaction.atomic():  # across a border, as only an operator can
        Feature.objects.filter(pk=feature.pk).update(description="x")
        Environment.objects.filter(pk=elsewhere.pk).update(name="y")

    change = RowChange.objects.filter(table_name="features_feature").latest("pk")
    of_row = admin_client.get(f"/api/v1/audit/{change.pk}/", {"history": "true"}).json()
    assert [each["environment"] for each in of_row["revisions"]] == [environment.pk]
