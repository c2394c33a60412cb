"""Reading all rows that make one environment's document, as one moment saw them.

Overrides of identities may be many thousands, of which a change touches one. So what is read of them first is
a fingerprint of everything that they show; whoever knows an identity by its fingerprint need not read it.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from core.version import VERSION
from environments.models import Environment, EnvironmentRevision, ServerSideKey
from features.models import Feature, FeatureState, MultivariateFeatureStateValue
from segments.models import Condition, Segment, SegmentRule

# What is known of each identity's overrides; equal as long as nothing about them has changed.
Fingerprints = Mapping[int, Sequence[int]]


class RevisionName(NamedTuple):
    """Names one content of one environment: `12:345:<nonce>`, as notifications spell it.

    `number` orders what one database wrote. After a restore it may be given again, with another `nonce`.
    """

    environment_id: int
    number: int
    nonce: uuid.UUID

    def __str__(self) -> str:
        return f"{self.environment_id}:{self.number}:{self.nonce}"

    @classmethod
    def parse(cls, text: str) -> "RevisionName":
        """Raises ValueError."""
        environment_id, number, nonce = text.split(":")
        return cls(int(environment_id), int(number), uuid.UUID(nonce))


@dataclass(frozen=True, slots=True)
class Revision:
    """One content of one environment: its name, and when it and the one before came into being."""

    name: RevisionName
    updated_at: datetime
    previous_updated_at: datetime | None

    @property
    def is_alone_in_its_second(self) -> bool:
        """Whether whole seconds tell it from the revision before."""
        before = self.previous_updated_at
        return before is None or before.replace(microsecond=0) < self.updated_at.replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class EnvironmentRows:
    """Live, undeleted rows, each list in the order of ids.

    Attributes:
        revision: None where no change of the environment has been committed yet.
        states: of identities only those that were not known.
        fingerprints: of all identities that have overrides, by their ids, in the order of these.
    """

    revision: Revision | None
    environment: Environment
    features: list[Feature]
    states: list[FeatureState]
    allocations: list[MultivariateFeatureStateValue]
    segments: list[Segment]
    rules: list[SegmentRule]
    conditions: list[Condition]
    server_side_keys: list[ServerSideKey]
    fingerprints: Fingerprints

    @property
    def default_states(self) -> list[FeatureState]:
        """What everyone is served who has no override."""
        return [
            state for state in self.states if state.identity_id is None and state.feature_segment_id is None
        ]

    @property
    def segment_states(self) -> list[FeatureState]:
        return [state for state in self.states if state.feature_segment_id is not None]

    @property
    def identity_states(self) -> list[FeatureState]:
        return [state for state in self.states if state.identity_id is not None]


def current_revision(environment_id: int) -> Revision | None:
    """Return the environment's revision, or None where no change of it has been committed yet. One query."""
    found = EnvironmentRevision.objects.filter(environment_id=environment_id)
    values = found.values_list(
        "environment_id", "revision", "nonce", "updated_at", "previous_updated_at"
    ).first()
    return Revision(RevisionName(*values[:3]), *values[3:]) if values else None


def read_rows(environment_id: int, *, known: Fingerprints | None = None) -> EnvironmentRows:
    """Read an environment with all that shows in its document.

    The revision comes first and everything in one snapshot of the database, so that the rows are exactly
    what this revision names. Ten queries, whatever the number of rows.

    Args:
        known: the overrides of identities that still have the fingerprint they have here aren't read.

    Raises:
        Environment.DoesNotExist: there is none, or it, its project or its organisation is deleted.
    """
    with one_moment():
        return read_rows_of(environment_id, current_revision(environment_id), known=known)


