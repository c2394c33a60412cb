"""Semantic versions in conditions: a condition value such as `1.10.0:semver`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

from semver import Version

SUFFIX = ":semver"

# What sorts as SemVer 2.0 says: `(1, 2, 3, (1,))`, and for 1.2.3-rc.1 `(1, 2, 3, (0, (1, "rc"), (0, 1)))`.
Precedence: TypeAlias = tuple[int, int, int, tuple[Any, ...]]


def is_version(condition_value: str) -> bool:
    """Tell whether a condition asks for comparison by version."""
    return condition_value.endswith(SUFFIX)


@lru_cache(maxsize=1024)  # parsing takes as long as all else of an evaluation, and there are few versions
def precedence(text: str) -> Precedence | None:
    """Return where strict SemVer 2.0 (`MAJOR.MINOR.PATCH[-pre][+build]`) stands; None for anything else."""
    try:
        version = Version.parse(text)
        return version.major, version.minor, version.patch, _prerelease(version.prerelease)
    except ValueError:  # also for numbers that Python finds too long
        return None


def _prerelease(prerelease: str | None) -> tuple[Any, ...]:
    """What has one comes before its release; numbers come before words, and fewer parts before more."""
    if prerelease is None:
        return (1,)
    parts = prerelease.split(".")
    return 0, *((0, int(part)) if part.isdecimal() else (1, part) for part in parts)
