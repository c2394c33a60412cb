"""Counts as dashboards read them. A label is null where clients didn't say."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rest_framework import serializers

from analytics.models import LONGEST_LABEL
from analytics.selectors import UNKNOWN_SDK
from core.fields import IdField
from core.queries import QuerySerializer

DAYS_OF_PERIOD = {"1_day_period": 1, "7_day_period": 7, "90_day_period": 90}
BILLING_PERIODS = ("current_billing_period", "previous_billing_period")
HOUR = "hour"
# There may be a row for each of a hundred kinds of clients in each environment.
MOST_DAYS_OF_HOURS = 31


class StepQuery(QuerySerializer):
    """What a row is about."""

    step = serializers.ChoiceField(
        ["day", HOUR],
        default="day",
        help_text="Rows are about days, or about hours: then each says which, as `hour`. Both are UTC's.",
    )


class LabelsQuery(QuerySerializer):
    """Whose requests are counted."""

    user_agent = serializers.CharField(required=False, max_length=LONGEST_LABEL)
    client_application_name = serializers.CharField(required=False, max_length=LONGEST_LABEL)
    client_application_version = serializers.CharField(required=False, max_length=LONGEST_LABEL)


class UsageQuery(StepQuery, LabelsQuery):
    """Which requests are counted."""

    project_id = IdField(required=False)
    environment_id = IdField(required=False)
    period = serializers.ChoiceField(
        [*DAYS_OF_PERIOD, *BILLING_PERIODS],
        required=False,
        help_text="Thirty days unless it is said. Nobody is billed here, so billing periods are a 404.",
    )

    def validate(self, query: dict[str, Any]) -> dict[str, Any]:
        if query["step"] == HOUR and DAYS_OF_PERIOD.get(query.get("period", ""), 0) > MOST_DAYS_OF_HOURS:
            raise serializers.ValidationError(
                {"step": [f"Hours are told for {MOST_DAYS_OF_HOURS} days at most."]}
            )
        return query


class EvaluationQuery(StepQuery, LabelsQuery):
    """Which evaluations are counted. SDKs report them without labels, so none has one that is asked for."""

    environment_id = IdField()
    period = serializers.IntegerField(default=30, min_value=1, max_value=3650, help_text="In days.")
    identity_identifier = serializers.CharField(
        required=False,
        max_length=2000,
        help_text="Only evaluations for this identity, of those that were reported for one.",
    )
    enabled_when_evaluated = serializers.BooleanField(
        required=False, help_text="Only evaluations that were reported to have found it on, or off."
    )


class HoursField(serializers.CharField):
    """Hours or days: `24h`, `7d`."""

    default_error_messages = {"no_time": "Must be a number of hours or days, such as 24h or 30d."}

    def to_internal_value(self, data: Any) -> timedelta:  # type: ignore[override]
        found = re.fullmatch(r"([0-9]{1,5})([hd])", super().to_internal_value(data))
        if not found or not int(found[1]):
            self.fail("no_time")
        return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))


class EvaluationEventsQuery(QuerySerializer):
    """Which evaluations are counted, and in steps of which length."""

    environment_id = IdField()
    period = HoursField(required=False, help_text="How far back: `30d`; a day unless said otherwise.")
    aggregate_every = HoursField(required=False, help_text="How long a step is: `12h`; a day too.")


class EvaluationEventsSerializer(serializers.Serializer):
    """Steps: when each began, and under the feature's name how often it was evaluated."""

    events_list = serializers.ListField(child=serializers.DictField())


class LabelsSerializer(serializers.Serializer):
    client_application_name = serializers.CharField(source="application_name", allow_null=True)
    client_application_version = serializers.CharField(source="application_version", allow_null=True)
    user_agent = serializers.CharField(allow_null=True)

    def to_representation(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: label or None for name, label in super().to_representation(row).items()}


class UsageSerializer(serializers.Serializer):
    """The requests of one day, or of one hour, from one kind of client."""

    flags = serializers.IntegerField()
    identities = serializers.IntegerField()
    traits = serializers.IntegerField()
    environment_document = serializers.IntegerField()
    day = serializers.DateField()
    hour = serializers.DateTimeField(required=False, help_text="With `step=hour`: when it began.")
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
    hour = serializers.DateTimeField(required=False, help_text="With `step=hour`: when it began.")
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
