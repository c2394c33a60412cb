"""Bodies that are sent as forms, because one of their fields is a file."""

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart


def encoded(body: Any) -> tuple[bytes, str]:
    """Return a body's bytes and their content type."""
    if isinstance(body, Form):
        return body.encoded(), body.content_type
    return b"" if body is None else json.dumps(body, default=str).encode(), "application/json"


class Form(dict):
    """A form's fields: lists and objects are files of JSON, everything else is text."""

    content_type = MULTIPART_CONTENT

    def encoded(self) -> bytes:
        return encode_multipart(BOUNDARY, {str(name): _part(value) for name, value in self.items()})


def _part(value: Any) -> Any:
    if isinstance(value, list | dict):
        return SimpleUploadedFile("content.json", json.dumps(value).encode(), "application/json")
    return str(value).encode("utf-8", "replace").decode()
