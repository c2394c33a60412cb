"""Organisations in the admin, with their members."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from core.admin import ServiceAdmin
from organisations.models import MemberRole, Organisation, OrganisationMembership
from organisations.services import delete_organisation, update_organisation


class MembershipFormSet(BaseInlineFormSet):
    """Members of whom one at least is an administrator."""

    def clean(self) -> None:
        super().clean()
        roles = [
            form.cleaned_data.get("role")
            for form in self.forms
            if form.cleaned_data.get("user") and not form.cleaned_data.get("DELETE")
        ]
        if MemberRole.ADMIN not in roles:
            raise ValidationError("An organisation needs an administrator.")


class MembershipInline(admin.TabularInline):
    model = OrganisationMembership
    formset = MembershipFormSet
    autocomplete_fields = ["user"]
    readonly_fields = ["date_joined"]
    extra = 0
    min_num = 1


@admin.register(Organisation)
class OrganisationAdmin(ServiceAdmin):
    list_display = ["name", "members", "projects", "created_date", "stop_serving_flags"]
    list_filter = ["stop_serving_flags", "block_access_to_admin", "created_date"]
    search_fields = ["name", "=uuid", "memberships__user__email"]
    readonly_fields = ["uuid", "created_date"]
    inlines = [MembershipInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        organisations: QuerySet[Organisation] = super().get_queryset(request)
        return organisations.annotate(
            memberships_number=_number_of("memberships"),
            projects_number=_number_of("projects", Q(projects__deleted_at__isnull=True)),
        )

    @admin.display(ordering="memberships_number")
    def members(self, organisation: Any) -> int:
        return int(organisation.memberships_number)

    @admin.display(ordering="projects_number")
    def projects(self, organisation: Any) -> int:
        return int(organisation.projects_number)

    def create(self, request: HttpRequest, **fields: Any) -> Organisation:
        organisation: Organisation = Organisation.objects.create(**fields)  # its members are in the inline
        return organisation

    def update(self, request: HttpRequest, instance: Organisation, **changes: Any) -> None:
        update_organisation(instance, **changes)

    def remove(self, request: HttpRequest, instance: Organisation) -> None:
        delete_organisation(instance)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        memberships = formset.save(commit=False)
        # New administrators first: the last of the old ones can't go before them.
        for membership in sorted(memberships, key=lambda each: each.role != MemberRole.ADMIN):
            membership.save()
        for membership in formset.deleted_objects:
            membership.delete()
        formset.save_m2m()


def _number_of(relation: str, condition: Q | None = None) -> Coalesce:
    """Count the rows of a relation in a subquery: two joins would multiply each other."""
    organisation = Organisation.objects.filter(pk=OuterRef("pk")).order_by()
    counted = organisation.annotate(number=Count(relation, filter=condition)).values("number")
    return Coalesce(Subquery(counted), 0)
