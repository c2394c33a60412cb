"""Features and their variants in the admin."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.forms import BaseModelFormSet
from django.http import HttpRequest

from core.admin import ServiceAdmin
from features.admin.inlines import OptionForm, OptionInline, StateInline
from features.models import Feature, MultivariateOption
from features.services.features import (
    create_feature,
    delete_feature,
    update_feature,
)
from features.services.multivariate_options import (
    OptionProperties,
    WantedOption,
    create_option,
    delete_option,
    replace_options,
    update_option,
)
from features.services.owners import add_owners, remove_owners


@admin.register(Feature)
class FeatureAdmin(ServiceAdmin):
    list_display = [
        "name",
        "project",
        "type",
        "default_enabled",
        "is_archived",
        "is_server_key_only",
        "created_date",
    ]
    list_filter = ["type", "is_archived", "is_server_key_only", "created_date"]
    list_select_related = ["project"]
    search_fields = ["name", "=uuid", "project__name", "tags__label"]
    search_help_text = "Name, project, label of a tag, or a uuid in full"
    autocomplete_fields = ["project", "tags", "owners"]
    fields = [
        "project",
        "name",
        "description",
        "default_enabled",
        "initial_value",
        "type",
        "is_archived",
        "is_server_key_only",
        "tags",
        "owners",
        "uuid",
        "created_date",
    ]
    readonly_fields = ["uuid", "created_date", "type"]
    fixed_fields = ("project", "name", "default_enabled", "initial_value")
    inlines = [OptionInline, StateInline]

    def create(self, request: HttpRequest, **fields: Any) -> Feature:
        # The author owns it, as by the API, unless others were chosen.
        owners = _ids(fields.pop("owners")) or None
        return create_feature(author=request.user, owners=owners, **_with_ids(fields))

    def update(self, request: HttpRequest, instance: Feature, **changes: Any) -> None:
        if "owners" in changes:
            wanted = set(_ids(changes.pop("owners")))
            owners = {owner.pk for owner in instance.owners.all()}
            add_owners(instance, wanted - owners, author=request.user)
            remove_owners(instance, owners - wanted, author=request.user)
        update_feature(instance, author=request.user, **_with_ids(changes))

    def remove(self, request: HttpRequest, instance: Feature) -> None:
        delete_feature(instance, author=request.user)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Save the inlines only: tags and owners went with the feature."""
        for formset in formsets:
            self.save_formset(request, form, formset, change=change)

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseModelFormSet, change: Any) -> None:
        formset.save(commit=False)  # which only notes, for the admin's history, what is different
        if formset.model is not MultivariateOption or not formset.has_changed():
            return
        wanted = [
            WantedOption(id=row.instance.pk, **_properties(row.cleaned_data))
            for row in formset.forms
            if row.cleaned_data
            and not row.cleaned_data.get("DELETE")
            and (row.instance.pk or row.has_changed())
        ]
        replace_options(form.instance, wanted, author=request.user)


@admin.register(MultivariateOption)
class MultivariateOptionAdmin(ServiceAdmin):
    form = OptionForm
    list_display = ["__str__", "feature", "project", "key", "type", "default_percentage_allocation"]
    list_filter = ["type"]
    list_select_related = ["feature__project"]
    search_fields = ["key", "string_value", "=integer_value", "=uuid", "feature__name"]
    autocomplete_fields = ["feature"]
    fields = ["feature", "key", "value_type", "value_text", "default_percentage_allocation", "uuid"]
    readonly_fields = ["uuid"]
    fixed_fields = ("feature",)

    @admin.display(ordering="feature__project")
    def project(self, option: MultivariateOption) -> models.Model:
        return option.feature.project

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[MultivariateOption]:
        return super().get_queryset(request).filter(feature__deleted_at__isnull=True)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        properties = _properties(form.cleaned_data)
        if change:
            stored = MultivariateOption.objects.select_related("feature__project").get(pk=obj.pk)
            update_option(stored, author=request.user, **properties)
        else:
            feature = form.cleaned_data["feature"]
            obj.pk = create_option(feature, author=request.user, **properties).pk
        obj.refresh_from_db()

    def remove(self, request: HttpRequest, instance: MultivariateOption) -> None:
        delete_option(instance, author=request.user)


def _properties(cleaned: dict[str, Any]) -> OptionProperties:
    return OptionProperties(
        value=cleaned["value"],
        key=cleaned["key"] or None,
        default_percentage_allocation=cleaned["default_percentage_allocation"],
    )


def _ids(rows: Any) -> list[int]:
    return [row.pk for row in rows]


def _with_ids(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a form's fields as services take them: rows that are many by their ids."""
    return {**fields, **({"tags": _ids(fields["tags"])} if "tags" in fields else {})}
