"""Environments that keep versions: the turn to them and back, what they refuse, and what counts as served."""

import threading

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.models import AuditRecord
from core.errors import InvalidInput
from documents.builder import build
from documents.rows import read_rows
from environments.models import Environment
from features.models import (
    EnvironmentFeatureVersion,
    Feature,
    FeatureSegment,
    FeatureState,
)
from features.models.state import FOR_EVERYONE
from features.services.allocations import Allocation
from features.services.change_sets import Change, Operation, apply_change_set, apply_to_version
from features.services.clones import clone_environment
from features.services.versioning import disable_versioning, enable_versioning
from features.services.versions import create_draft, publish_version
from features.tests.factories import (
    default_state,
    make_feature,
    make_identity_override,
    make_option,
    make_segment_override,
)
from identities.models import Identity
from segments.models import Segment

REFUSAL = "This environment uses v2 feature versioning. Use the environment feature version endpoint instead."


@pytest.fixture
def client(admin_client):
    return admin_client


@pytest.fixture
def segments(project) -> list[Segment]:
    return [Segment.objects.create(project=project, name=name) for name in ("beta", "staff", "paid")]


@pytest.fixture
def identity(environment) -> Identity:
    return Identity.objects.create(environment=environment, identifier="kim")


@pytest.fixture
def furnished(environment, feature, segments, identity):
    """An environment with variants, overrides in an order of their own, and an identity's override."""
    for text, share in (("a", 20), ("b", 30)):
        make_option(feature, text, share)
    for segment in segments:
        make_segment_override(feature, environment, segment, f"for {segment.name}")
    make_identity_override(feature, identity, "for kim")
    make_feature(environment.project, name="other", initial_value="5")
    return environment


def url(environment, action: str) -> str:
    return f"/api/v1/environments/{environment.api_key}/{action}/"


def document_of(environment):
    return build(read_rows(environment.pk)).document


def publish(environment, feature, **changes):
    """Publish a version with changes of the default state."""
    apply_change_set([Change(feature.pk, environment.pk, **changes)], author=None)


