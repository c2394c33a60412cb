"""The audit log in the admin."""

import pytest

from audit.models import AuditRecord, RelatedObjectType
from audit.services import record

RECORDS = "/admin/audit/auditrecord/"


@pytest.fixture
def written(environment, member) -> AuditRecord:
    return record(
        "New Environment created: Production",
        author=member,
        related_object=environment,
        related_object_type=RelatedObjectType.ENVIRONMENT,
        organisation_id=environment.project.organisation_id,
        project_id=environment.project_id,
        environment_id=environment.pk,
    )


def test_records_are_found_by_text_author_and_project(superuser_client, written, member):
    for text in ("environment created", member.email, "Web shop"):
        page = superuser_client.get(RECORDS, {"q": text}).content.decode()

        assert "New Environment created: Production" in page, text


def test_records_are_neither_added_nor_changed_nor_deleted(superuser_client, written):
    responses = [
        superuser_client.post(f"{RECORDS}add/", {"log": "x"}),
        superuser_client.post(f"{RECORDS}{written.pk}/change/", {"log": "x"}),
        superuser_client.post(f"{RECORDS}{written.pk}/delete/", {"post": "yes"}),
    ]

    assert [each.status_code for each in responses] == [403] * 3
    assert AuditRecord.objects.get().log == "New Environment created: Production"


def test_what_nobody_did_is_a_system_event(environment):
    written = record(
        "Environment updated: Production",
        author=None,
        related_object=environment,
        related_object_type=RelatedObjectType.ENVIRONMENT,
        organisation_id=environment.project.organisation_id,
    )

    assert written.is_system_event
    assert written.related_object_uuid == environment.uuid
