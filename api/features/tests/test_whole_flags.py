"""All that a feature serves in an environment, in one request: with versions and without."""

from typing import Any

import pytest

from audit.models import AuditRecord
from features.models import EnvironmentFeatureVersion
from features.services.versioning import enable_versioning
from features.tests.factories import make_option, make_segment_override
from permissions.tests.factories import grant
from segments.models import Segment


@pytest.fixture(params=["in place", "by versions"])
def flag(request, environment, feature, segments) -> str:
    """The path of a flag with an override for the first segment."""
    make_segment_override(feature, environment, segments[0], "for beta")
    if request.param == "by versions":
        enable_versioning(environment, author=None)
    return f"/api/__future__/environments/{environment.api_key}/features/{feature.pk}/"


@pytest.fixture
def segments(project) -> list[Segment]:
    return [Segment.objects.create(project=project, name=name) for name in ("beta", "staff", "paid")]


def text(value: str) -> dict[str, str]:
    return {"type": "string", "value": value}


def override(segment: Segment, priority: int, enabled: bool, value: object, variants=()) -> dict:
    return {
        "segment": {"id": segment.pk},
        "priority": priority,
        "enabled": enabled,
        "value": value,
        "variants": list(variants),
    }


def everyone(enabled: bool, value: object, variants=()) -> dict:
    return {"enabled": enabled, "value": value, "variants": list(variants)}


def test_a_patch_merges_and_a_new_override_inherits(admin_client, flag, segments):
    number = {"type": "integer", "value": "5"}
    body: dict[str, Any] = {
        "environment_default": {"enabled": True},
        "segment_overrides": [
            {"segment": {"id": segments[0].pk}, "value": number, "priority": 2},
            {"segment": {"id": segments[1].pk}},
        ],
    }

    before = admin_client.get(flag)
    patched = admin_client.patch(flag, body, format="json")
    versions = EnvironmentFeatureVersion.objects.count()
    same = {"segment_overrides": [{"segment": {"id": segments[0].pk}, "value": number, "priority": 2}]}
    again = admin_client.patch(flag, same, format="json")

    assert before.json() == {
        "environment_default": everyone(False, text("blue")),
        "segment_overrides": [override(segments[0], 0, False, text("for beta"))],
    }
    assert (patched.status_code, again.status_code) == (200, 200)
    assert patched.json() == again.json() == admin_client.get(flag).json()
    assert patched.json() == {
        "environment_default": everyone(True, text("blue")),
        "segment_overrides": [
            override(segments[1], 1, True, text("blue")),
            override(segments[0], 2, False, number),
        ],
    }
    # Nothing is new the second time.
    assert EnvironmentFeatureVersion.objects.count() == versions


def test_a_put_replaces_what_is_given(admin_client, flag, segments):
    body = {
        "environment_default": {"value": {"type": "boolean", "value": "true"}},
        "segment_overrides": [
            {"segment": {"id": segments[2].pk}, "enabled": True, "priority": 4},
            {"segment": {"id": segments[1].pk}, "value": None},
        ],
    }

    replaced = admin_client.put(flag, body, format="json")
    emptied = admin_client.put(flag, {"segment_overrides": []}, format="json")

    true = {"type": "boolean", "value": "true"}
    assert replaced.json() == {
        "environment_default": everyone(False, true),
        "segment_overrides": [
            override(segments[1], 1, False, None),
            override(segments[2], 4, True, true),
        ],
    }
    assert emptied.json() == {"environment_default": everyone(False, true), "segment_overrides": []}


