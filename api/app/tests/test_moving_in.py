"""Moving in from another server: whoever was in a rollout is in it afterwards, and nobody else."""

import io
import json
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from rest_framework.test import APIClient

from core.tests.receivers import answering, receiver, status
from core.tests.thoroughness import EVERYTHING
from core.version import USER_AGENT
from documents.builder import build
from documents.rows import read_rows
from documents.tests.factories import (
    default_state,
    make_feature,
    make_segment,
    override_for_identity,
    override_for_segment,
)
from documents.tests.served import served_to
from environments.models import Environment, ServerSideKey
from features.models import Feature, FeatureState, MultivariateFeatureStateValue
from features.services.clones import clone_environment
from features.services.versioning import enable_versioning
from identities.batches import TraitChanges
from identities.models import Identity
from identities.services import store_traits
from identities.traits import from_column
from moving import api as moving_api
from moving import taking_in
from moving.api import SourceApi
from moving.reading import read_identities, read_projects
from moving.readings import IdentityReading
from organisations.models import Organisation
from organisations.tests.factories import make_key
from projects.models import Project, Tag
from segments.models import Segment

pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://flags.example.org"
PEOPLE = [f"person-{number}" for number in range(1000)]


class Source:
    """Another server: this one, as it was, and every answer that it gave. Or answers that a test makes up."""

    def __init__(self, key: Any) -> None:
        self.key = key
        self.answers: dict[str, Any] = {}
        self.waits: list[float] = []
        self.refusals: list[Any] = []

    def get(self, url: str) -> Any:
        if self.refusals:
            return self.refusals.pop(0)
        if url not in self.answers:
            client = APIClient(headers={"Authorization": f"Api-Key {self.key}"})
            self.answers[url] = client.get(url.removeprefix(URL))
        return self.answers[url]

    def read_all(self) -> None:
        """Ask for all that moving in asks for, as long as there is somebody to ask."""
        api = SourceApi(URL, self.key, get=self.get, most_per_second=1e9)
        for project in read_projects(api, []):
            for environment in project.environments:
                for _ in read_identities(api, project, environment):
                    pass


class Told:
    """An answer that a test makes up."""

    status_code = 200

    def __init__(self, content: Any) -> None:
        self.content = content
        self.headers: dict[str, str] = {}

    def json(self) -> Any:
        return self.content


class Refusal:
    def __init__(self, status: int, **headers: str) -> None:
        self.status_code = status
        self.headers = headers

    def json(self) -> Any:
        raise ValueError


@pytest.fixture
def source(monkeypatch) -> Iterator[Source]:
    """A server whose people are in rollouts of every kind."""
    organisation = Organisation.objects.create(name="Acme", persist_trait_data=False)
    make_server(organisation)
    made = Source(make_key(organisation, is_admin=True).secret)
    keys: list[str] = []

    def sender(key: str) -> Any:
        keys.append(key)
        return made.get

    monkeypatch.setattr(moving_api, "_sender", sender)
    monkeypatch.setattr(
        moving_api, "time", SimpleNamespace(sleep=made.waits.append, monotonic=time.monotonic)
    )
    yield made
    assert not set(keys) - {made.key}