def read_rows_of(
    environment_id: int, revision: Revision | None, *, known: Fingerprints | None = None
) -> EnvironmentRows:
    """Do the same inside `one_moment`, with the revision that was read in it before anything else."""
    environment = Environment.objects.select_related("project__organisation").get(
        pk=environment_id,
        project__deleted_at__isnull=True,
        project__organisation__deleted_at__isnull=True,
    )
    fingerprints = _fingerprints(environment)
    states = _states(environment)
    if known:
        changed = [each for each, fingerprint in fingerprints.items() if fingerprint != known.get(each)]
        states = states.filter(Q(identity__isnull=True) | Q(identity__in=changed))
    in_project = {"project_id": environment.project_id}
    # A condition's rule names its segment, nested or not.
    live_segments = Segment.objects.filter(**in_project)
    return EnvironmentRows(
        revision=revision,
        environment=environment,
        features=list(Feature.objects.filter(**in_project).order_by("id")),
        states=list(states),
        allocations=list(
            MultivariateFeatureStateValue.objects.filter(feature_state__in=states.values("id"))
            .select_related("multivariate_feature_option")
            .order_by("id")
        ),
        segments=list(live_segments.order_by("id")),
        rules=list(SegmentRule.objects.filter(segment__in=live_segments.values("id")).order_by("id")),
        conditions=list(
            Condition.objects.filter(rule__segment__in=live_segments.values("id")).order_by("id")
        ),
        # Also those that have expired: whether one has is decided when it is used.
        server_side_keys=list(
            ServerSideKey.objects.filter(environment=environment, active=True).order_by("id")
        ),
        fingerprints=fingerprints,
    )


def _fingerprints(environment: Environment) -> Fingerprints:
    """Return a hash of 64 bits for each override of an identity, in the order of ids."""
    fingerprints: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            _FINGERPRINTS,
            {
                "version": VERSION,
                "environment": environment.pk,
                "project": environment.project_id,
                "key": environment.api_key,
            },
        )
        for identity_id, number in cursor:
            fingerprints[identity_id].append(number)
    return fingerprints


# Of all that an override's document is made of and with. Whole rows where nothing forbids it, so that no
# column can be forgotten. Which states are served, `_states` says too.
_FINGERPRINTS = """
WITH weights AS (
    SELECT allocation.feature_state_id,
           array_agg(hash_record_extended(ROW(allocation, option), 0) ORDER BY allocation.id) AS hashes
    FROM "features_featurestate" AS state
    JOIN "features_multivariatefeaturestatevalue" AS allocation ON allocation.feature_state_id = state.id
    JOIN "features_multivariateoption" AS option ON option.id = allocation.multivariate_feature_option_id
    WHERE state.environment_id = %(environment)s AND state.identity_id IS NOT NULL
    GROUP BY allocation.feature_state_id
)
SELECT state.identity_id,
       hash_record_extended(
           ROW(
               %(version)s::text, %(key)s::text, identity.identifier, identity.created_date,
               feature.id, feature.name, feature.type, state, weights.hashes
           ), 0
       )
FROM "features_featurestate" AS state
JOIN "identities_identity" AS identity
    ON identity.id = state.identity_id AND identity.environment_id = state.environment_id
JOIN "features_feature" AS feature ON feature.id = state.feature_id AND feature.project_id = %(project)s
LEFT JOIN weights ON weights.feature_state_id = state.id
WHERE state.environment_id = %(environment)s AND state.is_live AND state.deleted_at IS NULL
  AND feature.deleted_at IS NULL
ORDER BY state.identity_id, state.id
"""


def _states(environment: Environment) -> QuerySet[FeatureState]:
    """Return the states that SDKs are served: the defaults, and overrides of what is itself still there."""
    overrides_nothing_gone = Q(feature_segment__isnull=True) | Q(
        feature_segment__deleted_at__isnull=True,
        feature_segment__is_live=True,
        feature_segment__segment__deleted_at__isnull=True,
    )
    states: QuerySet[FeatureState] = (
        FeatureState.objects.filter(
            overrides_nothing_gone,
            Q(identity__isnull=True) | Q(identity__environment=environment),
            environment=environment,
            is_live=True,
            feature__deleted_at__isnull=True,
            feature__project_id=environment.project_id,
        )
        .select_related("feature_segment", "identity")
        .defer("identity__traits")
        .order_by("id")
    )
    return states


@contextmanager
def one_moment() -> Iterator[None]:
    """Let all reads see the database as it is at the first of them, unless a transaction is open already."""
    if connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()
    line = connection.connection
    # The driver says so when it begins, which spares a statement.
    line.set_session("REPEATABLE READ", readonly=True)
    try:
        with transaction.atomic():
            yield
    finally:
        if not line.closed:
            line.set_session("DEFAULT", readonly="DEFAULT")
