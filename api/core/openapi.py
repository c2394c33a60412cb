"""The OpenAPI document: how it is made from the views. `core.api_docs` serves it.

Operation ids are part of the API: generated clients name their functions after them, and language
models choose their tools by them.
"""

import re
from copy import copy
from functools import cache
from typing import Any

from django.utils.encoding import force_bytes
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_basic_type
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from core.views import ManagedView

# What stands once for all operations, in `components`.
COMPONENTS: dict[str, Any] = {
    "headers": {
        "EntityTag": {
            "description": "Names the state of the object: the same as long as it is. For `If-Match`.",
            "schema": {"type": "string"},
        },
    },
    "parameters": {
        "IfMatch": {
            "in": "header",
            "name": "If-Match",
            "schema": {"type": "string"},
            "description": "Do this only if the object is still what one of these tags names, or answer 412.",
        },
        "IfNoneMatch": {
            "in": "header",
            "name": "If-None-Match",
            "schema": {"type": "string"},
            "description": "Answer 304 without content if the object is still what one of these tags names.",
        },
        "IdempotencyKey": {
            "in": "header",
            "name": "Idempotency-Key",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": (
                "However often this is sent with one key within 24 hours, it is done once. The first answer "
                "comes again, with `Idempotent-Replayed: true`."
            ),
        },
    },
    "responses": {
        "NotModified": {"description": "The object is what `If-None-Match` names."},
        "PreconditionFailed": {
            "description": "The object isn't what `If-Match` names. The answer is the object as it is now.",
            "headers": {"ETag": {"$ref": "#/components/headers/EntityTag"}},
            "content": {"application/json": {"schema": {}}},
        },
        "StillAtWork": {"description": "The first request with this `Idempotency-Key` is still at work."},
        "KeyUsedOtherwise": {"description": "The `Idempotency-Key` was used for another request."},
    },
}

# Path segments whose words a person would part, or that have a better known name.
_WORDS = {
    "featurestates": "feature_states",
    "edge-featurestates": "edge_feature_states",
    "api-keys": "server_side_keys",
    "mv-options": "multivariate_options",
    "my-permissions": "my_permissions",
}
_SAME_IN_PLURAL = {"my_permissions", "analytics", "status", "me", "telemetry"}


class ReadableSchema(AutoSchema):
    """Names operations as a person would: `list_project_features`, `update_environment`.

    Where the rule gives a clumsy or a wrong name, the view says a better one with `extend_schema`.
    """

    verbs = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

    def get_operation_id(self) -> str:
        path = re.sub(self.path_prefix, "", self.path).strip("/")
        segments = [part for part in path.split("/") if part and not part.startswith("{")] or ["root"]
        *parents, last = (_WORDS.get(part, re.sub(r"\W", "_", part)) for part in segments)
        is_list = self.method == "GET" and self._is_list_view()
        nouns = [*(singular(parent) for parent in parents), last if is_list else singular(last)]
        return "_".join(["list" if is_list else self.verbs[self.method], *nouns])

    def _knows_tags(self, view: ManagedView) -> bool:
        """Whether this reads or changes one object, whose state has a tag."""
        if self.method == "GET":
            return view.shows_one
        at_path, names = copy(view), re.findall(r"{(\w+)}", self.path)
        at_path.kwargs = dict.fromkeys(
            [*names, *(["pk"] if "id" in names else [])]
        )  # the generator renames it
        return at_path.names_one

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None or not isinstance(self.view, ManagedView):
            return operation
        if self._knows_tags(self.view):
            reads = self.method == "GET"
            self._add(operation, "IfNoneMatch" if reads else "IfMatch")
            for status, response in operation["responses"].items():
                if status in {"200", "201"}:
                    response.setdefault("headers", {})["ETag"] = {"$ref": "#/components/headers/EntityTag"}
            refusal = {"304": "NotModified"} if reads else {"412": "PreconditionFailed"}
            self._add(operation, **refusal)
        if self.method == "POST":
            self._add(operation, "IdempotencyKey", **{"409": "StillAtWork", "422": "KeyUsedOtherwise"})
        return operation

    @staticmethod
    def _add(operation: dict[str, Any], *parameters: str, **responses: str) -> None:
        """Say that an operation takes further parameters, and may be refused, as `COMPONENTS` has it."""
        for name in parameters:
            operation.setdefault("parameters", []).append({"$ref": f"#/components/parameters/{name}"})
        for status, name in responses.items():
            operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{name}"})


class ConstantFieldSchema(OpenApiSerializerFieldExtension):
    """A constant's type is that of its value."""

    target_class = "core.fields.ConstantField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        value = self.target.value
        if value is None:
            return {"nullable": True}
        if isinstance(value, list):
            return {"type": "array", "items": {}}
        return build_basic_type(type(value)) or {}


def add_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what operations refer to: a hook of drf-spectacular."""
    for kind, described in COMPONENTS.items():
        result["components"].setdefault(kind, {}).update(described)
    return result


def singular(noun: str) -> str:
    """Return the singular of a path's plural: `identities` gives `identity`."""
    if noun in _SAME_IN_PLURAL or not noun.endswith("s"):
        return noun
    return f"{noun[:-3]}y" if noun.endswith("ies") else noun[:-1]


@cache
def rendered_document(media_type: str) -> bytes:
    """Return the document's bytes. Made once a process: it takes a second, and anyone may ask."""
    document = SchemaGenerator().get_schema(public=True)
    renderer = OpenApiJsonRenderer() if media_type == "application/json" else OpenApiYamlRenderer()
    return force_bytes(renderer.render(document, renderer_context={}))
