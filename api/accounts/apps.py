from importlib import import_module

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        import_module("accounts.checks")
        hint = import_module("accounts.initialisation.hint")
        # Sent once for each app that has models.
        post_migrate.connect(hint.tell_where_to_begin, sender=apps.get_app_config("users"))
