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
