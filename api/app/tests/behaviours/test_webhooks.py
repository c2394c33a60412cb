"""Webhooks: what they are sent of what happens, and what becomes of it where it isn't taken."""

import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from audit_log import webhook_bodies
from core.tests.receivers import OK, Receiver, answering, receiver, status
from features.models import EnvironmentFeatureVersion, Feature
from features.services.change_sets import Change, apply_change_set
from features.services.features import create_feature, delete_feature
from features.services.places import Place
from features.services.versioning import enable_versioning
from features.services.versions import serve_due_version
from features.tests.factories import default_state, make_option, make_segment_override
from identities.models import Identity
from organisations.tests.factories import make_key
from permissions.actors import Machine
from segments.tests.factories import make_segment
from tasks.models import Job
from tasks.services import run_due
from users.models import User
from webhooks.models import Delivery, Event
from webhooks.models import Receiver as WebhookReceiver
from webhooks.services import forget_old_events
from webhooks.tasks import resume_sending

# Nobody is called there: names of it are never looked up.
NOWHERE = "http://127.0.0.1:1/hook"


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


@pytest.fixture
def client(admin_client) -> APIClient:
    return admin_client


@pytest.fixture
def hooked(environment):
    """A webhook of the environment that nobody answers."""
    return environment.webhooks.create(url=NOWHERE)


def messages(kind: str | None = None) -> list[dict[str, Any]]:
    """Return what is to be said, in order."""
    bodies = [json.loads(each.body) for each in Event.objects.order_by("pk") if each.body]
    return [each["data"] for each in bodies if kind in {None, each["event_type"]}]


def sent_to(received: Receiver) -> list[dict[str, Any]]:
    return [json.loads(each.partition(b"\r\n\r\n")[2]) for each in received.requests]


def make_due(**fields: Any) -> None:
    """Let the time come for everything that waits."""
    past = timezone.now() - timedelta(minutes=2)
    Delivery.objects.pending().update(next_attempt_at=past, **fields)
    WebhookReceiver.objects.update(due_at=past, paused_until=None)
    Job.objects.filter(state="waiting").update(run_at=past)
    run_due()


def switch(feature: Feature, environment: Any, author: Any = None, **to: Any) -> None:
    apply_change_set([Change(feature.pk, environment.pk, **to)], author=author)


