"""Segments in /admin/: rules as JSON, held to what the API holds them to."""

import json

import pytest
from django.urls import reverse

from audit.models import AuditRecord
from segments.models import Segment
from segments.services import described, stored_rules
from segments.tests.factories import make_segment

ADD = "admin:segments_segment_add"
CHANGE = "admin:segments_segment_change"


def rules(value: str = "NL", operator: str = "EQUAL") -> list[dict[str, object]]:
    condition = {"operator": operator, "property": "country", "value": value, "description": None}
    return [
        {"type": "ALL", "rules": [{"type": "ANY", "rules": [], "conditions": [condition]}], "conditions": []}
    ]


def test_a_segment_is_made_with_its_rules(superuser_client, project):
    response = superuser_client.post(
        reverse(ADD), {"project": project.pk, "name": "Beta", "rules": json.dumps(rules())}
    )

    assert response.status_code == 302, response.context["errors"]
    assert described(stored_rules(Segment.objects.get())) == rules()
    assert AuditRecord.objects.get().log == "New Segment created: Beta"


def test_the_page_shows_the_rules_and_what_it_sends_back_changes_nothing(superuser_client, project):
    segment = make_segment(project, name="Beta")
    shown = (
        superuser_client.get(reverse(CHANGE, args=[segment.pk])).context["adminform"].form["rules"].value()
    )

    superuser_client.post(reverse(CHANGE, args=[segment.pk]), {"name": "Beta", "rules": shown})

    assert json.loads(shown) == rules("FR")
    assert not AuditRecord.objects.exists()


def test_rules_and_feature_are_changed(superuser_client, project):
    segment = make_segment(project, name="Beta")
    feature = project.features.create(name="checkout")

    response = superuser_client.post(
        reverse(CHANGE, args=[segment.pk]),
        {"name": "Beta", "feature": feature.pk, "rules": json.dumps(rules("BE"))},
    )

    segment.refresh_from_db()
    assert response.status_code == 302, response.context["errors"]
    assert described(stored_rules(segment)) == rules("BE")
    assert segment.feature_id == feature.pk


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("{", "Enter a valid JSON."),
        ('{"type": "ALL"}', "Expected a list"),
        ("[]", "This field is required."),
        (json.dumps(rules("(", "REGEX")), "regular expression"),
        (json.dumps(rules("x", "LIKE")), "is not a valid choice"),
        (json.dumps([{"type": "ALL", "rules": [{"type": "ALL", "rules": [{}]}]}]), "2 levels deep"),
    ],
)
def test_rules_that_cannot_be_are_refused_beside_the_field(superuser_client, project, sent, reason):
    response = superuser_client.post(reverse(ADD), {"project": project.pk, "name": "Beta", "rules": sent})

    assert response.status_code == 200
    assert reason in " ".join(response.context["adminform"].form.errors["rules"])
    assert not Segment.objects.exists()


def test_a_segment_is_deleted_with_a_record(superuser_client, project):
    segment = make_segment(project)

    superuser_client.post(reverse("admin:segments_segment_delete", args=[segment.pk]), {"post": "yes"})

    assert not Segment.objects.exists()
    assert AuditRecord.objects.get().log == f"Segment deleted: {segment.name}"
