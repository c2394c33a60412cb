"""Identities and the keys of their traits in the admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin, ServiceAdmin
from core.text import unstorable_text
from identities.models import Identity, TraitKey
from identities.searching import quoted
from identities.services import create_identity, remove_trait_everywhere, rename_identity, replace_traits
from identities.traits import LONGEST_KEY, TraitValue, from_column, trait_value


class IdentityForm(forms.ModelForm):
    traits = forms.JSONField(
        required=False,
        widget=forms.Textarea({"rows": 12, "cols": 90}),
        help_text='Keys and values: {"plan": "pro", "age": 34}',
    )

    class Meta:
        model = Identity
        fields = ["environment", "identifier"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["traits"] = from_column(self.instance.traits)

    def clean_traits(self) -> dict[str, TraitValue]:
        traits = self.cleaned_data["traits"] or {}
        if not isinstance(traits, dict):
            raise forms.ValidationError("Traits are an object: keys with values.")
        values = {}
        for key, value in traits.items():
            if not key or len(key) > LONGEST_KEY or unstorable_text(key):
                raise forms.ValidationError(f"A trait's key has 1 to {LONGEST_KEY} characters.")
            if value is None:
                raise forms.ValidationError(f"{key}: a trait has a value, or is left out.")
            try:
                values[key] = trait_value(value)
            except ValueError as error:
                raise forms.ValidationError(f"{key}: {error}") from error
        return values


@admin.register(Identity)
class IdentityAdmin(ServiceAdmin):
    form = IdentityForm
    list_display = ["identifier", "environment", "project", "created_date"]
    list_filter = ["created_date"]
    list_select_related = ["environment__project"]
    search_fields = ["identifier", "=environment__api_key"]
    search_help_text = "A part of the identifier, or all of it in double quotes"
    show_full_result_count = False  # there may be millions
    autocomplete_fields = ["environment"]
    fields = ["environment", "identifier", "traits", "created_date"]
    readonly_fields = ["created_date"]
    fixed_fields = ("environment",)

    @admin.display(ordering="environment__project")
    def project(self, identity: Identity) -> str:
        return str(identity.environment.project)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if (identifier := quoted(search_term)) is not None:
            return queryset.filter(pk__in=Identity.objects.with_identifier(identifier)), False
        return super().get_search_results(request, queryset, search_term)

    def create(self, request: HttpRequest, **fields: Any) -> Identity:
        identity = create_identity(fields["environment"], identifier=fields["identifier"])
        replace_traits(identity, fields["traits"])
        return identity

    def update(self, request: HttpRequest, instance: Identity, **changes: Any) -> None:
        rename_identity(instance, identifier=changes.get("identifier"))
        if "traits" in changes:
            replace_traits(instance, changes["traits"])


@admin.register(TraitKey)
class TraitKeyAdmin(ReadOnlyAdmin):
    """Which traits identities have had. A key stays, with its id, as long as its environment."""

    list_display = ["key", "environment", "project", "created_date"]
    list_filter = ["created_date"]
    list_select_related = ["environment__project"]
    search_fields = ["key", "environment__name", "=environment__api_key"]
    actions = ["remove_everywhere"]

    @admin.display(ordering="environment__project")
    def project(self, key: TraitKey) -> str:
        return str(key.environment.project)

    @admin.action(description="Take these traits away from all identities")
    def remove_everywhere(self, request: HttpRequest, queryset: QuerySet[TraitKey]) -> None:
        for key in queryset.select_related("environment"):
            remove_trait_everywhere(key.environment, key.key)
        messages.success(request, "No identity has these traits any more.")
