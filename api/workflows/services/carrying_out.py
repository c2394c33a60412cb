"""Carrying change requests out: when they are committed, or when their time has come.

What a request changes is a change set, so committing one is applying it; `features` decides whether that
makes a version. A request's row is locked first, then features in the order of their ids.

What is scheduled is done by a job that runs in one transaction with the note that it is done: exactly once.
A job does all that is due of its feature, in the order of `live_from`: however late or in which order jobs
run, what was meant for later is done later, and stays.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from audit.services import Author
from core.errors import DomainError, refusal_in_words
from environments.models import Environment
from features.models import EnvironmentFeatureVersion, Feature, FeatureState
from features.services import priorities
from features.services.change_sets import Change, apply_change_set
from features.services.new_versions import create_version
from features.services.notices import telling_of
from features.services.places import Place
from features.services.versions import lock_feature, publish_version
from permissions.actors import Machine
from projects.approval import Commission, carrying_out
from segments.models import ManagedBy, Segment
from segments.services import update_segment
from tasks.services import cancel, enqueue
from workflows import mails
from workflows.content import basis_of, drafted, rules_from, same, steps_of, targets_of
from workflows.exceptions import ChangedDraftError, CohortSegmentError
from workflows.models import PENDING, ChangeKind, ChangeRequest, RequestedChange
from workflows.selectors import conflicts_of, served_for
from workflows.services import records

# By its name: the task calls what is here.
_TASK = "workflows.carry_out_scheduled_change"
_CHANGED_MEANWHILE = "What it changes was changed meanwhile."
_GONE = "Something that it names is gone."


def lock_features(changes: Iterable[RequestedChange]) -> None:
    """Let all other changes of these features wait, and see what those before have left."""
    for feature_id in sorted({each.feature_id for each in changes if each.feature_id is not None}):
        lock_feature(feature_id)


def refuse_cohorts(changes: Iterable[RequestedChange]) -> None:
    """Refuse to change segments that cohorts keep.

    Raises:
        CohortSegmentError
    """
    if any(each.segment is not None and each.segment.managed_by == ManagedBy.COHORT for each in changes):
        raise CohortSegmentError


def carry_out_or_schedule(
    request: ChangeRequest, changes: Collection[RequestedChange], *, author: Author
) -> None:
    """Do now what a request wants now, and the rest when its time comes. The callers hold the locks.

    Raises:
        DomainError: something can't be done.
    """
    now = database_now()
    for change in changes:
        if change.live_from is None or change.live_from <= now:
            _make(request, change, author=author, was_scheduled=False)
            change.applied_at = now
            change.save(update_fields=["applied_at"])
    served = served_for(request, changes)
    for change in changes:
        if change.live_from is not None and change.live_from > now:
            change.basis = basis_of(change, served)  # by now there are no conflicts, or they are ignored
            change.save(update_fields=["basis"])
            _schedule(request, change, change.live_from, author)


@transaction.atomic
def carry_out_due(change_id: int) -> None:
    """Do what is due of the feature, or the segment, that a change is of. It may be called too often."""
    named: RequestedChange | None = (
        RequestedChange.objects.filter(PENDING, pk=change_id).select_related("change_request").first()
    )
    if named is None:
        return
    due = RequestedChange.objects.filter(
        PENDING,
        _of_the_same(named),
        change_request__committed_at__isnull=False,
        change_request__deleted_at__isnull=True,
        live_from__lte=Now(),
    )
    requests: QuerySet[ChangeRequest] = ChangeRequest.objects.filter(pk__in=due.values("change_request"))
    locked = list(requests.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    lock_features([named])
    # Read again: one may have been taken back while its lock was waited for.
    for change in (
        due.filter(change_request__in=locked)
        .select_related(
            "change_request__environment__project",
            "change_request__project",
            "change_request__user",
            "change_request__committed_by",
            "feature__project",
            "segment__project",
            "version",
        )
        .order_by("live_from", "change_request__committed_at", "pk")
    ):
        _carry_out(change)


def take_back(changes: Iterable[RequestedChange]) -> None:
    """Take back what was scheduled."""
    for change in changes:
        cancel(_key(change))


def try_out(request: ChangeRequest, changes: Iterable[RequestedChange]) -> None:
    """See that a request could be carried out as it is, and leave everything as it was.

    Raises:
        DomainError: it couldn't.
    """
    with transaction.atomic():
        make_all(request, changes, author=None)
        transaction.set_rollback(True)


def make_all(request: ChangeRequest, changes: Iterable[RequestedChange], *, author: Author) -> None:
    """Make all that a request changes, whenever it wants it.

    Raises:
        DomainError: something can't be done.
    """
    for change in changes:
        _make(request, change, author=author, was_scheduled=False)


def database_now() -> datetime:
    """Return the time by the clock that schedules go by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now.astimezone(UTC)


