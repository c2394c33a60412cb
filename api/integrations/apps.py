from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from audit.followers import follow_records
        from integrations.services import tell_others

        follow_records(tell_others)