def make_server(organisation: Organisation) -> None:
    project = Project.objects.create(organisation=organisation, name="Shop", stale_flags_limit_days=90)
    make_feature(project, "spare").delete()
    plain = make_feature(project, "plain", value="5", enabled=True, description="On for all")
    varied = make_feature(project, "varied", value="control", enabled=True)
    production = Environment.objects.create(
        project=project,
        name="Production",
        api_key="production-key",
        banner_text="Live",
        hide_disabled_flags=True,
    )
    for key, value, weight in (("a", "apple", 25), ("b", 7, 30), ("c", True, 15)):
        option = varied.multivariate_options.model(
            feature=varied, key=key, default_percentage_allocation=weight
        )
        option.value = value
        option.save()
    hidden = make_feature(project, "hidden", value="", is_server_key_only=True, is_archived=True)
    unlabelled = make_feature(project, "unlabelled", variants={"": ("variant without a name", 50)})
    # Bands in another order than the variants', of which a copy of the environment must know as well.
    for share in list(default_state(varied, production).multivariate_feature_state_values.all())[:2]:
        share.pk, share.uuid = None, uuid.uuid4()
        MultivariateFeatureStateValue.objects.filter(
            feature_state=share.feature_state_id,
            multivariate_feature_option=share.multivariate_feature_option_id,
        ).delete()
        share.save()
    tenth = make_segment(project, "A third", property=None, operator="PERCENTAGE_SPLIT", value="33.3")
    pro = make_segment(project, "Professionals")
    own = make_segment(
        project, "Only for plain", feature=plain, property="age", operator="MODULO", value="3|1"
    )
    override_for_segment(plain, production, tenth, priority=4, value="a third")
    override_for_segment(plain, production, own, priority=2, value=None)
    override_for_segment(varied, production, pro, value="pro", weights={"c": 40.0, "a": 20.0})
    staging = clone_environment(production, name="Staging", author=None)
    staging.use_identity_overrides_in_local_eval = False
    staging.save()
    override_for_identity(varied, production, PEOPLE[1], weights={"b": 100.0})
    override_for_identity(varied, staging, PEOPLE[2], value="staged", weights={"a": 50.0})
    override_for_identity(hidden, production, PEOPLE[3], value=8)
    override_for_identity(unlabelled, staging, PEOPLE[3], weights=None, value=False)
    versioned = clone_environment(production, name="Versioned", author=None)
    enable_versioning(versioned, author=None)
    number = len(PEOPLE) if EVERYTHING else 40
    store_traits(
        [
            TraitChanges(
                each.pk, person, {"plan": ("pro", "free")[index % 2], "age": index, "score": index / 4}
            )
            for each in (production, staging)
            for index, person in enumerate(PEOPLE[:number])
        ]
    )
    tag = Tag.objects.create(project=project, label="money", color="#123456", is_permanent=True)
    plain.tags.add(tag)
    for environment in (production, staging):
        environment.server_side_keys.create(name="backend", key=f"ser.{environment.name}")
    staging.server_side_keys.create(
        name="old", key="ser.old", active=False, expires_at="2030-01-01T00:00:00Z"
    )


def answers() -> dict[tuple[str, str], Any]:
    """Return what each of the people is served in each environment, by the keys of both."""
    return {
        (environment.api_key, person): flags
        for environment in Environment.objects.all()
        for person, flags in served_to(environment, PEOPLE, otherwise={"plan": "pro", "age": 4}).items()
    }


def by_request(people: Iterable[str]) -> dict[tuple[str, str], Any]:
    """Return the same as SDKs are told it, with both kinds of keys."""
    found = {}
    for key in ["production-key", "ser.Production", "ser.Staging"]:
        client = APIClient(headers={"X-Environment-Key": key})
        for person in people:
            told = client.get("/api/v1/identities/", {"identifier": person}).json()
            found[key, person] = (
                {
                    (flag["feature"]["name"], flag["enabled"], flag["feature_state_value"])
                    for flag in told["flags"]
                },
                sorted((each["trait_key"], each["trait_value"]) for each in told["traits"]),
            )
    return found


