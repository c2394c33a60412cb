"""Triggers that keep custom fields inside one organisation and project, whoever writes them."""

import pgtrigger

_PROJECT_OF_THE_ORGANISATION = """
NEW.project_id IS NULL OR EXISTS (
    SELECT FROM projects_project WHERE id = NEW.project_id AND organisation_id = NEW.organisation_id
)
"""
_REQUIRED_WHERE_THE_FIELD_IS = """
EXISTS (
    SELECT FROM metadata_attachment AS attachment
    JOIN metadata_customfield AS field ON field.id = attachment.field_id
    WHERE attachment.id = NEW.attachment_id AND field.organisation_id = coalesce(
        NEW.organisation_id, (SELECT organisation_id FROM projects_project WHERE id = NEW.project_id)
    )
)
"""
# Where the attachment is of another kind than the entity, there is no project, and so no match.
_VALUE_WHERE_THE_FIELD_IS = """
EXISTS (
    SELECT FROM metadata_attachment AS attachment
    JOIN metadata_customfield AS field ON field.id = attachment.field_id
    JOIN projects_project AS project ON project.id = CASE attachment.kind
        WHEN 'feature' THEN (
            SELECT project_id FROM features_feature WHERE id = NEW.feature_id
        )
        WHEN 'segment' THEN (
            SELECT project_id FROM segments_segment WHERE id = NEW.segment_id
        )
        WHEN 'environment' THEN (
            SELECT project_id FROM environments_environment WHERE id = NEW.environment_id
        )
    END
    WHERE attachment.id = NEW.attachment_id
      AND field.organisation_id = project.organisation_id
      AND (field.project_id IS NULL OR field.project_id = project.id)
)
"""


def _refuse_unless(condition: str, reason: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="refuse_strangers",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
        IF NOT ({condition}) THEN
            RAISE check_violation USING MESSAGE = '{reason}';
        END IF;
        RETURN NEW;
        """,
    )


FIELDS_STAY_INSIDE = _refuse_unless(
    _PROJECT_OF_THE_ORGANISATION, "Project must belong to the specified organisation."
)
REQUIREMENTS_STAY_INSIDE = _refuse_unless(
    _REQUIRED_WHERE_THE_FIELD_IS, "The requirement organisation does not match the field organisation"
)
VALUES_STAY_INSIDE = _refuse_unless(
    _VALUE_WHERE_THE_FIELD_IS, "The field is for objects of another kind, project or organisation."
)
