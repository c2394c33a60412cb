"""What accounts add to the page of a user: how they sign in."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.mfa.models import MfaMethod
from accounts.oidc.models import OidcIdentity
from users.admin import UserAdmin
from users.models import User


class RemovableInline(admin.TabularInline):
    """Rows that only the user makes; a superuser may remove one."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(getattr(request.user, "is_superuser", False))


class MfaMethodInline(RemovableInline):
    """Second factors. Their secrets are shown to nobody."""

    model = MfaMethod
    fields = ("name", "is_active", "is_primary", "created_at")
    readonly_fields = fields


class OidcIdentityInline(RemovableInline):
    """Identities at OpenID Connect providers. Without it, the next one with the address takes its place."""

    model = OidcIdentity
    fields = ("method", "subject", "created_at")
    readonly_fields = fields


admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin):
    inlines = [MfaMethodInline, OidcIdentityInline]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return super().get_inlines(request, obj) if obj else []
