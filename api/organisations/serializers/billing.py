"""What clients read about an organisation's plan."""

from rest_framework import serializers


class SubscriptionSerializer(serializers.Serializer):
    """An organisation's plan. Every organisation has the same, without limits."""

    id = serializers.IntegerField()
    uuid = serializers.UUIDField()
    deleted_at = serializers.DateTimeField(allow_null=True)
    has_active_billing_periods = serializers.BooleanField()
    subscription_id = serializers.CharField(allow_null=True)
    subscription_date = serializers.DateTimeField(allow_null=True)
    plan = serializers.CharField()
    max_seats = serializers.IntegerField()
    max_api_calls = serializers.IntegerField()
    cancellation_date = serializers.DateTimeField(allow_null=True)
    customer_id = serializers.CharField(allow_null=True)
    billing_status = serializers.CharField(allow_null=True)
    payment_method = serializers.CharField(allow_null=True)
    notes = serializers.CharField(allow_null=True)


class SubscriptionMetadataSerializer(serializers.Serializer):
    """The limits of an organisation's plan. Null means that there is none."""

    max_seats = serializers.IntegerField()
    max_api_calls = serializers.IntegerField()
    max_projects = serializers.IntegerField(allow_null=True)
    payment_source = serializers.CharField(allow_null=True)
    chargebee_email = serializers.EmailField(allow_null=True)
    feature_history_visibility_days = serializers.IntegerField(allow_null=True)
    audit_log_visibility_days = serializers.IntegerField(allow_null=True)


class UpgradeSerializer(serializers.Serializer):
    plan_id = serializers.CharField(required=False, allow_null=True)
    subscription_id = serializers.CharField(required=False, allow_null=True)


class SubscriptionUpdateSerializer(serializers.Serializer):
    hosted_page_id = serializers.CharField()


class NoSubscriptionSerializer(serializers.Serializer):
    detail = serializers.CharField()


class ApiUsageNotificationSerializer(serializers.Serializer):
    """How much of a plan's requests was used when its organisation was told."""

    organisation_id = serializers.IntegerField()
    percent_usage = serializers.IntegerField()
    notified_at = serializers.DateTimeField()
