"""Who changed what."""

from typing import Any

from app.tests.examples.example import Example
from app.tests.examples.organisations import in_organisation
from app.tests.world import World
from audit.models import AuditRecord


def everything(world: World) -> dict[str, Any]:
    return {
        "project": world.project.pk,
        "environments": world.environment.pk,
        "is_system_event": "false",
        "search": "created",
        "author": world.admin.pk,
        "related_object_type": "ENVIRONMENT",
        "related_object_id": world.environment.pk,
        "created_after": "2020-01-01T00:00:00Z",
        "created_before": "2100-01-01T00:00:00Z",
        "history": "false",
    }


def in_project(world: World) -> dict[str, Any]:
    return {"project_pk": world.project.pk}


def one(world: World) -> dict[str, Any]:
    return {"pk": AuditRecord.objects.filter(organisation_id=world.organisation.pk).earliest("pk").pk}


EXAMPLES = {
    "GET /api/v1/audit/": Example(query=everything),
    "GET /api/v1/audit/{pk}/": Example(path=one, query=everything),
    "GET /api/v1/audit/export/": Example(query=everything),
    "GET /api/v1/organisations/{organisation_pk}/audit/": Example(path=in_organisation, query=everything),
    "GET /api/v1/organisations/{organisation_pk}/audit/{pk}/": Example(
        path=lambda world: in_organisation(world) | one(world), query=everything
    ),
    "GET /api/v1/organisations/{organisation_pk}/audit/export/": Example(
        path=in_organisation, query=everything
    ),
    "GET /api/v1/projects/{project_pk}/audit/": Example(path=in_project, query=everything),
    "GET /api/v1/projects/{project_pk}/audit/{pk}/": Example(
        path=lambda world: in_project(world) | one(world), query=everything
    ),
    "GET /api/v1/projects/{project_pk}/audit/export/": Example(path=in_project, query=everything),
}
