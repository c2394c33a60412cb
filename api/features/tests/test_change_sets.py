"""Change sets: all changes or none, one at a time for a feature, and nothing but what is named."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from audit.models import AuditRecord
from core.errors import InvalidInput
from environments.models import Environment
from features.models import FeatureSegment, FeatureState
from features.services.allocations import Allocation
from features.services.change_sets import Change, Operation, apply_change_set
from features.services.feature_states import update_feature_state
from features.tests.factories import default_state, make_feature, make_option, make_segment_override
from identities.models import Identity
from organisations.models import Organisation
from projects.models import Project
from segments.tests.factories import make_segment


@pytest.fixture
def identity(environment) -> Identity:
    return Identity.objects.create(environment=environment, identifier="kim")


def test_changes_of_many_kinds_are_applied_together(project, environment, feature, identity, admin):
    staging = Environment.objects.create(project=project, name="Staging")
    segment = make_segment(project)
    changes = [
        Change(feature.pk, staging.pk, enabled=True, value=7),
        Change(feature.pk, environment.pk, segment_id=segment.pk, enabled=True, value="red"),
        Change(feature.pk, environment.pk, identity_id=identity.pk, value=True),
    ]

    states = apply_change_set(changes, author=admin)

    assert [(state.environment_id, state.enabled, state.value) for state in states] == [
        (staging.pk, True, 7),
        (environment.pk, True, "red"),
        (environment.pk, False, True),
    ]
    assert [state.feature_segment is not None for state in states] == [False, True, False]
    assert states[2].identity_id == identity.pk


def test_applied_again_it_changes_and_records_nothing(project, environment, feature, identity, admin):
    changes = [
        Change(feature.pk, environment.pk, enabled=True),
        Change(feature.pk, environment.pk, segment_id=make_segment(project).pk, value=1),
        Change(feature.pk, environment.pk, identity_id=identity.pk, value=2),
    ]
    first = apply_change_set(changes, author=admin)
    records = AuditRecord.objects.count()

    again = apply_change_set(changes, author=admin)

    assert [state.pk for state in again] == [state.pk for state in first]
    assert [state.updated_at for state in again] == [state.updated_at for state in first]
    assert AuditRecord.objects.count() == records


def test_one_change_that_cannot_be_leaves_all_undone(project, environment, feature, admin):
    other = make_feature(project)
    changes = [
        Change(feature.pk, environment.pk, enabled=True),
        Change(other.pk, environment.pk, identity_id=999_999, enabled=True),
    ]

    with pytest.raises(InvalidInput):
        apply_change_set(changes, author=admin)

    assert not FeatureState.objects.filter(enabled=True).exists()
    assert not AuditRecord.objects.exists()


def test_a_state_is_changed_once(environment, feature, admin):
    changes = [Change(feature.pk, environment.pk, enabled=enabled) for enabled in (True, False)]

    with pytest.raises(InvalidInput):
        apply_change_set(changes, author=admin)


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.REMOVE])
def test_what_is_not_there_is_neither_updated_nor_removed(environment, feature, identity, admin, operation):
    with pytest.raises(InvalidInput):
        apply_change_set(
            [Change(feature.pk, environment.pk, identity_id=identity.pk, operation=operation)], author=admin
        )


def test_segment_overrides_of_one_set_stand_in_its_order(project, environment, feature, admin):
    later, earlier = make_segment(project), make_segment(project)
    changes = [Change(feature.pk, environment.pk, segment_id=segment.pk) for segment in (earlier, later)]

    apply_change_set(changes, author=admin)

    assert [place.segment_id for place in FeatureSegment.objects.all()] == [earlier.pk, later.pk]


def test_an_override_can_be_moved_among_the_others(project, environment, feature, admin):
    segments = [make_segment(project) for _ in range(3)]
    for segment in segments:
        make_segment_override(feature, environment, segment)

    apply_change_set(
        [Change(feature.pk, environment.pk, segment_id=segments[2].pk, priority=0)], author=admin
    )

    connection.check_constraints()
    order = [place.segment_id for place in FeatureSegment.objects.all()]
    assert order == [segments[2].pk, segments[0].pk, segments[1].pk]

    apply_change_set(
        [Change(feature.pk, environment.pk, segment_id=segments[0].pk, priority=0)], author=admin
    )
    assert list(FeatureSegment.objects.values_list("segment", "priority")) == [
        (segments[0].pk, 0),
        (segments[2].pk, 1),
        (segments[1].pk, 2),
    ]
    logs = set(AuditRecord.objects.values_list("log", flat=True))
    assert logs == {"Segment overrides re-ordered for feature 'new_checkout'."}


def test_later_changes_of_a_set_see_where_earlier_ones_have_moved_an_override(
    project, environment, feature, admin
):
    first, second, third, new = (make_segment(project, name=name) for name in ("1", "2", "3", "new"))
    for segment in (first, second, third):
        make_segment_override(feature, environment, segment)

    apply_change_set(
        [
            Change(feature.pk, environment.pk, segment_id=new.pk, priority=0),
            Change(feature.pk, environment.pk, segment_id=second.pk, operation=Operation.REMOVE),
            Change(feature.pk, environment.pk, segment_id=first.pk, priority=0),
        ],
        author=admin,
    )

    connection.check_constraints()
    order = FeatureSegment.objects.values_list("segment__name", flat=True)
    assert list(order) == ["1", "new", "3"]


@pytest.mark.parametrize("part", ["environment", "segment", "identity"])
def test_parts_of_another_organisation_are_refused(environment, feature, admin, part):
    project = Project.objects.create(
        organisation=Organisation.objects.create(name="Elsewhere"), name="Foreign"
    )
    foreign = Environment.objects.create(project=project, name="Foreign")
    change = {
        "environment": Change(feature.pk, foreign.pk, enabled=True),
        "segment": Change(feature.pk, environment.pk, segment_id=make_segment(project).pk),
        "identity": Change(
            feature.pk,
            environment.pk,
            identity_id=Identity.objects.create(environment=foreign, identifier="x").pk,
        ),
    }[part]

    with pytest.raises(InvalidInput):
        apply_change_set([change], author=admin)


def test_a_stale_copy_does_not_undo_what_others_changed_meanwhile(environment, feature, admin):
    stale = default_state(feature, environment)
    FeatureState.objects.update(enabled=True)

    update_feature_state(stale, author=admin, value="red")

    state = default_state(feature, environment)
    assert (state.enabled, state.value) == (True, "red")


def test_the_number_of_features_does_not_change_the_number_of_reads(
    project, environment, admin, django_assert_num_queries
):
    features = [make_feature(project) for _ in range(10)]
    changes = [Change(feature.pk, environment.pk, enabled=False) for feature in features]

    # savepoint, features, environments, segments and identities (none asked), states, their shares,
    # the states again with places and shares, release
    with django_assert_num_queries(8):
        apply_change_set(changes, author=admin)


@pytest.mark.django_db(transaction=True)
class TestConcurrently:
    def in_parallel(self, *jobs: Callable[[], object]) -> list[Exception]:
        """Run the jobs at the same moment and return what they raised."""
        start, failures = threading.Barrier(len(jobs)), []

        def run(job: Callable[[], object]) -> None:
            start.wait()
            try:
                job()
            except Exception as error:  # noqa: BLE001  # whatever it is, the test shows it
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=[job]) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return failures

    def test_new_overrides_find_different_places(self, project, environment, feature, admin):
        def create(segment_id: int) -> Callable[[], object]:
            change = Change(feature.pk, environment.pk, segment_id=segment_id, priority=0)
            return lambda: apply_change_set([change], author=admin)

        failures = self.in_parallel(*(create(make_segment(project).pk) for _ in range(6)))

        assert failures == []
        assert sorted(FeatureSegment.objects.values_list("priority", flat=True)) == list(range(6))

    def test_two_first_overrides_of_an_identity_are_one(self, environment, feature, identity, admin):
        change = Change(feature.pk, environment.pk, identity_id=identity.pk, enabled=True)

        failures = self.in_parallel(*[lambda: apply_change_set([change], author=admin)] * 4)

        assert failures == []
        assert FeatureState.objects.filter(identity=identity).count() == 1

    def test_sets_in_opposite_order_do_not_stop_each_other(self, project, environment, admin):
        features = [make_feature(project) for _ in range(4)]

        def toggle(order: list, enabled: bool) -> Callable[[], object]:
            changes = [Change(each.pk, environment.pk, enabled=enabled) for each in order]
            return lambda: [apply_change_set(changes, author=admin) for _ in range(10)]

        failures = self.in_parallel(toggle(features, True), toggle(features[::-1], False))

        assert failures == []

    def test_shares_never_exceed_100_percent(self, environment, feature, admin):
        options = [make_option(feature, value, 0) for value in ("red", "green")]
        state = default_state(feature, environment)

        def give(index: int) -> Callable[[], object]:
            shares = tuple(
                Allocation(option.pk, 80.0 if position == index else 20.0)
                for position, option in enumerate(options)
            )
            return lambda: [update_feature_state(state, author=admin, allocations=shares) for _ in range(5)]

        failures = self.in_parallel(give(0), give(1))

        shares = default_state(feature, environment).multivariate_feature_state_values
        assert failures == []
        assert sum(shares.values_list("percentage_allocation", flat=True)) == 100
