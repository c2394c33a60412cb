"""Other services are told whose flags were read, where an environment wants that, and nothing where not."""

import json

import pytest

from core.tests.receivers import Receiver, answering, receiver, status
from features.tests.factories import make_feature, make_option
from integrations.models import Integration
from sdk.identities import KnownIdentity, KnownTrait
from sdk.identity_reads import MOST_IN_JOB, IdentityReads
from sdk.inputs import GivenIdentity
from segments.tests.factories import make_segment
from tasks.models import Job
from tasks.sealing import unsealed
from tasks.services import run_due

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


def webhook(environment, service: Receiver | None = None) -> Integration:
    secrets = {"url": service.url() if service else "http://127.0.0.1:1/", "secret": "s"}
    return Integration.objects.create(kind="webhook", environment=environment, secrets=secrets)


def waiting() -> list[dict]:
    jobs = Job.objects.filter(task="sdk.tell_of_identities", state="waiting").order_by("id")
    return [unsealed(job.arguments) for job in jobs]


def identify(client, **identity):
    return client.post("/api/v1/identities/", identity, format="json")


def test_the_service_hears_what_the_identity_is_served(sdk_client, environment, project, feature):
    environment.refresh_from_db()
    multivariate = make_feature(project, name="colours", initial_value="grey")
    make_option(multivariate, "green", 100)
    segment = make_segment(project, name="french", country="FR")
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
    assert not Job.objects.exists()


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


def test_what_is_known_of_people_is_sealed(sdk_client, environment, feature):
    webhook(environment)

    sdk_client.get("/api/v1/identities/?identifier=kim@example.org")

    assert len(waiting()) == 1
    assert "kim" not in str(Job.objects.get().arguments)


def test_an_identity_is_told_of_once_with_its_last_traits_in_jobs_of_a_few(environment):
    first, second = webhook(environment), Integration.objects.create(kind="heap", environment=environment)
    reads = IdentityReads(most=1000)
    reads._is_running = True  # as with a loop, which flushes by itself
    for round_ in range(2):
        for number in range(MOST_IN_JOB + 1):
            reads.note(environment.pk, *read(f"kim{number}", round_))

    reads.flush()

    jobs = waiting()
    assert [job["integration_id"] for job in jobs] == [first.pk, first.pk, second.pk, second.pk]
    assert [len(job["identities"]) for job in jobs] == [MOST_IN_JOB, 1] * 2
    assert {each["traits"]["round"][0] for job in jobs for each in job["identities"]} == {1}
    assert reads.state() == {"waiting": 0, "dropped": 0}


def test_what_does_not_fit_is_dropped_and_counted(environment):
    reads = IdentityReads(most=2)
    reads._is_running = True

    for number in range(5):
        reads.note(environment.pk, *read(f"kim{number}", 1))
    reads.note(environment.pk, *read("kim0", 2))

    assert reads.state() == {"waiting": 2, "dropped": 3}


def test_what_a_service_can_not_take_now_is_told_again(environment, feature, sdk_client):
    with receiver(answering(status(503))) as service:
        webhook(environment, service)
        identify(sdk_client, identifier="kim")
        run_due()

    (job,) = Job.objects.all()
    assert (job.state, job.attempts) == ("waiting", 1)
    assert "It answered 503." in job.last_error
    assert len(service.requests) == 1


def read(identifier: str, round_: int) -> tuple[list[GivenIdentity], list[KnownIdentity]]:
    traits = {"round": KnownTrait(round_)}
    return [GivenIdentity(identifier, False)], [KnownIdentity(identifier, traits)]
