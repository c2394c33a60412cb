from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from audit.followers import follow_records
        from identities.erasure import erase_also_by
        from integrations.erasure import erase_messages
        from integrations.services import tell_others

        follow_records(tell_others)
        erase_also_by(erase_messages)
