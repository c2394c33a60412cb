from importlib import import_module

from django.apps import AppConfig

from core.causes import listen_to_writes


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        import_module("core.checks")
        listen_to_writes()
