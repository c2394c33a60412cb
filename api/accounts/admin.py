"""What accounts add to the page of a user, and the sign-in of the admin itself."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.mfa.models import MfaMethod
from accounts.oidc.models import OidcIdentity
from users.admin import UserAdmin


class MfaMethodInline(admin.TabularInline):
    """Second factors of a user. Their secrets are shown to nobody; a superuser may remove one."""

    model = MfaMethod
    fields = ("name", "is_active", "is_primary", "created_at")
    readonly_fields = fields
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(getattr(request.user, "is_superuser", False))


class OidcIdentityInline(admin.TabularInline):
    """Identities at OpenID Connect providers. Without it, the next one with the address takes its place."""

    model = OidcIdentity
    fields = ("method", "subject", "created_at")
    readonly_fields = fields
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(getattr(request.user, "is_superuser", False))


UserAdmin.inlines = [*UserAdmin.inlines, MfaMethodInline, OidcIdentityInline]
