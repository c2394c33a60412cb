"""Says in the API's description which answers name revisions, in one place for all operations."""

import re
from typing import Any

from environments.revisions import MIN_REVISION_HEADER, REVISION_HEADER

_CHANGING = {"post", "put", "patch", "delete"}
_KEYS = {"environmentKey", "serverSideKey"}
# What is neither answered from an environment nor changes one.
_OTHERS = re.compile("/(analytics|auth)/")

_CHANGED = {
    "description": (
        "The revision of the environment that has the change, where it is one that SDKs can see; of several "
        f"environments by their ids, `3=17, 4=9`. For `{MIN_REVISION_HEADER}` of the SDK endpoints."
    ),
    "schema": {"type": "string"},
}
_SERVED = {
    "description": "The environment's revision that the answer is made from.",
    "schema": {"type": "string"},
}
_WANTED = {
    "in": "header",
    "name": MIN_REVISION_HEADER,
    "description": (
        f"What a change was answered as `{REVISION_HEADER}`: the answer is of this revision or a later one, "
        "or 503 when it hasn't come within half a second."
    ),
    "schema": {"type": "string"},
}


def describe_revisions(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the headers to the document: a hook of drf-spectacular."""
    headers = result["components"].setdefault("headers", {})
    headers |= {"ChangedRevision": _CHANGED, "ServedRevision": _SERVED}
    for path, operations in result["paths"].items():
        if _OTHERS.search(path):
            continue
        for method, operation in operations.items():
            schemes = {name for scheme in operation.get("security", []) for name in scheme}
            if schemes & _KEYS:
                operation["parameters"] = [*operation.get("parameters", []), _WANTED]
                _add_header(operation, "ServedRevision")
            elif "tokenAuth" in schemes and method in _CHANGING:
                _add_header(operation, "ChangedRevision")
    return result


def _add_header(operation: dict[str, Any], name: str) -> None:
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            described = response.setdefault("headers", {})
            described[REVISION_HEADER] = {"$ref": f"#/components/headers/{name}"}
