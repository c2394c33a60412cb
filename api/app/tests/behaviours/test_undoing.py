"""Whatever a change set does, rolling it back leaves what SDKs are served as it was."""

import json
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import RowChange
from core.tests.thoroughness import EVERYTHING
from documents.builder import build
from documents.rows import read_rows_for
from environments.models import Environment
from features.models import Feature, MultivariateOption
from features.services.allocations import Allocation
from features.services.change_sets import UNCHANGED, Change, Operation, apply_change_set
from features.services.places import Target
from features.services.versioning import enable_versioning
from features.tests.factories import make_feature, make_option
from identities.models import Identity
from releases.contents import served
from releases.previews import _states, preview
from releases.rewinding import TABLES
from releases.services import Mode, Plan, plan_reversal
from segments.models import Segment

EXAMPLES = 300 if EVERYTHING else 3
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["", "1", "true", "red"]))


def said(state: Any) -> str:
    return json.dumps(state, sort_keys=True)


class Place:
    """An environment in which much can be changed: two features, one of them with variants."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        project = environment.project
        plain, varied = make_feature(project), make_feature(project, initial_value="control")
        self.features: list[Feature] = [plain, varied]
        self.options: list[MultivariateOption] = [make_option(varied, text, 10) for text in "abc"]
        self.segments = [Segment.objects.create(project=project, name=name) for name in ("x", "y", "z")]
        self.identity = Identity.objects.create(environment=environment, identifier="kim")

    @property
    def document(self) -> dict[Any, str]:
        """What SDKs are served of features, without the numbers of rows; as JSON, where 1 isn't true."""
        states = _states(build(read_rows_for([self.identity.pk], self.environment.pk)))
        return {key: said(state) for key, state in states.items()}

    @property
    def targets(self) -> list[Target]:
        return [
            (self.environment.pk, feature.pk, segment_id, identity_id)
            for feature in self.features
            for segment_id, identity_id in [
                (None, None),
                (None, self.identity.pk),
                *((segment.pk, None) for segment in self.segments),
            ]
        ]

    def apply(self, changes: list[Change]) -> list[RowChange]:
        """Apply a change set, and return what the history has of it."""
        newest = RowChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        apply_change_set(changes, author=None)
        connection.check_constraints()  # as a commit would
        rows = RowChange.objects.filter(pk__gt=newest, table_name__in=TABLES)
        return list(rows.order_by("pk"))

    def plan(self, rows: list[RowChange]) -> Plan:
        return plan_reversal(rows, self.environment, Mode.APPLY)

    def there(self) -> set[Target]:
        return set(served(self.environment.pk, None, [self.identity.pk]))


@pytest.fixture(params=["in place", "by versions"])
def place(request, environment) -> Place:
    place = Place(environment)
    if request.param == "by versions":
        enable_versioning(environment, author=None)
        environment.refresh_from_db()
    return place


def draw_changes(data: st.DataObject, place: Place) -> list[Change]:
    """Draw a change set that can be applied to what there is."""
    there = place.there()
    chosen = data.draw(st.lists(st.sampled_from(place.targets), min_size=1, max_size=5, unique=True))
    return [draw_change(data, place, target, is_there=target in there) for target in chosen]


def draw_change(data: st.DataObject, place: Place, target: Target, *, is_there: bool) -> Change:
    environment_id, feature_id, segment_id, identity_id = target
    where: dict[str, Any] = {"segment_id": segment_id, "identity_id": identity_id}
    is_override = segment_id is not None or identity_id is not None
    if is_there and is_override and data.draw(st.booleans(), "goes"):
        return Change(feature_id, environment_id, operation=Operation.REMOVE, **where)
    shares: Any = UNCHANGED
    if feature_id == place.features[1].pk and data.draw(st.booleans(), "shares"):
        options = data.draw(st.lists(st.sampled_from(place.options), unique=True))
        shares = tuple(Allocation(each.pk, data.draw(st.integers(0, 33))) for each in options)
    return Change(
        feature_id,
        environment_id,
        enabled=data.draw(st.one_of(st.just(UNCHANGED), st.booleans())),
        value=data.draw(st.one_of(st.just(UNCHANGED), VALUES)),
        allocations=shares,
        priority=data.draw(st.one_of(st.none(), st.integers(0, 4))) if segment_id else None,
        **where,
    )


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_change_that_is_rolled_back_at_once_was_never_there(place, data):
    with transaction.atomic():
        place.apply(draw_changes(data, place))
        before = place.document
        done = place.apply(draw_changes(data, place))
        after = place.document

        plan = place.plan(done)
        undone = place.apply(plan.change_set)

        assert (plan.conflicts, plan.impossible) == ([], [])
        assert place.document == before
        place.apply(place.plan(undone).change_set)  # what rolls back is a change as any other
        assert place.document == after
        transaction.set_rollback(True)


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_others_have_changed_since_stays_as_they_left_it(place, data):
    """And the preview of it says exactly what becomes of the document."""
    with transaction.atomic():
        place.apply(draw_changes(data, place))
        mine = draw_changes(data, place)
        done = place.apply(mine)
        theirs = draw_changes(data, place)
        place.apply(theirs)
        edited = served(place.environment.pk, None, [place.identity.pk])
        document = place.document

        plan = place.plan(done)
        [foreseen] = preview(
            lambda: apply_change_set(plan.change_set, author=None),
            [place.environment],
            identity_ids=[place.identity.pk],
        )
        assert place.document == document  # a preview leaves nothing behind
        apply_change_set(plan.change_set, author=None)

        now = served(place.environment.pk, None, [place.identity.pk])
        for conflict in plan.conflicts:
            for name in set(conflict.fields) - {"priority"}:
                left = now.get(conflict.target)
                assert (left and left.field(name)) == (conflict.now and conflict.now.field(name))
        for change in theirs:
            if change.target not in {each.target for each in mine} and change.target in edited:
                assert now[change.target].enabled == edited[change.target].enabled
                assert now[change.target].value == edited[change.target].value
        after = place.document
        assert {each.key: (said(each.old), said(each.new)) for each in foreseen.states} == {
            key: (document.get(key, "null"), after.get(key, "null"))
            for key in document | after
            if document.get(key) != after.get(key)
        }
        transaction.set_rollback(True)
