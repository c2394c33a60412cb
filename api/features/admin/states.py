"""Feature states and segment overrides in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.forms import BaseModelFormSet
from django.http import HttpRequest

from core.admin import ServiceAdmin
from features.admin.inlines import AllocationInline
from features.forms import ValueForm
from features.models import FeatureSegment, FeatureState
from features.services.allocations import Allocation
from features.services.feature_states import (
    FeatureStateChanges,
    create_feature_state,
    remove_feature_state,
    update_feature_state,
)
from features.services.segment_overrides import remove_segment_override, reorder_segment_overrides


class FeatureStateForm(ValueForm):
    class Meta:
        model = FeatureState
        fields = ["feature", "environment", "identity", "enabled"]


@admin.register(FeatureState)
class FeatureStateAdmin(ServiceAdmin):
    """What features serve. A segment override is made as a feature segment."""

    form = FeatureStateForm
    list_display = ["feature", "environment", "serves", "enabled", "value", "updated_at"]
    list_filter = [
        "enabled",
        "type",
        ("feature_segment", admin.EmptyFieldListFilter),
        ("identity", admin.EmptyFieldListFilter),
        "updated_at",
    ]
    list_select_related = ["feature", "environment", "feature_segment__segment", "identity"]
    search_fields = ["feature__name", "environment__name", "=environment__api_key", "=uuid"]
    search_help_text = "Feature, environment, its key or a uuid in full"
    autocomplete_fields = ["feature", "environment", "identity"]
    fields = [
        "feature",
        "environment",
        "identity",
        "feature_segment",
        "enabled",
        "value_type",
        "value_text",
        "uuid",
        "created_at",
        "updated_at",
    ]
    readonly_fields = ["feature_segment", "uuid", "created_at", "updated_at"]
    fixed_fields = ("feature", "environment", "identity")
    inlines = [AllocationInline]

    @admin.display(description="for")
    def serves(self, state: FeatureState) -> str:
        if state.identity:
            return f"identity {state.identity}"
        return f"segment {state.feature_segment.segment}" if state.feature_segment else "everyone"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        cleaned = form.cleaned_data
        if change:
            stored = FeatureState.objects.select_related("feature_segment").get(pk=obj.pk)
            # Another row than before, where the environment keeps versions.
            obj.pk = update_feature_state(stored, author=request.user, **_changes(form)).pk
        else:
            obj.pk = create_feature_state(
                feature_id=cleaned["feature"].pk,
                environment_id=cleaned["environment"].pk,
                identity_id=cleaned["identity"].pk if cleaned["identity"] else None,
                author=request.user,
                enabled=cleaned["enabled"],
                value=cleaned["value"],
            ).pk
        obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseModelFormSet, change: Any) -> None:
        formset.save(commit=False)  # which only notes, for the admin's history, what is different
        if not formset.has_changed():
            return
        allocations = tuple(
            Allocation(
                row.cleaned_data["multivariate_feature_option"].pk, row.cleaned_data["percentage_allocation"]
            )
            for row in formset.forms
            if row.cleaned_data and not row.cleaned_data.get("DELETE")
        )
        update_feature_state(form.instance, author=request.user, allocations=allocations)

    def remove(self, request: HttpRequest, instance: FeatureState) -> None:
        remove_feature_state(instance, author=request.user)


class SegmentOverrideForm(ValueForm):
    """For making an override with its state; afterwards only its place can be changed here."""

    enabled = forms.BooleanField(required=False)
    priority = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1_000_000_000,
        help_text="The lowest that matches wins. Empty: after the others.",
    )

    class Meta:
        model = FeatureSegment
        fields = ["feature", "environment", "segment", "priority"]


@admin.register(FeatureSegment)
class FeatureSegmentAdmin(ServiceAdmin):
    """Which segments a feature has overrides for in an environment, and in what order."""

    form = SegmentOverrideForm
    list_display = ["feature", "environment", "segment", "priority"]
    list_filter = [("segment__feature", admin.EmptyFieldListFilter)]
    list_select_related = ["feature", "environment", "segment"]
    ordering = ["feature", "environment", "priority"]
    search_fields = ["feature__name", "environment__name", "segment__name", "=uuid"]
    autocomplete_fields = ["feature", "environment", "segment"]
    fixed_fields = ("feature", "environment", "segment")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        place = ["feature", "environment", "segment", "priority"]
        return [*place, "uuid"] if obj else [*place, "enabled", "value_type", "value_text"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "uuid"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        cleaned = form.cleaned_data
        if not change:
            state = create_feature_state(
                feature_id=cleaned["feature"].pk,
                environment_id=cleaned["environment"].pk,
                segment_id=cleaned["segment"].pk,
                priority=cleaned["priority"],
                author=request.user,
                enabled=cleaned["enabled"],
                value=cleaned["value"],
            )
            obj.pk = state.feature_segment_id
        elif cleaned["priority"] is not None:
            place = FeatureSegment.objects.select_related("feature__project", "environment").get(pk=obj.pk)
            priorities = {place.pk: cleaned["priority"]}
            reorder_segment_overrides(place.feature, place.environment, priorities, author=request.user)
        obj.refresh_from_db()

    def remove(self, request: HttpRequest, instance: FeatureSegment) -> None:
        remove_segment_override(instance, author=request.user)


def _changes(form: ValueForm) -> FeatureStateChanges:
    changes = FeatureStateChanges()
    if "enabled" in form.changed_data:
        changes["enabled"] = form.cleaned_data["enabled"]
    if form.value_changed:
        changes["value"] = form.cleaned_data["value"]
    return changes
