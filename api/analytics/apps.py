from importlib import import_module

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        from analytics.erasure import erase_evaluations
        from identities.erasure import erase_also_by

        import_module("analytics.checks")
        erase_also_by(erase_evaluations)
