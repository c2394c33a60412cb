"""Which database has what, as Django asks."""

import pytest

from core.routing import MainRouter
from users.models import User


def of(database: str) -> User:
    user = User()
    user._state.db = database
    return user


@pytest.mark.parametrize(
    ("one", "other", "may_be_related"),
    [
        ("default", "replica_1", True),
        ("cross_region_replica_1", "replica_2", True),
        ("default", "analytics", None),
    ],
)
def test_rows_of_copies_may_be_related_to_rows_of_the_primary(one, other, may_be_related):
    assert MainRouter().allow_relation(of(one), of(other)) is may_be_related


def test_nothing_is_migrated_on_a_copy():
    databases = ["default", "analytics", "replica_1", "cross_region_replica_1", "direct"]

    may = {each: MainRouter().allow_migrate(each, "features") for each in databases}

    assert may == {**dict.fromkeys(databases, False), "default": None, "analytics": None}