class TestTurning:
    def test_sdks_are_answered_the_same_before_and_after(self, client, furnished, feature):
        before = document_of(furnished)
        overrides = FeatureState.objects.filter(identity__isnull=False).values_list("pk", "version")
        identity_rows = list(overrides)

        enabled = client.post(url(furnished, "enable-v2-versioning"), {}, format="json")
        enabled_again = client.post(url(furnished, "enable-v2-versioning"), {}, format="json")
        versioned = document_of(furnished)
        versions = list(EnvironmentFeatureVersion.objects.values_list("published", "is_live"))
        shown = client.get(f"/api/v1/environments/{furnished.api_key}/").json()
        create_draft(furnished, feature, author=None)
        publish(furnished, feature, enabled=True)
        publish(furnished, feature, enabled=False)
        disabled = client.post(url(furnished, "disable-v2-versioning"), {}, format="json")
        disabled_again = client.post(url(furnished, "disable-v2-versioning"), {}, format="json")
        after = document_of(furnished)

        assert (enabled.status_code, disabled.status_code) == (202, 202)
        assert (enabled_again.status_code, enabled_again.json()["detail"]) == (
            400,
            "Environment already using v2 versioning.",
        )
        assert (disabled_again.status_code, disabled_again.json()["detail"]) == (
            400,
            "Environment is not using v2 versioning.",
        )
        assert versions == [(True, True)] * 2
        assert shown["use_v2_feature_versioning"] is True
        assert shown["total_segment_overrides"] == 3
        assert versioned == before
        assert without_ids(after) == without_ids(before)
        assert list(overrides) == identity_rows
        assert not EnvironmentFeatureVersion.objects.exists()
        left = FeatureState.all_objects.undeleted()
        assert not left.filter(environment_feature_version__isnull=False).exists()
        assert set(left.values_list("is_live", "version")) == {(True, 1)}
        logs = AuditRecord.objects.filter(log="Environment updated: Production")
        assert [each["new"] for record in logs for each in record.changes] == [False, True]

    def test_a_copy_keeps_versions_as_the_original_does(self, client, furnished, feature):
        enable_versioning(furnished, author=None)
        publish(furnished, feature, value="second")
        create_draft(furnished, feature, author=None)

        answer = client.post(url(furnished, "clone"), {"name": "Copy"}, format="json")

        copy = Environment.objects.get(pk=answer.json()["id"])
        assert copy.use_v2_feature_versioning
        assert {
            (each.feature.name, each.published, each.is_live) for each in copy.feature_versions.all()
        } == {(feature.name, True, True), ("other", True, True)}
        for rows in (FeatureState.all_objects, FeatureSegment.all_objects):
            assert not rows.filter(environment=copy, environment_feature_version__isnull=True).exists()
        assert served(copy) == served(furnished)
        seeds = [
            [
                state.seed
                for state in FeatureState.objects.filter(environment=each, identity=None).order_by("pk")
            ]
            for each in (furnished, copy)
        ]
        assert sorted(seeds[0]) == sorted(seeds[1])

    def test_a_new_feature_starts_with_a_published_version(self, client, admin, environment):
        enable_versioning(environment, author=None)
        path = f"/api/v1/projects/{environment.project_id}/features/"

        made = client.post(path, {"name": "new", "initial_value": "7"}, format="json").json()

        version = EnvironmentFeatureVersion.objects.get(feature=made["id"])
        assert (version.published, version.is_live, version.created_by) == (True, True, admin)
        logs = AuditRecord.objects.order_by("pk").values_list("log", "related_object_type")
        assert list(logs)[-2:] == [
            ("New Flag / Remote Config created: new", "FEATURE"),
            ("New version published for feature: new", "EF_VERSION"),
        ]
        assert client.delete(f"{path}{made['id']}/").status_code == 204
        assert not EnvironmentFeatureVersion.objects.filter(feature=made["id"]).exists()


