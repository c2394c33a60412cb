"""Values of custom fields on features, segments and environments, over HTTP."""

from urllib.parse import urlsplit

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from audit.models import AuditRecord
from environments.models import Environment
from features.models import Feature
from metadata.models import FieldType, Value
from metadata.tests.factories import make_attachment, make_field
from metadata.validation import is_valid
from organisations.models import Organisation
from projects.models import Project
from segments.models import RuleType, Segment, SegmentRule

RULES = [{"type": "ALL", "rules": [], "conditions": []}]


class Entity:
    """One kind of entity: where it is made and changed, and what a body must have."""

    def __init__(self, kind, make, required):
        self.kind, self.make, self.required = kind, make, required

    def __str__(self):
        return self.kind

    def list_url(self, project):
        return {
            "feature": f"/api/v1/projects/{project.pk}/features/",
            "segment": f"/api/v1/projects/{project.pk}/segments/",
            "environment": f"/api/v1/environments/?project={project.pk}",
        }[self.kind]

    def url(self, entity):
        if self.kind == "environment":
            return f"/api/v1/environments/{entity.api_key}/"
        return f"{self.list_url(entity.project)}{entity.pk}/"

    def body(self, project, **more):
        return {"name": "new", "project": project.pk, **self.required, **more}


def make_segment(project, name):
    segment = Segment.objects.create(project=project, name=name)
    SegmentRule.objects.create(segment=segment, type=RuleType.ALL)
    return segment


KINDS = [
    Entity("feature", lambda project, name: Feature.objects.create(project=project, name=name), {}),
    Entity("segment", make_segment, {"rules": RULES}),
    Entity("environment", lambda project, name: Environment.objects.create(project=project, name=name), {}),
]


@pytest.fixture(params=KINDS, ids=str)
def kind(request):
    return request.param


@pytest.fixture
def entity(kind, project):
    return kind.make(project, "old")


def sent(attachment, value="BUR-1"):
    return {"model_field": attachment.pk, "field_value": value}


def values(response):
    return [(each["model_field"], each["field_value"]) for each in response.json()["metadata"]]


class TestWriting:
    def test_comes_with_a_new_entity(self, admin_client, organisation, project, kind):
        attachment = make_attachment(organisation, kind=kind.kind)

        response = admin_client.post(
            kind.list_url(project), kind.body(project, metadata=[sent(attachment)]), format="json"
        )

        assert response.status_code == 201
        assert response.json()["metadata"] == [
            {"id": Value.objects.get().pk, "model_field": attachment.pk, "field_value": "BUR-1"}
        ]

    def test_is_shown_in_lists_and_by_itself(self, admin_client, organisation, project, kind, entity):
        attachment = make_attachment(organisation, kind=kind.kind)
        Value.objects.create(attachment=attachment, value="BUR-1", **{kind.kind: entity})

        listed = admin_client.get(kind.list_url(project)).json()["results"][0]
        one = admin_client.get(kind.url(entity)).json()

        expected = [{"id": Value.objects.get().pk, **sent(attachment)}]
        assert listed["metadata"] == one["metadata"] == expected

    def test_every_update_replaces_the_whole_list(self, admin_client, organisation, project, kind, entity):
        first = make_attachment(organisation, "First", kind.kind)
        second = make_attachment(organisation, "Second", kind.kind)
        Value.objects.create(attachment=first, value="old", **{kind.kind: entity})
        body = kind.body(project, metadata=[sent(second, "new")])

        put = admin_client.put(kind.url(entity), body, format="json")

        assert put.status_code == 200
        assert values(put) == [(second.pk, "new")]

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_what_an_update_leaves_out_is_removed(
        self, admin_client, organisation, project, kind, entity, method
    ):
        attachment = make_attachment(organisation, kind=kind.kind)
        Value.objects.create(attachment=attachment, value="old", **{kind.kind: entity})

        response = getattr(admin_client, method)(kind.url(entity), kind.body(project), format="json")

        assert response.status_code == 200
        assert response.json()["metadata"] == []
        assert not Value.objects.exists()

    def test_an_id_in_the_input_moves_nothing(self, admin_client, organisation, project, kind, entity):
        attachment = make_attachment(organisation, kind=kind.kind)
        others = Value.objects.create(
            attachment=attachment, value="theirs", **{kind.kind: kind.make(project, "other")}
        )
        body = kind.body(project, metadata=[{"id": others.pk, **sent(attachment, "mine")}])

        response = admin_client.put(kind.url(entity), body, format="json")

        assert values(response) == [(attachment.pk, "mine")]
        others.refresh_from_db()
        assert (others.value, getattr(others, kind.kind).name) == ("theirs", "other")

    def test_nothing_is_audited_or_shown_to_sdks(
        self, admin_client, server_sdk_client, organisation, environment
    ):
        attachment = make_attachment(organisation, kind="environment")
        body = {"name": environment.name, "metadata": [sent(attachment, "a secret of ours")]}

        response = admin_client.put(f"/api/v1/environments/{environment.api_key}/", body, format="json")

        assert values(response) == [(attachment.pk, "a secret of ours")]
        assert not AuditRecord.objects.exists()
        document = server_sdk_client.get("/api/v1/environment-document/")
        assert document.status_code == 200
        assert b"a secret of ours" not in document.content

    def test_get_by_uuid_of_a_feature_has_none(self, admin_client, feature):
        response = admin_client.get(f"/api/v1/features/get-by-uuid/{feature.uuid}/")

        assert "metadata" not in response.json()


