"""What is done with features in the background."""

from datetime import timedelta

from django.utils import timezone

from features.models import EnvironmentFeatureVersion, FeatureExport, FeatureImport
from features.services import lifecycle
from features.services.exports import give_up_on_lost_exports, run_export
from features.services.imports import give_up_on_lost_imports, run_import
from features.services.places import Place
from features.services.versions import serve_due_version
from tasks.registry import HIGHEST_PRIORITY, recurring, task

FILES_KEPT = timedelta(days=14)


@task(timeout=timedelta(minutes=10))
def export_features(*, export_id: int) -> None:
    run_export(export_id)


@task(timeout=timedelta(minutes=10))
def import_features(*, import_id: int) -> None:
    run_import(import_id)


@recurring(every=timedelta(days=1))
def forget_exports_and_imports() -> None:
    """Delete exports and imports, with their files, two weeks after they were asked for."""
    give_up_on_lost_imports()
    give_up_on_lost_exports()
    for model in (FeatureExport, FeatureImport):
        model._default_manager.filter(created_at__lt=timezone.now() - FILES_KEPT).delete()


@recurring(every=timedelta(days=1))
def tag_stale_features() -> None:
    """Tag what is stale, and take the tag off what isn't any more."""
    lifecycle.tag_stale_features()


@task(priority=HIGHEST_PRIORITY, attempts=10)
def serve_scheduled_version(*, version: str) -> None:
    """Let SDKs have a version whose time has come, unless it was deleted or a later one is served."""
    scheduled = EnvironmentFeatureVersion.objects.filter(pk=version).first()
    if scheduled is not None:
        serve_due_version(Place(scheduled.environment_id, scheduled.feature_id))
