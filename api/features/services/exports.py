"""Exports of features. The file is written in the background: whoever asked looks for it later."""

import logging
from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.services import Author
from core.errors import AWAY, InvalidInput
from environments.models import Environment
from features.exceptions import ExportNotReadyError
from features.files import write_features
from features.models import FeatureExport, TransferStatus
from features.models.state import FOR_EVERYONE
from features.selectors.feature_states import served_states
from projects.models import Tag
from tasks.services import enqueue

logger = logging.getLogger(__name__)

# With all attempts, and the waiting between them.
LONGEST = timedelta(hours=1)


@transaction.atomic
def request_export(environment: Environment, *, tag_ids: Collection[int], author: Author) -> FeatureExport:
    """Have the features written into a file, as they are in one environment.

    Args:
        tag_ids: only features with one of these tags; all where there is none.

    Raises:
        InvalidInput: a tag is of another project.
    """
    known = Tag.objects.filter(project=environment.project_id, pk__in=tag_ids)
    if known.count() < len(set(tag_ids)):
        raise InvalidInput({"tag_ids": ["Tags must be from the environment's project."]})
    export = FeatureExport(
        environment=environment,
        name=f"{environment.name} | {timezone.now():%Y-%m-%d %H:%M} UTC",
        tag_ids=sorted(set(tag_ids)),
    )
    export.author = author
    export.save()
    enqueue("features.export_features", arguments={"export_id": export.pk})
    return export


def run_export(export_id: int) -> None:
    """Write the file of an export that still waits for it."""
    export = FeatureExport.objects.filter(pk=export_id, status=TransferStatus.PROCESSING).first()
    if export is None:
        return
    try:
        export.data, export.status = _written(export), TransferStatus.SUCCESS
    except AWAY:
        raise  # the next attempt may well succeed
    except Exception:
        logger.exception("Export %s failed.", export_id)
        export.status = TransferStatus.FAILED
    export.save(update_fields=["data", "status"])


def give_up_on_lost_exports() -> None:
    """Say of exports that nobody can be at any more that they failed."""
    lost = FeatureExport.objects.filter(
        status=TransferStatus.PROCESSING, created_at__lt=timezone.now() - LONGEST
    )
    lost.update(status=TransferStatus.FAILED)


def file_of(export: FeatureExport) -> str:
    """Return what an export has written.

    Raises:
        ExportNotReadyError: nothing, or not yet.
    """
    if export.status != TransferStatus.SUCCESS:
        raise ExportNotReadyError(f"Unable to download export with status '{export.status}'.")
    return export.data


def _written(export: FeatureExport) -> str:
    states = served_states().filter(FOR_EVERYONE, environment=export.environment_id)
    if export.tag_ids:
        states = states.filter(
            feature__in=Tag.features.through._default_manager.filter(tag__in=export.tag_ids).values("feature")
        )
    in_order = states.select_related("feature").prefetch_related("feature__multivariate_options")
    return write_features(in_order.order_by("feature"))
