"""Signing in and out, registering, and one's own account."""

from typing import Any

from accounts.links import activation_link, password_reset_link
from app.tests.examples.example import Caller, Example
from app.tests.world import World
from users.models import User
from users.tests.factories import PASSWORD

NEW_PASSWORD = {"new_password": "0123-quagga-JUMPS", "re_new_password": "0123-quagga-JUMPS"}


def deletion(world: World) -> dict[str, Any]:
    return {"current_password": PASSWORD, "delete_orphan_organisations": False}


def newcomer(world: World) -> User:
    """Return somebody who waits for activation."""
    fields = {"is_active": False, "awaits_activation": True}
    return User.objects.get_or_create(email=f"new.{world.admin.email}", defaults=fields)[0]


def parts(link: str) -> dict[str, str]:
    *_, uid, token = link.split("/")
    return {"uid": uid, "token": token}


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
    "DELETE /api/v1/auth/users/me/": Example(caller=Caller.MEMBER, body=deletion),
    "DELETE /api/v1/auth/users/{user_id}/": Example(
        caller=Caller.MEMBER, path=lambda world: {"user_id": world.member.pk}, body=deletion
    ),
    "PATCH /api/v1/auth/users/me/onboarding/": Example(
        body=lambda world: {
            "tasks": [{"name": "invite", "completed_at": "2026-01-05T09:00:00Z"}],
            "tools": {"completed": True, "integrations": ["github"]},
            "hosting_preferences": ["self_hosted"],
        },
    ),
    "POST /api/v1/auth/users/activation/": Example(
        caller=Caller.ANYONE, body=lambda world: parts(activation_link(newcomer(world), site_url=""))
    ),
    "POST /api/v1/auth/users/resend_activation/": Example(
        caller=Caller.ANYONE,
        body=lambda world: {"email": world.admin.email},
        ignored=frozenset({"email"}),
    ),
    "POST /api/v1/auth/users/reset_password/": Example(
        caller=Caller.ANYONE,
        body=lambda world: {"email": world.admin.email},
        ignored=frozenset({"email"}),
    ),
    "POST /api/v1/auth/users/reset_password_confirm/": Example(
        caller=Caller.ANYONE,
        body=lambda world: {**parts(password_reset_link(world.admin, site_url="")), **NEW_PASSWORD},
    ),
    "POST /api/v1/auth/users/set_password/": Example(
        body=lambda world: {"current_password": PASSWORD, **NEW_PASSWORD}
    ),
    "POST /api/v1/auth/users/set_email/": Example(
        body=lambda world: {"current_password": PASSWORD, "new_email": "new@example.org"}
    ),
    "GET /password-reset/confirm/{uid}/{token}/": Example(
        caller=Caller.ANYONE,
        path=lambda world: {"uid": "MQ", "token": "a-b"},
        any_value=frozenset({"uid", "token"}),
        is_page=True,
    ),
    "GET /config": Example(caller=Caller.SERVICE),
    "GET /health": Example(caller=Caller.ANYONE, is_page=True),
    "GET /health/liveness/": Example(caller=Caller.ANYONE),
    "GET /health/readiness/": Example(caller=Caller.ANYONE, is_page=True),
    "GET /healthcheck": Example(caller=Caller.ANYONE, is_page=True),
    "GET /version/": Example(caller=Caller.ANYONE),
    "GET /metrics/": Example(caller=Caller.ANYONE, is_page=True),
    "GET /robots.txt": Example(caller=Caller.ANYONE, is_page=True),
    "GET /config/project-overrides": Example(caller=Caller.ANYONE, is_page=True),
    "GET /processor/monitoring/": Example(is_refused=True),
    "GET /database/sizes/": Example(is_refused=True),
    "GET /scheduler/jobs/": Example(is_refused=True),
    "POST /api/v1/user": Example(
        caller=Caller.ANYONE,
        body=lambda world: {
            "email": "new@example.org",
            "password": "0123-quagga-JUMPS",
            "sign_up_type": "NO_INVITE",
            "invite_hash": "8KzETdDeMY7xkqkSkY3Gsg",
        },
    ),
    "GET /api/v1/user": Example(),
    "POST /api/v1/authenticate": Example(
        caller=Caller.ANYONE,
        body=lambda world: {"email": world.admin.email, "password": PASSWORD},
        ignored=frozenset({"email"}),
    ),
}
