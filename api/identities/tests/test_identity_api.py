"""Identities and their traits over the management API."""

from datetime import UTC, datetime

import pytest

from environments.models import Environment
from identities.batches import TraitChanges
from identities.models import Identity, TraitKey
from identities.services import store_traits


def identities_url(environment: Environment, identity: Identity | None = None) -> str:
    one = f"{identity.pk}/" if identity else ""
    return f"/api/v1/environments/{environment.api_key}/identities/{one}"


def traits_url(identity: Identity, key: str | None = None) -> str:
    one = f"{TraitKey.objects.get(environment=identity.environment, key=key).pk}/" if key else ""
    return f"{identities_url(identity.environment, identity)}traits/{one}"


def make_identity(environment: Environment, identifier: str, **traits: object) -> Identity:
    store_traits([TraitChanges(environment.pk, identifier, traits)])  # type: ignore[arg-type]
    return Identity.objects.get(environment=environment, identifier=identifier)


@pytest.fixture
def identity(environment) -> Identity:
    return make_identity(environment, "kim", plan="pro", age=34, member=True, score=1.5)


@pytest.fixture
def staging(project) -> Environment:
    return Environment.objects.create(project=project, name="Staging")


class TestIdentities:
    def test_come_change_and_go(self, admin_client, environment):
        made = admin_client.post(identities_url(environment), {"identifier": "a@b"})
        identity = Identity.objects.get()
        renamed = admin_client.put(identities_url(environment, identity), {"identifier": "c@d"})
        shown = admin_client.get(identities_url(environment, identity))
        deleted = admin_client.delete(identities_url(environment, identity))

        assert made.status_code == 201
        assert made.json() == {
            "id": identity.pk,
            "identifier": "a@b",
            "environment": environment.pk,
            "last_seen": datetime.now(UTC).date().isoformat(),
        }
        assert renamed.json() == shown.json() == {**made.json(), "identifier": "c@d"}
        assert deleted.status_code == 204
        assert not Identity.objects.exists()

    def test_an_identifier_is_taken_once_in_an_environment(self, admin_client, environment, staging):
        kim, noor = make_identity(environment, "kim"), make_identity(environment, "noor")
        reason = {"identifier": ["Identity with identifier 'kim' already exists in this environment"]}

        again = admin_client.post(identities_url(environment), {"identifier": "kim"})
        renamed = admin_client.put(identities_url(environment, noor), {"identifier": "kim"})
        kept = admin_client.put(identities_url(environment, kim), {"identifier": "kim"})
        elsewhere = admin_client.post(identities_url(staging), {"identifier": "kim"})

        assert [again.status_code, renamed.status_code] == [400, 400]
        assert again.json() == renamed.json() == reason
        assert [kept.status_code, elsewhere.status_code] == [200, 201]

    @pytest.mark.parametrize("identifier", ["", None, "x" * 2001, "nul \0"])
    def test_what_cannot_be_an_identifier_is_refused(self, admin_client, environment, identifier):
        response = admin_client.post(identities_url(environment), {"identifier": identifier}, format="json")

        assert response.status_code == 400
        assert list(response.json()) == ["identifier"]

    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("", ["Kim", "kimberly", "a_b", "a%b"]),
            ("KIM", ["Kim", "kimberly"]),
            ('"Kim"', ["Kim"]),
            ('"kim"', []),
            ('"', []),
            ('""', []),
            ("%", ["a%b"]),
        ],
    )
    def test_are_searched_by_a_part_or_in_quotes_exactly(self, admin_client, environment, staging, q, found):
        for identifier in ("Kim", "kimberly", "a_b", "a%b"):
            make_identity(environment, identifier)
        make_identity(staging, "Kim")

        results = admin_client.get(identities_url(environment), {"q": q}).json()["results"]

        assert [each["identifier"] for each in results] == found

    def test_come_in_pages_in_the_order_of_their_creation(self, admin_client, environment):
        for name in ("c", "a", "b"):
            make_identity(environment, name)

        page = admin_client.get(identities_url(environment), {"page_size": 2}).json()
        rest = admin_client.get(page["next"]).json()

        assert page["count"] == 3
        assert [each["identifier"] for each in page["results"] + rest["results"]] == ["c", "a", "b"]

    def test_of_others_are_forbidden_and_of_elsewhere_not_found(
        self, admin_client, client_of, stranger, environment, staging, identity
    ):
        client = client_of(stranger)

        statuses = [
            client.get(identities_url(environment)).status_code,
            client.post(identities_url(environment), {"identifier": "x"}).status_code,
            client.delete(identities_url(environment, identity)).status_code,
            client.get(traits_url(identity)).status_code,
            admin_client.get(identities_url(staging, identity)).status_code,
            admin_client.get("/api/v1/environments/unknown/identities/").status_code,
        ]

        assert statuses == [403, 403, 403, 403, 404, 403]


