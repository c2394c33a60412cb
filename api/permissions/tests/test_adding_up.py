"""However permissions are granted, they add up as the contract says: compared with a naive reading of it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from permissions.access import grants_of, may, users_who_may, visible
from permissions.catalogue import ADMIN, Level, permissions_at
from permissions.details import details_of
from permissions.models import EnvironmentGrant, ProjectGrant
from permissions.tests.factories import grant, make_group, make_role

KEYS = {
    "project": ["VIEW_PROJECT", "DELETE_FEATURE"],
    "environment": ["VIEW_ENVIRONMENT", "UPDATE_FEATURE_STATE"],
}
TAGS = [1, 2]
HOLDERS = ["user", "group", "role", "group's role", "nobody's group", "nobody's role"]
MINE = HOLDERS[:4]

tags = st.lists(st.sampled_from(TAGS), unique=True)


def grants_at(level: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return what each of several holders is granted at one level, on one object."""
    granted = st.fixed_dictionaries(
        {
            "admin": st.sampled_from([False, False, False, True]),
            "permissions": st.dictionaries(st.sampled_from(KEYS[level]), tags),
        }
    )
    return st.dictionaries(st.sampled_from(HOLDERS), granted, max_size=4)


class Naive:
    """The contract's rules, one after the other, over plain values."""

    def __init__(self, on_project: dict[str, Any], on_environment: dict[str, Any]) -> None:
        self.mine = {
            "project": [each for holder, each in on_project.items() if holder in MINE],
            "environment": [each for holder, each in on_environment.items() if holder in MINE],
        }

    def administers(self, level: str) -> bool:
        if level == "environment" and self.administers("project"):
            return True
        return any(each["admin"] for each in self.mine[level])

    def holds(self, key: str, level: str, feature_tags: list[int] | None) -> bool:
        if self.administers(level):
            return True
        limits = [each["permissions"][key] for each in self.mine[level] if key in each["permissions"]]
        return any(
            limit == [] or (feature_tags is not None and set(limit) & set(feature_tags)) for limit in limits
        )


@pytest.fixture
def targets(project, environment) -> dict[str, Any]:
    return {"project": project, "environment": environment}


@pytest.fixture
def holders(organisation, member) -> dict[str, Any]:
    """All examples share one organisation, and each takes its grants back."""
    group, nobodys = make_group(organisation, member), make_group(organisation)
    return {
        "user": member,
        "group": group,
        "role": make_role(organisation, member),
        "group's role": make_role(organisation, group),
        "nobody's group": nobodys,
        "nobody's role": make_role(organisation, nobodys),
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(on_project=grants_at("project"), on_environment=grants_at("environment"))
def test_whatever_is_granted_adds_up(member, targets, holders, on_project, on_environment):
    ProjectGrant.objects.all().delete()
    EnvironmentGrant.objects.all().delete()
    for level, granted in [("project", on_project), ("environment", on_environment)]:
        for holder, each in granted.items():
            row = grant(holders[holder], targets[level], admin=each["admin"])
            row.permissions = each["permissions"]
            row.save()
    naive = Naive(on_project, on_environment)

    for level, target in targets.items():
        assert may(member, ADMIN, target) == naive.administers(level)
        assert grants_of(member, target).admin == naive.administers(level)
        assert details_of(member, target).admin == naive.administers(level)
        for key in KEYS[level]:
            for feature_tags in (None, [1], [1, 2]):
                assert may(member, key, target, tags=feature_tags) == naive.holds(key, level, feature_tags)
            everywhere = naive.holds(key, level, None)
            assert visible(member, type(target).objects.filter(pk=target.pk), key).exists() == everywhere
            assert (member in users_who_may(key, target)) == everywhere
        other = next(each.key for each in permissions_at(Level(level)) if each.key not in KEYS[level])
        assert may(member, other, target) == naive.administers(level)
