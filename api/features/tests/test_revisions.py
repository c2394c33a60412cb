"""Every change that an SDK could see raises the revisions of the environments it shows in, once."""

import pytest
from django.db import connection, transaction

from environments.models import Environment, EnvironmentRevision, Touch
from features.models import Feature, FeatureState
from identities.models import Identity
from organisations.models import Organisation
from projects.models import Project
from segments.models import Segment

pytestmark = pytest.mark.django_db(transaction=True)


def revision_of(environment: Environment) -> int:
    return EnvironmentRevision.objects.get(environment_id=environment.pk).revision


@pytest.fixture
def neighbour(project) -> Environment:
    """Another environment of the same project."""
    return Environment.objects.create(project=project, name="Staging")


@pytest.fixture
def foreign_environment(db) -> Environment:
    """An environment of another organisation."""
    other = Project.objects.create(organisation=Organisation.objects.create(name="Other"), name="Other")
    return Environment.objects.create(project=other, name="Production")


def test_a_feature_state_raises_only_its_environment(environment, neighbour, feature):
    before, neighbour_before = revision_of(environment), revision_of(neighbour)

    FeatureState.objects.filter(environment=environment).update(enabled=True)

    assert revision_of(environment) == before + 1
    assert revision_of(neighbour) == neighbour_before


def test_a_segment_raises_every_environment_of_its_project_and_no_other(
    environment, neighbour, foreign_environment
):
    before = [revision_of(each) for each in (environment, neighbour, foreign_environment)]

    Segment.objects.create(project=environment.project, name="Beta")

    after = [revision_of(each) for each in (environment, neighbour, foreign_environment)]
    assert after == [before[0] + 1, before[1] + 1, before[2]]


def test_a_transaction_raises_a_revision_once_and_only_at_its_end(environment, feature):
    before = revision_of(environment)

    with transaction.atomic():
        for enabled in (True, False, True):
            FeatureState.objects.filter(environment=environment).update(enabled=enabled)
        Segment.objects.create(project=environment.project, name="Beta")
        assert revision_of(environment) == before

    assert revision_of(environment) == before + 1


def test_a_save_that_changes_nothing_publishes_nothing(environment, feature):
    before = revision_of(environment)

    FeatureState.objects.get(environment=environment).save()

    assert revision_of(environment) == before


def test_a_draft_publishes_nothing_until_it_goes_live(environment, feature):
    option = feature.multivariate_options.create(default_percentage_allocation=10)
    before = revision_of(environment)

    draft = FeatureState.objects.create(feature=feature, environment=environment, is_live=False)
    draft.multivariate_feature_state_values.create(multivariate_feature_option=option)
    draft.multivariate_feature_state_values.update(percentage_allocation=5)
    draft.save()
    assert revision_of(environment) == before

    with transaction.atomic():
        FeatureState.objects.update(is_live=False)
        FeatureState.all_objects.filter(pk=draft.pk).update(is_live=True)
    assert revision_of(environment) == before + 1


def test_what_was_deleted_is_published_once(environment, feature):
    identity = Identity.objects.create(environment=environment, identifier="kim")
    override = FeatureState.objects.create(feature=feature, environment=environment, identity=identity)
    before = revision_of(environment)

    override.delete()
    after = revision_of(environment)
    identity.delete()  # and with it the row, which nobody saw any more

    assert (after, revision_of(environment)) == (before + 1, before + 1)


def test_a_change_that_is_rolled_back_publishes_nothing(environment, feature):
    before = revision_of(environment)

    with transaction.atomic():
        FeatureState.objects.filter(environment=environment).update(enabled=True)
        transaction.set_rollback(True)

    assert revision_of(environment) == before


def test_trait_writes_publish_nothing_and_a_renamed_identity_does(environment):
    identity = Identity.objects.create(environment=environment, identifier="kim")
    before = revision_of(environment)

    Identity.objects.filter(pk=identity.pk).update(traits={"plan": "pro"})
    after_traits = revision_of(environment)
    Identity.objects.filter(pk=identity.pk).update(identifier="kim@example.org")

    assert [after_traits, revision_of(environment)] == [before, before + 1]


def test_raw_sql_publishes_too(environment, feature):
    before = revision_of(environment)

    with connection.cursor() as cursor:
        cursor.execute("UPDATE features_featurestate SET enabled = NOT enabled")

    assert revision_of(environment) == before + 1


def test_updated_at_only_grows(environment, feature):
    seen = [EnvironmentRevision.objects.get(environment_id=environment.pk).updated_at]

    for enabled in (True, False, True):
        FeatureState.objects.filter(environment=environment).update(enabled=enabled)
        seen.append(EnvironmentRevision.objects.get(environment_id=environment.pk).updated_at)

    assert seen == sorted(set(seen))


def test_a_deleted_environment_keeps_its_revision_and_is_marked(environment):
    before = revision_of(environment)

    environment.delete()

    revision = EnvironmentRevision.objects.get(environment_id=environment.pk)
    assert (revision.revision, revision.gone) == (before + 1, True)


def test_the_revision_of_each_change_has_a_nonce_of_its_own(environment, feature):
    before = EnvironmentRevision.objects.get(environment_id=environment.pk).nonce

    FeatureState.objects.filter(environment=environment).update(enabled=True)

    assert EnvironmentRevision.objects.get(environment_id=environment.pk).nonce != before


def test_nothing_is_left_in_the_table_of_touches(environment, feature):
    Feature.objects.create(project=feature.project, name="another")

    assert not Touch.objects.exists()
