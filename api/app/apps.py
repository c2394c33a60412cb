from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The project as an app: for its management commands."""

    name = "app"
