"""Which segments an identity is in."""

from documents.builder import build
from documents.rows import read_rows
from engine.compiler import compile_context
from engine.context import environment_context, feature_contexts
from engine.subjects import Identity as Evaluated
from environments.models import Environment
from identities.models import Identity
from identities.traits import from_column


def segments_matching(identity: Identity) -> list[int]:
    """Return the ids of the segments that an identity is in now, by the traits that are stored of it."""
    try:
        built = build(read_rows(identity.environment_id), with_unused_segments=True)
    except Environment.DoesNotExist:  # deleted since the identity was found
        return []
    own = built.identity_overrides.get(identity.pk)
    matching = compile_context(environment_context(built.document)).matching_segments(
        Evaluated(identity.identifier, from_column(identity.traits)),
        feature_contexts(own["identity_features"]) if own else None,
    )
    return [int(segment["key"]) for segment in matching]
