"""Second factors: setting them up, and signing in with them."""

from typing import Any

from accounts.mfa.models import MfaMethod
from accounts.mfa.services import begin_activation
from accounts.mfa.tokens import make_token
from accounts.mfa.totp import code_at, current_step
from app.tests.examples.example import Caller, Example
from app.tests.world import World
from users.models import User
from users.tests.factories import make_user


def _active_method_of(user: User) -> MfaMethod:
    MfaMethod.objects.filter(pk=begin_activation(user).pk).update(is_active=True)
    return user.mfa_methods.get()


def _second_step(world: World) -> dict[str, Any]:
    """Return what somebody sends who has shown the right password."""
    method = _active_method_of(make_user(first_name=world.marker))
    return {
        "ephemeral_token": make_token(method.user),
        "code": code_at(method.secret, current_step()),
    }


def _first_code(world: World) -> dict[str, Any]:
    return {"code": code_at(begin_activation(world.admin).secret, current_step())}


def _app(world: World) -> dict[str, Any]:
    return {"method": "app"}


def _active_app(world: World) -> dict[str, Any]:
    if not world.admin.mfa_methods.exists():
        _active_method_of(world.admin)
    return _app(world)


_ANY = frozenset({"method"})

EXAMPLES = {
    "POST /api/v1/auth/login/code/": Example(caller=Caller.ANYONE, body=_second_step),
    "GET /api/v1/auth/mfa/user-active-methods/": Example(),
    "POST /api/v1/auth/{method}/activate/": Example(path=_app, any_value=_ANY),
    "POST /api/v1/auth/{method}/activate/confirm/": Example(path=_app, body=_first_code, any_value=_ANY),
    "POST /api/v1/auth/{method}/deactivate/": Example(path=_active_app, any_value=_ANY),
}