def test_a_nested_write_is_one_event_with_the_state_before_and_after(
    client, admin, environment, feature, hooked
):
    options = [make_option(feature, value, share) for value, share in (("red", 10), ("blue", 20))]
    state = default_state(feature, environment)
    was = client.get(f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/").json()

    body = {
        "enabled": not state.enabled,
        "feature_state_value": 20,
        "multivariate_feature_state_values": [
            {"multivariate_feature_option": options[0].pk, "percentage_allocation": 70},
            {"multivariate_feature_option": options[1].pk, "percentage_allocation": 30},
        ],
    }
    path = f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/"
    assert client.put(path, {**was, **body}, format="json").status_code == 200

    (told,) = messages("FLAG_UPDATED")
    assert told["changed_by"] == admin.email
    assert told["timestamp"].endswith("Z")
    before, now = told["previous_state"], told["new_state"]
    assert (before["enabled"], before["feature_state_value"]) == (state.enabled, state.value)
    assert (now["enabled"], now["feature_state_value"]) == (not state.enabled, 20)
    shares = [
        {each["multivariate_feature_option"]["value"]: each["percentage_allocation"] for each in said}
        for said in (
            before["multivariate_feature_state_values"],
            now["multivariate_feature_state_values"],
        )
    ]
    assert shares == [{"red": 10, "blue": 20}, {"red": 70, "blue": 30}]
    assert {
        each: now[each] for each in ("environment", "identity", "identity_identifier", "feature_segment")
    } == {
        "environment": {"id": environment.pk, "name": environment.name},
        "identity": None,
        "identity_identifier": None,
        "feature_segment": None,
    }
    assert now["feature"]["project"] == {"id": environment.project.pk, "name": environment.project.name}
    assert set(now["feature"]) == {
        "id",
        "created_date",
        "default_enabled",
        "description",
        "initial_value",
        "name",
        "project",
        "type",
    }


def test_what_changes_nothing_and_what_is_rolled_back_tells_nothing(environment, feature, hooked):
    state = default_state(feature, environment)
    switch(feature, environment, enabled=state.enabled, value=state.value)
    try:
        with transaction.atomic():
            switch(feature, environment, enabled=not state.enabled)
            raise InterruptedError
    except InterruptedError:
        pass

    assert not Event.objects.exists()
    assert not Job.objects.exists()


def test_nothing_is_written_where_nobody_listens(settings, environment, feature, organisation):
    hook = environment.webhooks.create(url=NOWHERE, enabled=False)
    organisation.webhooks.create(url=NOWHERE, enabled=False)
    switch(feature, environment, enabled=True)
    hook.enabled = True
    hook.save()
    settings.DISABLE_WEBHOOKS = True
    switch(feature, environment, enabled=False)

    assert not Event.objects.exists()


def test_overrides_say_whom_they_are_for_and_new_ones_have_no_state_before(
    environment, feature, project, hooked, organisation
):
    segment = make_segment(project, name="beta", description="testers")
    identity = Identity.objects.create(environment=environment, identifier="ada")
    switch(feature, environment, segment_id=segment.pk, enabled=True, value="s")
    switch(feature, environment, identity_id=identity.pk, enabled=True, value="i")
    key = make_key(organisation, name="Terraform")
    machine = Machine(key.pk, key.name, organisation.pk, is_admin=True)
    switch(feature, environment, author=machine, identity_id=identity.pk, value="j")

    first, second, third = messages("FLAG_UPDATED")
    assert [each["changed_by"] for each in (first, second, third)] == ["", "", "Terraform"]
    assert first["new_state"]["feature_segment"] == {
        "segment": {"id": segment.pk, "name": "beta", "description": "testers"},
        "priority": 0,
    }
    assert (second["new_state"]["identity"], second["new_state"]["identity_identifier"]) == (
        identity.pk,
        "ada",
    )
    assert "previous_state" not in first
    assert "previous_state" not in second
    assert third["previous_state"]["feature_state_value"] == "i"


def test_features_that_come_and_go_are_told_of_and_overrides_that_go_are_not(
    environment, project, admin, hooked
):
    feature = create_feature(project, author=admin, name="new", default_enabled=True, initial_value="x")
    segment = make_segment(project)
    make_segment_override(feature, environment, segment)
    delete_feature(feature, author=admin)

    (made,) = messages("FLAG_UPDATED")
    assert "previous_state" not in made
    assert (made["new_state"]["enabled"], made["new_state"]["feature_state_value"]) == (True, "x")
    (gone,) = messages("FLAG_DELETED")
    assert gone["new_state"] is None
    assert (gone["previous_state"]["enabled"], gone["previous_state"]["feature_segment"]) == (True, None)
    assert gone["changed_by"] == admin.email


def test_a_version_tells_of_each_state_that_is_new_of_it_and_then_of_itself(
    client, admin, environment, feature, project, hooked, organisation
):
    organisation.webhooks.create(url=NOWHERE)
    segment = make_segment(project)
    enable_versioning(environment, author=None)
    Event.objects.all().delete()
    was = default_state(feature, environment)

    apply_change_set(
        [
            Change(feature.pk, environment.pk, value="new"),
            Change(feature.pk, environment.pk, segment_id=segment.pk, value="s"),
        ],
        author=admin,
    )

    about_flags = [each for each in Event.objects.order_by("pk") if each.event_type != "AUDIT_LOG_CREATED"]
    assert [each.event_type for each in about_flags] == [
        "FLAG_UPDATED",
        "FLAG_UPDATED",
        "NEW_VERSION_PUBLISHED",
    ]
    default, override = messages("FLAG_UPDATED")
    assert default["previous_state"]["feature_state_value"] == was.value
    assert default["new_state"]["feature_state_value"] == "new"
    assert "previous_state" not in override
    version = EnvironmentFeatureVersion.objects.get(is_live=True, feature=feature)
    assert messages("NEW_VERSION_PUBLISHED") == [
        {
            "uuid": str(version.uuid),
            "feature": {"id": feature.pk, "name": feature.name},
            "published_by": {"id": admin.pk, "email": admin.email},
            "feature_states": [
                {"enabled": was.enabled, "value": "new", "multivariate_feature_state_values": []},
                {"enabled": False, "value": "s", "multivariate_feature_state_values": []},
            ],
        }
    ]
    # To the environment's webhook all three, to the organisation's the first two.
    assert Counter(
        Delivery.objects.filter(event__in=about_flags).values_list("event__event_type", flat=True)
    ) == {
        "FLAG_UPDATED": 4,
        "NEW_VERSION_PUBLISHED": 1,
    }


def test_a_scheduled_version_is_told_of_when_its_time_comes(client, admin, environment, feature, hooked):
    enable_versioning(environment, author=None)
    Event.objects.all().delete()
    path = f"/api/v1/environments/{environment.pk}/features/{feature.pk}/versions/"
    value = {"type": "unicode", "string_value": "later"}
    update = {"feature_segment": None, "enabled": True, "feature_state_value": value}
    draft = client.post(path, {"feature_states_to_update": [update]}, format="json").json()
    soon = timezone.now() + timedelta(hours=1)
    client.post(f"{path}{draft['uuid']}/publish/", {"live_from": soon.isoformat()}, format="json")
    assert not Event.objects.exists()

    EnvironmentFeatureVersion.objects.filter(pk=draft["uuid"]).update(
        live_from=timezone.now() - timedelta(microseconds=1)
    )
    EnvironmentFeatureVersion.objects.filter(is_live=True).update(
        live_from=timezone.now() - timedelta(hours=1)
    )
    serve_due_version(Place(environment.pk, feature.pk))

    (told,) = messages("FLAG_UPDATED")
    assert told["changed_by"] == admin.email
    assert told["new_state"]["feature_state_value"] == "later"
    assert told["previous_state"]["feature_state_value"] != "later"
    assert len(messages("NEW_VERSION_PUBLISHED")) == 1


def test_organisations_hear_of_audit_records_as_lists_show_them(client, organisation, environment, feature):
    with receiver() as received:
        organisation.webhooks.create(url=received.url(), secret="s")
        switch(feature, environment, enabled=True)
        run_due()

    audits = [each["data"] for each in sent_to(received) if each["event_type"] == "AUDIT_LOG_CREATED"]
    listed = client.get(f"/api/v1/organisations/{organisation.pk}/audit/").json()["results"]
    assert audits == [listed[0]]
    assert audits[0]["log"] == f"Flag state updated for feature: {feature.name}"


def test_the_very_bytes_are_signed_with_sorted_keys_and_every_enabled_one_is_called(
    environment, organisation, feature
):
    with ExitStack() as servers:
        failing = servers.enter_context(receiver(answering(status(500))))
        signing, plain, off = (servers.enter_context(receiver()) for _ in range(3))
        environment.webhooks.create(url=failing.url())
        environment.webhooks.create(url=signing.url(), secret="secret")
        environment.webhooks.create(url=plain.url())
        environment.webhooks.create(url=off.url(), enabled=False)
        switch(feature, environment, enabled=True, value="ü")
        run_due()

    assert [len(each.requests) for each in (failing, signing, plain, off)] == [1, 1, 1, 0]
    assert signing.headers["content-type"] == "application/json"
    assert (
        signing.headers["x-flagsmith-signature"] == hmac.digest(b"secret", signing.body, hashlib.sha256).hex()
    )
    assert signing.headers["webhook-signature"].startswith("v1,")
    assert not {"x-flagsmith-signature", "webhook-signature"} & set(plain.headers)
    assert plain.headers["webhook-id"] == signing.headers["webhook-id"] == failing.headers["webhook-id"]
    assert plain.body == json.dumps(json.loads(plain.body), sort_keys=True).encode()


def test_what_fails_is_tried_again_in_order_and_holds_up_no_other_flag(environment, project, feature):
    other = Feature.objects.create(project=project, name="other")
    answers = [status(503), status(200)]

    def react(connection: Any) -> None:
        # Nothing of the first flag is taken at first, everything later.
        connection.sendall(answers[0] if about_first() and len(received.requests) < 4 else answers[1])

    def about_first() -> bool:
        return json.loads(received.body)["data"]["new_state"]["feature"]["id"] == feature.pk

    with receiver(react) as received:
        environment.webhooks.create(url=received.url())
        switch(feature, environment, value="1")
        switch(feature, environment, value="2")
        switch(other, environment, value="3")
        run_due()
        first_round = [each["data"]["new_state"]["feature_state_value"] for each in sent_to(received)]
        make_due()
        make_due()
        values = [each["data"]["new_state"]["feature_state_value"] for each in sent_to(received)]

    assert first_round == ["1", "3"]
    assert [each for each in values if each != "3"] == ["1", "1", "1", "2"]
    ids = [request.split(b"webhook-id: ")[1].split(b"\r\n")[0] for request in received.requests]
    assert len(set(ids)) == 3
    assert set(Delivery.objects.values_list("status", flat=True)) == {"DELIVERED"}


@pytest.mark.parametrize("code", [400, 401, 404, 410, 301])
def test_other_answers_are_final(environment, feature, code):
    with receiver(answering(status(code))) as received:
        environment.webhooks.create(url=received.url())
        switch(feature, environment, value="1")
        run_due()

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.response_status) == ("FAILED", 1, code)
    assert not Job.objects.filter(task__startswith="webhooks.").exists()


