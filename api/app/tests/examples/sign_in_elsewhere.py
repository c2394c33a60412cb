"""Signing in with Google and GitHub, at a server that does what they do."""

from contextlib import ExitStack
from functools import cache
from typing import Any

from django.conf import settings

from accounts.tests.providers import OAuthServer
from app.tests.examples.example import Caller, Example
from app.tests.world import World

_UNTIL_THE_END = ExitStack()


@cache
def _server() -> OAuthServer:
    """Return the server, which runs for as long as the tests do."""
    server = OAuthServer()
    _UNTIL_THE_END.enter_context(server.running())
    server.use_in(settings)
    return server


def _body(token: str) -> Any:
    def body(world: World) -> dict[str, Any]:
        _server()
        return {"access_token": token, "sign_up_type": "NO_INVITE", "invite_hash": "none"}

    return body


EXAMPLES = {
    "POST /api/v1/auth/oauth/google/": Example(
        caller=Caller.ANYONE, body=_body(OAuthServer.TOKEN), takes_anything=frozenset({"invite_hash"})
    ),
    "POST /api/v1/auth/oauth/github/": Example(
        caller=Caller.ANYONE, body=_body(OAuthServer.CODE), takes_anything=frozenset({"invite_hash"})
    ),
}