def _schedule(request: ChangeRequest, change: RequestedChange, live_from: datetime, author: Author) -> None:
    enqueue(_TASK, arguments={"change": change.pk}, run_at=live_from, key=_key(change))
    if change.feature_id is None:
        return
    states = FeatureState.objects.filter(
        feature=change.feature_id,
        environment=request.environment_id,
        identity__isnull=True,
        feature_segment__isnull=True,
    )
    state = states.select_related("feature__project").first()
    if state is not None:
        records.scheduled(request, state, live_from.astimezone(UTC), author=author)


def _carry_out(change: RequestedChange) -> None:
    """Do one scheduled change; or not, where it can't be done as it was asked for, and tell its author."""
    request = change.change_request
    change.refresh_from_db(fields=["basis"])  # what was done just before may have told it something
    if conflicts_of(request, [change]):
        _give_up(change, _CHANGED_MEANWHILE)
        return
    before = basis_of(change, served_for(request, [change]))
    try:
        with transaction.atomic():
            _make(request, change, author=_committer(request), was_scheduled=True)
    except (DomainError, IntegrityError, ObjectDoesNotExist) as refusal:
        _give_up(change, refusal_in_words(refusal) or _GONE)
        return
    change.applied_at = database_now()
    change.save(update_fields=["applied_at"])
    _tell_later_ones(change, before)


def _give_up(change: RequestedChange, reason: str) -> None:
    change.given_up_at, change.reason = database_now(), reason
    change.save(update_fields=["given_up_at", "reason"])
    mails.tell_given_up(change.change_request, reason)


def _tell_later_ones(done: RequestedChange, before: dict[str, object]) -> None:
    """Let what is scheduled for later expect what was just done: one plan isn't in the way of the next."""
    if done.segment is not None:
        done.segment.refresh_from_db()
    after = basis_of(done, served_for(done.change_request, [done]))
    later = RequestedChange.objects.filter(
        PENDING,
        _of_the_same(done),
        change_request__committed_at__isnull=False,
        change_request__deleted_at__isnull=True,
    )
    for change in later.exclude(pk=done.pk):
        told = {
            target: after[target]
            for target in targets_of(change)
            if target in before and same(change.basis.get(target), before[target])
        }
        if told:
            change.basis = {**change.basis, **told}
            change.save(update_fields=["basis"])


def _make(request: ChangeRequest, change: RequestedChange, *, author: Author, was_scheduled: bool) -> None:
    """Make one change.

    Raises:
        DomainError, IntegrityError: it can't be made.
    """
    with carrying_out(Commission(request.pk, request.title, was_scheduled)):
        if change.segment is not None:
            _change_segment(change.segment, change.content, author)
        elif change.kind == ChangeKind.VERSION:
            _publish_draft(change.version, change.content, author)
        elif change.feature is not None and request.environment is not None:
            steps = steps_of(change, request.environment.pk)
            _change_states(request.environment, change.feature, steps, request.title, author)
            priorities.check_now()


def _change_states(
    environment: Environment, feature: Feature, steps: list[list[Change]], title: str, author: Author
) -> None:
    environment.refresh_from_db(fields=["use_v2_feature_versioning"])
    if environment.use_v2_feature_versioning:
        create_version(environment, feature, author=author, changes=steps, description=title, publish=True)
        return
    with telling_of([Place(environment.pk, feature.pk)], by=author):  # of all steps together
        for step in steps:
            apply_change_set(step, author=author)


def _publish_draft(
    version: EnvironmentFeatureVersion | None, content: Mapping[str, Any], author: Author
) -> None:
    """Publish a version if it is still what was approved."""
    if version is None or version.published or not same(drafted(version), content["draft"]):
        raise ChangedDraftError
    publish_version(version, author=author)


def _change_segment(segment: Segment, content: Mapping[str, Any], author: Author) -> None:
    if segment.managed_by == ManagedBy.COHORT:
        raise CohortSegmentError
    update_segment(
        segment,
        author=author,
        name=content["name"],
        description=content["description"],
        feature_id=content["feature"],
        rules=rules_from(content["rules"]),
    )


def _committer(request: ChangeRequest) -> Author:
    """Return who committed a request, as services want authors."""
    if request.committed_by_key_id is None:
        return request.committed_by
    return Machine(
        request.committed_by_key_id,
        request.committed_by_key_name,
        request.project.organisation_id,
        is_admin=False,
    )


def _of_the_same(change: RequestedChange) -> Q:
    """Match what changes the same feature in the same environment, or the same segment."""
    if change.segment_id is not None:
        return Q(segment=change.segment_id)
    return Q(feature=change.feature_id, change_request__environment=change.change_request.environment_id)


def _key(change: RequestedChange) -> str:
    return f"{_TASK} {change.pk}"