class TestRequired:
    @pytest.mark.parametrize("method", ["post", "put", "patch"])
    @pytest.mark.parametrize("in_project", [True, False])
    def test_must_be_there(self, admin_client, organisation, project, kind, entity, method, in_project):
        make_attachment(organisation, kind=kind.kind, required_in=project if in_project else organisation)
        url = kind.list_url(project) if method == "post" else kind.url(entity)

        response = getattr(admin_client, method)(url, kind.body(project, metadata=[]), format="json")

        assert response.status_code == 400
        assert response.json() == {"metadata": ["Missing required metadata field: Ticket"]}
        entity.refresh_from_db()
        assert entity.name == "old"

    def test_a_patch_that_does_not_mention_it_is_refused(self, admin_client, organisation, kind, entity):
        attachment = make_attachment(organisation, kind=kind.kind, required_in=organisation)
        Value.objects.create(attachment=attachment, value="BUR-1", **{kind.kind: entity})

        response = admin_client.patch(kind.url(entity), {"description": "new"}, format="json")

        assert response.status_code == 400
        assert response.json() == {"metadata": ["Missing required metadata field: Ticket"]}
        assert Value.objects.count() == 1

    def test_elsewhere_or_of_other_kinds_it_need_not(self, admin_client, organisation, project, kind, entity):
        other_project = Project.objects.create(organisation=organisation, name="Warehouse")
        other_kind = next(each.kind for each in KINDS if each is not kind)
        make_attachment(organisation, "Elsewhere", kind.kind, required_in=other_project)
        make_attachment(organisation, "Other kind", other_kind, required_in=organisation)
        make_attachment(
            organisation, "Of another project", kind.kind, project=other_project, required_in=organisation
        )

        response = admin_client.put(kind.url(entity), kind.body(project), format="json")

        assert response.status_code == 200

    def test_one_that_the_project_hides_need_not(self, admin_client, organisation, project, kind, entity):
        make_attachment(organisation, kind=kind.kind, required_in=organisation)
        make_field(organisation, project=project)

        response = admin_client.put(kind.url(entity), kind.body(project), format="json")

        assert response.status_code == 200

    def test_the_one_that_hides_it_may_be_required_itself(
        self, admin_client, organisation, project, kind, entity
    ):
        make_attachment(organisation, kind=kind.kind, required_in=organisation)
        own = make_attachment(organisation, kind=kind.kind, project=project, required_in=project)

        missing = admin_client.put(kind.url(entity), kind.body(project), format="json")
        present = admin_client.put(kind.url(entity), kind.body(project, metadata=[sent(own)]), format="json")

        assert missing.json() == {"metadata": ["Missing required metadata field: Ticket"]}
        assert present.status_code == 200

    def test_an_existing_entity_can_be_copied_without_it(self, admin_client, organisation, project):
        make_attachment(organisation, kind="segment", required_in=organisation)
        segment = make_segment(project, "old")

        response = admin_client.post(
            f"/api/v1/projects/{project.pk}/segments/{segment.pk}/clone/", {"name": "Copy"}
        )

        assert response.status_code == 201


