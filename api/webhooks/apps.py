from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        autodiscover_modules("webhook_bodies")
