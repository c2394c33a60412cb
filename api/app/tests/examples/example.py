"""What the table of examples is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.conf import settings
from rest_framework.authtoken.models import Token

from app.tests.world import World


class Caller(Enum):
    """Whose request it is."""

    ANYONE = "anyone"
    CLIENT_KEY = "a client-side key"
    SERVER_KEY = "a server-side key"
    MEMBER = "a member of the organisation"
    ADMIN = "an administrator of the organisation"
    SERVICE = "whoever operates the installation"

    def headers(self, world: World) -> dict[str, str]:
        if self is Caller.CLIENT_KEY:
            return {"X-Environment-Key": world.environment.api_key}
        if self is Caller.SERVER_KEY:
            return {"X-Environment-Key": world.server_key.key}
        if self is Caller.MEMBER:
            return {"Authorization": f"Token {Token.objects.get_or_create(user=world.member)[0].key}"}
        if self is Caller.ADMIN:
            return {"Authorization": f"Token {world.token}"}
        if self is Caller.SERVICE:
            return {settings.AUTH_HEADER: settings.AUTH_KEY}
        return {}


def nothing(world: World) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request that works. Fields are named by their path, without indexes: `traits.trait_value`.

    Attributes:
        body: a body with every field that the route reads; None where it reads none.
        text: fields whose text is stored, and answered, as it came.
        takes_anything: fields in which no JSON type is wrong, because the contract converts or drops it.
        ignored: fields that name another object, and that the route accepts and ignores.
        echoed: of the ignored fields those that the answer repeats, and path parameters that a refusal names.
        alternatives: fields that stand for one of those that `body` has, and not beside it.
        any_value: path parameters in which nothing is malformed.
        secrets: path parameters that let in whoever knows them, whatever their organisation.
        is_refused: it refuses what everybody asks, because clients expect it to exist.
        is_page: it answers people, in HTML.
        is_form: `body` is a `Form`.
        is_double: another route has the same code and kinds of fields. Only `make walks` walks this one too.
    """

    caller: Caller = Caller.ADMIN
    path: Callable[[World], dict[str, Any]] = nothing
    query: Callable[[World], dict[str, Any]] = nothing
    body: Callable[[World], Any] | None = None
    text: frozenset[str] = frozenset()
    takes_anything: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    echoed: frozenset[str] = frozenset()
    alternatives: frozenset[str] = frozenset()
    any_value: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    is_refused: bool = False
    is_page: bool = False
    is_form: bool = False
    is_double: bool = False

    def body_in(self, world: World) -> Any:
        """Return the body as it is for one tenant; None where the route reads none."""
        return self.body(world) if self.body else None