class TestRefused:
    @pytest.mark.parametrize(
        ("type_", "value"),
        [
            ("int", "1.5"), ("int", ""), ("int", "1_000"), ("int", "٣"), ("bool", "yes"), ("bool", ""),
            ("url", "example.org"), ("url", "javascript:alert(1)"), ("url", ""),
        ],
    )  # fmt: skip
    def test_values_of_another_type(self, admin_client, organisation, project, kind, entity, type_, value):
        attachment = make_attachment(organisation, kind=kind.kind, type=type_)
        body = kind.body(project, metadata=[sent(attachment, value)])

        response = admin_client.put(kind.url(entity), body, format="json")

        assert response.status_code == 400
        assert response.json() == {"metadata": ["Invalid value for field Ticket"]}
        entity.refresh_from_db()
        assert entity.name == "old"

    @pytest.mark.parametrize(
        ("type_", "value"),
        [
            ("int", "-12"), ("int", "+7"), ("int", "9" * 2000), ("bool", "true"), ("bool", "FALSE"),
            ("url", "https://example.org/a?b=c"), ("str", ""), ("str", "x" * 2000),
            ("multiline_str", "a\nb "),
        ],
    )  # fmt: skip
    def test_no_values_of_the_type(self, admin_client, organisation, project, kind, entity, type_, value):
        attachment = make_attachment(organisation, kind=kind.kind, type=type_)
        body = kind.body(project, metadata=[sent(attachment, value)])

        response = admin_client.put(kind.url(entity), body, format="json")

        assert response.status_code == 200
        assert values(response) == [(attachment.pk, value)]

    def test_fields_of_others_look_like_unknown_ones(
        self, admin_client, organisation, project, kind, entity, stranger
    ):
        elsewhere = Organisation.objects.get(name="Other")
        other_project = Project.objects.create(organisation=organisation, name="Warehouse")
        other_kind = next(each.kind for each in KINDS if each is not kind)
        numbers = [
            make_attachment(elsewhere, "Their secret", kind.kind).pk,
            make_attachment(organisation, "Elsewhere", kind.kind, project=other_project).pk,
            make_attachment(organisation, "Other kind", other_kind).pk,
            2**31 - 1,
        ]

        for number in numbers:
            body = kind.body(project, metadata=[{"model_field": number, "field_value": "x"}])
            response = admin_client.put(kind.url(entity), body, format="json")

            assert response.status_code == 400
            assert response.json() == {"metadata": [f'Invalid pk "{number}" - object does not exist.']}
        assert not Value.objects.exists()

    @pytest.mark.parametrize(
        "wrong",
        [
            "text",
            {},
            None,
            ["text"],
            [{}],
            [{"model_field": "1"}],
            [{"model_field": "x", "field_value": "x"}],
            [{"model_field": 1, "field_value": "x" * 2001}],
            [{"model_field": 1, "field_value": None}],
            [{"model_field": 1, "field_value": "nul \x00"}],
            [{"model_field": 1, "field_value": {"a": 1}}],
            [{"model_field": 1, "field_value": "x"}] * 1001,
        ],
        ids=lambda wrong: str(wrong)[:50],
    )
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_what_is_malformed(self, admin_client, project, kind, entity, wrong, method):
        body = kind.body(project, metadata=wrong)

        response = getattr(admin_client, method)(kind.url(entity), body, format="json")

        assert response.status_code == 400
        assert list(response.json()) == ["metadata"]

    def test_two_values_for_one_field(self, admin_client, organisation, project, kind, entity):
        attachment = make_attachment(organisation, kind=kind.kind)
        body = kind.body(project, metadata=[sent(attachment, "a"), sent(attachment, "b")])

        response = admin_client.put(kind.url(entity), body, format="json")

        assert response.status_code == 400
        assert list(response.json()) == ["metadata"]


