"""The SQL that reads an environment: one statement for everything, and one for overrides of identities.

By hand, because a change is seen as soon as this is read: through the ORM it was ten statements, and building
them and the models took nine tenths of the time. Whoever waits for a statement beside a busy event loop
also waits for the interpreter.
"""

from integrations.kinds import IDENTITY_KINDS


def _list(columns: str, source: str, order: str) -> str:
    """Return the SQL of a list of objects, which `columns` describe by names and values."""
    return f"(SELECT coalesce(json_agg(json_build_object({columns}) ORDER BY {order}), '[]') {source})"


def _value(table: str) -> str:
    return f"""CASE {table}.type
        WHEN 'int' THEN to_json({table}.integer_value)
        WHEN 'bool' THEN to_json({table}.boolean_value)
        ELSE to_json({table}.string_value)
    END"""


_THE_PROJECT = '(SELECT project_id FROM "environments_environment" WHERE id = %(environment)s)'


def _the(table: str, name: str, reference: str) -> str:
    """Return the SQL of a join with the one row that `reference` names.

    Looked up by its primary key whatever the planner believes: what has an OFFSET stays closed to it. Before
    the database has counted the rows of a new environment it takes them for a few, and would compare each
    override with each identity: seconds for some thousands of them, where this takes milliseconds.
    """
    row = f'SELECT * FROM "{table}" AS each WHERE each.id = {reference} OFFSET 0'  # noqa: S608
    return f"JOIN LATERAL ({row}) AS {name}"


# The states that SDKs are served: the defaults, and overrides of what is itself still there.
_SERVED = f"""
"features_featurestate" AS state
{_the("features_feature", "feature", "state.feature_id")}
    ON feature.deleted_at IS NULL AND feature.project_id = {_THE_PROJECT}
    AND state.environment_id = %(environment)s AND state.is_live AND state.deleted_at IS NULL
"""
_SERVED_TO_IDENTITIES = f"""
{_SERVED}
{_the("identities_identity", "identity", "state.identity_id")}
    ON identity.environment_id = state.environment_id
"""

_STATE = f"""
    'id', state.id,
    'uuid', state.uuid,
    'feature_id', state.feature_id,
    'enabled', state.enabled,
    'value', {_value("state")},
    'hash_seed', state.hash_seed
"""

_STATES = _list(
    f"""{_STATE},
    'segment_id', feature_segment.segment_id,
    'priority', feature_segment.priority,
    'identity', NULL
    """,
    f"""
    FROM {_SERVED}
    LEFT JOIN "features_featuresegment" AS feature_segment ON feature_segment.id = state.feature_segment_id
    LEFT JOIN "segments_segment" AS segment ON segment.id = feature_segment.segment_id
    WHERE state.identity_id IS NULL AND (feature_segment.id IS NULL OR (
        feature_segment.deleted_at IS NULL AND feature_segment.is_live AND segment.deleted_at IS NULL
    ))
    """,
    "state.id",
)

_STATES_OF_IDENTITIES = _list(
    f"""{_STATE},
    'segment_id', NULL,
    'priority', NULL,
    'identity', json_build_object(
        'id', identity.id, 'identifier', identity.identifier, 'created_date', identity.created_date
    )
    """,
    f"FROM {_SERVED_TO_IDENTITIES} WHERE state.identity_id IN (SELECT unnest(%(identities)s))",
    "state.id",
)


def _allocations(whose: str) -> str:
    return _list(
        f"""
        'id', allocation.id,
        'uuid', allocation.uuid,
        'feature_state_id', allocation.feature_state_id,
        'percentage_allocation', allocation.percentage_allocation,
        'option', json_build_object('id', option.id, 'value', {_value("option")}, 'key', option.key)
        """,
        f"""
        FROM "features_featurestate" AS state
        JOIN "features_multivariatefeaturestatevalue" AS allocation ON allocation.feature_state_id = state.id
        JOIN "features_multivariateoption" AS option ON option.id = allocation.multivariate_feature_option_id
        WHERE state.environment_id = %(environment)s AND state.is_live AND state.identity_id {whose}
        """,
        "allocation.id",
    )


_TOLD_OF_IDENTITIES = ", ".join(f"'{kind}'" for kind in IDENTITY_KINDS)

_ENVIRONMENT = f"""(
    SELECT json_build_object(
        'id', environment.id,
        'api_key', environment.api_key,
        'name', environment.name,
        'created_date', environment.created_date,
        'allow_client_traits', environment.allow_client_traits,
        'hide_sensitive_data', environment.hide_sensitive_data,
        'hide_disabled_flags', environment.hide_disabled_flags,
        'use_identity_composite_key_for_hashing', environment.use_identity_composite_key_for_hashing,
        'use_identity_overrides_in_local_eval', environment.use_identity_overrides_in_local_eval,
        'tells_of_identities', EXISTS (
            SELECT FROM "integrations_integration" AS integration
            WHERE integration.environment_id = environment.id AND integration.deleted_at IS NULL
              AND integration.kind IN ({_TOLD_OF_IDENTITIES})
        ),
        'project', json_build_object(
            'id', project.id,
            'name', project.name,
            'hide_disabled_flags', project.hide_disabled_flags,
            'enable_realtime_updates', project.enable_realtime_updates,
            'organisation', json_build_object(
                'id', organisation.id,
                'name', organisation.name,
                'feature_analytics', organisation.feature_analytics,
                'stop_serving_flags', organisation.stop_serving_flags,
                'persist_trait_data', organisation.persist_trait_data
            )
        )
    )
    FROM "environments_environment" AS environment
    JOIN "projects_project" AS project ON project.id = environment.project_id
    JOIN "organisations_organisation" AS organisation ON organisation.id = project.organisation_id
    WHERE environment.id = %(environment)s AND environment.deleted_at IS NULL
      AND project.deleted_at IS NULL AND organisation.deleted_at IS NULL
)"""  # noqa: S608

