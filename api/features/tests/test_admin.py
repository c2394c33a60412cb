"""What people do with features in /admin/ goes through the same services as by API."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditRecord
from environments.models import Environment
from features.forms import parsed_value
from features.models import Feature, FeatureSegment, FeatureState, MultivariateOption
from features.tests.factories import default_state, make_feature, make_option, make_segment_override
from identities.models import Identity
from organisations.models import Organisation
from permissions.tests.factories import grant
from projects.models import Project, Tag
from segments.tests.factories import make_segment

NO_ROWS = {"-TOTAL_FORMS": 0, "-INITIAL_FORMS": 0}


def url(model: str, page: str, *arguments: object) -> str:
    return reverse(f"admin:features_{model}_{page}", args=arguments)


def rows(prefix: str, *forms: dict[str, object], initial: int = 0) -> dict[str, object]:
    """Return what a browser sends of an inline table."""
    data: dict[str, object] = {f"{prefix}-TOTAL_FORMS": len(forms), f"{prefix}-INITIAL_FORMS": initial}
    for index, form in enumerate(forms):
        data |= {f"{prefix}-{index}-{name}": value for name, value in form.items()}
    return data


def no_states() -> dict[str, object]:
    return rows("feature_states")


def logs() -> list[str]:
    return list(AuditRecord.objects.order_by("pk").values_list("log", flat=True))


class TestFeatures:
    def form(self, **fields: object) -> dict[str, object]:
        return {
            "name": "checkout",
            "initial_value": "blue",
            "description": "",
            **rows("multivariate_options"),
            **no_states(),
            **fields,
        }

    def test_are_made_with_states_variants_tags_and_owners(
        self, superuser_client, project, environment, member
    ):
        grant(member, project, "VIEW_PROJECT")
        tag = Tag.objects.create(project=project, label="beta")
        variants = rows(
            "multivariate_options",
            {"value_type": "int", "value_text": "7", "key": "", "default_percentage_allocation": 30},
            {"value_type": "bool", "value_text": "true", "key": "on", "default_percentage_allocation": 70},
        )

        response = superuser_client.post(
            url("feature", "add"),
            self.form(project=project.pk, tags=[tag.pk], owners=[member.pk], **variants),
        )

        assert response.status_code == 302, response.context["errors"]
        feature = Feature.objects.get()
        assert feature.type == "MULTIVARIATE"
        assert [option.value for option in feature.multivariate_options.all()] == [7, True]
        assert (list(feature.tags.all()), list(feature.owners.all())) == ([tag], [member])
        assert default_state(feature, environment).value == "blue"
        assert logs()[:2] == ["New Flag / Remote Config created: checkout"] * 2

    def test_are_the_authors_where_no_owner_is_chosen(self, superuser_client, project):
        superuser_client.post(url("feature", "add"), self.form(project=project.pk))

        assert Feature.objects.get().owners.get().is_superuser

    def test_are_changed_with_their_variants(self, superuser_client, project, feature, member):
        kept, gone = make_option(feature, "red", 10), make_option(feature, "green", 10)
        feature.owners.add(member)
        variants = rows(
            "multivariate_options",
            {
                "id": kept.pk,
                "feature": feature.pk,
                "value_type": "unicode",
                "value_text": "crimson",
                "key": "",
                "default_percentage_allocation": 20,
            },
            {
                "id": gone.pk,
                "feature": feature.pk,
                "value_type": "unicode",
                "value_text": "green",
                "key": "",
                "default_percentage_allocation": 10,
                "DELETE": "on",
            },
            initial=2,
        )

        response = superuser_client.post(
            url("feature", "change", feature.pk),
            {"description": "Changed", "is_archived": "on", **variants, **no_states()},
        )

        assert response.status_code == 302, response.context["errors"]
        feature.refresh_from_db()
        assert (feature.name, feature.description, feature.is_archived) == ("new_checkout", "Changed", True)
        option = MultivariateOption.objects.get()
        assert (option.pk, option.value) == (kept.pk, "crimson")
        assert not feature.owners.exists()
        assert "Flag / Remote Config updated: new_checkout" in logs()

    def test_a_name_that_is_taken_is_refused_with_the_reason(self, superuser_client, project, feature):
        response = superuser_client.post(
            url("feature", "add"), self.form(project=project.pk, name=feature.name.upper()), follow=True
        )

        assert "already exists" in response.content.decode()
        assert Feature.objects.count() == 1

    def test_shares_above_100_percent_are_refused_and_change_nothing(self, superuser_client, feature):
        option = make_option(feature, "red", 10)
        row = {"feature": feature.pk, "value_type": "unicode", "key": "", "default_percentage_allocation": 60}
        variants = rows(
            "multivariate_options",
            {**row, "id": option.pk, "value_text": "a"},
            {**row, "value_text": "b"},
            initial=1,
        )

        response = superuser_client.post(
            url("feature", "change", feature.pk),
            {"description": "x", **variants, **no_states()},
            follow=True,
        )

        option.refresh_from_db()
        feature.refresh_from_db()
        assert "Invalid percentage allocation" in response.content.decode()
        assert (option.default_percentage_allocation, feature.description) == (10, None)

    def test_are_deleted_one_by_one_or_many(self, superuser_client, project, environment):
        one, two, three = (make_feature(project) for _ in range(3))

        superuser_client.post(url("feature", "delete", one.pk), {"post": "yes"})
        superuser_client.post(
            url("feature", "changelist"),
            {"action": "delete_selected", "_selected_action": [two.pk, three.pk], "post": "yes"},
        )

        assert not Feature.objects.exists()
        assert not FeatureState.objects.exists()
        deleted = {f"Flag / Remote Config Deleted: {each.name}" for each in (one, two, three)}
        assert (len(logs()), set(logs())) == (3, deleted)

    def test_the_page_shows_default_states_without_a_query_for_each(self, superuser_client, project, feature):
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                response = superuser_client.get(url("feature", "change", feature.pk))
            assert "blue" in response.content.decode()
            return len(captured)

        Environment.objects.create(project=project, name="E0")
        queries()  # reads content types, once a process
        few = queries()
        for number in range(1, 10):
            Environment.objects.create(project=project, name=f"E{number}")

        assert queries() == few


class TestFeatureStates:
    def test_are_changed_with_their_shares(self, superuser_client, feature, environment):
        option = make_option(feature, "red", 10)
        state = default_state(feature, environment)
        allocation = option.allocations.get()
        shares = rows(
            "multivariate_feature_state_values",
            {
                "id": allocation.pk,
                "feature_state": state.pk,
                "multivariate_feature_option": option.pk,
                "percentage_allocation": 25,
            },
            initial=1,
        )

        response = superuser_client.post(
            url("featurestate", "change", state.pk),
            {"enabled": "on", "value_type": "int", "value_text": "42", **shares},
        )

        assert response.status_code == 302, response.context["errors"]
        state.refresh_from_db()
        allocation.refresh_from_db()
        assert (state.enabled, state.value, allocation.percentage_allocation) == (True, 42, 25)
        assert logs() == [
            "Flag state updated for feature: new_checkout",
            "Remote config value updated for feature: new_checkout",
            "Multivariate value changed for feature 'new_checkout'.",
        ]

    def test_a_saved_form_that_changes_nothing_records_nothing(self, superuser_client, feature, environment):
        state = default_state(feature, environment)

        superuser_client.post(
            url("featurestate", "change", state.pk),
            {
                "value_type": "unicode",
                "value_text": "blue",
                **rows("multivariate_feature_state_values"),
            },
        )

        assert logs() == []

    def test_an_override_is_made_for_an_identity(self, superuser_client, feature, environment):
        identity = Identity.objects.create(environment=environment, identifier="kim")

        response = superuser_client.post(
            url("featurestate", "add"),
            {
                "feature": feature.pk,
                "environment": environment.pk,
                "identity": identity.pk,
                "enabled": "on",
                "value_type": "unicode",
                "value_text": "",
                **rows("multivariate_feature_state_values"),
            },
        )

        assert response.status_code == 302, response.context["errors"]
        state = FeatureState.objects.get(identity=identity)
        assert (state.enabled, state.value) == (True, None)

    def test_parts_that_do_not_belong_together_are_refused(self, superuser_client, feature, environment):
        project = Project.objects.create(
            organisation=Organisation.objects.create(name="Elsewhere"), name="Foreign"
        )
        foreign = Environment.objects.create(project=project, name="Foreign")

        response = superuser_client.post(
            url("featurestate", "add"),
            {
                "feature": feature.pk,
                "environment": foreign.pk,
                "value_type": "unicode",
                **rows("multivariate_feature_state_values"),
            },
            follow=True,
        )

        assert "Feature does not exist in project" in response.content.decode()
        assert not FeatureState.objects.filter(environment=foreign).exists()


class TestSegmentOverrides:
    def test_are_made_moved_and_deleted(self, superuser_client, project, environment, feature):
        make_segment_override(feature, environment, make_segment(project, name="first"))
        segment = make_segment(project, name="second")

        made = superuser_client.post(
            url("featuresegment", "add"),
            {
                "feature": feature.pk,
                "environment": environment.pk,
                "segment": segment.pk,
                "priority": "",
                "enabled": "on",
                "value_type": "unicode",
                "value_text": "red",
            },
        )
        place = FeatureSegment.objects.get(segment=segment)
        last = place.priority
        moved = superuser_client.post(url("featuresegment", "change", place.pk), {"priority": 0})
        place.refresh_from_db()

        assert [made.status_code, moved.status_code] == [302, 302]
        assert (last, place.priority) == (1, 0)
        assert place.feature_states.get().value == "red"
        assert list(FeatureSegment.objects.values_list("segment__name", "priority")) == [
            ("second", 0),
            ("first", 1),
        ]

        superuser_client.post(url("featuresegment", "delete", place.pk), {"post": "yes"})

        assert list(FeatureSegment.objects.values_list("segment__name", "priority")) == [("first", 0)]
        assert logs() == [
            "Segment override created for feature 'new_checkout' and segment 'second'",
            "Segment overrides re-ordered for feature 'new_checkout'.",
            "Flag state / Remote config value deleted for feature 'new_checkout' and segment 'second'",
        ]


class TestVariants:
    def test_are_made_changed_and_deleted(self, superuser_client, feature, environment):
        form = {
            "feature": feature.pk,
            "key": "red",
            "value_type": "unicode",
            "value_text": "red",
            "default_percentage_allocation": 10,
        }

        made = superuser_client.post(url("multivariateoption", "add"), form)
        option = MultivariateOption.objects.get()
        changed = superuser_client.post(
            url("multivariateoption", "change", option.pk), {**form, "value_text": "crimson"}
        )
        option.refresh_from_db()
        superuser_client.post(url("multivariateoption", "delete", option.pk), {"post": "yes"})

        assert [made.status_code, changed.status_code] == [302, 302]
        assert option.value == "crimson"
        assert not MultivariateOption.objects.exists()
        assert logs()[0] == "Multivariate option added to feature 'new_checkout'."


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("unicode", "", None),
        ("unicode", " a\r\nb", " a\nb"),
        ("int", "-5", -5),
        ("int", "", None),
        ("bool", "True", True),
        ("bool", "false", False),
    ],
)
def test_a_value_is_read_from_its_text(type_, text, value):
    assert parsed_value(type_, text) == value


@pytest.mark.parametrize(
    ("type_", "text"),
    [("int", "x"), ("int", "2147483648"), ("bool", "yes"), ("unicode", "x" * 20_001)],
)
def test_a_text_that_is_no_value_is_refused(type_, text):
    with pytest.raises(ValueError, match=r"."):
        parsed_value(type_, text)
