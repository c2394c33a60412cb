"""The SQL that gives new features, environments and options their default states and allocations.

In triggers, so that it holds for the API, the admin, imports and a database shell alike. Creations
in one project wait for each other: an environment and a feature made at the same moment would each
miss the other's state. Where an environment keeps versions, a feature's first states are its first one.
"""

_LOCK_PROJECT = "PERFORM FROM projects_project WHERE id = {project} FOR NO KEY UPDATE;"

# The typing of `initial_value` that features.models.values.typed_value does in Python. CASE keeps the
# order, so nothing is cast before it is known to be a number that fits.
_GIVE_STATES = """
WITH starting AS (
    SELECT feature.id AS feature_id,
           environment.id AS environment_id,
           environment.use_v2_feature_versioning AS versioned,
           feature.default_enabled AND NOT project.prevent_flag_defaults AS enabled,
           CASE WHEN NOT project.prevent_flag_defaults THEN feature.initial_value END AS value
    FROM features_feature AS feature
    JOIN projects_project AS project ON project.id = feature.project_id
    JOIN environments_environment AS environment ON environment.project_id = project.id
    WHERE {condition} AND feature.deleted_at IS NULL AND environment.deleted_at IS NULL
), typed AS (
    SELECT starting.*,
           CASE WHEN value IN ('true', 'True', 'false', 'False') THEN 'bool'
                WHEN value !~ '^-?[0-9]{{1,10}}$' THEN 'unicode'
                WHEN abs(CASE WHEN value ~ '^-?[0-9]{{1,10}}$' THEN value::bigint END) < 2147483647 THEN 'int'
                ELSE 'unicode' END AS type
    FROM starting
), version AS (
    INSERT INTO features_environmentfeatureversion (
        uuid, feature_id, environment_id, published, published_at, is_live, live_from, created_at, updated_at
    )
    SELECT gen_random_uuid(), feature_id, environment_id, true, now(), true, now(), now(), now()
    FROM starting WHERE versioned
    RETURNING uuid, feature_id, environment_id
)
INSERT INTO features_featurestate (
    uuid, feature_id, environment_id, enabled, type, string_value, integer_value, boolean_value,
    version, environment_feature_version_id, is_live, live_from, created_at, updated_at
)
SELECT gen_random_uuid(), typed.feature_id, typed.environment_id, enabled, type,
       CASE WHEN type = 'unicode' THEN value END,
       CASE WHEN type = 'int' THEN value::integer END,
       CASE WHEN type = 'bool' THEN value::boolean END,
       CASE WHEN NOT versioned THEN 1 END, version.uuid, true, now(), now(), now()
FROM typed
LEFT JOIN version ON version.feature_id = typed.feature_id AND version.environment_id = typed.environment_id
ORDER BY typed.feature_id, typed.environment_id;
"""

STATES_OF_NEW_FEATURE = (
    _LOCK_PROJECT.format(project="NEW.project_id")
    + _GIVE_STATES.format(condition="feature.id = NEW.id")
    + "RETURN NULL;"
)

# Allocations in the order of their options: the order of their ids is the order of the bands.
STATES_OF_NEW_ENVIRONMENT = (
    _LOCK_PROJECT.format(project="NEW.project_id")
    + _GIVE_STATES.format(condition="environment.id = NEW.id")
    + """
INSERT INTO features_multivariatefeaturestatevalue (
    uuid, feature_state_id, multivariate_feature_option_id, percentage_allocation
)
SELECT gen_random_uuid(), state.id, option.id, option.default_percentage_allocation
FROM features_featurestate AS state
JOIN features_multivariateoption AS option ON option.feature_id = state.feature_id
WHERE state.environment_id = NEW.id AND state.identity_id IS NULL AND state.feature_segment_id IS NULL
ORDER BY state.id, option.id;
RETURN NULL;
"""
)

ALLOCATIONS_OF_NEW_OPTION = """
INSERT INTO features_multivariatefeaturestatevalue (
    uuid, feature_state_id, multivariate_feature_option_id, percentage_allocation
)
SELECT gen_random_uuid(), state.id, NEW.id, NEW.default_percentage_allocation
FROM features_featurestate AS state
LEFT JOIN features_environmentfeatureversion AS version ON version.uuid = state.environment_feature_version_id
WHERE state.feature_id = NEW.feature_id AND state.identity_id IS NULL AND state.feature_segment_id IS NULL
  AND state.deleted_at IS NULL
  -- Former versions stay as they were. What is still to come goes live with all of the feature's variants.
  AND (state.is_live OR NOT version.published OR version.live_from > now())
ORDER BY state.id;
UPDATE features_feature SET type = 'MULTIVARIATE' WHERE id = NEW.feature_id AND type <> 'MULTIVARIATE';
RETURN NULL;
"""
