"""Rows that are shown on the pages of others."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from features.forms import ValueForm
from features.models import FeatureState, MultivariateFeatureStateValue, MultivariateOption
from features.models.state import FOR_EVERYONE


class OptionForm(ValueForm):
    class Meta:
        model = MultivariateOption
        fields = ["key", "default_percentage_allocation"]


class OptionInline(admin.TabularInline):
    """A feature's variants, replaced as a whole when the feature is saved."""

    model = MultivariateOption
    form = OptionForm
    fields = ["key", "value_type", "value_text", "default_percentage_allocation"]
    extra = 0
    verbose_name = "variant"


class StateInline(admin.TabularInline):
    """What a feature serves to everyone in each environment, to look at and to go on from."""

    model = FeatureState
    fields = ["environment", "enabled", "value", "updated_at"]
    readonly_fields = ["environment", "enabled", "value", "updated_at"]
    show_change_link = True
    can_delete = False
    verbose_name_plural = "default states"

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeatureState]:
        states = super().get_queryset(request).filter(FOR_EVERYONE)
        return states.select_related("environment", "feature")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AllocationInline(admin.TabularInline):
    """The variants' shares in one state, replaced as a whole when the state is saved."""

    model = MultivariateFeatureStateValue
    fields = ["multivariate_feature_option", "percentage_allocation"]
    autocomplete_fields = ["multivariate_feature_option"]
    extra = 0
    verbose_name = "share of a variant"
    verbose_name_plural = "shares of variants"