def test_a_receiver_that_is_away_or_has_too_much_is_left_alone_until_its_time(environment, project, feature):
    other = Feature.objects.create(project=project, name="other")
    with receiver(answering(status(429, "Retry-After: 600"))) as received:
        environment.webhooks.create(url=received.url())
        switch(feature, environment, value="1")
        switch(other, environment, value="2")
        run_due()
        switch(other, environment, value="3")
        run_due()

    assert len(received.requests) == 1
    job = Job.objects.get(task="webhooks.send")
    assert job.run_at > timezone.now() + timedelta(seconds=590)
    assert Counter(Delivery.objects.values_list("attempts", flat=True)) == {1: 1, 0: 2}


def test_after_a_day_it_is_given_up_and_one_mail_tells_of_it(
    settings, environment, organisation, project, feature
):
    organisation.webhook_notification_email = "ops@example.org"
    organisation.save()
    other = Feature.objects.create(project=project, name="other")
    hook = environment.webhooks.create(url=NOWHERE)
    switch(feature, environment, value="1")
    switch(other, environment, value="2")
    run_due()
    assert not mail.outbox
    delivery = Delivery.objects.order_by("pk")[:1].get()
    assert abs(delivery.give_up_at - delivery.created_at - timedelta(hours=24)) < timedelta(minutes=1)

    make_due(give_up_at=timezone.now())
    run_due()

    assert Counter(Delivery.objects.values_list("status", flat=True)) == {"FAILED": 2}
    (letter,) = mail.outbox
    assert (letter.subject, letter.to) == ("Flagsmith Webhook Failure", ["ops@example.org"])
    for text in (hook.url, project.name, environment.name, "no answer", '"FLAG_UPDATED"'):
        assert text in letter.body


