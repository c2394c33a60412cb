"""Organisations in the admin, with their members, groups, invitations, webhooks and master keys."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin, ServiceAdmin
from core.site import site_url
from organisations.models import (
    Group,
    GroupMembership,
    Invite,
    InviteLink,
    MasterKey,
    MemberRole,
    Organisation,
    OrganisationMembership,
    OrganisationWebhook,
)
from organisations.services import (
    Invitation,
    add_to_group,
    change_role,
    create_group,
    create_link,
    create_webhook,
    delete_group,
    delete_link,
    delete_organisation,
    delete_webhook,
    invite,
    join,
    remove_from_group,
    remove_members,
    set_group_admin,
    update_group,
    update_organisation,
    update_webhook,
    withdraw,
)
from organisations.services.master_keys import revoke_master_key


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


class PlaceForm(ModelForm):
    """Somebody's place. It isn't handed to somebody else: they leave, and another joins."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["user"].disabled = self.instance.pk is not None


class MembershipInline(admin.TabularInline):
    model = OrganisationMembership
    form = PlaceForm
    formset = MembershipFormSet
    autocomplete_fields = ["user"]
    readonly_fields = ["date_joined"]
    extra = 0
    min_num = 1


class GroupInline(admin.TabularInline):
    model = Group
    fields = ["name", "is_default", "external_id"]
    show_change_link = True
    extra = 0


@admin.register(Organisation)
class OrganisationAdmin(ServiceAdmin):
    list_display = ["name", "members", "projects", "created_date", "stop_serving_flags"]
    list_filter = ["stop_serving_flags", "block_access_to_admin", "created_date"]
    search_fields = ["name", "=uuid", "memberships__user__email"]
    readonly_fields = ["uuid", "created_date"]
    inlines = [MembershipInline, GroupInline]

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
        formset.save(commit=False)
        save = _save_groups if formset.model is Group else _save_members
        save(form.instance, formset)


def _save_members(organisation: Organisation, formset: Any) -> None:
    # New administrators first: the last of the old ones can't go before them.
    changed = [membership for membership, _ in formset.changed_objects]
    for each in sorted([*formset.new_objects, *changed], key=lambda each: each.role != MemberRole.ADMIN):
        if each.pk is None:
            join(organisation, each.user, MemberRole(each.role))
        else:
            change_role(each, MemberRole(each.role))
    if formset.deleted_objects:
        remove_members(organisation, [each.user_id for each in formset.deleted_objects])


def _save_groups(organisation: Organisation, formset: Any) -> None:
    for group in formset.deleted_objects:
        delete_group(group)
    for group, fields in formset.changed_objects:
        update_group(group, **{field: getattr(group, field) for field in fields})
    for group in formset.new_objects:
        create_group(
            organisation, name=group.name, is_default=group.is_default, external_id=group.external_id
        )


class GroupMembershipInline(admin.TabularInline):
    model = GroupMembership
    form = PlaceForm
    autocomplete_fields = ["user"]
    extra = 0


@admin.register(Group)
class GroupAdmin(ServiceAdmin):
    list_display = ["name", "organisation", "is_default", "external_id"]
    list_filter = ["is_default"]
    list_select_related = ["organisation"]
    search_fields = ["name", "external_id", "organisation__name"]
    autocomplete_fields = ["organisation"]
    fixed_fields = ("organisation",)
    inlines = [GroupMembershipInline]

    def create(self, request: HttpRequest, **fields: Any) -> Group:
        return create_group(fields.pop("organisation"), **fields)

    def update(self, request: HttpRequest, instance: Group, **changes: Any) -> None:
        update_group(instance, **changes)

    def remove(self, request: HttpRequest, instance: Group) -> None:
        delete_group(instance)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        formset.save(commit=False)
        group, actor = form.instance, request.user
        remove_from_group(group, [each.user_id for each in formset.deleted_objects], actor=actor)
        add_to_group(group, [each.user_id for each in formset.new_objects], actor=actor)
        for each in [*formset.new_objects, *[membership for membership, _ in formset.changed_objects]]:
            set_group_admin(group.memberships.get(user=each.user_id), each.is_admin)


class InviteForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        groups = cleaned.get("permission_groups") or []
        if any(group.organisation != cleaned.get("organisation") for group in groups):
            self.add_error("permission_groups", "Groups are those of the organisation.")
        return cleaned


class NeverChanged(ServiceAdmin):
    """What is deleted and made anew."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Invite)
class InviteAdmin(NeverChanged):
    """The mail is sent when an invitation is added."""

    form = InviteForm
    fields = ["organisation", "email", "role", "permission_groups"]
    list_display = ["email", "organisation", "role", "invited_by", "date_created"]
    list_select_related = ["organisation", "invited_by"]
    search_fields = ["email", "invited_by__email", "organisation__name"]
    autocomplete_fields = ["organisation", "permission_groups"]

    def create(self, request: HttpRequest, **fields: Any) -> Invite:
        invitation = Invitation(
            email=fields["email"],
            role=MemberRole(fields["role"]),
            groups=list(fields["permission_groups"]),
        )
        (made,) = invite(fields["organisation"], [invitation], actor=request.user, site=site_url(request))
        return made

    def remove(self, request: HttpRequest, instance: Invite) -> None:
        withdraw(instance)


@admin.register(InviteLink)
class InviteLinkAdmin(NeverChanged):
    """The list shows no hash: with it anyone could join."""

    fields = ["organisation", "role", "expires_at", "hash"]
    readonly_fields = ["hash"]
    list_display = ["organisation", "role", "date_created", "expires_at"]
    list_select_related = ["organisation"]
    search_fields = ["organisation__name"]
    autocomplete_fields = ["organisation"]

    def create(self, request: HttpRequest, **fields: Any) -> InviteLink:
        return create_link(fields.pop("organisation"), **fields)

    def remove(self, request: HttpRequest, instance: InviteLink) -> None:
        delete_link(instance)


@admin.register(OrganisationWebhook)
class OrganisationWebhookAdmin(ServiceAdmin):
    list_display = ["url", "organisation", "enabled", "updated_at"]
    list_filter = ["enabled"]
    list_select_related = ["organisation"]
    search_fields = ["url", "organisation__name"]
    autocomplete_fields = ["organisation"]
    fixed_fields = ("organisation",)

    def create(self, request: HttpRequest, **fields: Any) -> OrganisationWebhook:
        return create_webhook(fields.pop("organisation"), **fields)

    def update(self, request: HttpRequest, instance: OrganisationWebhook, **changes: Any) -> None:
        update_webhook(instance, **changes)

    def remove(self, request: HttpRequest, instance: OrganisationWebhook) -> None:
        delete_webhook(instance)


@admin.register(MasterKey)
class MasterKeyAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "prefix",
        "organisation",
        "is_admin",
        "revoked",
        "expiry_date",
        "created",
        "created_by",
    ]
    list_filter = ["revoked", "is_admin", "expiry_date", "created"]
    list_select_related = ["organisation", "created_by"]
    search_fields = ["name", "=prefix", "organisation__name", "created_by__email"]
    fields = [
        "id",
        "name",
        "prefix",
        "organisation",
        "is_admin",
        "revoked",
        "expiry_date",
        "created",
        "created_by",
    ]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether the action is offered. Beside it nobody changes keys here."""
        return request.user.has_perm("organisations.change_masterkey")

    @admin.action(description="Revoke selected keys, for good", permissions=["revoke"])
    def revoke(self, request: HttpRequest, keys: QuerySet[MasterKey]) -> None:
        for key in keys:
            revoke_master_key(key)
        self.message_user(request, f"Revoked: {', '.join(map(str, keys))}.", messages.SUCCESS)


def _number_of(relation: str, condition: Q | None = None) -> Coalesce:
    """Count the rows of a relation in a subquery: two joins would multiply each other."""
    organisation = Organisation.objects.filter(pk=OuterRef("pk")).order_by()
    counted = organisation.annotate(number=Count(relation, filter=condition)).values("number")
    return Coalesce(Subquery(counted), 0)
