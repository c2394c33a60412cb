"""`projects/{id}/segments/`: what clients may ask and say of segments."""

import pytest

from audit.models import AuditRecord
from organisations.models import Organisation
from projects.models import Project
from segments.models import Condition, Segment, SegmentRevision, SegmentRule
from segments.services import update_segment
from segments.tests.factories import make_segment


def segments_url(project: Project, segment: Segment | None = None, action: str = "") -> str:
    one = f"{segment.pk}/" if segment else ""
    return f"/api/v1/projects/{project.pk}/segments/{one}{action}"


def condition(operator: str = "EQUAL", value: object = "FR", **fields: object) -> dict[str, object]:
    return {"operator": operator, "property": "country", "value": value, **fields}


def tree(*conditions: dict[str, object]) -> list[dict[str, object]]:
    """The form that dashboards write: one rule of type ALL that holds others, which hold conditions."""
    return [
        {
            "type": "ALL",
            "conditions": [],
            "rules": [{"type": "ANY", "rules": [], "conditions": list(conditions)}],
        }
    ]


def without_ids(rules: list[dict]) -> list[dict]:
    return [
        {
            key: without_ids(value) if isinstance(value, list) else value
            for key, value in rule.items()
            if key != "id"
        }
        for rule in rules
    ]


class TestCreating:
    def test_stores_the_rules_and_answers_the_whole_segment(self, admin_client, project):
        rules = tree(
            condition(description=""),
            {"operator": "PERCENTAGE_SPLIT", "property": "", "value": "20", "description": None},
        )

        response = admin_client.post(
            segments_url(project),
            {"name": "Beta in France", "description": "", "feature": None, "metadata": [], "rules": rules},
            format="json",
        )

        assert response.status_code == 201
        shown = response.json()
        segment = Segment.objects.get()
        assert without_ids(shown.pop("rules")) == [
            {
                "type": "ALL",
                "conditions": [],
                "rules": [{"type": "ANY", "conditions": rules[0]["rules"][0]["conditions"]}],  # type: ignore[index]
            }
        ]
        assert shown == {
            "id": segment.pk,
            "uuid": str(segment.uuid),
            "name": "Beta in France",
            "description": "",
            "project": project.pk,
            "feature": None,
            "version_of": segment.pk,
            "metadata": [],
            "membership_counts": [],
            "managed_by": "",
            "created_at": segment.created_at.isoformat().replace("+00:00", "Z"),
            "updated_at": segment.updated_at.isoformat().replace("+00:00", "Z"),
        }
        record = AuditRecord.objects.get()
        assert (record.log, record.environment) == ("New Segment created: Beta in France", None)

    @pytest.mark.parametrize(
        ("sent", "stored"),
        [(5, "5"), (True, "True"), (None, None), (1.5, "1.5"), (["a", 1], '["a", 1]'), (" x ", " x ")],
    )
    def test_a_value_is_stored_as_text(self, admin_client, project, sent, stored):
        response = admin_client.post(
            segments_url(project), {"name": "s", "rules": tree(condition(value=sent))}, format="json"
        )

        assert response.status_code == 201
        assert Condition.objects.get().value == stored

    def test_the_project_is_the_paths(self, admin_client, organisation, project):
        sibling = Project.objects.create(organisation=organisation, name="Sibling")

        response = admin_client.post(
            segments_url(project),
            {"name": "s", "project": sibling.pk, "rules": tree(condition())},
            format="json",
        )

        assert response.json()["project"] == project.pk

    @pytest.mark.parametrize(
        ("rules", "reason"),
        [
            ([], {"rules": ["This list may not be empty."]}),
            (None, {"rules": ["This field may not be null."]}),
            ([{"type": "ALL", "delete": True}], {"rules": ["This list may not be empty."]}),
            (
                [{"type": "ALL", "rules": [{"type": "ALL", "rules": [{"type": "ALL"}]}]}],
                {"segment": ["Rules must not be nested more than 2 levels deep."]},
            ),
            (
                tree(*[condition()] * 101),
                {
                    "segment": [
                        "The segment has 101 conditions, which exceeds the maximum condition count of 100."
                    ]
                },
            ),
        ],
    )
    def test_rules_that_cannot_be_are_refused(self, admin_client, project, rules, reason):
        response = admin_client.post(segments_url(project), {"name": "s", "rules": rules}, format="json")

        assert response.status_code == 400
        assert response.json() == reason
        assert not Segment.objects.exists()

    @pytest.mark.parametrize(
        ("operator", "value"),
        [
            ("REGEX", "("),
            ("REGEX", "(?=look)ahead"),
            ("PERCENTAGE_SPLIT", "many"),
            ("PERCENTAGE_SPLIT", "101"),
            ("PERCENTAGE_SPLIT", "nan"),
            ("PERCENTAGE_SPLIT", None),
            ("MODULO", "4"),
            ("MODULO", "0|1"),
            ("MODULO", "a|b"),
            ("GREATER_THAN", "1.0:semver"),
            ("EQUAL", "x" * 1001),
            ("LIKE", "x"),
        ],
    )
    def test_conditions_that_can_never_be_evaluated_are_refused(self, admin_client, project, operator, value):
        response = admin_client.post(
            segments_url(project), {"name": "s", "rules": tree(condition(operator, value))}, format="json"
        )

        assert response.status_code == 400
        assert list(response.json()) == ["rules"]
        assert not SegmentRule.objects.exists()

    def test_the_refusal_names_the_conditions(self, admin_client, project):
        rules = tree(
            condition(),
            {"operator": "REGEX", "property": "email", "value": "("},
            {"operator": "PERCENTAGE_SPLIT", "value": "many"},
        )

        response = admin_client.post(segments_url(project), {"name": "s", "rules": rules}, format="json")

        assert response.json() == {
            "rules": [
                "Condition 2 (email REGEX): Not a usable regular expression: "
                "missing ), unterminated subpattern at position 0",
                "Condition 3 (PERCENTAGE_SPLIT): The value of a PERCENTAGE_SPLIT is a number from 0 to 100.",
            ]
        }

    @pytest.mark.parametrize(
        ("operator", "value"),
        [
            ("REGEX", r"^\d+@example\.org$"),
            ("PERCENTAGE_SPLIT", "0.5"),
            ("PERCENTAGE_SPLIT", 20),
            ("MODULO", "4|3"),
            ("MODULO", "2.5|0"),
            ("IN", "a,b"),
            ("IS_SET", ""),
            ("IS_NOT_SET", None),
            ("GREATER_THAN", "1.0.0:semver"),
        ],
    )
    def test_conditions_that_can_are_taken(self, admin_client, project, operator, value):
        response = admin_client.post(
            segments_url(project), {"name": "s", "rules": tree(condition(operator, value))}, format="json"
        )

        assert response.status_code == 201

    def test_the_feature_is_of_the_same_project(self, admin_client, organisation, project, feature):
        sibling = Project.objects.create(organisation=organisation, name="Sibling")
        body = {"name": "s", "feature": feature.pk, "rules": tree(condition())}

        here = admin_client.post(segments_url(project), body, format="json")
        elsewhere = admin_client.post(segments_url(sibling), body, format="json")

        assert (here.status_code, here.json()["feature"]) == (201, feature.pk)
        assert elsewhere.status_code == 400
        assert elsewhere.json() == {"feature": ["Feature does not exist in project"]}


