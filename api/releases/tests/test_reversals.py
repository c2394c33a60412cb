"""What undoes a change, and what it leaves alone."""

from dataclasses import replace

import pytest

from features.services.allocations import Allocation
from features.services.change_sets import Operation
from features.services.places import Place, Target
from releases.contents import Content, change_set, orders
from releases.orders import in_same_order, merged
from releases.promotions import Choice, Kind, compare, promote
from releases.reversals import Reversal, Rows, reverse

ENVIRONMENT, FEATURE = 1, 10
DEFAULT: Target = (ENVIRONMENT, FEATURE, None, None)
IDENTITY: Target = (ENVIRONMENT, FEATURE, None, 7)
ALL = Rows(features={FEATURE}, segments={1, 2, 3, 4}, identities={7}, options={5, 6})

OFF = Content(enabled=False, value="blue", allocations=(), priority=None, seed=100)


def override(segment_id: int) -> Target:
    return (ENVIRONMENT, FEATURE, segment_id, None)


def overrides(*order: int) -> dict:
    """Return an override for each of these segments, in this order."""
    return {
        override(segment_id): Content(True, "red", (), priority, 200 + segment_id)
        for priority, segment_id in enumerate(order)
    }


def order_after(now: dict, reversal: Reversal) -> list[int]:
    there = {target: content for target, content in {**now, **reversal.wanted}.items() if content is not None}
    return orders(there).get(Place(ENVIRONMENT, FEATURE), [])


def test_fields_that_nobody_has_edited_since_become_what_they_were():
    before, after = {DEFAULT: OFF}, {DEFAULT: replace(OFF, enabled=True, value=1)}

    reversal = reverse(before, after, after, ALL)

    assert reversal == Reversal({DEFAULT: OFF})


def test_a_field_that_was_edited_since_stays_and_is_shown_beside_the_others():
    before, after = {DEFAULT: OFF}, {DEFAULT: replace(OFF, enabled=True, value="red")}
    now = {DEFAULT: replace(OFF, enabled=True, value="green")}

    reversal = reverse(before, after, now, ALL)

    assert reversal.wanted == {DEFAULT: replace(OFF, value="green")}
    [conflict] = reversal.conflicts
    assert conflict.fields == ["feature_state_value"]
    assert (conflict.before, conflict.after, conflict.now) == (OFF, after[DEFAULT], now[DEFAULT])


def test_what_is_as_it_was_already_is_neither_touched_nor_in_the_way():
    before, after = {DEFAULT: OFF}, {DEFAULT: replace(OFF, enabled=True)}

    assert reverse(before, after, before, ALL) == Reversal()


def test_fields_that_the_change_left_alone_may_have_become_anything():
    before, after = {DEFAULT: OFF}, {DEFAULT: replace(OFF, enabled=True)}
    now = {DEFAULT: replace(OFF, enabled=True, value="1")}

    assert reverse(before, after, now, ALL).wanted == {DEFAULT: replace(OFF, value="1")}


def test_one_is_another_value_than_true_and_than_the_text():
    before, after = {DEFAULT: replace(OFF, value=1)}, {DEFAULT: replace(OFF, value="1")}

    assert reverse(before, after, after, ALL).wanted == before
    assert reverse(before, after, {DEFAULT: replace(OFF, value=True)}, ALL).conflicts


def test_an_override_that_came_goes_unless_somebody_has_edited_it():
    after = {IDENTITY: OFF}
    edited = {IDENTITY: replace(OFF, enabled=True)}

    assert reverse({}, after, after, ALL).wanted == {IDENTITY: None}
    assert reverse({}, after, {}, ALL) == Reversal()
    [conflict] = reverse({}, after, edited, ALL).conflicts
    assert (conflict.fields, conflict.before, conflict.now) == (["enabled"], None, edited[IDENTITY])


def test_an_override_that_went_comes_back_with_its_seed_unless_there_is_another():
    before = {IDENTITY: replace(OFF, allocations=(Allocation(6, 30.0), Allocation(5, 20.0)))}

    reversal = reverse(before, {}, {}, ALL)

    [change] = change_set({}, reversal.wanted)
    assert (change.operation, change.seed) == (Operation.CREATE, 100)
    assert change.allocations == (Allocation(6, 30.0), Allocation(5, 20.0))
    assert reverse(before, {}, before, ALL) == Reversal()
    assert reverse(before, {}, {IDENTITY: OFF}, ALL).conflicts


