"""The protocol's paths. They have no slash at their end, but are served with one, too."""

from django.urls import path, register_converter

from sdk.views.ofrep import OfrepFlagsView, OfrepFlagView


class FlagKeyConverter:
    """Any text: names of features have slashes, blanks and whatever else people think of."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(FlagKeyConverter, "flag_key")

urlpatterns = [
    path("evaluate/flags", OfrepFlagsView.as_view()),
    path("evaluate/flags/<flag_key:key>", OfrepFlagView.as_view()),
]