def test_a_copy_of_a_segment_has_its_values(admin_client, organisation, project):
    attachment = make_attachment(organisation, kind="segment")
    segment = make_segment(project, "old")
    Value.objects.create(attachment=attachment, segment=segment, value="BUR-1")

    response = admin_client.post(
        f"/api/v1/projects/{project.pk}/segments/{segment.pk}/clone/", {"name": "Copy"}
    )

    assert values(response) == [(attachment.pk, "BUR-1")]
    assert segment.metadata.get().value == "BUR-1"


@given(st.integers())
def test_every_integer_is_one(number):
    assert is_valid(FieldType.INT, str(number))
    assert not is_valid(FieldType.INT, f"{number}.0")


@given(st.text())
def test_what_counts_as_an_integer_can_be_read_as_one(text):
    if is_valid(FieldType.INT, text):
        int(text)


@given(st.text())
def test_what_counts_as_a_url_has_a_scheme_and_a_host(text):
    if is_valid(FieldType.URL, text):
        parts = urlsplit(text)
        assert parts.scheme
        assert parts.hostname


@given(st.sampled_from(["true", "false"]), st.lists(st.booleans(), min_size=5, max_size=5))
def test_booleans_count_in_any_case(word, capitals):
    text = "".join(
        letter.upper() if capital else letter for letter, capital in zip(word, capitals, strict=False)
    )

    assert is_valid(FieldType.BOOL, text)
    assert not is_valid(FieldType.BOOL, f"{text} ")


@given(st.text(), st.sampled_from([FieldType.STR, FieldType.MULTILINE_STR]))
def test_every_text_is_a_text(text, type_):
    assert is_valid(type_, text)


class TestTheDatabase:
    """What scripts, the admin and mistakes write is refused as well."""

    @pytest.fixture
    def elsewhere(self, stranger):
        theirs = Organisation.objects.get(name="Other")
        return Project.objects.create(organisation=theirs, name="Theirs")

    def test_keeps_definitions_in_their_organisation(self, organisation, elsewhere):
        with pytest.raises(IntegrityError, match="Project must belong"), transaction.atomic():
            make_field(organisation, project=elsewhere)

    def test_keeps_requirements_in_their_organisation(self, organisation, elsewhere):
        attachment = make_attachment(organisation)

        for place in ({"project": elsewhere}, {"organisation": elsewhere.organisation}):
            with pytest.raises(IntegrityError, match="does not match"), transaction.atomic():
                attachment.requirements.create(**place)

    def test_keeps_values_where_their_field_is(self, organisation, project, elsewhere, kind, entity):
        warehouse = Project.objects.create(organisation=organisation, name="Warehouse")
        other_kind = next(each.kind for each in KINDS if each is not kind)
        of_others = [
            make_attachment(elsewhere.organisation, kind=kind.kind),
            make_attachment(organisation, kind=kind.kind, project=warehouse),
            make_attachment(organisation, kind=other_kind),
        ]

        for attachment in of_others:
            with pytest.raises(IntegrityError, match="another kind, project or org"), transaction.atomic():
                Value.objects.create(attachment=attachment, value="x", **{kind.kind: entity})
