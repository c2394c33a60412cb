"""Where features are in their lives, and the tag of those that are stale."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone

from audit.models import AuditRecord
from environments.models import Environment
from features.models import Feature, FeatureState
from features.services.code_scans import record_scan
from features.services.lifecycle import tag_stale_features
from features.tests.factories import (
    default_state,
    make_feature,
    make_identity_override,
    make_segment_override,
)
from identities.models import Identity
from projects.models import Project, Tag
from segments.tests.factories import make_segment

LONG_AGO = timedelta(days=31)


def age(*, by: timedelta = LONG_AGO) -> None:
    """Let everything that is there have been there for long."""
    then = timezone.now() - by
    Environment.objects.update(created_date=then - timedelta(days=1))
    Feature.objects.update(created_date=then)
    FeatureState.all_objects.update(created_at=then, updated_at=then)


def scan(project: Project, *names: str) -> None:
    record_scan(
        project,
        url="https://github.com/acme/shop",
        vcs_provider="github",
        revision="4f1c2d",
        references=[{"feature_name": name, "file_path": "cart.py", "line_number": 1} for name in names],
    )


def evaluate(environment: Environment, *names: str) -> None:
    for name in names:
        apps.get_model("analytics", "FeatureEvaluationBucket").objects.create(
            environment_id=environment.pk, feature_name=name, started_at=timezone.now(), total_count=1
        )


@pytest.fixture
def stages(admin_client, project, environment):
    """Return the stage of each feature by its name, as the list has them."""

    def shown() -> dict[str, str]:
        answer = admin_client.get(f"/api/v1/projects/{project.pk}/features/", {"environment": environment.pk})
        return {each["name"]: each["lifecycle_stage"] for each in answer.json()["results"]}

    return shown


class TestStage:
    def test_without_scans_of_code_an_old_feature_is_stale_whoever_asks_for_it(
        self, project, environment, stages
    ):
        for name in ("permanent", "evaluated", "forgotten"):
            make_feature(project, name=name)
        permanent = Tag.objects.create(project=project, label="for ever", is_permanent=True)
        Feature.objects.get(name="permanent").tags.add(permanent)
        age()
        evaluate(environment, "evaluated")
        for name in ("young", "young and asked for"):
            make_feature(project, name=name)
        evaluate(environment, "young and asked for")

        assert stages() == {
            "permanent": "permanent",
            "evaluated": "stale",
            "forgotten": "stale",
            "young": "new",
            "young and asked for": "live",
        }

    def test_scans_tell_what_can_go_and_evaluations_what_has_to_wait(self, project, environment, stages):
        for name in ("in code", "gone but asked for", "gone"):
            make_feature(project, name=name)
        age()
        make_feature(project, name="young and in code")
        scan(project, "in code", "gone", "young and in code")
        scan(project, "in code", "young and in code")
        evaluate(environment, "gone but asked for")

        assert stages() == {
            "in code": "stale",
            "gone but asked for": "needs_monitoring",
            "gone": "to_remove",
            "young and in code": "live",
        }

    def test_numbers_leave_out_the_archived(
        self, admin_client, project, environment, django_assert_num_queries
    ):
        make_feature(project, name="old")
        make_feature(project, name="archived", is_archived=True)
        age()
        make_feature(project, name="young")
        url = f"/api/v1/environments/{environment.pk}/feature-lifecycle-counts/"

        with django_assert_num_queries(3):  # environment, membership, numbers
            answer = admin_client.get(url)

        assert answer.json() == {
            "new": 1,
            "live": 0,
            "stale": 1,
            "permanent": 0,
            "needs_monitoring": 0,
            "to_remove": 0,
        }

    def test_lists_are_narrowed_by_it(self, admin_client, project, environment):
        make_feature(project, name="old")
        age()
        make_feature(project, name="young")
        url = f"/api/v1/projects/{project.pk}/features/"

        old = admin_client.get(url, {"environment": environment.pk, "lifecycle_stage": "stale"})
        nowhere = admin_client.get(url, {"lifecycle_stage": "stale"})
        unknown = admin_client.get(url, {"environment": environment.pk, "lifecycle_stage": "elderly"})
        without = admin_client.get(url)

        assert [each["name"] for each in old.json()["results"]] == ["old"]
        assert (nowhere.status_code, unknown.status_code) == (400, 400)
        assert "lifecycle_stage" not in without.json()["results"][0]


class TestTag:
    @pytest.fixture
    def stale(self, project):
        def names() -> list[str]:
            tag_stale_features()
            tagged = project.features.filter(tags__type="STALE", tags__is_system_tag=True)
            return sorted(tagged.values_list("name", flat=True))

        return names

    def test_goes_on_what_nobody_changed_and_off_what_somebody_did(self, project, environment, stale):
        features = {name: make_feature(project, name=name) for name in ("a", "b", "c", "d", "e")}
        segment = make_segment(project)
        override = make_segment_override(features["d"], environment, segment)
        age()
        young = make_feature(project, name="young")

        assert stale() == ["a", "b", "c", "d", "e"]

        default_state(features["a"], environment).save()  # which notes the time
        make_segment_override(features["b"], environment, segment)
        features["c"].tags.add(Tag.objects.create(project=project, label="for ever", is_permanent=True))
        override.delete()
        Feature.objects.filter(pk=young.pk).update(created_date=timezone.now() - LONG_AGO)

        assert stale() == ["e"]

    def test_stays_where_an_environment_comes_or_one_identity_is_treated_otherwise(
        self, admin_client, project, environment, feature, stale
    ):
        age()
        Environment.objects.create(project=project, name="New")
        admin_client.post(f"/api/v1/environments/{environment.api_key}/clone/", {"name": "Copy"})
        make_identity_override(feature, Identity.objects.create(environment=environment, identifier="kim"))

        assert stale() == [feature.name]

    def test_heeds_the_limit_of_the_project_and_leaves_the_archived_alone(self, project, feature, stale):
        make_feature(project, name="archived", is_archived=True)
        Project.objects.update(stale_flags_limit_days=90)
        age()
        patient = stale()
        Project.objects.update(stale_flags_limit_days=14)

        assert (patient, stale()) == ([], [feature.name])

    def test_is_recorded_once_each_way_as_the_systems_doing(self, project, environment, feature, stale):
        age()
        stale()
        stale()
        default_state(feature, environment).save()
        stale()

        tag = project.tags.get()
        records = AuditRecord.objects.order_by("pk")
        assert [(each.log, each.is_system_event, each.changes) for each in records] == [
            (
                "Flag / Remote Config updated: new_checkout",
                True,
                [{"field": "tags", "old": old, "new": new}],
            )
            for old, new in (([], [tag.pk]), ([tag.pk], []))
        ]
