"""Flags changed in a single call."""

import pytest

from features.models import FeatureState
from features.selectors.feature_states import served_states
from permissions.tests.factories import grant
from segments.models import Segment

BASE = "/api/experiments/environments"


@pytest.fixture
def segment(project):
    return Segment.objects.create(project=project, name="beta users")


@pytest.fixture
def send(admin_client, environment):
    """Return a function that sends a body to one of the endpoints: `send("update-flag-v1", {...})`."""

    def sent(endpoint: str, body: object, client=admin_client):
        return client.post(f"{BASE}/{environment.api_key}/{endpoint}/", body, format="json")

    return sent


def state_of(feature, segment=None) -> tuple[bool, object] | None:
    state: FeatureState | None = (
        served_states().filter(feature=feature, feature_segment__segment=segment, identity=None).first()
    )
    return (state.enabled, state.value) if state else None


def text(value: str, type_: str = "string") -> dict[str, str]:
    return {"type": type_, "value": value}


@pytest.mark.parametrize("by", ["name", "id"])
def test_the_default_is_changed(send, feature, by):
    named = {by: feature.name if by == "name" else feature.pk}

    response = send("update-flag-v1", {"feature": named, "enabled": True, "value": text("42", "integer")})

    assert (response.status_code, response.content) == (204, b"")
    assert state_of(feature) == (True, 42)


@pytest.mark.parametrize(
    ("type_", "given", "stored"),
    [
        ("string", " green ", " green "),
        ("string", "", ""),
        ("integer", "-7", -7),
        ("boolean", "TRUE", True),
        ("boolean", "false", False),
    ],
)
def test_a_value_is_read_by_its_type(send, feature, type_, given, stored):
    send("update-flag-v1", {"feature": {"id": feature.pk}, "enabled": False, "value": text(given, type_)})

    assert state_of(feature) == (False, stored)


@pytest.mark.parametrize(
    ("type_", "given", "reason"),
    [
        ("integer", "x", "'x' is not a valid integer"),
        ("integer", "2147483648", "'2147483648' is not a valid integer"),
        ("integer", "9" * 5000, None),
        ("boolean", "1", "'1' is not a valid boolean (use 'true' or 'false')"),
        ("string", "x" * 20_001, "Ensure this field has no more than 20000 characters."),
        ("json", "{}", '"json" is not a valid choice.'),
    ],
)
def test_what_is_no_value_of_its_type_is_refused(send, feature, type_, given, reason):
    before = state_of(feature)

    response = send(
        "update-flag-v1", {"feature": {"id": feature.pk}, "enabled": True, "value": text(given, type_)}
    )

    assert response.status_code == 400
    assert reason is None or reason in str(response.json()["value"])
    assert state_of(feature) == before


def test_a_segment_override_is_made_and_then_changed(send, feature, segment):
    def override(value: str, **place: int):
        body = {"feature": {"id": feature.pk}, "enabled": True, "value": text(value)}
        return send("update-flag-v1", {**body, "segment": {"id": segment.pk, **place}}).status_code

    assert (override("first", priority=0), override("second")) == (204, 204)
    assert state_of(feature, segment) == (True, "second")
    assert state_of(feature) == (False, "blue")


def test_default_and_overrides_change_together(send, project, feature, segment):
    kept, other = (
        Segment.objects.create(project=project, name="kept"),
        Segment.objects.create(project=project, name="other"),
    )
    for each in (kept, segment):
        send(
            "update-flag-v1",
            {
                "feature": {"id": feature.pk},
                "enabled": False,
                "value": text("old"),
                "segment": {"id": each.pk},
            },
        )

    response = send(
        "update-flag-v2",
        {
            "feature": {"name": feature.name},
            "environment_default": {"enabled": True, "value": text("default")},
            "segment_overrides": [
                {"segment_id": segment.pk, "enabled": True, "value": text("changed")},
                {"segment_id": other.pk, "enabled": True, "value": text("new"), "priority": 0},
            ],
        },
    )

    assert response.status_code == 204
    assert state_of(feature) == (True, "default")
    assert [state_of(feature, each) for each in (segment, other, kept)] == [
        (True, "changed"),
        (True, "new"),
        (False, "old"),
    ]
    places = feature.feature_segments.filter(is_live=True).order_by("priority")
    assert [each.segment for each in places] == [other, kept, segment]


def test_all_of_it_happens_or_nothing(send, feature, segment):
    response = send(
        "update-flag-v2",
        {
            "feature": {"id": feature.pk},
            "environment_default": {"enabled": True, "value": text("default")},
            "segment_overrides": [
                {"segment_id": segment.pk, "enabled": True, "value": text("a")},
                {"segment_id": 2**31 - 1, "enabled": True, "value": text("b")},
            ],
        },
    )

    assert (response.status_code, response.json()) == (
        400,
        ["Segment with id 2147483647 not found in project"],
    )
    assert (state_of(feature), state_of(feature, segment)) == ((False, "blue"), None)


def test_an_override_is_taken_back_once(send, feature, segment):
    named = {"feature": {"id": feature.pk}, "segment": {"id": segment.pk}}
    send("update-flag-v1", {**named, "enabled": True, "value": text("a")})

    removed, again = send("delete-segment-override", named), send("delete-segment-override", named)

    assert removed.status_code == 204
    assert (again.status_code, again.json()["detail"]) == (
        404,
        f"Segment override for segment {segment.pk} does not exist",
    )
    assert state_of(feature, segment) is None


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ({}, "Either 'name' or 'id' is required for feature identification"),
        ({"name": "new_checkout", "id": 1}, "Provide either 'name' or 'id', not both"),
    ],
)
def test_a_feature_is_named_in_one_way(send, feature, named, reason):
    response = send("update-flag-v1", {"feature": named, "enabled": True, "value": text("a")})

    assert response.status_code == 400
    assert reason in str(response.json()["feature"])


def test_a_feature_that_is_not_there_is_said(send, environment):
    response = send("update-flag-v1", {"feature": {"name": "gone"}, "enabled": True, "value": text("a")})

    assert (response.status_code, response.json()) == (400, ["Feature 'gone' not found in project"])


def test_a_segment_is_named_once(send, feature, segment):
    override = {"segment_id": segment.pk, "enabled": True, "value": text("a")}

    response = send(
        "update-flag-v2", {"feature": {"id": feature.pk}, "segment_overrides": [override, override]}
    )

    assert response.status_code == 400
    assert "Duplicate segment_id" in str(response.json()["segment_overrides"])


def test_where_changes_need_a_request_they_are_refused(send, environment, feature):
    environment.minimum_change_request_approvals = 0
    environment.save()

    response = send("update-flag-v1", {"feature": {"id": feature.pk}, "enabled": True, "value": text("a")})

    assert response.status_code == 403
    assert "change requests are enabled" in response.json()["detail"]
    assert state_of(feature) == (False, "blue")


def test_it_takes_the_permission_to_change_states(send, client_of, member, stranger, environment, feature):
    body = {"feature": {"id": feature.pk}, "enabled": True, "value": text("a")}

    refused = [send("update-flag-v1", body, client=client_of(who)).status_code for who in (member, stranger)]
    grant(member, environment, "UPDATE_FEATURE_STATE")
    allowed = send("update-flag-v1", body, client=client_of(member)).status_code

    assert (refused, allowed) == ([403, 403], 204)
