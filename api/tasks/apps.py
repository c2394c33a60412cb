from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class TasksConfig(AppConfig):
    name = "tasks"

    def ready(self) -> None:
        autodiscover_modules("tasks")