class TestDirectWrites:
    def test_are_refused_but_for_identities_overrides(self, client, furnished, feature, segments, identity):
        enable_versioning(furnished, author=None)
        state = default_state(feature, furnished)
        place = FeatureSegment.objects.get(segment=segments[0])
        segment_state = FeatureState.objects.get(feature_segment=place)
        typed = {"feature": feature.pk, "environment": furnished.pk, "enabled": True}
        before = document_of(furnished)

        refusals = [
            client.put(url(furnished, f"featurestates/{state.pk}"), {"enabled": True}, format="json"),
            client.patch(url(furnished, f"featurestates/{state.pk}"), {"enabled": True}, format="json"),
            client.delete(url(furnished, f"featurestates/{state.pk}")),
            client.post(url(furnished, "featurestates"), {"feature": feature.pk}, format="json"),
            client.put(f"/api/v1/features/featurestates/{state.pk}/", typed, format="json"),
            client.put(f"/api/v1/features/featurestates/{segment_state.pk}/", typed, format="json"),
            client.post("/api/v1/features/featurestates/", typed, format="json"),
            client.post(
                url(furnished, f"features/{feature.pk}/create-segment-override"),
                {"enabled": True, "feature_segment": {"segment": segments[0].pk}},
                format="json",
            ),
            client.post(
                "/api/v1/features/feature-segments/",
                {"feature": feature.pk, "environment": furnished.pk, "segment": segments[0].pk},
                format="json",
            ),
            client.delete(f"/api/v1/features/feature-segments/{place.pk}/"),
            client.post(
                "/api/v1/features/feature-segments/update-priorities/",
                [{"id": place.pk, "priority": 7}],
                format="json",
            ),
        ]
        other = Feature.objects.get(name="other")
        path = url(furnished, f"identities/{identity.pk}/featurestates")
        made = client.post(path, {"feature": other.pk, "feature_state_value": 6}, format="json")
        changed = client.put(f"{path}{made.json()['id']}/", {"enabled": True}, format="json")
        unchanged = document_of(furnished)
        removed = client.delete(f"{path}{made.json()['id']}/")

        for refusal in refusals:
            assert (refusal.status_code, refusal.json()["detail"]) == (400, REFUSAL)
        assert [made.status_code, changed.status_code, removed.status_code] == [201, 200, 204]
        assert {**unchanged, "identity_overrides": []} == {**before, "identity_overrides": []}

    def test_reach_the_rows_of_drafts_by_their_ids(self, client, furnished, feature, segments):
        enable_versioning(furnished, author=None)
        draft = create_draft(furnished, feature, author=None)
        rows = FeatureState.all_objects.filter(environment_feature_version=draft)
        state = rows.get(FOR_EVERYONE)
        places = list(FeatureSegment.all_objects.filter(environment_feature_version=draft))
        live = FeatureSegment.objects.filter(feature=feature).first()
        records = AuditRecord.objects.count()

        raw = client.put(url(furnished, f"featurestates/{state.pk}"), {"enabled": True}, format="json")
        typed = client.patch(
            f"/api/v1/features/featurestates/{state.pk}/",
            {"feature_state_value": {"type": "int", "integer_value": 7}},
            format="json",
        )
        shown = client.get(f"/api/v1/features/feature-segments/{places[1].pk}/")
        removed = client.delete(f"/api/v1/features/feature-segments/{places[0].pk}/")
        priorities = "/api/v1/features/feature-segments/update-priorities/"
        swapped = client.post(
            priorities,
            [{"id": places[1].pk, "priority": 1}, {"id": places[2].pk, "priority": 0}],
            format="json",
        )
        mixed = client.post(
            priorities,
            [{"id": places[1].pk, "priority": 1}, {"id": live.pk, "priority": 0}],
            format="json",
        )

        assert raw.json()["environment_feature_version"] == str(draft.pk)
        assert typed.json()["feature_state_value"]["integer_value"] == 7
        assert shown.json()["segment_name"] == "staff"
        assert (removed.status_code, swapped.status_code) == (204, 200)
        assert mixed.json() == {
            "non_field_errors": [
                "All feature segments must be associated with the same environment feature version."
            ]
        }
        assert AuditRecord.objects.count() == records
        assert served(furnished)[feature.name, None][:2] == (False, "blue")
        publish_version(draft, author=None)
        assert served(furnished)[feature.name, None][:2] == (True, 7)
        order = FeatureSegment.objects.filter(feature=feature).values_list("segment__name", "priority")
        assert list(order) == [("paid", 0), ("staff", 1)]

    def test_single_calls_publish_a_version_and_none_if_nothing_is_new(
        self, client, furnished, feature, segments
    ):
        enable_versioning(furnished, author=None)
        base = f"/api/experiments/environments/{furnished.api_key}/"
        update = {
            "feature": {"name": feature.name},
            "environment_default": {"enabled": True, "value": {"type": "string", "value": "red"}},
            "segment_overrides": [
                {
                    "segment_id": segments[2].pk,
                    "priority": 0,
                    "enabled": True,
                    "value": {"type": "integer", "value": "9"},
                }
            ],
        }

        answers = [client.post(f"{base}update-flag-v2/", update, format="json") for _ in range(2)]
        removal = {"feature": {"id": feature.pk}, "segment": {"id": segments[1].pk}}
        answers.append(client.post(f"{base}delete-segment-override/", removal, format="json"))
        again = client.post(f"{base}delete-segment-override/", removal, format="json")

        assert [answer.status_code for answer in answers] == [204] * 3
        assert again.status_code == 404
        assert furnished.feature_versions.filter(feature=feature).count() == 3
        assert {key: shown[:2] for key, shown in served(furnished).items() if key[0] == feature.name} == {
            (feature.name, None): (True, "red"),
            (feature.name, "paid"): (True, 9),
            (feature.name, "beta"): (False, "for beta"),
        }
        order = FeatureSegment.objects.filter(feature=feature).values_list("segment__name", "priority")
        assert list(order) == [("paid", 0), ("beta", 1)]


