"""The numbers by which the API names kinds of objects: those of Django's content types.

They are local to a server: clients look them up by the model's name.
"""

from django.contrib.contenttypes.models import ContentType

from metadata.models import EntityKind

_APPS = {
    "feature": "features",
    "segment": "segments",
    "environment": "environments",
    "organisation": "organisations",
    "project": "projects",
}
ENTITIES = tuple(EntityKind.values)
SCOPES = ("organisation", "project")  # where a field may be required


def content_type_of(kind: str) -> ContentType:
    """Return the content type of `"feature"`, `"project"` and so on. Django keeps them in memory."""
    return ContentType.objects.get_by_natural_key(_APPS[kind], kind)


def kind_numbered(number: int, among: tuple[str, ...]) -> str | None:
    """Return which of the kinds has this content type; None if it is no one's."""
    return next((kind for kind in among if content_type_of(kind).pk == number), None)
