"""Other services are told whose flags were read, where an environment wants that, and nothing where not."""

import json

import pytest
from django.db import connection

from core.tests.receivers import Receiver, answering, receiver, status
from features.models import Prerequisite
from features.tests.factories import make_feature, make_option
from identities.erasure import erase_identifier
from integrations.models import Integration, Message
from integrations.sending import MOST_CALLS
from sdk.identities import KnownIdentity, KnownTrait
from sdk.identity_reads import IdentityReads
from sdk.inputs import GivenIdentity
from segments.tests.factories import make_segment
from tasks.models import Job, State
from tasks.services import run_due

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


def webhook(environment, service: Receiver | None = None) -> Integration:
    secrets = {"url": service.url() if service else "http://127.0.0.1:1/", "secret": "s"}
    return Integration.objects.create(kind="webhook", environment=environment, secrets=secrets)


def waiting() -> list[Message]:
    return list(Message.objects.all())


def identify(client, **identity):
    return client.post("/api/v1/identities/", identity, format="json")


def test_the_service_hears_what_the_identity_is_served(sdk_client, environment, project, feature):
    environment.refresh_from_db()
    multivariate = make_feature(project, name="colours", initial_value="grey")
    make_option(multivariate, "green", 100)
    segment = make_segment(project, name="french", country="FR")
    # Documents express this by a segment, which is nobody's.
    Prerequisite.objects.create(environment=environment, feature=feature, required_feature=multivariate)
    traits = [{"trait_key": "country", "trait_value": "FR"}]

    with receiver() as service:
        webhook(environment, service)
        answered = identify(sdk_client, identifier="kim", traits=traits).json()
        run_due()

    told = json.loads(service.body)
    assert told["identity"] == "kim"
    assert told["traits"] == answered["traits"]
    assert [{**flag, "percentage_allocation": 100.0} for flag in answered["flags"]][1] == told["flags"][1]
    assert told["flags"][0] == answered["flags"][0]
    assert told["segments"] == [{"id": segment.pk, "name": "french", "member": True}]
    assert "x-flagsmith-signature" in service.headers
    assert waiting() == []


@pytest.mark.parametrize("is_connected", [True, False])
def test_nothing_is_looked_up_where_nobody_is_told(sdk_client, environment, feature, is_connected):
    if is_connected:
        Integration.objects.create(kind="dynatrace", environment=environment)

    identify(sdk_client, identifier="kim")

    assert waiting() == []


def test_who_is_nobody_in_particular_or_transient_is_not_told_of(sdk_client, environment, feature):
    webhook(environment)

    identify(sdk_client, traits=[{"trait_key": "plan", "trait_value": "pro"}])
    identify(sdk_client, identifier="kim", transient=True)
    sdk_client.get("/api/v1/flags/")

    assert waiting() == []


def test_what_is_known_of_people_is_encrypted_and_goes_when_they_are_erased(
    sdk_client, admin, project, environment, feature
):
    webhook(environment)

    sdk_client.get("/api/v1/identities/?identifier=kim@example.org")

    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM integrations_message")
        ((stored,),) = cursor.fetchall()
    assert "kim" not in stored
    assert "kim" not in str(list(Job.objects.values_list("arguments", flat=True)))
    erase_identifier("kim@example.org", project, author=admin)
    assert waiting() == []


def test_an_identity_is_told_of_once_with_its_last_traits_in_messages_of_a_few(environment):
    first, second = webhook(environment), Integration.objects.create(kind="heap", environment=environment)
    reads = IdentityReads(most=1000)
    reads._is_running = True  # as with a loop, which flushes by itself
    for round_ in range(2):
        for number in range(MOST_CALLS + 1):
            reads.note(environment.pk, *read(f"kim{number}", round_))

    reads.flush()

    told = sorted(waiting(), key=lambda each: (each.integration_id, each.pk))
    assert [each.integration_id for each in told] == [first.pk, first.pk, second.pk, second.pk]
    assert [len(each.content["identities"]) for each in told] == [MOST_CALLS, 1] * 2
    assert {each["traits"]["round"][0] for message in told for each in message.content["identities"]} == {1}
    assert reads.state() == {"waiting": 0, "dropped": 0}


def test_what_does_not_fit_is_dropped_and_counted(environment):
    reads = IdentityReads(most=2)
    reads._is_running = True

    for number in range(5):
        reads.note(environment.pk, *read(f"kim{number}", 1))
    reads.note(environment.pk, *read("kim0", 2))

    assert reads.state() == {"waiting": 2, "dropped": 3}


def test_a_service_that_takes_nothing_is_told_again_and_of_nobody_new(environment, feature, sdk_client):
    with receiver(answering(status(503))) as service:
        webhook(environment, service)
        identify(sdk_client, identifier="kim")
        run_due()
        identify(sdk_client, identifier="sam")

    (message,) = waiting()
    assert [each["identifier"] for each in message.content["identities"]] == ["kim"]
    assert Integration.objects.get().last_error == "It answered 503."
    assert Job.objects.filter(task="sdk.tell_of_identities", state=State.WAITING).count() == 1
    assert len(service.requests) == 1


def read(identifier: str, round_: int) -> tuple[list[GivenIdentity], list[KnownIdentity]]:
    traits = {"round": KnownTrait(round_)}
    return [GivenIdentity(identifier, False)], [KnownIdentity(identifier, traits)]
