from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        import_module("operations.checks")
        if settings.PROMETHEUS_ENABLED:
            # What counts tasks counts them in task processors and shells as well.
            import_module("operations.metrics.tasks")
        if settings.SENTRY_SDK_DSN:
            from operations.error_reports import start  # the library is loaded where it is wanted

            start()
