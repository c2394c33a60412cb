"""Counts as dashboards read them. A label is null where clients didn't say."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from analytics.models import LONGEST_LABEL
from analytics.selectors import UNKNOWN_SDK
from core.fields import IdField
from core.queries import QuerySerializer

NINETY_DAYS = "90_day_period"
BILLING_PERIODS = ("current_billing_period", "previous_billing_period")


class UsageQuery(QuerySerializer):
    """Which requests are counted."""

    project_id = IdField(required=False)
    environment_id = IdField(required=False)
    period = serializers.ChoiceField(
        [NINETY_DAYS, *BILLING_PERIODS],
        required=False,
        help_text="Thirty days unless it says ninety. Nobody is billed here, so billing periods are a 404.",
    )
    user_agent = serializers.CharField(required=False, max_length=LONGEST_LABEL)
    client_application_name = serializers.CharField(required=False, max_length=LONGEST_LABEL)
    client_application_version = serializers.CharField(required=False, max_length=LONGEST_LABEL)


class EvaluationQuery(QuerySerializer):
    """Which evaluations are counted."""

    environment_id = IdField()
    period = serializers.IntegerField(default=30, min_value=1, max_value=3650, help_text="In days.")


class LabelsSerializer(serializers.Serializer):
    client_application_name = serializers.CharField(source="application_name", allow_null=True)
    client_application_version = serializers.CharField(source="application_version", allow_null=True)
    user_agent = serializers.CharField(allow_null=True)

    def to_representation(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: label or None for name, label in super().to_representation(row).items()}


class UsageSerializer(serializers.Serializer):
    """The requests of one day from one kind of client."""

    flags = serializers.IntegerField()
    identities = serializers.IntegerField()
    traits = serializers.IntegerField()
    environment_document = serializers.IntegerField()
    day = serializers.DateField()
    labels = LabelsSerializer(source="*")


class TotalSerializer(serializers.Serializer):
    count = serializers.IntegerField()


class EventsQuery(QuerySerializer):
    """Which requests are counted, of the last thirty days."""

    project_id = IdField(required=False)
    environment_id = IdField(required=False)


class EventsSerializer(serializers.Serializer):
    events = serializers.IntegerField()


class EventsOfDaySerializer(serializers.Serializer):
    """The requests of one day, named as older dashboards draw them."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            "name": serializers.DateField(source="day"),
            "Flags": serializers.IntegerField(source="flags"),
            "Identities": serializers.IntegerField(source="identities"),
            "Traits": serializers.IntegerField(source="traits"),
            "Environment-document": serializers.IntegerField(source="environment_document"),
        }


class EventsListSerializer(serializers.Serializer):
    events_list = EventsOfDaySerializer(many=True)


class EvaluationsOfDaySerializer(serializers.Serializer):
    day = serializers.DateField()
    count = serializers.IntegerField()
    labels = serializers.JSONField(default=None, help_text="SDKs report none: always null.")


class OnboardingStatusSerializer(serializers.Serializer):
    """What first evaluated an environment, told by who evaluates it."""

    first_evaluated_sdk_label = serializers.RegexField(
        rf"^({UNKNOWN_SDK}|flagsmith-[a-z0-9.-]+)\Z",
        max_length=LONGEST_LABEL,
        help_text="The SDK's name, such as `flagsmith-python-sdk`, or `unknown`.",
        error_messages={"invalid": "This is no name of an SDK."},
    )


class KnownOnboardingStatusSerializer(serializers.Serializer):
    """Whether SDKs have evaluated an environment yet, and which was the first."""

    first_evaluated_at = serializers.DateTimeField(allow_null=True)
    first_evaluated_sdk_label = serializers.CharField(allow_null=True)