class TestWhatCounts:
    def test_lists_and_numbers_know_only_what_is_served(self, client, furnished, feature, segments):
        enable_versioning(furnished, author=None)
        removal = Change(feature.pk, furnished.pk, segment_id=segments[0].pk, operation=Operation.REMOVE)
        apply_change_set([removal], author=None)
        draft = create_draft(furnished, feature, author=None)
        new = Change(feature.pk, furnished.pk, segment_id=segments[0].pk, value="drafted")
        apply_to_version(draft, [new], author=None)
        in_environment = {"environment": furnished.pk}

        def results(path: str, **query) -> list:
            return client.get(path, {**in_environment, **query}).json()["results"]

        (listed,) = results(f"/api/v1/projects/{furnished.project_id}/features/", search=feature.name)
        states = results("/api/v1/features/featurestates/", feature=feature.pk)
        places = results("/api/v1/features/feature-segments/", feature=feature.pk)
        (default,) = results(url(furnished, "featurestates"), feature=feature.pk)
        associated = results(
            f"/api/v1/projects/{furnished.project_id}/segments/{segments[0].pk}/associated-features/"
        )
        metrics = client.get(url(furnished, "metrics")).json()["metrics"]
        figures = {each["name"]: each["value"] for each in metrics}
        shown = client.get(f"/api/v1/environments/{furnished.api_key}/").json()

        live = EnvironmentFeatureVersion.objects.get(feature=feature, is_live=True)
        assert (listed["num_segment_overrides"], listed["num_identity_overrides"]) == (2, 1)
        assert listed["environment_feature_state"]["id"] == default["id"]
        modified = live.live_from.isoformat().replace("+00:00", "Z")
        assert listed["last_modified_in_any_environment"] == modified
        assert listed["last_modified_in_current_environment"] == modified
        assert len(states) == 4  # everyone's, two segments' and an identity's
        assert {state["environment_feature_version"] for state in states} == {str(live.pk), None}
        assert [(each["segment_name"], each["priority"]) for each in places] == [("staff", 0), ("paid", 1)]
        assert (default["environment_feature_version"], default["version"]) == (str(live.pk), None)
        assert associated == []
        assert (figures["segment_overrides"], figures["total_features"]) == (2, 2)
        assert shown["total_segment_overrides"] == 2
        removed = [
            apply_change_set(
                [Change(feature.pk, furnished.pk, segment_id=each.pk, operation=Operation.REMOVE)],
                author=None,
            )
            for each in segments[1:]
        ]
        (listed,) = results(f"/api/v1/projects/{furnished.project_id}/features/", search=feature.name)
        assert (removed, listed["num_segment_overrides"]) == ([[], []], 0)


class TestEitherWay:
    def test_edits_by_versions_serve_what_the_same_edits_in_place_do(self, furnished, feature, segments):
        in_place = clone_environment(furnished, name="In place", author=None)
        enable_versioning(furnished, author=None)
        options = list(feature.multivariate_options.order_by("pk"))
        targets = st.sampled_from([None, *(segment.pk for segment in segments)])
        shares = st.permutations(options).flatmap(
            lambda order: st.lists(st.integers(0, 60), max_size=2).map(
                lambda numbers: tuple(
                    Allocation(option.pk, number) for option, number in zip(order, numbers, strict=False)
                )
            )
        )
        edits = st.fixed_dictionaries(
            {"segment_id": targets},
            optional={
                "operation": st.sampled_from(Operation),
                "enabled": st.booleans(),
                "value": st.sampled_from(["red", 5, True, None]),
                "allocations": shares,
                "priority": st.integers(0, 3),
            },
        )

        @settings(max_examples=8, deadline=None)
        @given(st.lists(st.lists(edits, min_size=1, max_size=3), min_size=1, max_size=4), st.booleans())
        def check(steps, drafted) -> None:
            with transaction.atomic():
                for step in steps:
                    assert made(furnished, step, drafted=drafted) == made(in_place, step, drafted=False)
                assert served(furnished) == served(in_place)
                seeds = [default_state(feature, each).seed for each in (furnished, in_place)]
                assert seeds[0] == seeds[1]
                transaction.set_rollback(True)

        def made(environment, step, *, drafted: bool) -> object:
            """Make edits, all or none, and return the refusal, if there is one."""
            removes_everyones = {"segment_id": None, "operation": Operation.REMOVE}
            changes = [
                Change(feature.pk, environment.pk, **edit)
                for edit in step
                if not removes_everyones.items() <= edit.items()
            ]
            try:
                with transaction.atomic():
                    if drafted:
                        draft = create_draft(environment, feature, author=None)
                        apply_to_version(draft, changes, author=None)
                        publish_version(draft, author=None)
                    else:
                        apply_change_set(changes, author=None)
            except InvalidInput as refusal:
                return refusal.errors
            return None

        check()


