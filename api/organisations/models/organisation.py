"""Organisations. Each is a tenant: nothing crosses its border."""

import uuid

from django.conf import settings
from django.db import models

from core.history import remembers
from core.models import SoftDeletableModel
from core.publishing import publishes


def stores_traits_by_default() -> bool:
    return settings.DEFAULT_ORG_STORE_TRAITS_VALUE


class Organisation(SoftDeletableModel):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=2000)
    created_date = models.DateTimeField(auto_now_add=True)
    webhook_notification_email = models.EmailField(null=True, blank=True)
    persist_trait_data = models.BooleanField(
        default=stores_traits_by_default, help_text="Whether traits that SDKs send are stored."
    )
    stop_serving_flags = models.BooleanField(default=False, help_text="SDK requests get 403.")
    feature_analytics = models.BooleanField(default=False)
    block_access_to_admin = models.BooleanField(default=False)
    restrict_project_create_to_admin = models.BooleanField(default=False)
    force_2fa = models.BooleanField("require two-factor sign-in", default=False)
    users = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="OrganisationMembership", related_name="organisations"
    )

    class Meta:
        ordering = ["id"]
        triggers = [
            *publishes(
                "SELECT project.id AS project_id, 0 AS environment_id "
                "FROM {changed} JOIN projects_project AS project ON project.organisation_id = changed.id",
                ["id", "name", "persist_trait_data", "stop_serving_flags", "feature_analytics", "deleted_at"],
            ),
            *remembers(organisation="changed.id"),
        ]

    def __str__(self) -> str:
        return self.name
