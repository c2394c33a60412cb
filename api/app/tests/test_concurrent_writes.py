"""Many write at the same moment, each over a connection of its own. Nothing breaks, and nothing is lost."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from audit.models import AuditRecord
from core.tests.threads import at_once
from features.models import FeatureSegment, FeatureState, MultivariateFeatureStateValue, MultivariateOption
from features.tests.factories import default_state, make_segment_override
from organisations.models import MemberRole
from projects.models import Tag
from segments.tests.factories import make_segment
from users.tests.factories import make_user

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]

MANY = 32
Send = Callable[..., Any]


@pytest.fixture
def send(admin) -> Send:
    """Return what sends a request as the administrator, from whichever thread: `send("post", path, body)`."""
    token = Token.objects.create(user=admin).key

    def send(method: str, path: str, body: Any = None, **headers: str) -> Any:
        client = APIClient(
            raise_request_exception=False, headers={"Authorization": f"Token {token}", **headers}
        )
        return getattr(client, method)(path, body, format="json")

    return send


def statuses(answers: list[Any]) -> list[int]:
    """Return the statuses of answers; what was raised instead of an answer fails here."""
    return sorted(answer.status_code for answer in answers)


def test_overrides_stay_in_a_total_order(send, project, environment, feature):
    for _ in range(10):
        make_segment_override(feature, environment, make_segment(project))
    places = list(FeatureSegment.objects.all())
    new = [make_segment(project) for _ in range(10)]
    in_environment = f"/api/v1/environments/{environment.api_key}"
    value = {"type": "string", "value": "red"}

    def create(number: int) -> Any:
        place = {"segment": new[number].pk} | ({"priority": 0} if number % 2 else {})
        body = {"enabled": True, "feature_state_value": {"string_value": "red"}, "feature_segment": place}
        return send("post", f"{in_environment}/features/{feature.pk}/create-segment-override/", body)

    def delete(number: int) -> Any:
        return send("delete", f"/api/v1/features/feature-segments/{places[number].pk}/")

    def reorder(turn: int) -> Any:
        turned = [*places[turn:], *places[:turn]]
        body = [{"id": place.pk, "priority": priority} for priority, place in enumerate(turned)]
        return send("post", "/api/v1/features/feature-segments/update-priorities/", body)

    def move(number: int) -> Any:
        override = {"segment_id": places[number].segment_id, "priority": 9 - number, "enabled": False}
        body = {"feature": {"id": feature.pk}, "segment_overrides": [{**override, "value": value}]}
        return send("post", f"{in_environment}/update-flag-v2/", body)

    answers = at_once(
        *[lambda n=n: create(n) for n in range(10)],
        *[lambda n=n: reorder(n + 1) for n in range(6)],
        *[lambda n=n: move(n) for n in range(10)],
        *[lambda n=n: delete(n) for n in range(6)],
    )

    assert set(statuses(answers)) <= {200, 201, 204, 400, 404}
    left = FeatureSegment.objects.filter(feature=feature, is_live=True)
    gone = [place.pk for place in places[:6]]
    # An override that was deleted may have been made again by who then said how it is to be.
    assert left.count() >= 14
    assert not left.filter(pk__in=gone).exists()
    assert list(left.values_list("priority", flat=True)) == list(range(left.count()))
    states = FeatureState.objects.filter(feature_segment__in=left)
    assert states.count() == left.count()


def test_weights_never_exceed_100_percent(send, project, environment, feature):
    options = f"/api/v1/projects/{project.pk}/features/{feature.pk}/mv-options/"
    first = MultivariateOption.objects.create(
        feature=feature, string_value="red", default_percentage_allocation=10
    )
    second = MultivariateOption.objects.create(
        feature=feature, string_value="blue", default_percentage_allocation=10
    )
    state = default_state(feature, environment)

    def create(number: int) -> Any:
        body = {"type": "unicode", "string_value": str(number), "default_percentage_allocation": 20}
        return send("post", options, {**body, "feature": feature.pk})

    def raise_default(number: int) -> Any:
        return send("patch", f"{options}{first.pk}/", {"default_percentage_allocation": 10 + 5 * number})

    def allocate(number: int) -> Any:
        shares = [
            {"multivariate_feature_option": option.pk, "percentage_allocation": 7 * number}
            for option in (first, second)
        ]
        body = {"multivariate_feature_state_values": shares}
        return send("patch", f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/", body)

    answers = at_once(
        *[lambda n=n: create(n) for n in range(12)],
        *[lambda n=n: raise_default(n) for n in range(10)],
        *[lambda n=n: allocate(n) for n in range(9)],
        lambda: send("delete", f"{options}{second.pk}/"),
    )

    assert set(statuses(answers)) <= {200, 201, 204, 400, 404}
    defaults = MultivariateOption.objects.filter(feature=feature)
    assert sum(defaults.values_list("default_percentage_allocation", flat=True)) <= 100
    shares = MultivariateFeatureStateValue.objects.filter(feature_state=state)
    assert sum(shares.values_list("percentage_allocation", flat=True)) <= 100
    assert set(shares.values_list("multivariate_feature_option", flat=True)) <= {each.pk for each in defaults}


def test_owners_tags_and_members_of_groups_are_all_there(send, organisation, project, feature):
    people = [make_user() for _ in range(8)]
    for user in people:
        organisation.memberships.create(user=user, role=MemberRole.ADMIN)
    group = organisation.groups.create(name="Shop")
    tags = [Tag.objects.create(project=project, label=f"tag {number}") for number in range(8)]
    in_project = f"/api/v1/projects/{project.pk}/features/{feature.pk}"
    members = f"/api/v1/organisations/{organisation.pk}/groups/{group.pk}"

    answers = at_once(
        *[lambda u=u: send("post", f"{in_project}/add-owners/", {"user_ids": [u.pk]}) for u in people],
        *[lambda u=u: send("post", f"{members}/add-users/", {"user_ids": [u.pk]}) for u in people],
        *[lambda t=t: send("patch", f"{in_project}/", {"tags": [t.pk]}) for t in tags],
        *[lambda n=n: send("patch", f"{in_project}/", {"description": f"{n}"}) for n in range(4)],
        *[lambda n=n: send("put", f"{members}/", {"name": f"Shop {n}"}) for n in range(4)],
    )

    assert statuses(answers) == [200] * MANY
    assert set(feature.owners.all()) == set(people)
    assert set(group.users.all()) == set(people)
    assert feature.tags.count() == 1
    # Each says what was there before it, and the next one goes on from there.
    changes = [
        change
        for each in AuditRecord.objects.filter(log__contains="updated").order_by("pk")
        for change in each.changes
    ]
    for field in ("tags", "description"):
        told = [(each["old"], each["new"]) for each in changes if each["field"] == field]
        assert [old for old, _ in told][1:] == [new for _, new in told][:-1]


def test_who_reads_and_then_writes_with_the_tag_loses_nothing(send, environment, feature):
    state = default_state(feature, environment)
    path = f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/"
    send("patch", path, {"feature_state_value": 0})
    refused = []

    def count_up() -> None:
        while True:
            read = send("get", path)
            body = {"feature_state_value": read.json()["feature_state_value"] + 1}
            written = send("patch", path, body, **{"If-Match": read["ETag"]})
            if written.status_code == 200:
                return
            assert written.status_code == 412
            refused.append(written)

    def switch(number: int) -> None:
        assert send("patch", path, {"enabled": bool(number % 2)}).status_code == 200

    outcomes = at_once(*[count_up] * 8, *[lambda n=n: switch(n) for n in range(4)])

    assert outcomes == [None] * 12
    assert send("get", path).json()["feature_state_value"] == 8
    assert refused, "Nobody met anybody: this has shown nothing."
    assert {each["ETag"] for each in refused} != {None}


def test_two_who_change_different_things_both_have_their_way(send, environment, feature):
    state = default_state(feature, environment)
    path = f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/"

    answers = at_once(
        lambda: send("patch", path, {"enabled": True}),
        lambda: send("patch", path, {"feature_state_value": "red"}),
    )

    assert statuses(answers) == [200, 200]
    state.refresh_from_db()
    assert (state.enabled, state.value) == (True, "red")
    changes = [change for each in AuditRecord.objects.order_by("pk") for change in each.changes]
    assert {(each["field"], each["old"], each["new"]) for each in changes if each["old"] is not None} == {
        ("enabled", False, True),
        ("feature_state_value", "blue", "red"),
    }
