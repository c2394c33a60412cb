"""What has been counted."""

from app.tests.examples.environments import in_environment
from app.tests.examples.example import Caller, Example
from app.tests.examples.organisations import in_organisation

EXAMPLES = {
    "GET /api/v1/organisations/{organisation_pk}/usage-data/": Example(
        path=in_organisation,
        query=lambda world: {
            "project_id": world.project.pk,
            "environment_id": world.environment.pk,
            "period": "90_day_period",
            "step": "day",
            "user_agent": "flagsmith-python-sdk/4.0.0",
            "client_application_name": "shop",
            "client_application_version": "1.2",
        },
    ),
    "GET /api/v1/organisations/{organisation_pk}/usage-data/total-count/": Example(path=in_organisation),
    "GET /api/v1/organisations/{organisation_pk}/usage/": Example(path=in_organisation),
    "GET /api/v1/organisations/{organisation_pk}/influx-data/": Example(
        path=in_organisation,
        query=lambda world: {"project_id": world.project.pk, "environment_id": world.environment.pk},
    ),
    "GET /api/v1/projects/{project_pk}/features/{feature_pk}/evaluation-data/": Example(
        path=lambda world: {"project_pk": world.project.pk, "feature_pk": world.feature.pk},
        query=lambda world: {"environment_id": world.environment.pk, "period": 30, "step": "hour"},
    ),
    **{
        f"{method} /api/v1/environments/{{environment_key}}/onboarding-status/": Example(
            caller=Caller.ANYONE,
            path=in_environment,
            body=(lambda world: {"first_evaluated_sdk_label": "flagsmith-go-sdk"})
            if method == "PUT"
            else None,
            secrets=frozenset({"environment_key"}),
        )
        for method in ("GET", "PUT")
    },
    "GET /api/v1/projects/{project_pk}/features/{feature_pk}/influx-data/": Example(
        path=lambda world: {"project_pk": world.project.pk, "feature_pk": world.feature.pk},
        query=lambda world: {
            "environment_id": world.environment.pk,
            "period": "30d",
            "aggregate_every": "24h",
        },
    ),
}
