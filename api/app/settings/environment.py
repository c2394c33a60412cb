"""Reads the process environment: one typed declaration a variable.

Every reader notes what it declares, with the subject that the declaring module's docstring names:
`docs/configuration.md` and `.env.example` are made from `declared`.
An empty value counts as unset: compose files and platform forms pass variables on as empty text.
"""

import json
import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, TypeVar

import dj_database_url
import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

SECRET = "secret"  # noqa: S105  # the type of a variable


@dataclass(frozen=True)
class Variable:
    """A declared variable: its name, type, default, one line of help, and what it belongs to."""

    name: str
    type: str
    default: object
    help: str
    subject: str

    @property
    def is_secret(self) -> bool:
        """Whether its value may be shown to nobody."""
        return SECRET in self.type or "PostgreSQL URL" in self.type


class Environment:
    """Typed access to environment variables.

    Raises:
        ImproperlyConfigured: a value can't be read as its type. The message names the variable,
            never the value, which may be a secret.
    """

    def __init__(self) -> None:
        self.declared: list[Variable] = []

    def text(self, name: str, default: str = "", *, help: str) -> str:
        return self._read(name, default, "string", help, str)

    def secret(self, name: str, default: str = "", *, help: str) -> str:
        """Return a text that is never shown."""
        return self._read(name, default, SECRET, help, str)

    def choice(self, name: str, default: str, choices: Sequence[str], *, help: str) -> str:
        """Return one of `choices`, which are in capitals, from a name in any letter case."""

        def chosen(text: str) -> str:
            return choices[choices.index(text.strip().upper())]

        return self._read(name, default, f"choice of {', '.join(choices)}", help, chosen)

    def boolean(self, name: str, default: bool = False, *, help: str) -> bool:
        return self._read(name, default, "boolean", help, _boolean)

    def integer(self, name: str, default: int, *, at_least: int = 0, help: str) -> int:
        def bounded(text: str) -> int:
            value = int(environ.Env.parse_value(text, int))
            if value < at_least:
                raise ValueError
            return value

        return self._read(name, default, f"integer of at least {at_least}", help, bounded)

    def number(self, name: str, default: float, *, help: str) -> float:
        return self._read(name, default, "number", help, _number)

    def items(self, name: str, default: list[str] | None = None, *, help: str) -> list[str]:
        return self._read(name, default or [], "comma separated list", help, _items)

    def secret_items(self, name: str, *, help: str) -> list[str]:
        """Return texts that are never shown."""
        return self._read(name, [], f"comma separated list of {SECRET}s", help, _items)

    def pairs(self, name: str, *, help: str) -> dict[str, str]:
        """Return what `a=b,c=d` says, names in the order in which they stand there."""
        return self._read(name, {}, "comma separated list of name=value", help, _pairs)

    def objects(self, name: str, *, help: str) -> list[dict[str, Any]]:
        """Return a list of objects that is written as JSON."""
        return self._read(name, [], "JSON list of objects", help, _objects)

    def texts(self, name: str, names: list[str], default: str = "", *, help: str) -> dict[str, str]:
        """Return a text for each of several things: `OIDC_<NAME>_ISSUER` of `acme` is `OIDC_ACME_ISSUER`."""
        self._declare(name, "string", default, help)
        return {each: self._value(_named(name, each), default, "string", str) for each in names}

    def secret_texts(self, name: str, names: list[str], *, help: str) -> dict[str, str]:
        """Return the same of texts that are never shown."""
        self._declare(name, SECRET, "", help)
        return {each: self._value(_named(name, each), "", SECRET, str) for each in names}

    def slugs(self, name: str, *, help: str) -> list[str]:
        """Return names that may stand in a URL."""
        return self._read(name, [], "comma separated list", help, _slugs)

    def rate(self, name: str, default: str, *, help: str) -> str:
        """Return how often something may be done, as in `20/min`."""
        return self._read(name, default, "rate like 20/min", help, _rate)

    def time_of_day(self, name: str, default: str, *, help: str) -> time:
        """Return when in a day something is done, as in `01:00`."""
        return time.fromisoformat(self._read(name, default, "time of day like 01:00", help, _time_of_day))

    def database(self, name: str, *, help: str) -> dict[str, Any]:
        """Return Django's settings of the PostgreSQL database that a URL names; empty when it is unset."""
        return self._read(name, {}, "PostgreSQL URL", help, _database)

    def databases(self, name: str, *, delimiter: str, help: str) -> list[dict[str, Any]]:
        """Return the settings of the databases that a list of URLs names."""

        def listed(text: str) -> list[dict[str, Any]]:
            return [_database(url) for url in text.split(delimiter) if url.strip()]

        return self._read(name, [], "list of PostgreSQL URLs", help, listed)

    def numbered_databases(self, name: str, *, help: str) -> list[dict[str, Any]]:
        """Return the settings of the databases in `name`_0, `name`_1 and so on, up to the first gap."""
        found = [self.database(f"{name}_0", help=help)]
        while found[-1]:
            found.append(self._value(f"{name}_{len(found)}", {}, "PostgreSQL URL", _database))
        return found[:-1]

    def says(self, name: str) -> bool:
        """Whether the environment has a value for a variable."""
        return bool(os.environ.get(name, "").strip())

    def _read(self, name: str, default: T, type_: str, help_: str, read: Callable[[str], T]) -> T:
        self._declare(name, type_, default, help_)
        return self._value(name, default, type_, read)

    def _declare(self, name: str, type_: str, default: object, help_: str) -> None:
        self.declared.append(Variable(name, type_, default, help_, _subject()))

    def _value(self, name: str, default: T, type_: str, read: Callable[[str], T]) -> T:
        # Not through Env's own look-up: it takes a value that begins with "$", as a password may, for the
        # name of another variable.
        text = os.environ.get(name, "")
        if not text.strip():
            return default
        try:
            return read(text)
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(f"{name} is not a valid {type_}.") from error


