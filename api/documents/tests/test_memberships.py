"""`projects/{id}/segments/?identity=`: which segments an identity is in."""

import pytest

from environments.models import Environment
from features.tests.factories import make_feature, make_identity_override
from identities.models import Identity
from projects.models import Project
from segments.models import Condition, Operator, RuleType, Segment, SegmentRule
from segments.tests.factories import make_segment


@pytest.fixture
def identity(environment) -> Identity:
    return Identity.objects.create(environment=environment, identifier="kim", traits={"country": "FR"})


def names(client, project: Project, identity: Identity | int, **more: object) -> list[str]:
    number = identity if isinstance(identity, int) else identity.pk
    response = client.get(f"/api/v1/projects/{project.pk}/segments/", {"identity": number, **more})
    assert response.status_code == 200
    return [segment["name"] for segment in response.json()["results"]]


def segment_by(project: Project, name: str, **condition: object) -> Segment:
    segment = Segment.objects.create(project=project, name=name)
    rule = SegmentRule.objects.create(segment=segment, type=RuleType.ALL)
    Condition.objects.create(rule=rule, **condition)
    return segment


def test_by_the_traits_that_are_stored_now(admin_client, project, environment, feature, identity):
    make_segment(project, name="France", country="FR")
    make_segment(project, name="Belgium", country="BE")
    make_segment(project, name="France, for one feature", feature=feature)
    segment_by(project, "Kim", property="$.identity.identifier", operator=Operator.EQUAL, value="kim")
    segment_by(
        project,
        "Who has the override",
        property="$.flags.beta.value",
        operator=Operator.EQUAL,
        value="yes",
    )
    make_identity_override(make_feature(project, name="beta"), identity, "yes")

    before = names(admin_client, project, identity)
    Identity.objects.update(traits={"country": "BE"})

    assert before == ["France", "France, for one feature", "Kim", "Who has the override"]
    assert names(admin_client, project, identity) == ["Belgium", "Kim", "Who has the override"]
    assert names(admin_client, project, identity, q="bel", page_size=10, page=1) == ["Belgium"]


def test_of_nobody_and_of_anothers_identity_none_match(admin_client, organisation, project, identity):
    make_segment(project, name="France", country="FR")
    sibling = Project.objects.create(organisation=organisation, name="Sibling")
    make_segment(sibling, name="France", country="FR")
    elsewhere = Environment.objects.create(project=sibling, name="Production").identities.create(
        identifier="kim", traits={"country": "FR"}
    )

    assert names(admin_client, project, elsewhere) == []
    assert names(admin_client, project, 2**60) == []
    url = f"/api/v1/projects/{project.pk}/segments/?identity=kim"
    assert admin_client.get(url).json() == {"identity": ["A valid integer is required."]}