class TestChanging:
    def test_a_put_replaces_all_rules_and_ignores_their_ids(self, admin_client, project):
        segment, other = make_segment(project), make_segment(project)
        foreign_rule = other.rules.first()
        assert foreign_rule
        rules = tree(
            condition(value="NL", id=Condition.objects.filter(rule__segment=other).get().pk),
            condition(value="BE", delete=True),
        )
        rules[0]["id"] = foreign_rule.pk

        response = admin_client.put(
            segments_url(project, segment), {"name": "Changed", "rules": rules}, format="json"
        )

        assert (response.status_code, response.json()["id"]) == (200, segment.pk)
        shown = response.json()["rules"][0]["rules"][0]["conditions"]
        assert [each["value"] for each in shown] == ["NL"]
        assert other.rules.filter(pk=foreign_rule.pk).exists()
        assert segment.revisions.get().content["name"] == segment.name
        assert Condition.objects.filter(rule__segment=other).get().value == "FR"
        assert AuditRecord.objects.get().log == "Segment updated: Changed"

    def test_a_patch_without_rules_keeps_them(self, admin_client, project):
        segment = make_segment(project)
        before = list(segment.rules.values_list("pk", flat=True))

        response = admin_client.patch(segments_url(project, segment), {"name": "Renamed"}, format="json")

        assert response.json()["name"] == "Renamed"
        assert list(segment.rules.values_list("pk", flat=True)) == before

    def test_a_put_needs_rules(self, admin_client, project):
        response = admin_client.put(
            segments_url(project, make_segment(project)), {"name": "x"}, format="json"
        )

        assert response.json() == {"rules": ["This field is required."]}

    def test_a_refused_one_leaves_name_and_rules(self, admin_client, project):
        segment = make_segment(project, name="Before")
        before = list(segment.rules.values_list("pk", flat=True))

        response = admin_client.put(
            segments_url(project, segment),
            {"name": "After", "rules": tree(condition("REGEX", "("))},
            format="json",
        )

        segment.refresh_from_db()
        assert response.status_code == 400
        assert (segment.name, list(segment.rules.values_list("pk", flat=True))) == ("Before", before)

    def test_nothing_new_is_not_recorded(self, admin_client, project):
        segment = make_segment(project)
        body = admin_client.get(segments_url(project, segment)).json()
        before = list(segment.rules.values_list("pk", flat=True))

        response = admin_client.put(segments_url(project, segment), body, format="json")

        assert response.status_code == 200
        assert not AuditRecord.objects.exists()
        assert not segment.revisions.exists()
        assert list(segment.rules.values_list("pk", flat=True)) == before

    def test_what_it_was_is_kept_and_shows_nowhere(self, admin_client, project):
        segment = make_segment(project, name="Before", country="NL")
        shown = admin_client.get(segments_url(project, segment)).json()

        admin_client.patch(segments_url(project, segment), {"name": "After"}, format="json")
        admin_client.patch(segments_url(project, segment), {"rules": tree(condition())}, format="json")
        refused = admin_client.patch(segments_url(project, segment), {"rules": []}, format="json")

        first, second = segment.revisions.all()
        assert refused.status_code == 400
        assert (first.content["name"], second.content["name"]) == ("Before", "After")
        assert first.content["rules"] == second.content["rules"]
        assert without_ids(first.content["rules"]) == [
            {**rule, "rules": [{"rules": [], **nested} for nested in rule["rules"]]}
            for rule in without_ids(shown["rules"])
        ]
        assert admin_client.get(segments_url(project)).json()["count"] == 1
        assert admin_client.get(f"/api/v1/projects/{project.pk}/").json()["total_segments"] == 1
        assert admin_client.get(f"/api/v1/segments/get-by-uuid/{segment.uuid}/").json()["name"] == "After"

        admin_client.delete(segments_url(project, segment))

        assert not SegmentRevision.objects.exists()

    def test_more_conditions_than_allowed_may_stay_and_not_grow(self, admin_client, project, settings):
        segment = make_segment(project)
        three = tree(*[condition(value=str(number)) for number in range(3)])
        admin_client.patch(segments_url(project, segment), {"rules": three}, format="json")
        settings.SEGMENT_RULES_CONDITIONS_LIMIT = 2

        def status(number: int) -> int:
            rules = tree(*[condition(value=f"new {each}") for each in range(number)])
            return admin_client.put(
                segments_url(project, segment), {"name": "s", "rules": rules}, format="json"
            ).status_code

        assert [status(4), status(3), status(2), status(3)] == [400, 200, 200, 400]

    def test_a_change_is_made_to_what_is_stored_now(self, admin, project):
        read_by_one, read_by_other = [make_segment(project, name="Before")] * 2
        read_by_other = Segment.objects.get(pk=read_by_other.pk)

        update_segment(read_by_one, author=admin, name="After")
        update_segment(read_by_other, author=admin, name="Before")

        assert Segment.objects.get().name == "Before"
        assert AuditRecord.objects.count() == 2


