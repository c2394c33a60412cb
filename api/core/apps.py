from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

from core.causes import listen_to_writes
from core.logs.statements import log_statements
from core.trigger_migrations import spare_rendering


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        import_module("core.checks")
        listen_to_writes()
        spare_rendering()
        if settings.DJANGO_ENABLE_DB_LOGGING:
            log_statements()
