"""Semantic versions in conditions: a condition value such as `1.10.0:semver`."""

from __future__ import annotations

from semver import Version

SUFFIX = ":semver"


def is_version(condition_value: str) -> bool:
    """Tell whether a condition asks for comparison by version."""
    return condition_value.endswith(SUFFIX)


def parse_version(text: str) -> Version | None:
    """Parse strict SemVer 2.0 (`MAJOR.MINOR.PATCH[-pre][+build]`); None where it is not."""
    try:
        return Version.parse(text)
    except ValueError:
        return None