class TestSegmentsThatPeopleDoNotKeep:
    def test_a_system_segment_is_hidden(self, admin_client, project):
        segment = make_segment(project, is_system_segment=True)
        body = {"name": "mine", "rules": tree(condition())}

        statuses = [
            admin_client.get(segments_url(project, segment)).status_code,
            admin_client.get(f"/api/v1/segments/get-by-uuid/{segment.uuid}/").status_code,
            admin_client.put(segments_url(project, segment), body, format="json").status_code,
            admin_client.delete(segments_url(project, segment)).status_code,
            admin_client.post(segments_url(project, segment, "clone/"), {"name": "x"}).status_code,
            admin_client.get(segments_url(project, segment, "associated-features/")).status_code,
            admin_client.get(segments_url(project, segment, "where-used/")).status_code,
        ]

        assert statuses == [404] * 7
        assert admin_client.get(segments_url(project)).json()["count"] == 0
        assert admin_client.get(f"/api/v1/projects/{project.pk}/").json()["total_segments"] == 0

    def test_one_of_a_cohort_is_shown_and_not_changed(self, admin_client, project):
        segment = make_segment(project, managed_by="cohort")
        body = {"name": "mine", "rules": tree(condition())}

        answers = [
            admin_client.put(segments_url(project, segment), body, format="json"),
            admin_client.patch(segments_url(project, segment), {"name": "mine"}, format="json"),
            admin_client.delete(segments_url(project, segment)),
            admin_client.post(segments_url(project, segment, "clone/"), {"name": "x"}),
        ]

        assert [answer.status_code for answer in answers] == [403] * 4
        assert "managed by a cohort" in answers[0].json()["detail"]
        assert admin_client.get(segments_url(project, segment)).json()["managed_by"] == "cohort"
        assert Segment.objects.get().name == segment.name

    def test_nobody_makes_one_by_saying_so(self, admin_client, project):
        body = {"name": "s", "rules": tree(condition()), "managed_by": "cohort", "is_system_segment": True}

        made = admin_client.post(segments_url(project), body, format="json")
        changed = admin_client.put(segments_url(project, Segment.objects.get()), body, format="json")

        assert (made.status_code, made.json()["managed_by"]) == (201, "")
        assert (changed.status_code, changed.json()["managed_by"]) == (200, "")
        assert not Segment.objects.get().is_system_segment

    def test_members_are_not_counted_here(self, admin_client, project):
        assert admin_client.get(segments_url(project, make_segment(project), "members/")).status_code == 404