def test_a_multivariate_flag_has_all_its_variants(admin_client, flag, feature, segments):
    first, second = (make_option(feature, name, share) for name, share in (("a", 30), ("b", 20)))

    def variants(*shares: tuple[int, float]) -> list[dict]:
        return [{"id": option, "weight": weight} for option, weight in shares]

    def refusal(method: str, shares: list[dict] | None) -> list[str]:
        state = {} if shares is None else {"variants": shares}
        answer = getattr(admin_client, method)(flag, {"environment_default": state}, format="json")
        assert answer.status_code == 400
        return answer.json()["environment_default"]["variants"]

    shares = variants((second.pk, 60), (first.pk, 40))
    body = {"segment_overrides": [{"segment": {"id": segments[1].pk}, "priority": 1, "variants": shares}]}
    patched = admin_client.patch(flag, body, format="json").json()

    assert patched["environment_default"]["variants"] == variants((first.pk, 30), (second.pk, 20))
    assert patched["segment_overrides"][1]["variants"] == variants((first.pk, 40), (second.pk, 60))
    assert refusal("patch", variants((first.pk, 5))) == ["Must include all feature's variants."]
    assert refusal("put", None) == ["Must include all feature's variants."]
    assert refusal("patch", variants((first.pk, 5), (987654, 5))) == ["Variant not found."]
    too_much = variants((first.pk, 50), (second.pk, 51))
    assert refusal("patch", too_much) == ["Total weight must not exceed 100."]


def test_what_does_not_fit_is_refused(admin_client, flag, segments, environment):
    def answer(overrides: list[dict]) -> tuple[int, dict]:
        response = admin_client.patch(flag, {"segment_overrides": overrides}, format="json")
        return response.status_code, response.json()

    named = [{"segment": {"id": segment.pk}} for segment in segments]
    before = admin_client.get(flag).json()

    assert answer([named[0], named[0]]) == (
        400,
        {"segment_overrides": [f"Duplicate segment: {segments[0].pk}."]},
    )
    assert answer([{**named[1], "priority": 0}])[1]["detail"] == "Duplicate priority: 0."
    assert answer([{"segment": {"id": 987654}}]) == (400, {"segment_overrides": ["Segment not found."]})
    assert answer([{**named[0], "variants": [{"id": 1, "weight": 5}]}])[0] == 400
    assert admin_client.get(flag).json() == before
    environment.minimum_change_request_approvals = 1
    environment.save()
    status, body = answer([named[1]])
    assert (status, body["code"]) == (409, "change_requests_enabled")


def test_in_an_emergency_it_is_changed_without_a_request(
    admin_client, client_of, member, flag, environment, feature
):
    environment.minimum_change_request_approvals = 1
    environment.save()
    grant(member, environment, "UPDATE_FEATURE_STATE")
    change = {"environment_default": {"enabled": True}}
    emergency = {"X-Burgee-Break-Glass": "The shop is down"}

    of_member = client_of(member).patch(flag, change, format="json", headers=emergency)
    of_admin = admin_client.patch(flag, change, format="json", headers=emergency)

    assert (of_member.status_code, of_member.json()["code"]) == (403, "may_not_break_glass")
    assert (of_admin.status_code, of_admin.json()["environment_default"]["enabled"]) == (200, True)
    assert AuditRecord.objects.filter(
        log__startswith="Glass broken: feature", environment=environment
    ).exists()


def test_an_override_is_taken_back_once(admin_client, flag, segments):
    path = f"{flag}segment-overrides/{segments[0].pk}/"

    removed, again = admin_client.delete(path), admin_client.delete(path)

    assert (removed.status_code, removed.json()["segment_overrides"]) == (200, [])
    assert (again.status_code, again.json()["detail"]) == (404, "Segment override not found.")


@pytest.mark.parametrize(
    ("held", "statuses"),
    [
        (None, [404, 404, 404, 404]),
        ("VIEW_ENVIRONMENT", [200, 404, 404, 404]),
        ("UPDATE_FEATURE_STATE", [200, 200, 403, 403]),
        ("MANAGE_SEGMENT_OVERRIDES", [200, 403, 200, 200]),
    ],
)
def test_each_part_takes_a_permission_of_its_own(
    client_of, member, flag, environment, segments, held, statuses
):
    if held:
        grant(member, environment, held)
    client = client_of(member)

    answers = [
        client.get(flag),
        client.patch(flag, {"environment_default": {"enabled": True}}, format="json"),
        client.patch(flag, {"segment_overrides": [{"segment": {"id": segments[0].pk}}]}, format="json"),
        client.delete(f"{flag}segment-overrides/{segments[0].pk}/"),
    ]

    assert [answer.status_code for answer in answers] == statuses
