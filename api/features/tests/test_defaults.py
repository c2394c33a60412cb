"""Every feature has a default state in every environment of its project, whatever came first."""

import threading

import pytest
from django.db import connection

from environments.models import Environment
from features.models import (
    EnvironmentFeatureVersion,
    Feature,
    FeatureState,
    FeatureType,
    MultivariateFeatureStateValue,
    MultivariateOption,
)
from features.models.values import typed_value
from projects.models import Project

INITIAL_VALUES = [
    None,
    "",
    "blue",
    "true",
    "True",
    "TRUE",
    "false",
    "False",
    "0",
    "7",
    "007",
    "-5",
    "+5",
    " 5",
    "1_000",
    "2147483646",
    "2147483647",
    "-2147483646",
    "-2147483647",
    "99999999999999999999",
    "1.5",
    "-",
    "٣",
    "5\n",
]


@pytest.mark.parametrize("initial_value", INITIAL_VALUES)
def test_the_trigger_and_python_type_an_initial_value_alike(project, environment, initial_value):
    feature = Feature.objects.create(project=project, name="f", initial_value=initial_value)

    value = FeatureState.objects.get(feature=feature).value

    assert (type(value), value) == (type(typed_value(initial_value)), typed_value(initial_value))


def test_a_new_environment_gets_a_state_for_each_feature(project, feature):
    staging = Environment.objects.create(project=project, name="Staging")

    state = FeatureState.objects.get(environment=staging)

    assert (state.feature, state.enabled, state.value) == (feature, False, "blue")


def test_a_feature_that_starts_enabled_does_so_in_each_environment(project, environment):
    Environment.objects.create(project=project, name="Staging")

    feature = Feature.objects.create(project=project, name="on", default_enabled=True)

    assert list(feature.feature_states.values_list("enabled", flat=True)) == [True, True]


def test_a_project_may_prevent_defaults(organisation):
    project = Project.objects.create(organisation=organisation, name="Careful", prevent_flag_defaults=True)
    Environment.objects.create(project=project, name="Production")

    Feature.objects.create(project=project, name="on", default_enabled=True, initial_value="blue")

    state = FeatureState.objects.get()
    assert (state.enabled, state.value) == (False, None)


def test_an_option_makes_a_feature_multivariate_and_gives_each_default_state_its_share(feature, environment):
    option = MultivariateOption.objects.create(
        feature=feature, string_value="green", default_percentage_allocation=30
    )

    feature.refresh_from_db()
    allocation = MultivariateFeatureStateValue.objects.get()
    assert feature.type == FeatureType.MULTIVARIATE
    assert (allocation.multivariate_feature_option, allocation.percentage_allocation) == (option, 30)


def test_a_feature_without_options_is_standard_again(feature):
    option = MultivariateOption.objects.create(feature=feature, string_value="green")

    option.delete()

    feature.refresh_from_db()
    assert feature.type == FeatureType.STANDARD
    assert not MultivariateFeatureStateValue.objects.exists()


def test_a_new_environment_gets_shares_in_the_order_of_the_options(project, feature):
    options = [
        MultivariateOption.objects.create(
            feature=feature, string_value=name, default_percentage_allocation=10
        )
        for name in ("green", "red", "grey")
    ]

    staging = Environment.objects.create(project=project, name="Staging")

    allocations = MultivariateFeatureStateValue.objects.filter(feature_state__environment=staging)
    assert [each.multivariate_feature_option for each in allocations.order_by("id")] == options


@pytest.mark.django_db(transaction=True)
def test_features_and_environments_made_at_the_same_moment_all_meet(project):
    barrier = threading.Barrier(8)

    def make(number: int) -> None:
        barrier.wait()
        if number % 2:
            Feature.objects.create(project=project, name=f"feature {number}")
        else:
            Environment.objects.create(project=project, name=f"environment {number}")
        connection.close()

    threads = [threading.Thread(target=make, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert FeatureState.objects.count() == 4 * 4


def test_where_versions_are_kept_the_first_states_of_features_are_published_versions(
    project, feature, environment
):
    versioned = Environment.objects.create(project=project, name="Versioned", use_v2_feature_versioning=True)
    newer = Feature.objects.create(project=project, name="newer", initial_value="5")

    versions = EnvironmentFeatureVersion.objects.all()

    assert {(each.environment, each.feature) for each in versions} == {
        (versioned, feature),
        (versioned, newer),
    }
    for version in versions:
        state = FeatureState.objects.get(environment=versioned, feature=version.feature)
        assert (version.published, version.is_live, version.has_gone_live) == (True, True, True)
        assert (state.environment_feature_version, state.version) == (version, None)
    assert not FeatureState.objects.filter(
        environment=environment, environment_feature_version__isnull=False
    ).exists()


def test_a_new_option_gets_a_share_in_what_is_served_and_in_drafts(project):
    environment = Environment.objects.create(project=project, name="V2", use_v2_feature_versioning=True)
    feature = Feature.objects.create(project=project, name="varied")
    live = EnvironmentFeatureVersion.objects.get()
    others = {
        "draft": {"published": False},
        "former": {"published": True, "live_from": live.live_from},
    }
    for name, fields in others.items():
        version = EnvironmentFeatureVersion.objects.create(
            environment=environment, feature=feature, description=name, **fields
        )
        FeatureState.objects.create(
            environment=environment, feature=feature, environment_feature_version=version, is_live=False
        )

    MultivariateOption.objects.create(feature=feature, default_percentage_allocation=20)

    shares = MultivariateFeatureStateValue.objects.order_by("pk")
    of = "feature_state__environment_feature_version__description"
    assert list(shares.values_list(of, "percentage_allocation")) == [(None, 20), ("draft", 20)]
