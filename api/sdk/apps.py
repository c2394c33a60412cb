from django.apps import AppConfig


class SdkConfig(AppConfig):
    name = "sdk"