def empty() -> None:
    """Let the server be gone. What numbers it has given aren't given again."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE organisations_organisation, users_user CASCADE")


def move(**options: Any) -> str:
    told = io.StringIO()
    source = {} if "documents" in options else {"url": URL}
    given = {"organisation": "Acme", "stdout": told, **source, **options}
    call_command("import_flagsmith", **given)
    return told.getvalue()


def test_everyone_is_served_the_same_after_moving_in(source, caplog):
    source.read_all()
    some = PEOPLE if EVERYTHING else PEOPLE[:6]
    before, told_before = answers(), by_request(some)
    segments_before = set(Segment.objects.values_list("pk", "name"))
    bands_before = len({str(each) for each in before.values()})
    empty()
    # The source limits how often it is asked.
    source.refusals = [Refusal(429, **{"Retry-After": "7"}), Refusal(503)]

    report = move(key=source.key)

    assert (
        "Staging: 3 overrides of segments, some of identities, 40 identities, 2 server-side keys" in report
        or EVERYTHING
    )
    assert "Nothing was changed" in report
    assert not Organisation.objects.exists()
    assert 7.0 in source.waits

    done = move(key=source.key, yes=True)

    assert bands_before > 20  # people differ: else nothing would be shown
    assert answers() == before
    assert by_request(some) == told_before
    assert set(Segment.objects.values_list("pk", "name")) == segments_before
    production, staging, versioned = Environment.objects.order_by("pk")
    assert (production.banner_text, production.hide_disabled_flags) == ("Live", True)
    assert not staging.use_identity_overrides_in_local_eval
    assert versioned.use_v2_feature_versioning
    assert production.project.stale_flags_limit_days == 90
    assert not Organisation.objects.get().persist_trait_data
    old = ServerSideKey.objects.get(key="ser.old")
    assert (old.active, str(old.expires_at)) == (False, "2030-01-01 00:00:00+00:00")
    plain = Feature.objects.get(name="plain")
    assert (plain.description, plain.initial_value, plain.tags.get().label) == ("On for all", "5", "money")
    assert Feature.objects.get(name="hidden").is_archived
    assert Segment.objects.get(name="Only for plain").feature == plain
    for secret in (source.key, "ser.Production", "ser.old"):
        assert secret not in report + done + caplog.text

    # Again: nothing comes twice, and what came to be here since then is left as it is.
    FeatureState.objects.filter(identity__identifier=PEOPLE[1]).update(enabled=False)
    store_traits([TraitChanges(production.pk, PEOPLE[0], {"plan": "changed here"})])
    Identity.objects.filter(identifier__in=PEOPLE[4:9], environment=staging).delete()
    numbers = (FeatureState.objects.count(), Segment.objects.count())
    again = move(key=source.key, yes=True, only_new_identities=True)
    assert "Shop: is here already" in again
    assert (FeatureState.objects.count(), Segment.objects.count()) == numbers
    move(key=source.key, yes=True)
    assert (FeatureState.objects.count(), Segment.objects.count()) == numbers
    assert Identity.objects.get(environment=production, identifier=PEOPLE[0]).traits["plan"] == "changed here"
    now = answers()
    assert not now["production-key", PEOPLE[1]]["varied"][0]
    changed_here = {("production-key", person) for person in PEOPLE[:2]}
    assert {key for key in now if now[key] != before[key]} == changed_here
    # What is made from now on gets a number that nobody's rollout has.
    seeds = FeatureState.objects.exclude(hash_seed=None).values_list("hash_seed", flat=True)
    assert default_state(make_feature(production.project), production).pk > max(seeds)


def test_what_an_sdk_writes_while_its_identity_is_taken_in_stays(environment, monkeypatch):
    def write() -> None:
        store_traits([TraitChanges(environment.pk, "kim", {"plan": "written meanwhile"})])
        connection.close()

    def stored_before_that(changes: list[TraitChanges]) -> Any:
        stored = store_traits(changes)
        if not changes[0].values:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(write).result(10)
        return stored

    store_traits([TraitChanges(environment.pk, "kim", {"age": 30})])
    monkeypatch.setattr(taking_in, "store_traits", stored_before_that)

    kim = IdentityReading("kim", {"plan": "of the source", "age": 29, "score": 0.5}, [])
    taking_in.take_in_identities([kim], environment, taking_in.Here(environment.project, {}, {}))

    assert Identity.objects.get().traits == {"plan": "written meanwhile", "age": 30, "score": 0.5}


def test_environment_documents_do_where_there_is_no_api(source, tmp_path):
    Environment.objects.get(name="Staging").delete()  # its overrides of identities are in no document
    before, files = answers(), []
    for environment in Environment.objects.all():
        files.append(tmp_path / f"{environment.name}.json")
        files[-1].write_text(json.dumps(build(read_rows(environment.pk)).document))
    identities = Identity.objects.filter(environment__deleted_at=None).exclude(traits={})
    stored = list(identities.values_list("environment__api_key", "identifier", "traits"))
    empty()

    report = move(documents=list(map(str, files)), yes=True)

    assert "documents have no server-side keys" in report
    keys = dict(Environment.objects.values_list("api_key", "pk"))
    # As SDKs do by and by.
    store_traits([TraitChanges(keys[key], person, from_column(traits)) for key, person, traits in stored])
    assert answers() == before


def test_what_would_not_be_the_same_is_refused_before_anything_is_changed(source, tmp_path):
    documents = [build(read_rows(each.pk)).document for each in Environment.objects.all()]

    def refused(reason: str, *given: Any, **options: Any) -> str:
        file = tmp_path / "document.json"
        file.write_text(json.dumps(given[0] if given else documents[0]))
        told = io.StringIO()
        with pytest.raises(CommandError) as error:
            move(documents=[str(file)], yes=True, stdout=told, **options)
        assert reason in told.getvalue() + str(error.value)
        return told.getvalue()

    refused("another environment here", organisation="Elsewhere")
    refused("another environment here", organisation="Elsewhere", accept_differences=True)
    refused("isn't an environment document", {"api_key": "x"})
    other = {**documents[0], "api_key": "another-key", "name": "Another"}
    refused("without all of its environments' keys", other)
    refused("is taken here: other people would be in it", other, organisation="Elsewhere")
    empty()
    Organisation.objects.create(name="Keeps traits")
    refused("stores no traits, and Keeps traits does otherwise", other, organisation="Keeps traits")
    Organisation.objects.all().delete()
    refused("draws with identities' numbers", {**other, "use_identity_composite_key_for_hashing": False})
    assert not Organisation.objects.exists()
    for code, reason in (
        (401, "the key isn't"),
        (403, "administrators"),
        (302, "redirects"),
        (200, "JSON"),
        (526, "status 526"),
    ):
        source.refusals = [Refusal(code)]
        with pytest.raises(CommandError, match=reason):
            move(key=source.key)
    source.refusals = [Refusal(520, **{"Retry-After": "nan"}), Told({"detail": "What is this?"})]
    with pytest.raises(CommandError, match=r"isn't as expected \(KeyError: 'results'\)"):
        move(key=source.key)
    assert 2.0 in source.waits
    assert USER_AGENT.startswith("burgee/")


def test_projects_of_several_organisations_or_of_one_name_are_not_mixed(source):
    source.read_all()
    listed = f"{URL}/api/v1/projects/?page=1&page_size=100"
    (project,) = source.answers[listed].json()
    elsewhere = {**project, "id": project["id"] + 1, "organisation": project["organisation"] + 1}
    empty()

    source.answers[listed] = Told([project, elsewhere])
    with pytest.raises(CommandError, match=rf"Shop \({elsewhere['id']}, of .*--project ID"):
        move(key=source.key, project=["Shop"], yes=True)
    source.answers[listed] = Told([project, project])
    told = io.StringIO()
    with pytest.raises(CommandError, match="IMPOSSIBLE"):
        move(key=source.key, yes=True, stdout=told)
    assert "two projects are called Shop" in told.getvalue()
    assert not Organisation.objects.exists()

    source.answers[listed] = Told([project, elsewhere])
    move(key=source.key, project=[str(project["id"])], yes=True, no_identities=True)
    assert Project.objects.get().name == "Shop"


def test_identities_of_the_edge_come_with_their_traits(source):
    source.read_all()
    project = Project.objects.get()
    path = f"{URL}/api/v1/projects/{project.pk}/"
    source.answers[path] = Told({**source.answers[path].json(), "use_edge_identities": True})
    feature = Feature.objects.get(name="plain").pk
    for environment in Environment.objects.all():
        edge = f"{URL}/api/v1/environments/{environment.api_key}/edge-identities/"
        for number, (identity, identifier) in enumerate(
            [("a-uuid", PEOPLE[1]), ("b-uuid", "met at the edge")]
        ):
            after = "&last_evaluated_key=a%3D" if number else ""
            source.answers[f"{edge}?page_size=100{after}"] = Told(
                {
                    "results": [{"identity_uuid": identity, "identifier": identifier}],
                    "last_evaluated_key": None if number else "a=",
                }
            )
            source.answers[f"{edge}{identity}/list-traits/?page=1&page_size=100"] = Told(
                [{"trait_key": "plan", "trait_value": "pro"}, {"trait_key": "score", "trait_value": 0.5}]
            )
            source.answers[f"{edge}{identity}/edge-featurestates/?page=1&page_size=100"] = Told(
                [
                    {
                        "featurestate_uuid": "c",
                        "feature": feature,
                        "enabled": False,
                        "feature_state_value": "edge",
                    }
                ]
            )
    empty()

    move(key=source.key, yes=True)

    met = Identity.objects.get(environment__name="Production", identifier="met at the edge")
    assert met.traits == {"plan": "pro", "score": 0.5}
    overridden = FeatureState.objects.filter(identity__isnull=False).values_list(
        "environment__name", "identity__identifier", "feature__name", "string_value"
    )
    assert ("Staging", "met at the edge", "plain", "edge") in overridden
    assert {person for environment, person, *_ in overridden if environment == "Production"} == {
        PEOPLE[1],
        PEOPLE[3],
    }


def test_an_answer_that_breaks_off_is_asked_for_again(monkeypatch):
    whole = b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n[{"name": "Web"}]'
    answers = [whole[:-5], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n[{", whole]
    waits: list[float] = []
    monkeypatch.setattr(moving_api, "time", SimpleNamespace(sleep=waits.append, monotonic=time.monotonic))

    with receiver(lambda connection: connection.sendall(answers.pop(0))) as server:
        found = SourceApi(f"http://127.0.0.1:{server.port}", "key", most_per_second=1e9).get("projects/")

    assert found == [{"name": "Web"}]
    assert waits == [2.0, 4.0]


@pytest.mark.parametrize(
    ("key", "credentials"),
    [("prefix.secret", "Api-Key prefix.secret"), ("0" * 40, f"Token {'0' * 40}")],
    ids=["a machine", "a person"],
)
def test_a_key_is_sent_to_the_server_that_was_named_and_nowhere_else(key, credentials, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n[{"name": "Web"}]'
    with receiver(answering(answer)) as server, receiver() as elsewhere:
        found = SourceApi(f"http://127.0.0.1:{server.port}/api/v1/", key).all("projects/")

        assert found == [{"name": "Web"}]
        assert server.requests[0].startswith(b"GET /api/v1/projects/?page=1&page_size=100 HTTP")
        assert (server.headers["authorization"], server.headers["user-agent"]) == (credentials, USER_AGENT)

        redirect = answering(status(302, f"Location: {elsewhere.url()}"))
        with (
            receiver(redirect) as redirecting,
            pytest.raises(moving_api.MovingError, match="redir") as refused,
        ):
            SourceApi(f"http://127.0.0.1:{redirecting.port}", key).get("projects/")
        assert key not in str(refused.value)
        assert elsewhere.requests == []
    with pytest.raises(moving_api.MovingError) as refused:
        SourceApi(URL, f"{key}\nß")
    assert key not in str(refused.value)