def served(environment) -> dict:
    """What there is for everyone and for segments, by the names of feature and segment."""
    states = FeatureState.objects.filter(environment=environment, identity__isnull=True)
    return {
        (
            state.feature.name,
            state.feature_segment.segment.name if state.feature_segment else None,
        ): (
            state.enabled,
            state.value,
            state.feature_segment.priority if state.feature_segment else None,
            [
                (each.multivariate_feature_option_id, each.percentage_allocation)
                for each in state.multivariate_feature_state_values.order_by("pk")
            ],
        )
        for state in states.select_related("feature", "feature_segment__segment")
    }


def without_ids(document):
    """A document without what names rows; what variants are drawn with stays."""
    if isinstance(document, dict):
        return {
            key: without_ids(value)
            for key, value in document.items()
            if key not in {"featurestate_uuid", "mv_fs_value_uuid", "updated_at"}
            and not (key == "id" and "mv_fs_value_uuid" in document)
        }
    if isinstance(document, list):
        return [without_ids(each) for each in document]
    return document


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_versions_published_at_the_same_moment_one_is_served(self, environment, feature):
        enable_versioning(environment, author=None)
        drafts = [create_draft(environment, feature, author=None) for _ in range(6)]
        for number, draft in enumerate(drafts):
            apply_to_version(draft, [Change(feature.pk, environment.pk, value=number)], author=None)

        at_once(*(lambda draft=draft: publish_version(draft, author=None) for draft in drafts))

        versions = EnvironmentFeatureVersion.objects.order_by("-live_from")
        assert [each.is_live for each in versions] == [True, *[False] * 6]
        (state,) = FeatureState.objects.all()
        assert state.environment_feature_version == versions[0]

    def test_changes_while_versioning_is_turned_on_are_in_a_version(self, environment, feature, segments):
        project = environment.project
        overrides = [
            lambda segment=segment: apply_change_set(
                [Change(feature.pk, environment.pk, segment_id=segment.pk, value=segment.name)], author=None
            )
            for segment in segments
        ]

        at_once(
            *overrides,
            lambda: enable_versioning(environment, author=None),
            lambda: Feature.objects.create(project=project, name="meanwhile"),
        )

        rows = [*FeatureState.objects.all(), *FeatureSegment.objects.all()]
        assert len(rows) == 2 + 3 + 3
        live = set(EnvironmentFeatureVersion.objects.filter(is_live=True))
        assert {row.environment_feature_version for row in rows} == live
        assert sorted(FeatureSegment.objects.values_list("priority", flat=True)) == [0, 1, 2]
        disable_versioning(environment, author=None)
        assert len(served(environment)) == 5


def at_once(*actions) -> None:
    """Do things in threads of their own, begun together, and fail if one of them does."""
    failures = []
    barrier = threading.Barrier(len(actions))

    def run(action) -> None:
        barrier.wait()
        try:
            with transaction.atomic():
                action()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is shown
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
