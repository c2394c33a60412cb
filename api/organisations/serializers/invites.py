"""Invitations on the wire, by e-mail and by link."""

from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework import serializers

from core.fields import ChoiceField, IdField, IdListField
from organisations.invitations import addresses_among
from organisations.models import Group, Invite, InviteLink, MemberRole, Organisation
from organisations.services.invites import Invitation
from users.models import User
from users.serializers import UserSummarySerializer

MOST_INVITES = 500


class InviteSerializer(serializers.ModelSerializer):
    """An invitation, without the hash that its mail has."""

    invited_by = UserSummarySerializer()
    permission_groups = IdListField(help_text="Ids of groups that are joined, besides the default ones.")

    class Meta:
        model = Invite
        fields = ["id", "email", "date_created", "invited_by", "permission_groups"]
        read_only_fields = fields


class CreatedInviteSerializer(serializers.ModelSerializer):
    permission_groups = IdListField()

    class Meta:
        model = Invite
        fields = ["id", "email", "role", "date_created", "permission_groups"]
        read_only_fields = fields


class InviterSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "email", "first_name", "last_name"]
        read_only_fields = fields


class BulkInviteSerializer(serializers.ModelSerializer):
    """An invitation, as the older form answers it."""

    invited_by = InviterSerializer()
    permission_groups = IdListField()

    class Meta:
        model = Invite
        fields = ["id", "email", "role", "date_created", "invited_by", "permission_groups"]
        read_only_fields = fields


class NewInviteListSerializer(serializers.ListSerializer):
    def to_internal_value(self, data: Any) -> list[Invitation]:
        """Check all items with one look at the database, and put each reason beside its item."""
        items: list[dict[str, Any]] = super().to_internal_value(data)
        checked = Invitations(self.context["view"].organisation, items)
        if any(checked.errors):
            raise serializers.ValidationError(checked.errors)
        return checked.invitations


class NewInviteSerializer(serializers.Serializer):
    """Who is invited, to be what: groups are those of the organisation in the path."""

    email = serializers.EmailField(max_length=254)
    role = ChoiceField(MemberRole.choices, default=MemberRole.USER)
    permission_groups = serializers.ListField(
        child=IdField(), required=False, allow_null=True, help_text="Ids of groups of the organisation."
    )

    class Meta:
        list_serializer_class = NewInviteListSerializer

    def validate(self, attrs: dict[str, Any]) -> Any:
        if isinstance(self.parent, NewInviteListSerializer):
            return attrs
        checked = Invitations(self.context["view"].organisation, [attrs])
        if any(checked.errors):
            raise serializers.ValidationError(checked.errors[0])
        return checked.invitations[0]


class BulkInvitesSerializer(serializers.Serializer):
    """The older form: `invites`, or `emails` of people who are invited as users. One of them is needed."""

    invites = NewInviteListSerializer(child=NewInviteSerializer(), required=False, max_length=MOST_INVITES)
    emails = serializers.ListField(
        child=serializers.EmailField(max_length=254), required=False, max_length=MOST_INVITES
    )

    def validate(self, attrs: dict[str, Any]) -> Any:
        if not attrs:
            raise serializers.ValidationError({"invites": ["This field is required."]})
        invitations: list[Invitation] = attrs.get("invites", [])
        checked = Invitations(
            self.context["view"].organisation,
            [{"email": email, "role": MemberRole.USER} for email in attrs.get("emails", [])],
            besides=[each["email"] for each in invitations],
        )
        if any(checked.errors):
            reasons = [reason for errors in checked.errors for reason in errors.get("email", [])]
            raise serializers.ValidationError({"emails": reasons})
        return {"invitations": [*invitations, *checked.invitations]}


class Invitations:
    """Invitations that are asked for, looked up in two queries.

    Attributes:
        errors: for each item what is wrong with it, by field: nothing where it is right.
    """

    def __init__(
        self, organisation: Organisation, items: Sequence[dict[str, Any]], *, besides: Iterable[str] = ()
    ) -> None:
        self._items = items
        self._groups = Group.objects.filter(organisation=organisation).in_bulk(
            {group for each in items for group in each.get("permission_groups") or []}
        )
        invited = addresses_among(
            Invite.objects.filter(organisation=organisation), [each["email"] for each in items]
        )
        taken = invited | {email.lower() for email in besides}
        self.errors: list[dict[str, list[str]]] = []
        for each in items:
            self.errors.append(self._errors_of(each, taken))
            taken.add(each["email"].lower())

    @property
    def invitations(self) -> list[Invitation]:
        """The items, with groups instead of their ids."""
        return [
            {
                "email": each["email"],
                "role": MemberRole(each["role"]),
                "groups": [
                    self._groups[group] for group in dict.fromkeys(each.get("permission_groups") or [])
                ],
            }
            for each in self._items
        ]

    def _errors_of(self, item: dict[str, Any], taken: set[str]) -> dict[str, list[str]]:
        errors = {}
        if item["email"].lower() in taken:
            errors["email"] = [f"Invite for email {item['email']} already exists"]
        unknown = [each for each in item.get("permission_groups") or [] if each not in self._groups]
        if unknown:
            errors["permission_groups"] = [f"This organisation has no group {each}." for each in unknown]
        return errors


class InviteLinkSerializer(serializers.ModelSerializer):
    """A link by which anyone can join."""

    role = ChoiceField(MemberRole.choices, default=MemberRole.USER)

    class Meta:
        model = InviteLink
        fields = ["id", "hash", "date_created", "role", "expires_at"]
        read_only_fields = ["hash", "date_created"]