_FEATURES = _list(
    """
    'id', feature.id,
    'name', feature.name,
    'type', feature.type,
    'description', feature.description,
    'created_date', feature.created_date,
    'default_enabled', feature.default_enabled,
    'initial_value', feature.initial_value,
    'is_server_key_only', feature.is_server_key_only
    """,
    f"""
    FROM "features_feature" AS feature
    WHERE feature.project_id = {_THE_PROJECT} AND feature.deleted_at IS NULL
    """,
    "feature.id",
)

_SEGMENTS = f"""
FROM "segments_segment" AS segment
WHERE segment.project_id = {_THE_PROJECT} AND segment.deleted_at IS NULL
"""

_PREREQUISITES = _list(
    """
    'id', prerequisite.id,
    'feature_id', prerequisite.feature_id,
    'required_feature_id', prerequisite.required_feature_id,
    'enabled', prerequisite.enabled,
    'value', prerequisite.value,
    'variant', prerequisite.variant
    """,
    'FROM "features_prerequisite" AS prerequisite WHERE prerequisite.environment_id = %(environment)s',
    "prerequisite.id",
)

# A hash of 64 bits for each override of an identity, of all that its document is made of and with. Whole rows
# where nothing forbids it, so that no column can be forgotten.
_FINGERPRINTS = f"""(
    WITH weights AS (
        SELECT allocation.feature_state_id,
               array_agg(hash_record_extended(ROW(allocation, option), 0) ORDER BY allocation.id) AS hashes
        FROM "features_featurestate" AS state
        JOIN "features_multivariatefeaturestatevalue" AS allocation
            ON allocation.feature_state_id = state.id
        JOIN "features_multivariateoption" AS option
            ON option.id = allocation.multivariate_feature_option_id
        WHERE state.environment_id = %(environment)s AND state.identity_id IS NOT NULL
        GROUP BY allocation.feature_state_id
    ),
    environment AS MATERIALIZED (
        SELECT api_key FROM "environments_environment" WHERE id = %(environment)s
    ),
    served AS MATERIALIZED (
        SELECT state, identity.identifier, identity.created_date, feature.name, feature.type
        FROM {_SERVED_TO_IDENTITIES}
    )
    SELECT coalesce(
        json_agg(
            json_build_array(
                (state).identity_id,
                hash_record_extended(
                    ROW(
                        %(version)s::text, environment.api_key, served.identifier, served.created_date,
                        served.name, served.type, state, weights.hashes
                    ), 0
                )
            ) ORDER BY (state).identity_id, (state).id
        ), '[]'
    )
    FROM served CROSS JOIN environment LEFT JOIN weights ON weights.feature_state_id = (state).id
)"""  # noqa: S608


def _environment(fingerprints: str) -> str:
    return f"""
SELECT json_build_object(
    'environment', {_ENVIRONMENT},
    'features', {_FEATURES},
    'states', {_STATES},
    'allocations', {_allocations("IS NULL")},
    'segments', {
        _list(
            "'id', segment.id, 'name', segment.name, 'feature_id', segment.feature_id",
            _SEGMENTS,
            "segment.id",
        )
    },
    'rules', {
        _list(
            "'id', rule.id, 'segment_id', rule.segment_id, 'parent_id', rule.parent_id, 'type', rule.type",
            f'FROM "segments_segmentrule" AS rule WHERE rule.segment_id IN (SELECT segment.id {_SEGMENTS})',
            "rule.id",
        )
    },
    'conditions', {
        _list(
            "'rule_id', condition.rule_id, 'operator', condition.operator, "
            "'property', condition.property, 'value', condition.value",
            'FROM "segments_condition" AS condition '
            'JOIN "segments_segmentrule" AS rule ON rule.id = condition.rule_id '
            f"WHERE rule.segment_id IN (SELECT segment.id {_SEGMENTS})",
            "condition.id",
        )
    },
    'server_side_keys', {
        _list(
            "'key', server_side_key.key, 'expires_at', server_side_key.expires_at",
            'FROM "environments_serversidekey" AS server_side_key '
            "WHERE server_side_key.environment_id = %(environment)s AND server_side_key.active",
            "server_side_key.id",
        )
    },
    'prerequisites', {_PREREQUISITES},
    'fingerprints', {fingerprints}
)::text
"""


EVERYTHING = _environment(_FINGERPRINTS)
# Where only one identity's overrides are wanted, of which there may be many thousands.
WITHOUT_IDENTITIES = _environment("'[]'::json")

OF_IDENTITIES = f"""
SELECT json_build_object(
    'states', {_STATES_OF_IDENTITIES},
    'allocations', {_allocations("IN (SELECT unnest(%(identities)s))")}
)::text
"""