def test_a_dead_receiver_is_asked_ever_less_whatever_waits_for_it(environment, project, feature, hooked):
    features = [feature, *(Feature.objects.create(project=project, name=f"f{number}") for number in range(3))]
    for each in features:
        switch(each, environment, value="1")
    run_due()
    assert Counter(Delivery.objects.values_list("attempts", flat=True)) == {1: 1, 0: 3}

    oldest = Delivery.objects.order_by("pk")[:1].get()
    Delivery.objects.filter(pk=oldest.pk).update(give_up_at=timezone.now())
    WebhookReceiver.objects.update(failures=20)
    make_due()

    # What had its day is given up, and the next one is tried no sooner for that: an hour later.
    assert Counter(Delivery.objects.values_list("status", "attempts")) == {
        ("FAILED", 2): 1,
        ("PENDING", 0): 3,
    }
    assert Job.objects.get(task="webhooks.send").run_at > timezone.now() + timedelta(minutes=59)


def test_dead_receivers_delay_no_other(environment, feature):
    all_taken = threading.Event()
    changes = 3

    def take(connection: Any) -> None:
        connection.sendall(OK)
        if len(taking.requests) == changes:
            all_taken.set()

    def hang(connection: Any) -> None:
        all_taken.wait(10)

    # Whoever isn't accepted hears as little as whoever is.
    with receiver(hang) as dead, receiver(take) as taking:
        for number in range(30):
            environment.webhooks.create(url=f"{dead.url()}/{number}")
        environment.webhooks.create(url=taking.url())
        for value in range(changes):
            switch(feature, environment, value=value)
        begun_at = time.monotonic()
        run_due()

    assert time.monotonic() - begun_at < 5
    assert [each["data"]["new_state"]["feature_state_value"] for each in sent_to(taking)] == [0, 1, 2]
    assert Counter(Delivery.objects.values_list("status", "attempts")) == {
        ("DELIVERED", 1): 3,
        ("PENDING", 1): 30,
        ("PENDING", 0): 60,
    }


def test_what_cannot_be_told_to_one_holds_up_no_other(environment, organisation, feature, monkeypatch):
    def fail(record: Any) -> Any:
        raise ArithmeticError

    monkeypatch.setattr(webhook_bodies, "AuditItemSerializer", fail)
    with receiver() as received:
        organisation.webhooks.create(url=received.url())
        environment.webhooks.create(url=received.url())
        switch(feature, environment, enabled=True)
        run_due()

    assert [each["event_type"] for each in sent_to(received)] == ["FLAG_UPDATED"]
    assert Job.objects.get(task="webhooks.send").run_at > timezone.now() + timedelta(minutes=4)


def test_attempts_may_be_limited(settings, environment, feature):
    settings.WEBHOOK_BACKOFF_RETRIES = 2
    with receiver(answering(status(500))) as received:
        environment.webhooks.create(url=received.url())
        switch(feature, environment, value="1")
        run_due()
        make_due()
        make_due()

    assert len(received.requests) == 2
    assert Delivery.objects.get().status == "FAILED"