def _subject() -> str:
    """Return what the module that declares a variable is about, by its docstring's first line."""
    frame = sys._getframe(1)
    while frame.f_globals["__name__"] == __name__ and frame.f_back:
        frame = frame.f_back
    return (frame.f_globals.get("__doc__") or "").strip().partition("\n")[0].rstrip(".")


def _boolean(text: str) -> bool:
    # Env takes whatever isn't a known "true" as false; a typing error must not pass as that.
    word = text.strip().lower()
    if word in {"true", "1", "yes", "on", "y", "t"}:
        return True
    if word in {"false", "0", "no", "off", "n", "f"}:
        return False
    raise ValueError


def _number(text: str) -> float:
    # Env drops what it doesn't know: "1x5" would be 15.
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _named(pattern: str, name: str) -> str:
    return pattern.replace("<NAME>", name.upper().replace("-", "_"))


def _slugs(text: str) -> list[str]:
    slugs = [item.lower() for item in _items(text)]
    if not all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", slug) for slug in slugs):
        raise ValueError
    return slugs


def _pairs(text: str) -> dict[str, str]:
    pairs = [item.partition("=") for item in _items(text)]
    if not all(name.strip() and separator for name, separator, _ in pairs):
        raise ValueError
    return {name.strip(): value.strip() for name, _, value in pairs}


def _objects(text: str) -> list[dict[str, Any]]:
    objects = json.loads(text)
    if not (isinstance(objects, list) and all(isinstance(each, dict) for each in objects)):
        raise ValueError
    return objects


def _rate(text: str) -> str:
    if not re.fullmatch(r"\d+/(s|sec|second|m|min|minute|h|hour|d|day)", text.strip()):
        raise ValueError
    return text.strip()


def _time_of_day(text: str) -> str:
    if time.fromisoformat(text.strip()).tzinfo is not None:
        raise ValueError
    return text.strip()


def _database(text: str) -> dict[str, Any]:
    settings = dict(dj_database_url.parse(text.strip()))
    if settings["ENGINE"] != "django.db.backends.postgresql":
        raise ValueError
    return settings


env = Environment()
