"""Traits come back as they went in, and any number of writers may meet at one identity."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from environments.models import EnvironmentRevision
from identities import batches
from identities.batches import TraitChanges, look_up, upsert
from identities.models import Identity, TraitKey
from identities.selectors import stored_identities
from identities.services import NotAnIntegerError, increment_trait, store_traits
from identities.traits import LONGEST_STRING, TraitValue, from_column, to_column, trait_value

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e15, 1e16, 1e20, 1e22, 1.5e300, 5e-324, -0.0, 0.0, 1.0, 9007199254740993.0]),
    TEXT,
)


def same(one: object, other: object) -> bool:
    """Whether two values are one JSON scalar: of one type, equal, and with one sign if they are zero."""
    if type(one) is not type(other):
        return False
    return one == other and (
        not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other)  # type: ignore[arg-type]
    )


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(SCALARS, min_size=20, max_size=100))
def test_every_scalar_comes_back_from_the_database_as_it_went_in(values):
    traits = {str(place): value for place, value in enumerate(values)}

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb", [json.dumps(to_column(traits))])
        returned = from_column(json.loads(cursor.fetchone()[0]))

    assert all(same(returned[key], value) for key, value in traits.items())


def test_django_reads_the_column_as_the_statement_writes_it(environment):
    traits: dict[str, TraitValue] = {
        "big": 1e20,
        "minus": -0.0,
        "whole": 1.0,
        "count": 2**63 - 1,
        "name": '"',
        "on": True,
    }
    store_traits([TraitChanges(environment.pk, "kim", traits)])

    stored = stored_identities(environment.pk, ["kim", "unknown"])

    assert list(stored) == ["kim"]
    assert all(same(stored["kim"].traits[key], value) for key, value in traits.items())


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (2**63, "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809"),
        ([1, {"a": None}], '[1,{"a":null}]'),
        ({"é": 1.0}, '{"é":1.0}'),
        ({}, "{}"),
        ("", ""),
    ],
)
def test_what_no_trait_can_be_is_kept_as_text(given, stored):
    assert trait_value(given) == stored


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("x" * (LONGEST_STRING + 1), "too long"),
        (10**LONGEST_STRING, "too long"),
        (["x" * LONGEST_STRING], "too long"),
        ("a\0", "Null characters"),
        ("\ud800", "Surrogate characters"),
        (["\udfff"], "Surrogate characters"),
        (nested(100_000), "too deeply"),
    ],
)
def test_what_cannot_be_kept_is_refused(given, reason):
    with pytest.raises(ValueError, match=reason):
        trait_value(given)


def test_a_batch_makes_changes_and_deletes_and_answers_every_item(environment):
    store_traits([TraitChanges(environment.pk, "kim", {"plan": "free", "age": 30, "old": True})])

    stored = store_traits(
        [
            TraitChanges(environment.pk, "kim", {"plan": "pro"}, frozenset({"old", "never"})),
            TraitChanges(environment.pk, "new", {"a": 1}, frozenset({"b"})),
            TraitChanges(environment.pk, "bare"),
        ]
    )

    assert {identifier: identity.traits for (_, identifier), identity in stored.items()} == {
        "kim": {"plan": "pro", "age": 30},
        "new": {"a": 1},
        "bare": {},
    }


@pytest.mark.parametrize(
    "statement",
    [
        partial(upsert, seen=True),
        lambda batch: look_up((1, each.identifier) for each in batch),
    ],
    ids=["upsert", "look up"],
)
def test_a_large_batch_does_not_read_the_whole_table(environment, statement):
    crowd = [TraitChanges(environment.pk, f"user-{number}", {"age": number}) for number in range(2000)]
    store_traits(crowd)
    sql, parameters = statement(crowd[:300])

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE identities_identity")
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "identity_once" in plan
    assert "Seq Scan on identities_identity" not in plan


def test_several_changes_of_one_identity_in_a_batch_come_after_each_other(environment):
    stored = store_traits(
        [
            TraitChanges(environment.pk, "kim", {"a": 1, "b": 1}),
            TraitChanges(environment.pk, "kim", {"b": 2}, frozenset({"a"})),
            TraitChanges(environment.pk, "kim", {"a": 3}),
        ]
    )

    assert stored[environment.pk, "kim"].traits == {"a": 3, "b": 2}


def test_equal_values_write_nothing_and_another_type_is_not_equal(environment):
    def version() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT xmin || ':' || ctid FROM identities_identity WHERE identifier = 'kim'")
            return str(cursor.fetchone()[0])

    store_traits([TraitChanges(environment.pk, "kim", {"age": 1, "plan": "pro"})])
    before = version()

    store_traits([TraitChanges(environment.pk, "kim", {"age": 1}, frozenset({"absent"}))])
    unchanged = version()
    stored = store_traits([TraitChanges(environment.pk, "kim", {"age": 1.0})])

    assert unchanged == before
    assert version() != before
    assert same(stored[environment.pk, "kim"].traits["age"], 1.0)


def test_identities_of_two_environments_are_two(environment, project):
    other = project.environments.create(name="Staging")

    stored = store_traits(
        [TraitChanges(environment.pk, "kim", {"a": 1}), TraitChanges(other.pk, "kim", {"a": 2})]
    )

    assert stored[environment.pk, "kim"].traits == {"a": 1}
    assert stored[other.pk, "kim"].traits == {"a": 2}


def test_each_trait_has_one_key_row_in_its_environment(environment):
    for plan in ("free", "pro"):
        store_traits([TraitChanges(environment.pk, "kim", {"plan": plan}, frozenset({"gone"}))])

    assert list(TraitKey.objects.values_list("environment_id", "key")) == [(environment.pk, "plan")]


@pytest.mark.django_db(transaction=True)
def test_a_known_trait_costs_one_query(environment, django_assert_num_queries):
    store_traits([TraitChanges(environment.pk, "kim", {"plan": "free"})])

    with django_assert_num_queries(1):
        store_traits([TraitChanges(environment.pk, str(each), {"plan": "pro"}) for each in range(50)])


@pytest.mark.django_db(transaction=True)
def test_the_keys_that_are_remembered_are_bounded(environment, monkeypatch):
    monkeypatch.setattr(batches, "_MOST_SEEN_TRAIT_KEYS", 3)

    for number in range(10):
        store_traits([TraitChanges(environment.pk, "kim", {str(number): 1, "plan": "pro"})])

    assert len(batches._seen_trait_keys) <= 3
    assert TraitKey.objects.count() == 11


@pytest.mark.django_db(transaction=True)
def test_64_first_writers_at_once_all_succeed_and_the_union_is_stored(environment):
    def write(number: int) -> dict[str, object]:
        try:
            stored = store_traits([TraitChanges(environment.pk, "kim", {f"trait{number}": number})])
        finally:
            connection.close()
        return dict(stored[environment.pk, "kim"].traits)

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(write, range(64)))

    union = {f"trait{number}": number for number in range(64)}
    assert Identity.objects.get(identifier="kim").traits == union
    assert all(answer[f"trait{number}"] == number for number, answer in enumerate(answers))


@pytest.mark.django_db(transaction=True)
def test_writers_and_deleters_at_once_lose_nothing(environment):
    store_traits([TraitChanges(environment.pk, "kim", {f"old{number}": 1 for number in range(32)})])

    def write(number: int) -> None:
        try:
            for _ in range(5):
                store_traits(
                    [
                        TraitChanges(
                            environment.pk, "kim", {f"new{number}": number}, frozenset({f"old{number}"})
                        )
                    ]
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(write, range(32)))

    assert Identity.objects.get(identifier="kim").traits == {f"new{number}": number for number in range(32)}


@pytest.mark.django_db(transaction=True)
def test_increments_at_once_add_up(environment):
    def increment(_: int) -> None:
        try:
            increment_trait(environment.pk, "kim", "logins", by=2)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(increment, range(32)))

    assert Identity.objects.get(identifier="kim").traits == {"logins": 64}


@pytest.mark.parametrize("value", ["1", 1.0, True])
def test_only_an_integer_can_be_incremented(environment, value):
    store_traits([TraitChanges(environment.pk, "kim", {"logins": value})])

    with pytest.raises(NotAnIntegerError):
        increment_trait(environment.pk, "kim", "logins", by=1)


@pytest.mark.django_db(transaction=True)
def test_trait_writes_raise_no_revision(environment):
    before = EnvironmentRevision.objects.get(environment_id=environment.pk)

    store_traits([TraitChanges(environment.pk, "kim", {"plan": "pro"})])
    increment_trait(environment.pk, "kim", "logins", by=1)

    assert EnvironmentRevision.objects.get(environment_id=environment.pk).nonce == before.nonce
