"""What each monitoring sends."""

from typing import Any

from rest_framework import serializers

from core.fields import ChoiceField
from health.models import HealthStatus, ProviderName
from health.services import Report

LONGEST_TEXT = 2000


class TextBlockSerializer(serializers.Serializer):
    text = serializers.CharField(max_length=LONGEST_TEXT)
    title = serializers.CharField(max_length=LONGEST_TEXT, required=False, allow_null=True)


class UrlBlockSerializer(serializers.Serializer):
    url = serializers.CharField(max_length=LONGEST_TEXT)
    title = serializers.CharField(max_length=LONGEST_TEXT, required=False, allow_null=True)


class ReasonSerializer(serializers.Serializer):
    """Why a feature is as it is, for people."""

    text_blocks = TextBlockSerializer(many=True, required=False)
    url_blocks = UrlBlockSerializer(many=True, required=False)


class WebhookSerializer(serializers.Serializer):
    """What a program of one's own sends."""

    feature = serializers.CharField(max_length=2000)
    environment = serializers.CharField(max_length=2000, required=False, allow_null=True)
    status = ChoiceField(choices=["healthy", "unhealthy"])
    reason = ReasonSerializer(required=False, allow_null=True)


class AlertSerializer(serializers.Serializer):
    """An alert of Grafana's. Its labels say of which feature it is, and in which environment."""

    status = ChoiceField(choices=["firing", "resolved"])
    labels = serializers.DictField(child=serializers.CharField(allow_blank=True))
    annotations = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    generatorURL = serializers.CharField(required=False, allow_blank=True)


class GrafanaSerializer(serializers.Serializer):
    """What Grafana's contact points of the kind "webhook" send. Alerts without our labels are left out."""

    alerts = AlertSerializer(many=True)


FEATURE_LABEL, ENVIRONMENT_LABEL = "flagsmith_feature", "flagsmith_environment"


def reports_in(provider: ProviderName | str, body: Any) -> list[Report]:
    """Return what a provider's request reports.

    Raises:
        ValidationError: it isn't what this provider sends.
    """
    if provider == ProviderName.GRAFANA:
        grafana = GrafanaSerializer(data=body)
        grafana.is_valid(raise_exception=True)
        alerts = grafana.validated_data["alerts"]
        return [_of_alert(alert) for alert in alerts if alert["labels"].get(FEATURE_LABEL)]
    webhook = WebhookSerializer(data=body)
    webhook.is_valid(raise_exception=True)
    report = webhook.validated_data
    return [
        Report(
            feature=report["feature"],
            environment=report.get("environment"),
            status=HealthStatus(report["status"].upper()),
            reason=report.get("reason"),
        )
    ]


def _of_alert(alert: dict[str, Any]) -> Report:
    annotations = alert.get("annotations", {})
    title = alert["labels"].get("alertname", "Alert")[:LONGEST_TEXT]
    texts = [
        {"text": annotations[name][:LONGEST_TEXT], "title": title}
        for name in ("summary", "description")
        if annotations.get(name)
    ]
    url = alert.get("generatorURL", "")[:LONGEST_TEXT]
    return Report(
        feature=alert["labels"][FEATURE_LABEL],
        environment=alert["labels"].get(ENVIRONMENT_LABEL) or None,
        status=HealthStatus.UNHEALTHY if alert["status"] == "firing" else HealthStatus.HEALTHY,
        reason={"text_blocks": texts, "url_blocks": [{"url": url, "title": title}] if url else []},
    )
