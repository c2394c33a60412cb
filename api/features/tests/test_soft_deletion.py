"""Deleting marks: what is deleted is gone for the product, with everything below it."""

import pytest

from environments.models import Environment
from features.models import Feature, FeatureState
from organisations.models import Organisation
from projects.models import Project
from segments.models import Segment


def test_deleting_a_project_takes_along_what_is_below_and_nothing_beside(organisation, feature, environment):
    Segment.objects.create(project=environment.project, name="Beta")
    other = Project.objects.create(organisation=organisation, name="Other")
    kept = Feature.objects.create(project=other, name="kept")

    environment.project.delete()

    left = [model.objects.count() for model in (Project, Environment, Feature, FeatureState, Segment)]
    assert left == [1, 0, 1, 0, 0]
    assert Feature.objects.get() == kept
    assert Organisation.objects.filter(pk=organisation.pk).exists()


def test_a_deleted_row_is_still_there_for_history(feature):
    feature.delete()

    assert Feature.all_objects.get(pk=feature.pk).deleted_at is not None


def test_a_deleted_name_is_free_again(project, feature):
    feature.delete()

    again = Feature.objects.create(project=project, name=feature.name)

    assert again.pk != feature.pk


def test_deleting_many_takes_as_many_statements_as_deleting_one(
    project, environment, django_assert_max_num_queries
):
    for number in range(20):
        Feature.objects.create(project=project, name=f"feature {number}")

    with django_assert_max_num_queries(20):
        Feature.objects.all().delete()

    assert not FeatureState.objects.exists()


def test_deleting_twice_keeps_the_first_moment(feature):
    feature.delete()
    first = Feature.all_objects.get(pk=feature.pk).deleted_at

    Feature.all_objects.filter(pk=feature.pk).delete()

    assert Feature.all_objects.get(pk=feature.pk).deleted_at == first


@pytest.mark.django_db
def test_deleting_nothing_is_harmless():
    assert Feature.objects.all().delete() == (0, {})