def test_deliveries_are_listed_shown_and_replayed_as_the_same_message(
    client, client_of, member, environment, feature
):
    answers = [status(400)]
    with receiver(lambda connection: connection.sendall(answers[-1])) as received:
        hook = environment.webhooks.create(url=received.url(), secret="very secret")
        switch(feature, environment, value="1")
        run_due()
        log = f"/api/v1/environments/{environment.api_key}/webhooks/{hook.pk}/deliveries/"
        listed = client.get(log, {"status": "FAILED"}).json()
        (one,) = listed["results"]
        shown = client.get(f"{log}{one['id']}/").json()
        answers.append(status(204))
        replayed = client.post(f"{log}{one['id']}/replay/")
        run_due()
        again = client.post(f"{log}{one['id']}/replay/")

    assert (one["status"], one["attempts"], one["response_status"]) == ("FAILED", 1, 400)
    assert one["duration_ms"] >= 0
    assert one["error"] == "It was answered with HTTP 400."
    assert shown["payload"]["event_type"] == "FLAG_UPDATED"
    assert "very secret" not in json.dumps(shown)
    assert (replayed.status_code, replayed.json()["status"]) == (202, "PENDING")
    assert (again.status_code, again.json()["code"]) == (400, "not_replayable")
    assert client.get(f"{log}{one['id']}/").json()["status"] == "DELIVERED"
    assert (
        received.requests[0].split(b"webhook-id")[1][:40] == received.requests[1].split(b"webhook-id")[1][:40]
    )
    assert client.post(f"{log}replay/").json() == {"replayed": 0}
    assert client_of(member).post(f"{log}replay/").status_code == 403
    elsewhere = f"/api/v1/environments/{environment.api_key}/webhooks/{hook.pk + 1}/deliveries/"
    assert client.get(elsewhere).status_code == 404


def test_superusers_see_what_failed_and_send_it_again(environment, feature):
    answers = [status(400)]
    with receiver(lambda connection: connection.sendall(answers[-1])) as received:
        environment.webhooks.create(url=received.url())
        switch(feature, environment, value="1")
        run_due()
        answers.append(status(204))
        browser = Client()
        browser.force_login(User.objects.create_superuser("root@example.org", "a long password"))
        log = reverse("admin:webhooks_delivery_changelist")
        page = browser.get(log, {"status": "FAILED"})
        failed = Delivery.objects.get()
        browser.post(log, {"action": "replay", "_selected_action": [failed.pk]})
        run_due()

    assert "It was answered with HTTP 400." in page.content.decode()
    failed.refresh_from_db()
    assert (failed.status, failed.attempts, len(received.requests)) == ("DELIVERED", 1, 2)


def test_switching_webhooks_off_keeps_what_waits(settings, environment, feature):
    with receiver() as received:
        hook = environment.webhooks.create(url=received.url())
        switch(feature, environment, value="1")
        settings.DISABLE_WEBHOOKS = True
        run_due()
        assert received.requests == []

        settings.DISABLE_WEBHOOKS = False
        Delivery.objects.update(next_attempt_at=F("next_attempt_at") - timedelta(minutes=2))
        resume_sending()
        run_due()
        assert len(received.requests) == 1

        switch(feature, environment, value="2")
        hook.enabled = False
        hook.save()
        run_due()

    assert len(received.requests) == 1
    assert list(Delivery.objects.values_list("status", flat=True)) == ["DISCARDED", "DELIVERED"]


def test_the_log_is_forgotten_after_a_month_but_for_what_waits(environment, feature, hooked):
    switch(feature, environment, value="1")
    switch(feature, environment, value="2")
    switch(feature, environment, value="3")
    Event.objects.update(created_at=timezone.now() - timedelta(days=31))
    newest = Event.objects.order_by("pk").last()
    assert newest is not None
    Event.objects.filter(pk=newest.pk).update(created_at=timezone.now())
    waiting = Delivery.objects.order_by("pk")[:1].get()
    Delivery.objects.exclude(pk=waiting.pk).update(status="DELIVERED")

    assert forget_old_events() == 1
    assert Event.objects.count() == Delivery.objects.count() == 2


def test_where_nobody_listens_a_write_asks_for_listeners_once(settings, environment, feature):
    with CaptureQueriesContext(connection) as asking:
        switch(feature, environment, enabled=True)
    settings.DISABLE_WEBHOOKS = True
    with CaptureQueriesContext(connection) as not_asking:
        switch(feature, environment, enabled=False)

    assert len(asking) == len(not_asking) + 1
