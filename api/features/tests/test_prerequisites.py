"""Prerequisites: which feature needs which, who may say so, and what they keep from going."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from audit.models import AuditRecord
from core.errors import InvalidInput
from core.tests.threads import at_once
from environments.models import Environment
from features.models import Feature, Prerequisite
from features.services.prerequisites import LONGEST_CHAIN, MOST_PER_FEATURE, add_prerequisite
from features.tests.factories import make_feature, make_option
from permissions.tests.factories import grant
from projects.models import Project, Tag
from users.tests.factories import make_user


def url(environment: Environment, prerequisite: int | None = None) -> str:
    path = f"/api/v1/environments/{environment.api_key}/prerequisites/"
    return path if prerequisite is None else f"{path}{prerequisite}/"


@pytest.fixture
def add(admin_client, environment):
    """Return what makes a prerequisite over HTTP: `add(checkout, payments, value="red")`."""

    def add(feature: Feature, required: Feature, **requirement: Any) -> Any:
        body = {"feature": feature.pk, "required_feature": required.pk, **requirement}
        return admin_client.post(url(environment), body, "json")

    return add


@pytest.fixture
def checkout(project, environment) -> Feature:
    return make_feature(project, name="checkout")


@pytest.fixture
def payments(project, environment) -> Feature:
    return make_feature(project, name="payments")


@pytest.fixture
def green(payments) -> Any:
    """A variant of the required feature."""
    return make_option(payments, "green", 10, key="green")


def test_what_a_feature_needs_is_made_changed_shown_and_removed(
    add, admin_client, environment, checkout, payments, admin
):
    made = add(checkout, payments, value=True)

    assert made.status_code == 201, made.content
    shown = made.json()
    assert shown == {
        "id": shown["id"],
        "feature": checkout.pk,
        "feature_name": "checkout",
        "required_feature": payments.pk,
        "required_feature_name": "payments",
        "enabled": True,
        "value": "true",
        "variant": None,
        "created_at": shown["created_at"],
    }
    for query, found in [
        ({"feature": checkout.pk}, 1),
        ({"required_feature": payments.pk}, 1),
        ({"feature": payments.pk}, 0),
        ({}, 1),
    ]:
        listed = admin_client.get(url(environment), query).json()
        assert listed["results"] == [shown][:found], query
    one = url(environment, shown["id"])
    assert admin_client.get(one).json() == shown

    changed = admin_client.patch(one, {"enabled": False, "value": None}, "json")
    assert changed.status_code == 200, changed.content
    assert changed.json() == {**shown, "enabled": False, "value": None}

    assert admin_client.delete(one).status_code == 204
    assert admin_client.get(url(environment)).json()["results"] == []
    records = AuditRecord.objects.filter(log__startswith="Prerequisite").order_by("pk")
    assert [
        (each.log, each.author_id, each.environment_id, each.related_object_id, each.changes)
        for each in records
    ] == [
        (
            f"Prerequisite {what} for feature 'checkout': payments",
            admin.pk,
            environment.pk,
            checkout.pk,
            changes,
        )
        for what, changes in [
            (
                "added",
                [
                    {"field": "required_feature", "old": None, "new": "payments"},
                    {"field": "enabled", "old": None, "new": True},
                    {"field": "value", "old": None, "new": "true"},
                ],
            ),
            (
                "updated",
                [
                    {"field": "enabled", "old": True, "new": False},
                    {"field": "value", "old": "true", "new": None},
                ],
            ),
            ("removed", []),
        ]
    ]


def test_what_makes_no_sense_is_refused_with_the_field_that_is_wrong(
    add, admin_client, environment, checkout, payments, green
):
    elsewhere = make_feature(
        Project.objects.create(organisation=environment.project.organisation, name="Other")
    )

    refused = [
        (add(checkout, elsewhere), {"required_feature": ["Feature does not exist in project"]}),
        (add(checkout, checkout), {"required_feature": ["A feature can't be its own prerequisite."]}),
        (
            add(checkout, payments, value="red", variant="green"),
            {"variant": ["A prerequisite names a value or a variant, not both."]},
        ),
        (
            add(checkout, payments, enabled=False, variant="green"),
            {"enabled": ["A feature that has to be off has no value or variant to have."]},
        ),
        (
            add(checkout, payments, variant="purple"),
            {"variant": ["The required feature has no variant with this key."]},
        ),
    ]

    for response, reason in refused:
        assert (response.status_code, response.json()) == (400, reason)
    assert add(checkout, payments, variant="control").status_code == 201
    again = add(checkout, payments)
    assert again.json() == {"non_field_errors": ["The feature has this prerequisite already."]}
    one = url(environment, Prerequisite.objects.get().pk)
    moved = admin_client.patch(one, {"required_feature": checkout.pk}, "json")
    assert moved.json() == {"required_feature": ["Cannot change the required_feature of a prerequisite."]}


def test_circles_and_what_is_too_long_are_refused(add, project, environment, checkout, payments):
    middle = make_feature(project, name="middle")
    add(checkout, middle)
    add(middle, payments)

    refused = add(payments, checkout)

    assert refused.status_code == 400
    assert refused.json() == {
        "required_feature": [
            "Prerequisites must not form a circle: 'payments' → 'checkout' → 'middle' → 'payments'."
        ]
    }
    # Only in one environment: in another they may need each other the other way round.
    other = Environment.objects.create(project=project, name="Staging")
    assert add_prerequisite(other, feature_id=payments.pk, required_feature_id=checkout.pk, author=None)

    last = payments
    for _ in range(LONGEST_CHAIN - 2):
        further = make_feature(project)
        assert add(last, further).status_code == 201
        last = further
    assert add(last, make_feature(project)).json() == {
        "required_feature": [f"At most {LONGEST_CHAIN} features in a row can need each other."]
    }


def test_a_feature_has_so_many_prerequisites_at_most(add, project, environment, checkout):
    Prerequisite.objects.bulk_create(
        Prerequisite(environment=environment, feature=checkout, required_feature=make_feature(project))
        for _ in range(MOST_PER_FEATURE)
    )

    refused = add(checkout, make_feature(project))

    assert refused.json() == {"feature": [f"A feature has at most {MOST_PER_FEATURE} prerequisites."]}


def test_the_database_refuses_circles_whoever_makes_them(environment, checkout, payments):
    Prerequisite.objects.create(environment=environment, feature=checkout, required_feature=payments)

    with pytest.raises(IntegrityError, match="circle"), transaction.atomic():
        Prerequisite.objects.create(environment=environment, feature=payments, required_feature=checkout)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_would_close_a_circle_together_one_is_refused(project, environment):
    names = ("a", "b", "c")
    a, b, c = (make_feature(project, name=name) for name in names)

    def adds(feature: Feature, required: Feature) -> Any:
        """By the service, or past it, as an import or a shell might."""
        return lambda: add_prerequisite(
            environment, feature_id=feature.pk, required_feature_id=required.pk, author=None
        )

    def inserts(feature: Feature, required: Feature) -> Any:
        return lambda: Prerequisite.objects.create(
            environment=environment, feature=feature, required_feature=required
        )

    outcomes = at_once(adds(a, b), adds(b, c), adds(c, a))
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert [type(each) for each in refused] == [InvalidInput]
    assert Prerequisite.objects.count() == 2

    Prerequisite.objects.all().delete()
    outcomes = at_once(inserts(a, b), inserts(b, c), inserts(c, a))
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert [type(each) for each in refused] == [IntegrityError]


def test_what_others_need_can_neither_go_nor_be_archived(
    add, admin_client, project, environment, checkout, payments, green
):
    add(checkout, payments, variant="green")
    feature = f"/api/v1/projects/{project.pk}/features/{payments.pk}/"
    option = f"{feature}mv-options/{green.pk}/"
    who = "it is a prerequisite of 'checkout' in environment 'Production'."

    refused = [
        (admin_client.delete(feature), f"Feature 'payments' can't be deleted: {who}"),
        (
            admin_client.patch(feature, {"is_archived": True}, "json"),
            f"Feature 'payments' can't be archived: {who}",
        ),
        (admin_client.delete(option), f"The variant 'green' has to stay as it is: {who}"),
        (
            admin_client.patch(option, {"key": "blue"}, "json"),
            f"The variant 'green' has to stay as it is: {who}",
        ),
        (
            admin_client.patch(feature, {"multivariate_options": []}, "json"),
            f"The variant 'green' has to stay as it is: {who}",
        ),
    ]

    for response, reason in refused:
        assert (response.status_code, response.json()["detail"]) == (409, reason)
    assert admin_client.patch(option, {"default_percentage_allocation": 20}, "json").status_code == 200
    # Whoever needs it may go first, or go along.
    assert admin_client.delete(f"/api/v1/projects/{project.pk}/features/{checkout.pk}/").status_code == 204
    assert admin_client.delete(option).status_code == 204
    assert admin_client.delete(feature).status_code == 204


def test_an_import_replaces_what_is_needed_only_together_with_who_needs_it(
    add, admin_client, environment, checkout, payments
):
    add(checkout, payments)

    def send(*names: str) -> Any:
        file = SimpleUploadedFile("flags.json", json.dumps([{"name": name} for name in names]).encode())
        body = {"file": file, "strategy": "OVERWRITE_DESTRUCTIVE"}
        return admin_client.post(f"/api/v1/features/feature-import/{environment.pk}", body, "multipart")

    refused = send("payments")

    assert refused.status_code == 400
    assert refused.json()["file"] == [
        "Feature 'payments' can't be replaced: "
        "it is a prerequisite of 'checkout' in environment 'Production'."
    ]
    assert send("payments", "checkout").status_code < 300


def test_a_cloned_environment_has_the_same_prerequisites(add, admin_client, environment, checkout, payments):
    add(checkout, payments, value="red")

    response = admin_client.post(
        f"/api/v1/environments/{environment.api_key}/clone/", {"name": "Staging"}, "json"
    )

    assert response.status_code == 200, response.content
    copy = Prerequisite.objects.exclude(environment=environment).get()
    assert (copy.environment.name, copy.feature, copy.required_feature, copy.value) == (
        "Staging",
        checkout,
        payments,
        "red",
    )


def test_a_permission_for_some_tags_is_for_features_that_carry_one(
    organisation, project, environment, checkout, payments, client_of
):
    tag = Tag.objects.create(project=project, label="mine")
    checkout.tags.add(tag)
    user = make_user()
    organisation.memberships.create(user=user)
    grant(user, project, "VIEW_PROJECT")
    grant(user, environment, "UPDATE_FEATURE_STATE", tags=(tag.pk,))
    client = client_of(user)

    def post(feature: Feature, required: Feature) -> int:
        body = {"feature": feature.pk, "required_feature": required.pk}
        return int(client.post(url(environment), body, "json").status_code)

    assert post(payments, checkout) == 403
    assert post(checkout, payments) == 201


def test_where_changes_need_approval_only_an_emergency_changes_them(
    add, admin_client, environment, checkout, payments
):
    made = url(environment, add(checkout, payments).json()["id"])
    environment.minimum_change_request_approvals = 1
    environment.save()

    refused = [
        add(payments, make_feature(environment.project)),
        admin_client.patch(made, {"enabled": False}, "json"),
        admin_client.delete(made),
    ]

    assert [each.status_code for each in refused] == [403, 403, 403]
    assert Prerequisite.objects.get().enabled
    emergency = {"X-Burgee-Break-Glass": "The shop is down"}
    assert admin_client.delete(made, headers=emergency).status_code == 204
