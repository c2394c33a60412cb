"""What many are served, worked out from the rows, without a request for each."""

from collections.abc import Iterable, Mapping
from typing import Any

from documents.builder import build
from documents.rows import read_rows
from engine.compiler import compile_context
from engine.context import environment_context, feature_contexts
from engine.subjects import Identity as Subject
from environments.models import Environment
from identities.models import Identity
from identities.traits import from_column


def served_to(
    environment: Environment, identifiers: Iterable[str], *, otherwise: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return each one's flags by name: whether it is on, its value, the value's type, the variant.

    Args:
        otherwise: the traits of those who aren't stored.
    """
    built = build(read_rows(environment.pk))
    compiled = compile_context(environment_context(built.document))
    stored = {each.identifier: each for each in Identity.objects.filter(environment=environment)}
    found = {}
    for identifier in identifiers:
        identity = stored.get(identifier)
        own = built.identity_overrides.get(identity.pk) if identity else None
        overrides = feature_contexts(own["identity_features"]) if own else {}
        traits = from_column(identity.traits) if identity else otherwise
        flags = compiled.evaluate(Subject(identifier, traits), overrides).flags
        found[identifier] = {
            name: (flag.enabled, flag.value, type(flag.value), flag.variant) for name, flag in flags.items()
        }
    return found
