"""Reads the process environment: one typed declaration a variable.

Every reader notes what it declares, so that a page of all variables can be made from `declared`.
An empty value counts as unset: compose files and platform forms pass variables on as empty text.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import dj_database_url
import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


@dataclass(frozen=True)
class Variable:
    """A declared variable: its name, type, default and one line of help."""

    name: str
    type: str
    default: object
    help: str


class Environment:
    """Typed access to environment variables.

    Raises:
        ImproperlyConfigured: a value can't be read as its type. The message names the variable,
            never the value, which may be a secret.
    """

    def __init__(self) -> None:
        self._env = environ.Env()
        self.declared: list[Variable] = []

    def text(self, name: str, default: str = "", *, help: str) -> str:
        return self._read(name, default, "string", help, self._env.str)

    def boolean(self, name: str, default: bool = False, *, help: str) -> bool:
        return self._read(name, default, "boolean", help, self._boolean)

    def integer(self, name: str, default: int, *, help: str) -> int:
        return self._read(name, default, "integer", help, self._env.int)

    def number(self, name: str, default: float, *, help: str) -> float:
        return self._read(name, default, "number", help, self._env.float)

    def items(self, name: str, default: list[str] | None = None, *, help: str) -> list[str]:
        return self._read(name, default or [], "comma separated list", help, self._items)

    def database(self, name: str, *, help: str) -> dict[str, Any]:
        """Return Django's settings of the PostgreSQL database that a URL names; empty when it is unset."""
        return self._read(name, {}, "PostgreSQL URL", help, self._database)

    def _database(self, name: str) -> dict[str, Any]:
        settings = dict(dj_database_url.parse(self._env.str(name).strip()))
        if settings["ENGINE"] != "django.db.backends.postgresql":
            raise ValueError
        return settings

    def _items(self, name: str) -> list[str]:
        return [item.strip() for item in self._env.str(name).split(",") if item.strip()]

    def _boolean(self, name: str) -> bool:
        # django-environ takes whatever isn't a known "true" as false; a typing error must not pass as that.
        value = self._env.str(name).strip().lower()
        if value in {"true", "1", "yes", "on", "y", "t"}:
            return True
        if value in {"false", "0", "no", "off", "n", "f"}:
            return False
        raise ValueError

    def _read(self, name: str, default: T, type_: str, help_: str, read: Callable[[Any], T]) -> T:
        self.declared.append(Variable(name, type_, default, help_))
        if not os.environ.get(name, "").strip():
            return default
        try:
            return read(name)
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(f"{name} is not a valid {type_}.") from error
