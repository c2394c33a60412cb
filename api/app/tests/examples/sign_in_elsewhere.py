"""Signing in with Google and GitHub, at a server that does what they do, and with OpenID Connect."""

from contextlib import ExitStack
from functools import cache
from typing import Any

from django.conf import settings

from accounts.oidc.services import challenge_of, make_code
from accounts.tests.providers import OAuthServer
from app.tests.examples.example import Caller, Example
from app.tests.world import World
from users.tests.factories import make_user

_UNTIL_THE_END = ExitStack()


@cache
def _server() -> OAuthServer:
    """Return the server, which runs for as long as the tests do."""
    server = OAuthServer()
    _UNTIL_THE_END.enter_context(server.running())
    return server


def _body(token: str) -> Any:
    def body(world: World) -> dict[str, Any]:
        _server().use_in(settings)  # each test has settings of its own
        return {"access_token": token, "sign_up_type": "NO_INVITE", "invite_hash": "none"}

    return body


def _code(world: World) -> dict[str, Any]:
    """Return what a dashboard brings whose user has come back from their provider."""
    verifier = f"{world.marker:v<43}"
    user = make_user(first_name=world.marker)
    return {
        "code": make_code(user, challenge=challenge_of(verifier), is_new=False),
        "code_verifier": verifier,
    }


EXAMPLES = {
    "POST /api/v1/auth/oidc/code/": Example(caller=Caller.ANYONE, body=_code),
    "POST /api/v1/auth/oauth/google/": Example(
        caller=Caller.ANYONE, body=_body(OAuthServer.TOKEN), takes_anything=frozenset({"invite_hash"})
    ),
    "POST /api/v1/auth/oauth/github/": Example(
        caller=Caller.ANYONE, body=_body(OAuthServer.CODE), takes_anything=frozenset({"invite_hash"})
    ),
}
