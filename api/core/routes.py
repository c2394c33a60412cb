"""Routes as people read them."""

import re

from django.contrib.admindocs.views import simplify_regex


def readable(pattern: str) -> str:
    """Return the path of a URL pattern: `api/v1/projects/<int:pk>/` becomes `/api/v1/projects/{pk}/`."""
    path = simplify_regex(f"/{pattern.lstrip('/')}").replace("//", "/")
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