class TestDeleting:
    def test_hides_it_and_is_recorded(self, admin_client, project):
        segment = make_segment(project)

        response = admin_client.delete(segments_url(project, segment))

        assert response.status_code == 204
        assert admin_client.get(segments_url(project, segment)).status_code == 404
        assert AuditRecord.objects.get().log == f"Segment deleted: {segment.name}"


class TestCloning:
    def test_copies_the_rules(self, admin_client, project):
        segment = make_segment(project, country="NL")

        response = admin_client.post(segments_url(project, segment, "clone/"), {"name": "Copy"})

        shown = admin_client.get(segments_url(project, segment)).json()
        assert response.status_code == 201
        assert response.json()["id"] != segment.pk
        assert response.json()["name"] == "Copy"
        assert without_ids(response.json()["rules"]) == without_ids(shown["rules"])


class TestListing:
    def test_by_part_of_the_name_and_without_those_of_one_feature(self, admin_client, project, feature):
        make_segment(project, name="Beta users")
        make_segment(project, name="Alpha", feature=feature)

        def names(**parameters: object) -> list[str]:
            results = admin_client.get(segments_url(project), parameters).json()["results"]
            return [segment["name"] for segment in results]

        assert names() == ["Beta users", "Alpha"]
        assert names(q="BETA") == ["Beta users"]
        assert names(include_feature_specific="false") == ["Beta users"]
        assert names(include_feature_specific="true", q="") == ["Beta users", "Alpha"]


class TestTenancy:
    def test_segments_of_others_are_hidden_or_forbidden(self, client_of, stranger, project):
        segment = make_segment(project)
        client = client_of(stranger)
        body = {"name": "mine", "rules": tree(condition())}

        statuses = {
            "list": client.get(segments_url(project)).status_code,
            "create": client.post(segments_url(project), body, format="json").status_code,
            "read": client.get(segments_url(project, segment)).status_code,
            "change": client.put(segments_url(project, segment), body, format="json").status_code,
            "delete": client.delete(segments_url(project, segment)).status_code,
            "clone": client.post(segments_url(project, segment, "clone/"), {"name": "x"}).status_code,
            "uuid": client.get(f"/api/v1/segments/get-by-uuid/{segment.uuid}/").status_code,
            "features": client.get(segments_url(project, segment, "associated-features/")).status_code,
        }

        assert statuses == {
            "list": 404,
            "create": 403,
            "read": 404,
            "change": 403,
            "delete": 403,
            "clone": 403,
            "uuid": 404,
            "features": 404,
        }

    def test_a_segment_is_only_found_in_its_own_project(self, admin_client, organisation, project):
        sibling = Project.objects.create(organisation=organisation, name="Sibling")
        segment = make_segment(project)

        assert admin_client.get(segments_url(sibling, segment)).status_code == 404
        assert admin_client.get(f"/api/v1/segments/get-by-uuid/{segment.uuid}/").json()["id"] == segment.pk

    def test_another_organisations_feature_is_refused(self, client_of, stranger, feature):
        organisation = Organisation.objects.get(memberships__user=stranger)
        own = Project.objects.create(organisation=organisation, name="Own")

        response = client_of(stranger).post(
            segments_url(own),
            {"name": "s", "feature": feature.pk, "rules": tree(condition())},
            format="json",
        )

        assert response.status_code == 400