class TestTraits:
    def test_are_listed_each_in_the_column_of_its_type(self, admin_client, identity):
        results = admin_client.get(traits_url(identity)).json()["results"]

        shown = {
            trait["trait_key"]: (
                trait["value_type"],
                trait["string_value"],
                trait["integer_value"],
                trait["boolean_value"],
                trait["float_value"],
            )
            for trait in results
        }
        assert shown == {
            "age": ("int", None, 34, None, None),
            "member": ("bool", None, None, True, None),
            "plan": ("unicode", "pro", None, None, None),
            "score": ("float", None, None, None, 1.5),
        }
        assert set(results[0]) == {
            "id",
            "trait_key",
            "value_type",
            "integer_value",
            "string_value",
            "boolean_value",
            "float_value",
            "created_date",
        }

    @pytest.mark.parametrize(
        ("sent", "stored"),
        [
            ({"string_value": "x"}, "x"),
            ({"string_value": ""}, ""),
            ({"value_type": "int", "integer_value": 2**40, "string_value": "x"}, 2**40),
            ({"value_type": "bool", "boolean_value": False}, False),
            ({"value_type": "float", "float_value": 2}, 2.0),
        ],
    )
    def test_are_made(self, admin_client, environment, sent, stored):
        identity = make_identity(environment, "kim")

        made = admin_client.post(traits_url(identity), {"trait_key": "new", **sent}, format="json")

        identity.refresh_from_db()
        assert made.status_code == 201
        value = identity.traits["new"]
        assert (type(value), value) == (type(stored), stored)
        assert admin_client.get(traits_url(identity, "new")).json() == made.json()

    def test_there_is_one_for_a_key(self, admin_client, identity):
        response = admin_client.post(traits_url(identity), {"trait_key": "plan", "string_value": "x"})

        assert response.status_code == 400
        assert list(response.json()) == ["trait_key"]

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"trait_key": "", "string_value": "x"}, "trait_key"),
            ({"trait_key": "x" * 201, "string_value": "x"}, "trait_key"),
            ({"string_value": "x"}, "trait_key"),
            ({"trait_key": "k", "string_value": "x" * 2001}, "string_value"),
            ({"trait_key": "k"}, "string_value"),
            ({"trait_key": "k", "value_type": "int", "integer_value": 2**63}, "integer_value"),
            ({"trait_key": "k", "value_type": "float", "float_value": "nan"}, "float_value"),
            ({"trait_key": "k", "value_type": "date"}, "value_type"),
        ],
    )
    def test_what_cannot_be_a_trait_is_refused(self, admin_client, identity, sent, field):
        response = admin_client.post(traits_url(identity), sent, format="json")

        assert response.status_code == 400
        assert list(response.json()) == [field]

    def test_are_changed_and_renamed(self, admin_client, identity):
        changed = admin_client.patch(traits_url(identity, "age"), {"integer_value": 35}, format="json")
        retyped = admin_client.put(
            traits_url(identity, "score"), {"trait_key": "score", "string_value": "high"}, format="json"
        )
        renamed = admin_client.patch(traits_url(identity, "plan"), {"trait_key": "tier"}, format="json")

        identity.refresh_from_db()
        assert [changed.status_code, retyped.status_code, renamed.status_code] == [200, 200, 200]
        assert identity.traits == {"age": 35, "score": "high", "member": True, "tier": "pro"}

    def test_cannot_take_anothers_key(self, admin_client, identity):
        response = admin_client.patch(traits_url(identity, "plan"), {"trait_key": "age"}, format="json")

        identity.refresh_from_db()
        assert response.status_code == 400
        assert identity.traits["age"] == 34

    def test_are_deleted_from_one_identity_or_from_all_of_the_environment(
        self, admin_client, environment, staging, identity
    ):
        other, elsewhere = (
            make_identity(environment, "noor", plan="x", age=1),
            make_identity(staging, "kim", age=1),
        )

        one = admin_client.delete(traits_url(identity, "plan"))
        every = admin_client.delete(traits_url(identity, "age") + "?deleteAllMatchingTraits=true")

        for each in (identity, other, elsewhere):
            each.refresh_from_db()
        assert [one.status_code, every.status_code] == [204, 204]
        assert identity.traits == {"member": True, "score": 1.5}
        assert other.traits == {"plan": "x"}
        assert elsewhere.traits == {"age": 1}

    def test_of_another_identity_are_not_found(self, admin_client, environment, identity):
        other = make_identity(environment, "noor", city="Paris")
        key = TraitKey.objects.get(key="city")

        assert admin_client.get(f"{traits_url(identity)}{key.pk}/").status_code == 404
        assert admin_client.get(traits_url(other, "city")).status_code == 200


class TestTraitKeys:
    def url(self, environment: Environment, action: str) -> str:
        return f"/api/v1/environments/{environment.api_key}/{action}/"

    def test_are_those_that_some_identity_has(self, admin_client, environment, staging, identity):
        make_identity(staging, "noor", city="Paris")
        TraitKey.objects.create(environment=environment, key="of nobody")

        keys = admin_client.get(self.url(environment, "trait-keys")).json()

        assert keys == {"keys": ["age", "member", "plan", "score"]}

    def test_a_deleted_one_is_gone_from_one_environment(self, admin_client, environment, staging, identity):
        elsewhere = make_identity(staging, "kim", plan="x")

        response = admin_client.post(self.url(environment, "delete-traits"), {"key": "plan"})

        identity.refresh_from_db()
        elsewhere.refresh_from_db()
        assert (response.status_code, response.content) == (200, b"")
        assert "plan" not in identity.traits
        assert identity.traits["age"] == 34
        assert elsewhere.traits == {"plan": "x"}

    @pytest.mark.parametrize("body", [{}, {"key": ""}, {"key": ["a"]}, {"key": "nul \0"}])
    def test_a_body_without_a_key_is_refused(self, admin_client, environment, body):
        response = admin_client.post(self.url(environment, "delete-traits"), body, format="json")

        assert response.status_code == 400
        assert response.json()["detail"] == "Couldn't delete trait keys."

    def test_of_others_are_forbidden(self, client_of, stranger, environment):
        client = client_of(stranger)

        assert client.get(self.url(environment, "trait-keys")).status_code == 403
        assert client.post(self.url(environment, "delete-traits"), {"key": "x"}).status_code == 403
