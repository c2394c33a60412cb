"""Identities and trait keys in /admin/."""

import json

import pytest
from django.urls import reverse

from identities.batches import TraitChanges
from identities.models import Identity, TraitKey
from identities.services import store_traits
from identities.traits import from_column

ADD = "admin:identities_identity_add"
CHANGE = "admin:identities_identity_change"
LIST = "admin:identities_identity_changelist"


@pytest.fixture
def identity(environment) -> Identity:
    store_traits([TraitChanges(environment.pk, "kim", {"plan": "pro", "age": 34, "big": 1e20})])
    return Identity.objects.get()


def test_an_identity_is_made_with_traits(superuser_client, environment):
    response = superuser_client.post(
        reverse(ADD),
        {"environment": environment.pk, "identifier": "kim", "traits": '{"plan": "pro", "big": 1e20}'},
    )

    assert response.status_code == 302, response.context["errors"]
    assert from_column(Identity.objects.get().traits) == {"plan": "pro", "big": 1e20}
    assert set(TraitKey.objects.values_list("key", flat=True)) == {"plan", "big"}


def test_traits_are_shown_as_they_were_sent_and_replaced(superuser_client, identity):
    url = reverse(CHANGE, args=[identity.pk])
    shown = superuser_client.get(url).context["adminform"].form["traits"].value()

    response = superuser_client.post(url, {"identifier": "kim", "traits": '{"age": 35, "new": true}'})

    identity.refresh_from_db()
    assert json.loads(shown) == {"plan": "pro", "age": 34, "big": 1e20}
    assert response.status_code == 302
    assert identity.traits == {"age": 35, "new": True}


def test_a_renamed_identity_keeps_its_traits(superuser_client, identity):
    traits = json.dumps(from_column(identity.traits))

    superuser_client.post(reverse(CHANGE, args=[identity.pk]), {"identifier": "noor", "traits": traits})

    identity.refresh_from_db()
    assert identity.identifier == "noor"
    assert from_column(identity.traits) == {"plan": "pro", "age": 34, "big": 1e20}


def test_a_taken_identifier_is_refused_with_the_reason(superuser_client, environment, identity):
    response = superuser_client.post(
        reverse(ADD), {"environment": environment.pk, "identifier": "kim", "traits": ""}, follow=True
    )

    assert "already exists in this environment" in response.content.decode()
    assert Identity.objects.count() == 1


@pytest.mark.parametrize(
    "traits",
    ["[1]", "{", '{"": 1}', '{"plan": null}', json.dumps({"k" * 201: 1}), json.dumps({"k": "x" * 2001})],
)
def test_what_cannot_be_traits_is_refused_beside_the_field(superuser_client, environment, traits):
    response = superuser_client.post(
        reverse(ADD), {"environment": environment.pk, "identifier": "kim", "traits": traits}
    )

    assert response.status_code == 200
    assert "traits" in response.context["adminform"].form.errors
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    ("q", "found"), [("KIM", ["kim", "kimberly"]), ('"kim"', ["kim"]), ('"Kim"', []), ("nobody", [])]
)
def test_identities_are_searched_by_a_part_or_in_quotes_exactly(
    superuser_client, environment, identity, q, found
):
    Identity.objects.create(environment=environment, identifier="kimberly")

    response = superuser_client.get(reverse(LIST), {"q": q})

    assert sorted(each.identifier for each in response.context["cl"].result_list) == found


def test_a_trait_is_taken_away_from_all_identities(superuser_client, identity):
    key = TraitKey.objects.get(key="plan")

    superuser_client.post(
        reverse("admin:identities_traitkey_changelist"),
        {"action": "remove_everywhere", "_selected_action": [key.pk]},
    )

    identity.refresh_from_db()
    assert set(identity.traits) == {"age", "big"}


def test_a_deleted_identity_is_gone(superuser_client, identity):
    superuser_client.post(reverse("admin:identities_identity_delete", args=[identity.pk]), {"post": "yes"})

    assert not Identity.objects.exists()
