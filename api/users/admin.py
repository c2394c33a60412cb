"""Users in the admin: by e-mail address."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from rest_framework.authtoken.admin import TokenAdmin as RestFrameworkTokenAdmin
from rest_framework.authtoken.models import TokenProxy

from core.admin import RefusingAdmin
from users.models import User


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ["email"]


@admin.register(User)
class UserAdmin(RefusingAdmin, DjangoUserAdmin):
    list_display = ["email", "first_name", "last_name", "is_active", "is_staff", "date_joined", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "date_joined"]
    search_fields = ["email", "first_name", "last_name"]
    ordering = ["email"]
    readonly_fields = ["uuid", "sign_up_type", "last_login", "date_joined"]
    add_form = UserCreationForm
    add_fieldsets = [
        (
            None,
            {
                "fields": ["email", "first_name", "last_name", "usable_password", "password1", "password2"],
                "classes": ["wide"],
            },
        )
    ]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "uuid", "sign_up_type"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]


admin.site.unregister(TokenProxy)


@admin.register(TokenProxy)
class TokenAdmin(RestFrameworkTokenAdmin):
    """Who has a token. The list doesn't show the tokens themselves: each lets its reader act as that user."""

    list_display = ["user", "created"]
    autocomplete_fields = ["user"]
