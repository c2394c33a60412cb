"""Signing in and out, registering, and one's own account."""

from app.tests.examples.example import Caller, Example
from users.tests.factories import PASSWORD

EXAMPLES = {
    "POST /api/v1/auth/login/": Example(
        caller=Caller.ANYONE,
        body=lambda world: {"email": world.admin.email, "password": PASSWORD},
        ignored=frozenset({"email"}),
    ),
    "POST /api/v1/auth/logout/": Example(),
    "DELETE /api/v1/auth/token/": Example(),
    "POST /api/v1/auth/users/": Example(
        caller=Caller.ANYONE,
        body=lambda world: {
            "email": "new@example.org",
            "password": "0123-quagga-JUMPS",  # like no text that the other fields are tried with
            "first_name": "Ada",
            "last_name": "Byron",
            "sign_up_type": "NO_INVITE",
            "superuser": False,
            "invite_hash": "8KzETdDeMY7xkqkSkY3Gsg",
        },
        text=frozenset({"first_name", "last_name"}),
    ),
    "GET /api/v1/auth/users/me/": Example(),
    **{
        f"{method} /api/v1/auth/users/me/": Example(
            body=lambda world: {
                "first_name": "first",
                "last_name": "last",
                "sign_up_type": "INVITE_EMAIL",
            },
            text=frozenset({"first_name", "last_name"}),
        )
        for method in ("PUT", "PATCH")
    },
}
