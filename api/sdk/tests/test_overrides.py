"""Overrides of identities: what is known of them is used again, and never when it has changed."""

import random
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from documents.builder import build
from documents.rows import EnvironmentRows, read_rows
from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from environments.models import Environment
from features.models import Feature, FeatureState, MultivariateFeatureStateValue, MultivariateOption
from identities.models import Identity
from sdk.contents import Content, content_of, encode

VARIANTS = {"a": ("A", 30.0), "b": ("B", 30.0)}


@pytest.fixture
def crowded(project, environment) -> Environment:
    """An environment in which eight identities override some of four features."""
    features = [make_feature(project, f"feature_{number}", variants=VARIANTS) for number in range(4)]
    for number in range(8):
        for feature in features[: 1 + number % 3]:
            weights = {"a": 60.0, "b": 40.0} if number % 2 else {}
            override_for_identity(feature, environment, f"kim {number}", value=number, weights=weights)
    override_for_segment(features[0], environment, make_segment(project))
    return environment


def content(environment: Environment, before: Content | None = None) -> Content:
    """Return the environment's content, made with what is known from before."""
    known = before.identity_overrides if before else None
    return content_of(read_rows(environment.pk, known=known.fingerprints if known else None), known)


Change = Callable[[random.Random, Environment], object]


def one(chance: random.Random, rows: QuerySet) -> QuerySet:
    """Return one of the rows, if there is any, as a query set: updates of it call no model's code."""
    ids = sorted(rows.values_list("pk", flat=True))
    return rows.filter(pk__in=[chance.choice(ids)] if ids else [])


def overrides(environment: Environment) -> QuerySet:
    return FeatureState.objects.filter(environment=environment, identity__isnull=False)


def elsewhere(environment: Environment) -> Environment:
    return Environment.objects.get_or_create(project=environment.project, name="Elsewhere")[0]


def add_override(chance: random.Random, environment: Environment) -> None:
    feature = one(chance, Feature.objects.filter(project=environment.project)).get()
    override_for_identity(feature, environment, f"kim {chance.randrange(12)}", value=chance.random() < 0.5)


CHANGES: dict[str, Change] = {
    "value": lambda chance, environment: one(chance, overrides(environment)).update(
        type="unicode", string_value=str(chance.random()), integer_value=None, boolean_value=None
    ),
    "switch": lambda chance, environment: one(chance, overrides(environment)).update(enabled=~F("enabled")),
    "uuid": lambda chance, environment: one(chance, overrides(environment)).update(uuid=uuid.uuid4()),
    "seed": lambda chance, environment: one(chance, overrides(environment)).update(
        hash_seed=chance.randrange(1, 99)
    ),
    "draft": lambda chance, environment: one(chance, overrides(environment)).update(is_live=~F("is_live")),
    "soft deletion": lambda chance, environment: one(chance, overrides(environment)).get().delete(),
    "add": add_override,
    "rename identity": lambda chance, environment: one(chance, environment.identities.all()).update(
        identifier=f"lee {chance.random()}"
    ),
    "age identity": lambda chance, environment: one(chance, environment.identities.all()).update(
        created_date=F("created_date") - timedelta(days=1)
    ),
    "delete identity": lambda chance, environment: one(chance, environment.identities.all()).delete(),
    "move identity": lambda chance, environment: one(chance, environment.identities.all()).update(
        environment=elsewhere(environment)
    ),
    "bring identity back": lambda chance, environment: one(
        chance, elsewhere(environment).identities.all()
    ).update(environment=environment),
    "traits": lambda chance, environment: environment.identities.update(traits={"age": chance.random()}),
    "rename feature": lambda chance, environment: one(chance, Feature.objects.all()).update(
        name=f"feature {chance.random()}"
    ),
    "type": lambda chance, environment: one(chance, Feature.objects.all()).update(
        type=chance.choice(["STANDARD", "MULTIVARIATE"])
    ),
    "delete feature": lambda chance, environment: one(chance, Feature.objects.all()).get().delete(),
    "restore features": lambda chance, environment: Feature.all_objects.update(deleted_at=None),
    "add option": lambda chance, environment: MultivariateOption.objects.create(
        feature=one(chance, Feature.objects.all()).get(),
        string_value=str(chance.random()),
        default_percentage_allocation=0,
    ),
    "option": lambda chance, environment: one(chance, MultivariateOption.objects.all()).update(
        string_value=str(chance.random())
    ),
    "rename option": lambda chance, environment: one(chance, MultivariateOption.objects.all()).update(
        key=f"key-{chance.randrange(10**9)}"
    ),
    "delete option": lambda chance, environment: one(chance, MultivariateOption.objects.all()).delete(),
    "weight": lambda chance, environment: one(chance, MultivariateFeatureStateValue.objects.all()).update(
        percentage_allocation=chance.randrange(20)
    ),
    "keep at home": lambda chance, environment: Environment.objects.update(
        use_identity_overrides_in_local_eval=chance.random() < 0.5
    ),
    "environment's key": lambda chance, environment: Environment.objects.filter(pk=environment.pk).update(
        api_key=f"key {chance.random()}"
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_what_is_made_with_what_was_known_is_what_is_made_anew(crowded, seed):
    chance = random.Random(seed)
    made = content(crowded)
    # In random order, and each of them also after the others.
    names = [name for _ in range(2) for name in chance.sample(sorted(CHANGES), len(CHANGES))]
    for name in names:
        try:
            with transaction.atomic():
                CHANGES[name](chance, crowded)
        except (IntegrityError, Feature.DoesNotExist, FeatureState.DoesNotExist):
            continue  # what chance has chosen can't be

        made = content(crowded, before=made)

        anew = content(crowded)
        assert made == anew, name
        assert made.document_body == encode(build(read_rows(crowded.pk)).document), name
        read_back = Content.from_bytes(made.revision.name, made.to_bytes())
        assert read_back == anew, name
        made = chance.choice([made, read_back])  # another worker may be the next to build


def read_of(rows: EnvironmentRows) -> set[int]:
    return {state["identity"]["id"] for state in rows.states if state["identity"]}


@pytest.mark.django_db
def test_only_what_has_changed_is_read(crowded):
    before = content(crowded)
    changed = overrides(crowded).get(identity__identifier="kim 3")
    FeatureState.objects.filter(pk=changed.pk).update(enabled=False)

    rows = read_rows(crowded.pk, known=before.identity_overrides.fingerprints)

    assert read_of(rows) == {changed.identity_id}
    assert len(rows.fingerprints) == Identity.objects.count()


@pytest.mark.django_db
def test_another_version_of_the_server_writes_them_anew(crowded, monkeypatch):
    known = content(crowded).identity_overrides.fingerprints
    monkeypatch.setattr("documents.rows.VERSION", "another")

    rows = read_rows(crowded.pk, known=known)

    assert read_of(rows) == set(known)


@pytest.mark.django_db
def test_overrides_are_found_by_identifier(crowded):
    made = content(crowded).identity_overrides

    assert len(made) == 8
    assert "kim 3" in made
    assert "lee" not in made
    assert made.get("lee") is None
    assert [context["value"] for context in (made.get("kim 5") or {}).values()] == [5, 5, 5]
