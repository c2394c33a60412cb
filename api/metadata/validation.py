"""Whether a text is a value of a field's type."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from metadata.models import FieldType

_is_url = URLValidator()


def is_valid(type_: str, text: str) -> bool:
    """Whether `text` is a value of a field of this type.

    >>> is_valid("int", "-12"), is_valid("bool", "TRUE"), is_valid("url", "example.org")
    (True, True, False)
    """
    match type_:
        case FieldType.INT:
            return re.fullmatch(r"[+-]?[0-9]+", text.strip()) is not None
        case FieldType.BOOL:
            return text.lower() in {"true", "false"}
        case FieldType.URL:
            try:
                _is_url(text)
            except ValidationError:
                return False
    return True
