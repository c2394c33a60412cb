"""What must always hold of feature states, the database holds."""

import pytest
from django.db import IntegrityError, connection, transaction

from features.models import Feature, FeatureSegment, FeatureState, MultivariateOption
from identities.models import Identity
from segments.models import Segment


@pytest.fixture
def bindings(project, environment, feature) -> list[FeatureSegment]:
    segments = [Segment.objects.create(project=project, name=f"segment {number}") for number in range(2)]
    return [
        FeatureSegment.objects.create(
            feature=feature, environment=environment, segment=segment, priority=number
        )
        for number, segment in enumerate(segments)
    ]


def test_a_feature_has_one_default_state_in_an_environment(feature, environment):
    with pytest.raises(IntegrityError, match="one_default_state"):
        FeatureState.objects.create(feature=feature, environment=environment)


def test_an_identity_has_one_override_of_a_feature(feature, environment):
    identity = Identity.objects.create(environment=environment, identifier="kim")
    FeatureState.objects.create(feature=feature, environment=environment, identity=identity)

    with pytest.raises(IntegrityError, match="one_state_per_identity"):
        FeatureState.objects.create(feature=feature, environment=environment, identity=identity)


def test_a_feature_has_one_override_for_a_segment(bindings):
    with pytest.raises(IntegrityError, match="segment_override_once"):
        FeatureSegment.objects.create(
            feature=bindings[0].feature,
            environment=bindings[0].environment,
            segment=bindings[0].segment,
            priority=7,
        )


def test_drafts_and_deleted_states_may_stand_beside_the_live_one(feature, environment):
    FeatureState.objects.create(feature=feature, environment=environment, is_live=False)
    FeatureState.objects.get(is_live=True).delete()

    FeatureState.objects.create(feature=feature, environment=environment)

    assert FeatureState.all_objects.count() == 3


def test_priorities_can_be_swapped_within_a_transaction(bindings):
    first, second = bindings

    with transaction.atomic():
        FeatureSegment.objects.filter(pk=first.pk).update(priority=1)
        FeatureSegment.objects.filter(pk=second.pk).update(priority=0)
        connection.check_constraints()

    assert list(FeatureSegment.objects.all()) == [second, first]


def test_two_overrides_cannot_share_a_priority(bindings):
    FeatureSegment.objects.filter(pk=bindings[0].pk).update(priority=1)

    with pytest.raises(IntegrityError, match="segment_override_priorities"):
        connection.check_constraints()


def test_shares_of_a_state_stay_within_100_percent(feature):
    for name in ("green", "red"):
        MultivariateOption.objects.create(
            feature=feature, string_value=name, default_percentage_allocation=60
        )

    with pytest.raises(IntegrityError, match="exceed 100%"):
        connection.check_constraints()


def test_names_of_features_are_unique_whatever_their_case(project, feature):
    with pytest.raises(IntegrityError, match="feature_name_once"):
        Feature.objects.create(project=project, name=feature.name.upper())


def test_names_of_2000_characters_beyond_ascii_fit(project):
    name = "".join(chr(0x1F300 + number % 700) for number in range(2000))

    feature = Feature.objects.create(project=project, name=name)

    assert Feature.objects.get(name=name) == feature


def test_a_value_has_the_type_that_it_says(feature):
    state = FeatureState.objects.get(feature=feature)

    with pytest.raises(IntegrityError, match="state_value_typed"):
        FeatureState.objects.filter(pk=state.pk).update(type="int")
