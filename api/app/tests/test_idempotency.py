"""A POST with an `Idempotency-Key` does something once, however often it is sent."""

import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.http.request import HttpHeaders
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from app.tasks import delete_answers_to_expired_keys
from app.tests.examples import WORKING, Caller, example_of
from app.tests.forms import encoded
from app.tests.requests import the_client
from app.tests.world import build_world
from core.models import KeptAnswer
from core.tests.threads import at_once
from environments.revisions import REVISION_HEADER
from features.models import Feature
from organisations.models import MasterKey
from organisations.tests.factories import make_key
from projects.models import Tag


@pytest.fixture
def tags(project) -> str:
    return f"/api/v1/projects/{project.pk}/tags/"


def post(client, path, body, key="one", **headers):
    return client.post(path, body, format="json", headers={"Idempotency-Key": key, **headers})


def test_the_same_request_is_answered_as_the_first_was(admin_client, tags):
    first = post(admin_client, tags, {"label": "beta"})
    again = post(admin_client, tags, {"label": "beta"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (again["ETag"], again["Content-Type"]) == (first["ETag"], first["Content-Type"])
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Tag.objects.count() == 1


@pytest.mark.parametrize("other", [{"label": "gamma"}, {"label": "beta", "color": "#fff"}])
def test_a_key_is_good_for_one_request(admin_client, tags, project, other):
    post(admin_client, tags, {"label": "beta"})

    other_body = post(admin_client, tags, other)
    other_path = post(admin_client, f"/api/v1/projects/{project.pk}/features/", {"label": "beta"})

    assert [other_body.status_code, other_path.status_code] == [422, 422]
    assert other_body.json()["code"] == "idempotency_key_reused"
    assert Tag.objects.count() == 1


def test_everybody_has_keys_of_their_own(admin_client, organisation, tags, member, client_of, project):
    master_keys = [make_key(organisation, name=name) for name in ("one", "two")]
    machines = [APIClient(headers={"Authorization": f"Api-Key {key.secret}"}) for key in master_keys]
    project.grants.create(user=member, admin=True)

    answers = [
        post(client, tags, {"label": f"tag {number}"})
        for number, client in enumerate([admin_client, client_of(member), *machines])
    ]

    assert [answer.status_code for answer in answers] == [201] * 4
    assert Tag.objects.count() == 4


def test_who_may_no_longer_do_it_does_not_get_the_answer(member, client_of, organisation, project, tags):
    granted = project.grants.create(user=member, admin=True)
    post(client_of(member), tags, {"label": "beta"})

    granted.delete()

    assert post(client_of(member), tags, {"label": "beta"}).status_code == 403


def test_what_was_refused_may_be_tried_again(admin_client, tags):
    refused = post(admin_client, tags, {"label": ""})
    taken = post(admin_client, tags, {"label": "beta"})

    assert (refused.status_code, taken.status_code) == (400, 201)
    assert "Idempotent-Replayed" not in taken


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_1_to_255_characters(admin_client, tags, key):
    refused = post(admin_client, tags, {"label": "beta"}, key=key)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_idempotency_key")
    assert post(admin_client, tags, {"label": "beta"}, key="x" * 255).status_code == 201


def test_keys_mean_something_for_24_hours_and_go_by_themselves(admin_client, tags):
    post(admin_client, tags, {"label": "beta"})
    kept = KeptAnswer.objects.get()
    assert timedelta(hours=23) < kept.expires_at - timezone.now() <= timedelta(hours=24)
    KeptAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert post(admin_client, tags, {"label": "gamma"}).status_code == 201
    delete_answers_to_expired_keys()
    assert KeptAnswer.objects.count() == 1
    KeptAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    delete_answers_to_expired_keys()
    assert not KeptAnswer.objects.exists()


def test_a_secret_that_is_shown_once_is_kept_encrypted(admin, organisation):
    # Not as in other tests: no master key is made without a user who signed in.
    client = APIClient(headers={"Authorization": f"Token {Token.objects.create(user=admin).key}"})
    path = f"/api/v1/organisations/{organisation.pk}/master-api-keys/"

    first = post(client, path, {"name": "deploy"})
    again = post(client, path, {"name": "deploy"})

    assert again.json()["key"] == first.json()["key"]
    assert MasterKey.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM core_keptanswer AS t")
        (row,) = cursor.fetchone()
    assert first.json()["key"] not in row
    assert "deploy" not in row


@pytest.mark.django_db(transaction=True)
def test_the_revision_of_a_change_is_told_again(admin_client, environment, project):
    path = f"/api/v1/projects/{project.pk}/features/"

    first = post(admin_client, path, {"name": "checkout"})
    again = post(admin_client, path, {"name": "checkout"})

    assert int(first[REVISION_HEADER]) > 0
    assert again[REVISION_HEADER] == first[REVISION_HEADER]


@pytest.mark.django_db(transaction=True)
def test_of_32_at_once_one_does_it_and_the_others_wait_or_hear_of_it(admin, project, environment):
    token = Token.objects.create(user=admin).key
    path = f"/api/v1/projects/{project.pk}/features/"

    def create():
        client = APIClient(headers={"Authorization": f"Token {token}"})
        response = post(client, path, {"name": "checkout"})
        return response.status_code, response.content

    answers = at_once(*[create] * 32)

    assert Feature.objects.count() == 1
    contents = {content for status, content in answers if status == 201}
    assert len(contents) == 1
    refused = [json.loads(content)["code"] for status, content in answers if status != 201]
    assert set(refused) <= {"idempotency_key_in_use"}


def test_a_process_that_dies_leaves_neither_object_nor_answer(admin_client, tags, monkeypatch):
    keep = KeptAnswer.objects.update_or_create

    def keep_and_die(**answer):
        keep(**answer)
        raise RuntimeError

    monkeypatch.setattr(KeptAnswer.objects, "update_or_create", keep_and_die)
    admin_client.raise_request_exception = False

    assert post(admin_client, tags, {"label": "beta"}).status_code == 500

    assert not Tag.objects.exists()
    assert not KeptAnswer.objects.exists()


def test_keys_of_other_methods_and_of_sdks_mean_nothing(admin_client, sdk_client, tags):
    sdk = post(sdk_client, "/api/v1/identities/", {"identifier": "kim"})
    made = admin_client.post(tags, {"label": "beta"}, format="json").json()
    for label in ("one", "two"):
        changed = admin_client.patch(
            f"{tags}{made['id']}/", {"label": label}, format="json", headers={"Idempotency-Key": "one"}
        )
        assert changed.json()["label"] == label

    assert sdk.status_code == 200
    assert not KeptAnswer.objects.exists()


# Signing in and the second factor are between one person and the server: there is no one whose key it is yet.
POSTS = [
    route
    for route in WORKING
    if route.method == "POST"
    and example_of(route).caller in {Caller.ADMIN, Caller.MEMBER}
    and not route.path.startswith("/api/v1/auth/")
]


def is_replayed(route, world) -> bool:
    example = example_of(route)
    headers = HttpHeaders.to_wsgi_names({**example.caller.headers(world), "Idempotency-Key": "one"})
    body, content_type = encoded(example.body_in(world))
    with transaction.atomic():
        first, again = [
            the_client().generic(
                "POST",
                route.url(example.path(world)),
                body,  # type: ignore[arg-type]  # bytes are what it sends
                content_type=content_type,
                **headers,
            )
            for _ in range(2)
        ]
        transaction.set_rollback(True)
    assert 200 <= first.status_code < 300, str(route)
    same = (again.status_code, again.content) == (first.status_code, first.content)
    return same and again.get("Idempotent-Replayed") == "true"


def test_every_route_that_makes_something_knows_keys(db):
    world = build_world("acme")

    assert [str(route) for route in POSTS if not is_replayed(route, world)] == []
    assert len(POSTS) > 30
