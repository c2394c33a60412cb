"""What holds for the tests that walk through all routes, and settings of another environment."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import pytest

from app.settings.environment import env

LoadSettings = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def every_route_has_something_to_do(settings):
    settings.ENABLE_EMAIL_ACTIVATION = True  # or there would be no mail to send again


@pytest.fixture
def load(monkeypatch):
    """Return a function that evaluates settings, the common ones, with just these variables set."""

    def settings_with(module: str = "common", **environment: str) -> dict[str, Any]:
        for variable in env.declared:
            monkeypatch.delenv(variable.name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for name, loaded in [each for each in sys.modules.items() if each[0].startswith("app.settings.")]:
            package, _, child = name.rpartition(".")
            if package in sys.modules:  # which has it as an attribute, and gets it back in the end
                monkeypatch.setattr(sys.modules[package], child, loaded)
        for name in [name for name in sys.modules if name.startswith("app.settings.")]:
            monkeypatch.delitem(sys.modules, name)
        anew = importlib.import_module(f"app.settings.{module}")
        return {**vars(anew), "env": sys.modules["app.settings.environment"].env}

    return settings_with
