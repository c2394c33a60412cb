"""What users and groups were granted, on the wire. Each level has its own serializers, made from these."""

from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from rest_framework import serializers

from core.fields import IdField
from organisations.models import Group
from organisations.serializers.groups import GroupSerializer
from permissions.catalogue import Level
from permissions.serializers import PermissionKeysField
from permissions.targets import organisation_id_of
from users.models import User
from users.serializers import UserSummarySerializer


class OfOrganisationField(serializers.PrimaryKeyRelatedField):
    """The id of something that belongs to the organisation, whose id is in the serializer's context.

    `path` leads from it to its organisation.
    """

    def __init__(self, *, path: str = "organisation", **options: Any) -> None:
        self.path = path
        super().__init__(**{"pk_field": IdField(), **options})

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        of_organisation: QuerySet[Any] = rows.filter(**{self.path: self.context["organisation_id"]})
        return of_organisation


class MemberField(OfOrganisationField):
    """The id of a member."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=User.objects.all(), path="memberships__organisation", **options)


class GroupField(OfOrganisationField):
    """The id of a group."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=Group.objects.all(), **options)


class GrantSerializer(serializers.Serializer):
    """What one holder was granted on one object.

    Subclasses add the `holder`. Where `empties_without_keys`, a change that says nothing of permissions takes
    them all away, even a PATCH (the Flagsmith contract, "Permission endpoints").
    """

    level: ClassVar[Level]
    holder: ClassVar[str]
    empties_without_keys: ClassVar[bool] = True

    id = serializers.IntegerField(read_only=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "permissions": PermissionKeysField(self.level, required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.empties_without_keys or not self.partial:
            attrs.setdefault("permissions", {})
        self._refuse_second(attrs.get(self.holder))
        return attrs

    def _refuse_second(self, holder: Model | None) -> None:
        """Refuse a second row of one holder: its permissions stand in the first."""
        others = self.context["grants"].filter(**{self.holder: holder})
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if holder is not None and others.exists():
            raise serializers.ValidationError(
                {self.holder: [f"This {self.holder} has permissions here already. Change those."]}
            )


class AdminGrantSerializer(GrantSerializer):
    """A grant that may also make its holder an administrator."""

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "admin": serializers.BooleanField(default=False)}


class OrganisationUserPermissionsSerializer(GrantSerializer):
    level = Level.ORGANISATION
    holder = "user"
    empties_without_keys = False

    user = MemberField()


class ListedOrganisationUserPermissionsSerializer(OrganisationUserPermissionsSerializer):
    user = UserSummarySerializer(read_only=True)  # type: ignore[assignment]


class OrganisationGroupPermissionsSerializer(GrantSerializer):
    level = Level.ORGANISATION
    holder = "group"
    empties_without_keys = False

    group = GroupField()


class ListedOrganisationGroupPermissionsSerializer(OrganisationGroupPermissionsSerializer):
    group = GroupSerializer(read_only=True)  # type: ignore[assignment]


def context_of(target: Any) -> dict[str, Any]:
    """Return what these serializers need to know of the object that permissions are granted on."""
    return {"organisation_id": organisation_id_of(target), "grants": target.grants}
