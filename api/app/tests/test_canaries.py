"""The plugin that watches for secrets sees each place where one could come out."""

import logging

import jwt
import pytest
from django.apps import apps
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpResponse
from django.urls import path
from rest_framework.authtoken.models import Token

from app.tests.canaries import COLUMNS, look_at_audit_records, watching
from audit.models import RelatedObjectType
from audit.services import record
from organisations.tests.factories import make_key
from users.tests.factories import PASSWORD, make_user


def leaks(request):
    return HttpResponse(f"It didn't work for {request.GET['secret']}.", status=int(request.GET["status"]))


urlpatterns = [path("leaks/", leaks), path("swagger.json", leaks)]

MINTED = {
    "a password": lambda user, organisation: PASSWORD,
    "a token": lambda user, organisation: Token.objects.create(user=user).key,
    "a cookie": lambda user, organisation: jwt.encode({"user": 1}, "k" * 40, "HS256"),
    "a mailed link's token": lambda user, organisation: default_token_generator.make_token(user),
    "a master key": lambda user, organisation: make_key(organisation).secret,
    "a master key's hash": lambda user, organisation: make_key(organisation).hashed_key,
}


@pytest.mark.parametrize("kind", MINTED)
def test_a_secret_in_a_log_is_seen_whatever_it_is(kind, organisation):
    with watching() as watch:
        secret = MINTED[kind](make_user(), organisation)

        logging.getLogger("burgee.test").warning("Signed in with %s", secret)

    assert watch.leaks == ["a log record of burgee.test: 'Signed in with %s'"]


def test_a_secret_in_a_logged_traceback_is_seen(environment):
    with watching() as watch:
        key = environment.server_side_keys.create(name="server").key
        try:
            raise ValueError(f"not {key}")
        except ValueError:
            logging.getLogger("burgee.test").exception("Failed")

    assert len(watch.leaks) == 1


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("where", "status", "is_seen"),
    [("leaks/", 400, True), ("leaks/", 500, True), ("leaks/", 200, False), ("swagger.json", 200, True)],
)
def test_a_secret_in_an_error_or_in_the_description_is_seen(where, status, is_seen, client, db):
    with watching() as watch:
        secret = Token.objects.create(user=make_user()).key

        client.get(f"/{where}", {"secret": secret, "status": status})

    assert bool(watch.leaks) is is_seen


def test_a_secret_in_the_audit_log_is_seen(organisation):
    with watching() as watch:
        token = Token.objects.create(user=make_user()).key

        record(
            "Token made",
            author=None,
            related_object=organisation,
            related_object_type=RelatedObjectType.FEATURE,
            organisation_id=organisation.pk,
            changes=[{"field": "key", "old": None, "new": token}],
        )
        look_at_audit_records()

    assert watch.leaks == ["the audit record 'Token made'"]


def test_what_is_no_secret_is_no_leak(environment):
    with watching() as watch:
        make_user()

        logging.getLogger("burgee.test").warning("Client key %s", environment.api_key)

    assert watch.leaks == []


def test_the_columns_that_are_watched_are_there():
    for label, columns in COLUMNS.items():
        names = {field.name for field in apps.get_model(label)._meta.get_fields()}
        assert set(columns) <= names, label