@pytest.mark.parametrize(
    ("target", "before", "after", "gone"),
    [
        (DEFAULT, {DEFAULT: OFF}, {DEFAULT: replace(OFF, enabled=True)}, {"features": ()}),
        (override(1), overrides(1), {}, {"segments": ()}),
        (IDENTITY, {IDENTITY: OFF}, {}, {"identities": ()}),
        (
            DEFAULT,
            {DEFAULT: replace(OFF, allocations=(Allocation(5, 20.0),))},
            {DEFAULT: OFF},
            {"options": ()},
        ),
        (DEFAULT, {}, {DEFAULT: OFF}, {}),
        (DEFAULT, {DEFAULT: OFF}, {}, {}),
    ],
)
def test_what_no_change_set_can_bring_back_is_said(target, before, after, gone):
    reversal = reverse(before, after, after, replace(ALL, **gone))

    assert [each.target for each in reversal.impossible] == [target]
    assert reversal.wanted == {}


@pytest.mark.parametrize(
    ("before", "after", "now", "expected", "is_conflict"),
    [
        ((1, 2, 3), (3, 1, 2), (3, 1, 2), [1, 2, 3], False),  # moved
        ((1, 2), (2, 1), (4, 2, 1), [4, 1, 2], False),  # one came since, before them
        ((1, 2), (2, 1), (2, 4, 1), [1, 2, 4], False),  # one came since, after 2
        ((1, 2, 3), (3, 2, 1), (2, 3, 1), [2, 3, 1], True),  # moved again since
        ((1, 2, 3), (1, 3), (1, 3), [1, 2, 3], False),  # taken away
        ((1, 2, 3), (1, 3), (3, 1), [3, 1, 2], False),  # taken away, and others moved since
        ((1, 3), (1, 2, 3), (1, 2, 3), [1, 3], False),  # made
        ((1, 3), (1, 2, 3), (3, 2, 1), [3, 1], False),  # made, and others moved since
    ],
)
def test_overrides_return_to_the_order_they_had(before, after, now, expected, is_conflict):
    is_now = overrides(*now)

    reversal = reverse(overrides(*before), overrides(*after), is_now, ALL)

    assert order_after(is_now, reversal) == expected
    assert bool(reversal.conflicts) is is_conflict


def test_overrides_return_to_the_very_numbers_they_had():
    before = {
        target: replace(each, priority=5 * (each.priority or 0)) for target, each in overrides(1, 2).items()
    }

    reversal = reverse(before, overrides(2, 1), overrides(2, 1), ALL)

    assert reversal.wanted == before


def test_what_moves_up_by_itself_is_not_moved_by_hand():
    """Taking an override away moves up those after it: they need no change of their own."""
    now = overrides(1, 2, 3)

    changes = change_set(now, reverse(overrides(2, 3), now, now, ALL).wanted)

    assert [(each.operation, each.segment_id) for each in changes] == [(Operation.REMOVE, 1)]


def test_orders_are_merged_by_what_each_follows():
    assert merged([3, 1], [1, 2, 3], {1, 2, 3}) == [3, 1, 2]
    assert merged([], [2, 1], {1, 2}) == [2, 1]
    assert in_same_order([1, 2, 3], [9, 1, 3])
    assert not in_same_order([1, 2, 3], [3, 1])


class TestPromotion:
    source = {DEFAULT: replace(OFF, enabled=True, value="new"), **overrides(1, 2)}
    target = {DEFAULT: OFF, **overrides(2, 3)}

    def test_what_differs_is_listed_by_state_and_other_numbers_are_no_difference(self):
        found = {each.target[2]: each.fields for each in compare(self.source, self.target)}

        assert found == {
            None: ["enabled", "feature_state_value"],
            1: ["enabled", "feature_state_value", "priority"],
            3: ["enabled", "feature_state_value", "priority"],
        }

    def test_everything_of_a_feature_makes_it_equal(self):
        wanted = promote(self.source, self.target, [Choice(FEATURE)])

        result = {key: each for key, each in {**self.target, **wanted}.items() if each is not None}
        assert compare(self.source, result) == []
        assert orders(result)[Place(ENVIRONMENT, FEATURE)] == [1, 2]

    def test_one_field_of_one_kind_is_taken_over_alone(self):
        choice = Choice(FEATURE, Kind.DEFAULT, fields=("feature_state_value",))

        assert promote(self.source, self.target, [choice]) == {DEFAULT: replace(OFF, value="new")}

    def test_one_new_override_gets_the_place_that_it_has_beside_the_others(self):
        wanted = promote(self.source, self.target, [Choice(FEATURE, Kind.OVERRIDE, 1)])

        result = {**self.target, **wanted}
        assert orders(result)[Place(ENVIRONMENT, FEATURE)] == [1, 2, 3]

    def test_the_order_is_taken_over_if_all_that_stand_elsewhere_are_chosen(self):
        source, target = overrides(1, 2, 3), overrides(3, 2, 1)
        some = [Choice(FEATURE, Kind.OVERRIDE, 1)]

        assert promote(source, target, some) == {}
        whole = {**target, **promote(source, target, [Choice(FEATURE)])}
        assert orders(whole)[Place(ENVIRONMENT, FEATURE)] == [1, 2, 3]
