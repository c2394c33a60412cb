"""Versions: what a feature serves in an environment, drafted and published at once."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditRecord
from documents.builder import build
from documents.rows import read_rows
from features.models import EnvironmentFeatureVersion, Feature, FeatureSegment, FeatureState
from features.services.places import Place
from features.services.versioning import enable_versioning
from features.services.versions import serve_due_version
from features.tests.factories import default_state, make_option, make_segment_override
from organisations.tests.factories import make_key
from segments.models import Segment
from tasks.models import Job
from tasks.services import run_due


@pytest.fixture
def client(admin_client):
    return admin_client


@pytest.fixture
def versioned(environment, feature):
    enable_versioning(environment, author=None)
    return environment


@pytest.fixture
def segments(project) -> list[Segment]:
    return [Segment.objects.create(project=project, name=name) for name in ("beta", "staff", "paid")]


def path_of(environment, feature, *more: object) -> str:
    parts = "".join(f"{part}/" for part in more)
    return f"/api/v1/environments/{environment.pk}/features/{feature.pk}/versions/{parts}"


def value(text: str) -> dict:
    return {"type": "unicode", "string_value": text}


def override(segment: Segment, text: str, **more) -> dict:
    return {
        "feature_segment": {"segment": segment.pk, **more},
        "enabled": True,
        "feature_state_value": value(text),
    }


def post(client, path: str, body: dict | None = None, expected: int = 201) -> dict:
    response = client.post(path, body or {}, format="json")
    assert response.status_code == expected, response.content
    return response.json() if response.content else {}


def served(environment) -> dict:
    """What SDKs read: by feature its value, and by segment the overrides in it."""
    document = build(read_rows(environment.pk)).document
    return {
        "default": {
            state["feature"]["name"]: state["feature_state_value"] for state in document["feature_states"]
        },
        "segments": {
            segment["name"]: [
                (place["priority"], state["feature_state_value"])
                for state in segment["feature_states"]
                if (place := state["feature_segment"])
            ]
            for segment in document["project"]["segments"]
            if segment["feature_states"]
        },
    }


def make_due(version: EnvironmentFeatureVersion) -> None:
    """Let the time come that a version is scheduled for."""
    past = timezone.now() - timedelta(microseconds=1)
    EnvironmentFeatureVersion.objects.filter(is_live=True).update(live_from=past - timedelta(hours=1))
    EnvironmentFeatureVersion.all_objects.filter(pk=version.pk).update(live_from=past)
    Job.objects.update(run_at=past)


class TestCreating:
    def test_a_version_is_a_copy_of_what_is_served_with_changes(self, client, versioned, feature, segments):
        post(
            client,
            path_of(versioned, feature),
            {
                "feature_states_to_create": [
                    override(segments[0], "for beta"),
                    override(segments[1], "for staff", priority=0),
                ],
                "publish_immediately": True,
                "environmentId": versioned.pk,
            },
        )
        body = {
            "feature_states_to_create": [override(segments[2], "for paid", priority=1)],
            "feature_states_to_update": [
                {"feature_segment": None, "feature_state_value": value("red")},
                {**override(segments[1], "for all staff"), "enabled": False},
            ],
            "segment_ids_to_delete_overrides": [segments[0].pk, 987654],
            "publish_immediately": False,
            "description": "the second",
        }
        before = served(versioned)

        draft = post(client, path_of(versioned, feature), body)
        unpublished = served(versioned)
        published = post(client, path_of(versioned, feature, draft["uuid"], "publish"), expected=200)

        assert set(draft) == {
            "created_at",
            "updated_at",
            "published",
            "live_from",
            "uuid",
            "is_live",
            "published_by",
            "created_by",
            "description",
        }
        assert (draft["published"], draft["is_live"], draft["live_from"]) == (False, False, None)
        assert draft["description"] == "the second"
        assert (
            unpublished
            == before
            == {
                "default": {feature.name: "blue"},
                "segments": {"staff": [(0, "for staff")], "beta": [(1, "for beta")]},
            }
        )
        assert served(versioned) == {
            "default": {feature.name: "red"},
            "segments": {"staff": [(0, "for all staff")], "paid": [(1, "for paid")]},
        }
        assert published["live_from"]

    def test_lists_may_be_null_and_the_caller_is_known(self, client, admin, versioned, feature):
        body = {
            "feature_states_to_create": None,
            "feature_states_to_update": None,
            "segment_ids_to_delete_overrides": None,
            "publish_immediately": True,
        }

        version = post(client, path_of(versioned, feature), body)

        assert (version["created_by"], version["published_by"]) == (admin.pk, admin.pk)
        assert (version["published"], version["is_live"]) == (True, True)

    @pytest.mark.parametrize(
        ("number", "change", "reason"),
        [
            (
                0,
                "feature_states_to_create",
                "An unresolvable conflict occurred: segment override already exists for segment 'beta'",
            ),
            (
                1,
                "feature_states_to_update",
                "An unresolvable conflict occurred: segment override does not exist for segment 'staff'.",
            ),
            (
                None,
                "feature_states_to_create",
                "Cannot create FeatureState objects that are not segment overrides.",
            ),
        ],
    )
    def test_what_conflicts_with_what_is_served_makes_nothing(
        self, client, versioned, feature, segments, number, change, reason
    ):
        post(
            client,
            path_of(versioned, feature),
            {"feature_states_to_create": [override(segments[0], "x")], "publish_immediately": True},
        )
        before = EnvironmentFeatureVersion.objects.count()
        wrong = override(segments[number], "y") if number is not None else {"enabled": True}
        body = {"feature_states_to_create": [override(segments[2], "z")], change: [wrong]}
        if change == "feature_states_to_create":
            body[change] = [override(segments[2], "z"), wrong]

        refusal = post(client, path_of(versioned, feature), body, expected=400)

        assert refusal == {"message": reason}
        assert EnvironmentFeatureVersion.objects.count() == before
        assert FeatureSegment.all_objects.count() == 1

    def test_an_environment_without_versions_gets_none(self, client, environment, feature):
        refusal = post(client, path_of(environment, feature), expected=400)

        assert refusal == {"environment": "Environment must use v2 feature versioning."}

    def test_an_override_that_is_to_go_and_to_be_made_is_made_anew(
        self, client, versioned, feature, segments
    ):
        for text in ("first", "second"):
            body = {
                "feature_states_to_create": [override(segments[0], text)],
                "segment_ids_to_delete_overrides": [segments[0].pk],
                "publish_immediately": True,
            }
            post(client, path_of(versioned, feature), body)

        assert served(versioned)["segments"] == {"beta": [(0, "second")]}
        seeds = FeatureState.all_objects.filter(feature_segment__segment=segments[0])
        assert len({state.seed for state in seeds}) == 1

    def test_of_a_machines_version_the_key_is_known(self, organisation, versioned, feature):
        key = make_key(organisation, name="deployer")
        machine = APIClient(headers={"Authorization": f"Api-Key {key.secret}"})

        made = post(machine, path_of(versioned, feature), {"publish_immediately": True})

        version = EnvironmentFeatureVersion.objects.get(pk=made["uuid"])
        assert (made["created_by"], made["published_by"]) == (None, None)
        assert (version.published_by_key, version.published_by_key_name) == (key, "deployer")
        assert (version.created_by_key, version.created_by_key_name) == (key, "deployer")


class TestPublishing:
    def test_what_is_published_for_later_is_served_when_its_time_has_come(self, client, versioned, feature):
        tomorrow = timezone.now() + timedelta(days=1)
        body = {"feature_states_to_update": [{"feature_state_value": value("tomorrow")}]}
        draft = post(client, path_of(versioned, feature), body)

        answer = post(
            client,
            path_of(versioned, feature, draft["uuid"], "publish"),
            {"live_from": tomorrow.isoformat()},
            expected=200,
        )
        version = EnvironmentFeatureVersion.objects.get(pk=draft["uuid"])
        run_due()
        early = served(versioned)
        make_due(version)
        run_due()

        assert answer["live_from"] == tomorrow.isoformat().replace("+00:00", "Z")
        assert (version.published, version.has_gone_live) == (True, False)
        assert early["default"] == {feature.name: "blue"}
        assert served(versioned)["default"] == {feature.name: "tomorrow"}
        assert serve_due_version(Place(versioned.pk, feature.pk)) is None

    def test_one_that_is_deleted_before_its_time_never_goes_live(self, client, versioned, feature):
        tomorrow = timezone.now() + timedelta(days=1)
        body = {"live_from": tomorrow.isoformat(), "publish_immediately": True}
        version = post(
            client,
            path_of(versioned, feature),
            {**body, "feature_states_to_update": [{"feature_state_value": value("tomorrow")}]},
        )

        deleted = client.delete(path_of(versioned, feature, version["uuid"]))
        make_due(EnvironmentFeatureVersion.all_objects.get(pk=version["uuid"]))
        run_due()

        assert (version["published"], version["is_live"]) == (True, False)
        assert deleted.status_code == 204
        assert served(versioned)["default"] == {feature.name: "blue"}

    def test_a_later_version_isnt_replaced_by_one_whose_time_came_before(self, client, versioned, feature):
        drafts = [
            post(
                client,
                path_of(versioned, feature),
                {"feature_states_to_update": [{"feature_state_value": value(text)}]},
            )
            for text in ("first", "second")
        ]
        in_a_moment = timezone.now() + timedelta(milliseconds=20)
        first = path_of(versioned, feature, drafts[0]["uuid"], "publish")
        post(client, first, {"live_from": in_a_moment.isoformat()}, expected=200)
        EnvironmentFeatureVersion.objects.filter(pk=drafts[0]["uuid"]).update(
            live_from=timezone.now() - timedelta(microseconds=1)
        )

        post(client, path_of(versioned, feature, drafts[1]["uuid"], "publish"), expected=200)
        serve_due_version(Place(versioned.pk, feature.pk))

        assert served(versioned)["default"] == {feature.name: "second"}
        details = client.get(f"/api/v1/environment-feature-versions/{drafts[1]['uuid']}/").json()
        assert details["previous_version_uuid"] == drafts[0]["uuid"]

    def test_publishing_again_changes_nothing(self, client, versioned, feature):
        body = {"feature_states_to_update": [{"feature_state_value": value("a")}]}
        version = post(client, path_of(versioned, feature), {**body, "publish_immediately": True})
        post(client, path_of(versioned, feature), {"publish_immediately": True})
        records = AuditRecord.objects.count()

        answer = post(client, path_of(versioned, feature, version["uuid"], "publish"), expected=200)

        assert answer == {"live_from": version["live_from"]}
        assert AuditRecord.objects.count() == records

    def test_it_is_recorded_with_what_is_new_and_states_arent(self, client, versioned, feature, segments):
        before = AuditRecord.objects.latest("pk").pk

        version = post(
            client,
            path_of(versioned, feature),
            {
                "feature_states_to_create": [override(segments[0], "for beta")],
                "feature_states_to_update": [{"enabled": True}],
                "publish_immediately": True,
            },
        )

        record = AuditRecord.objects.get(pk__gt=before)
        assert record.log == f"New version published for feature: {feature.name}"
        assert record.related_object_type == "EF_VERSION"
        assert (str(record.related_object_uuid), record.related_object_id) == (version["uuid"], None)
        assert record.environment == versioned
        assert record.changes == [
            {"field": "enabled", "old": False, "new": True},
            {"field": "enabled for segment 'beta'", "old": None, "new": True},
            {"field": "feature_state_value for segment 'beta'", "old": None, "new": "for beta"},
            {"field": "priority for segment 'beta'", "old": None, "new": 0},
        ]


class TestReading:
    def test_versions_are_listed_in_pages_the_newest_first(self, client, versioned, feature):
        first = client.get(path_of(versioned, feature)).json()["results"][0]
        live = post(client, path_of(versioned, feature), {"publish_immediately": True})
        draft = post(client, path_of(versioned, feature))

        def uuids(**query) -> list[str]:
            page = client.get(path_of(versioned, feature), query).json()
            assert page["count"] >= len(page["results"])
            return [each["uuid"] for each in page["results"]]

        assert uuids() == [draft["uuid"], live["uuid"], first["uuid"]]
        assert uuids(page_size=1, page=2) == [live["uuid"]]
        assert uuids(is_live="true") == [live["uuid"], first["uuid"]]
        assert uuids(is_live="false") == [draft["uuid"]]

    def test_one_version_tells_what_came_before_it(self, client, versioned, feature):
        first = client.get(path_of(versioned, feature)).json()["results"][0]["uuid"]
        post(client, path_of(versioned, feature))  # a draft, which doesn't count
        second = post(client, path_of(versioned, feature), {"publish_immediately": True})["uuid"]

        details = client.get(f"/api/v1/environment-feature-versions/{second}/").json()
        of_first = client.get(f"/api/v1/environment-feature-versions/{first}/").json()

        assert (details["feature"], details["environment"]) == (feature.pk, versioned.pk)
        assert details["previous_version_uuid"] == first
        assert of_first["previous_version_uuid"] is None


class TestStates:
    def test_a_drafts_states_are_read_and_written(self, client, versioned, feature, segments):
        draft = post(client, path_of(versioned, feature))["uuid"]
        path = path_of(versioned, feature, draft, "featurestates")

        made = post(client, path, override(segments[0], "for beta"))
        first = post(client, path, override(segments[1], "for staff", priority=0))
        listed = client.get(path).json()
        default = listed[0]["id"]
        changed = client.put(f"{path}{default}/", {"feature_state_value": value("red")}, format="json")
        moved = client.patch(
            f"{path}{made['id']}/",
            {"enabled": False, "feature_segment": {"segment": segments[0].pk, "priority": 0}},
            format="json",
        )
        removed = client.delete(f"{path}{first['id']}/")
        kept = client.delete(f"{path}{default}/")

        assert [each["feature_segment"] and each["feature_segment"]["priority"] for each in listed] == [
            None,
            0,
            1,
        ]
        assert made["feature"] == feature.pk
        assert made["feature_state_value"] == {
            "type": "unicode",
            "string_value": "for beta",
            "integer_value": None,
            "boolean_value": None,
        }
        assert changed.json()["feature_state_value"]["string_value"] == "red"
        assert (moved.json()["enabled"], moved.json()["feature_segment"]["priority"]) == (False, 0)
        assert removed.status_code == 204
        assert (kept.status_code, kept.json()["detail"]) == (
            400,
            "Cannot delete environment default feature state.",
        )
        assert served(versioned) == {"default": {feature.name: "blue"}, "segments": {}}
        post(client, path_of(versioned, feature, draft, "publish"), expected=200)
        assert served(versioned) == {
            "default": {feature.name: "red"},
            "segments": {"beta": [(0, "for beta")]},
        }

    def test_a_published_versions_states_stay(self, client, versioned, feature, segments):
        version = post(
            client,
            path_of(versioned, feature),
            {"feature_states_to_create": [override(segments[0], "x")], "publish_immediately": True},
        )["uuid"]
        path = path_of(versioned, feature, version, "featurestates")
        state = client.get(path).json()[1]["id"]

        answers = [
            client.post(path, override(segments[1], "y"), format="json"),
            client.put(f"{path}{state}/", {"enabled": False}, format="json"),
            client.patch(f"{path}{state}/", {"enabled": False}, format="json"),
            client.delete(f"{path}{state}/"),
        ]

        for answer in answers:
            assert answer.status_code == 400
            assert answer.json()["detail"] == "Cannot modify published version."


class TestDeleting:
    def test_a_draft_can_be_deleted_and_a_live_or_former_version_cannot(self, client, versioned, feature):
        former = client.get(path_of(versioned, feature)).json()["results"][0]["uuid"]
        live = post(client, path_of(versioned, feature), {"publish_immediately": True})["uuid"]
        draft = post(client, path_of(versioned, feature))["uuid"]

        refusals = [client.delete(path_of(versioned, feature, uuid)) for uuid in (former, live)]
        deleted = client.delete(path_of(versioned, feature, draft))

        for refusal in refusals:
            assert refusal.status_code == 400
            assert refusal.json()["detail"] == "Cannot delete a live version."
        assert deleted.status_code == 204
        assert not FeatureState.all_objects.undeleted().filter(environment_feature_version=draft).exists()
        assert client.get(f"/api/v1/environment-feature-versions/{draft}/").status_code == 404
        gone = client.post(path_of(versioned, feature, draft, "publish"), {}, format="json")
        assert gone.status_code == 404


class TestVariants:
    def test_nobody_is_moved_to_another_variant_by_a_version(self, client, environment, feature, segments):
        options = [make_option(feature, text, share) for text, share in (("a", 20), ("b", 30))]
        overridden = make_segment_override(feature, environment, segments[0])
        overridden.multivariate_feature_state_values.create(
            multivariate_feature_option=options[1], percentage_allocation=60
        )
        overridden.multivariate_feature_state_values.create(
            multivariate_feature_option=options[0], percentage_allocation=40
        )
        seeds = {default_state(feature, environment).seed, overridden.seed}
        enable_versioning(environment, author=None)

        for _ in range(2):
            post(client, path_of(environment, feature), {"publish_immediately": True})
        again = {
            "segment_ids_to_delete_overrides": [segments[0].pk],
        }
        draft = post(client, path_of(environment, feature), again)["uuid"]
        anew = {
            **override(segments[0], "anew"),
            "multivariate_feature_state_values": [
                {"multivariate_feature_option": option.pk, "percentage_allocation": share}
                for option, share in ((options[1], 70), (options[0], 30))
            ],
        }
        post(client, path_of(environment, feature, draft, "featurestates"), anew)
        post(client, path_of(environment, feature, draft, "publish"), expected=200)

        states = FeatureState.objects.filter(environment=environment)
        assert {state.seed for state in states} == seeds
        assert not {state.pk for state in states} & seeds
        bands = [
            list(
                state.multivariate_feature_state_values.order_by("pk").values_list(
                    "multivariate_feature_option__string_value", "percentage_allocation"
                )
            )
            for state in states.order_by("feature_segment")
        ]
        assert sorted(bands) == [[("a", 20), ("b", 30)], [("b", 70), ("a", 30)]]


class TestPermissions:
    def test_who_may_not_see_an_environment_doesnt_see_its_versions(
        self, client_of, member, stranger, versioned, feature
    ):
        live = EnvironmentFeatureVersion.objects.get()

        for user, status in ((member, 404), (stranger, 404)):
            assert client_of(user).get(path_of(versioned, feature)).status_code == status
        writes = client_of(member).post(path_of(versioned, feature), {}, format="json")
        foreign = client_of(stranger).post(path_of(versioned, feature), {}, format="json")
        single = [
            client_of(user).get(f"/api/v1/environment-feature-versions/{live.pk}/").status_code
            for user in (member, stranger)
        ]

        assert (writes.status_code, foreign.status_code, single) == (403, 404, [403, 404])
        assert (
            client_of(member)
            .post(f"/api/v1/environments/{versioned.api_key}/disable-v2-versioning/")
            .status_code
            == 403
        )

    def test_a_feature_of_another_project_is_unknown(self, client, versioned, organisation):
        other = organisation.projects.create(name="Other")
        foreign = Feature.objects.create(project=other, name="foreign")

        assert client.get(path_of(versioned, foreign)).status_code == 404
