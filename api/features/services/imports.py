"""Imports of features: a file, checked at once and taken in later, as a whole or not at all."""

import logging
from collections import defaultdict
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.services import Author, writing_together
from core.causes import Cause, caused_by
from core.errors import AWAY, InvalidInput, refusal_in_words
from environments.models import Environment
from features.exceptions import FeatureNeededError
from features.files import PortableFeature, PortableVariant, read_features
from features.models import (
    Feature,
    FeatureImport,
    FeatureState,
    ImportStrategy,
    MultivariateOption,
    TransferStatus,
)
from features.selectors.features import features_by_name
from features.services import records
from features.services.allocations import Allocation
from features.services.change_sets import Change, Operation, apply_to_new_features
from features.services.exports import LONGEST
from features.services.features import check_name_matches
from features.services.notices import tell_of_deleted_features, tell_of_new_features
from features.services.prerequisites import refuse_where_needed
from features.services.versions import sign_first_versions
from permissions.actors import Machine
from projects.models import Project
from tasks.services import enqueue
from users.models import User

logger = logging.getLogger(__name__)


@transaction.atomic
def request_import(environment: Environment, *, file: bytes, strategy: str, author: Author) -> FeatureImport:
    """Have the features of a file made in an environment's project. The file is checked here and now.

    Raises:
        InvalidInput: the file is malformed, has features that the project doesn't allow, or another import
            into the environment is still under way.
    """
    wanted = read_features(file)
    _check(wanted, environment.project, strategy, author)
    give_up_on_lost_imports()
    requested = FeatureImport(environment=environment, strategy=strategy, data=file.decode())
    requested.author = author
    try:
        with transaction.atomic():
            requested.save()
    except IntegrityError as error:
        reason = "Can't import features, since already processing a feature import."
        raise InvalidInput([reason]) from error
    enqueue("features.import_features", arguments={"import_id": requested.pk})
    return requested


def run_import(import_id: int) -> None:
    """Make the features of an import that still waits for it. All of them in one transaction."""
    try:
        with transaction.atomic():
            waiting = FeatureImport.objects.filter(pk=import_id, status=TransferStatus.PROCESSING)
            requested = waiting.select_for_update(of=("self",)).first()
            if requested is None:
                return
            with caused_by(lambda: _cause_of(requested)):
                _import(requested)
            requested.status, requested.data = TransferStatus.SUCCESS, ""
            requested.save(update_fields=["status", "data"])
    except AWAY:
        raise  # the next attempt may well succeed
    except Exception:
        logger.exception("Import %s failed.", import_id)
        FeatureImport.objects.filter(pk=import_id).update(status=TransferStatus.FAILED, data="")


def give_up_on_lost_imports() -> None:
    """Let none stand in the way of others that was begun so long ago that nobody can be at it any more."""
    lost = FeatureImport.objects.filter(
        status=TransferStatus.PROCESSING, created_at__lt=timezone.now() - LONGEST
    )
    lost.update(status=TransferStatus.FAILED, data="")


def _cause_of(requested: FeatureImport) -> Cause | None:
    author = requested.author
    if isinstance(author, Machine):
        return Cause(author.name, "task", master_key_id=author.key_id)
    return Cause(str(author), "task", user_id=author.pk) if author else None


def _import(requested: FeatureImport) -> None:
    environment, author = requested.environment, requested.author
    # As whoever creates a feature: until this is done, no other comes to be beside these.
    project = Project.objects.select_for_update(no_key=True).get(pk=environment.project_id)
    wanted = read_features(requested.data.encode())
    _check(wanted, project, requested.strategy, author)
    there = features_by_name(project, [each.name for each in wanted])
    if requested.strategy == ImportStrategy.SKIP:
        wanted = [each for each in wanted if each.name not in there]
    with writing_together():
        _delete([there[each.name] for each in wanted if each.name in there], author)
        features = _create(wanted, project, author)
        apply_to_new_features(_changes(wanted, features, environment), author=author)
        sign_first_versions(features, author=author)
        environments = Environment.objects.filter(project=project).values_list("pk", flat=True)
        tell_of_new_features(features, environments, by=author)
        records.features_imported(requested, len(features), author=author)


def _check(wanted: Sequence[PortableFeature], project: Project, strategy: str, author: Author) -> None:
    """Refuse what no feature of this project may be called, and features that would lack an owner.

    And to replace features that others need, unless those are replaced with them.
    """
    there = features_by_name(project, [each.name for each in wanted])
    if strategy == ImportStrategy.SKIP:
        wanted = [each for each in wanted if each.name not in there]
    else:
        _refuse_to_replace_what_is_needed(list(there.values()))
    if project.enforce_feature_owners and wanted and not isinstance(author, User):
        reason = "This project requires at least one owner or group owner when creating a feature."
        raise InvalidInput({"non_field_errors": [reason]})
    for each in wanted:
        try:
            check_name_matches(project, each.name)
        except InvalidInput as error:
            raise InvalidInput(
                {"file": [f"Feature '{each.name:.100}': {refusal_in_words(error)}"]}
            ) from error


def _refuse_to_replace_what_is_needed(features: Sequence[Feature]) -> None:
    try:
        refuse_where_needed(features, to="replaced")
    except FeatureNeededError as error:
        raise InvalidInput({"file": [str(error)]}) from error


def _delete(features: Sequence[Feature], author: Author) -> None:
    tell_of_deleted_features(features, by=author)
    for feature in features:
        records.feature_deleted(feature, author=author)
    Feature.objects.filter(pk__in=[feature.pk for feature in features]).delete()


def _create(wanted: Sequence[PortableFeature], project: Project, author: Author) -> list[Feature]:
    """Make features with their variants. The database gives them their states."""
    features: list[Feature] = Feature.objects.bulk_create(
        Feature(
            project=project,
            name=each.name,
            type=each.type,
            description=each.description,
            default_enabled=each.default_enabled,
            initial_value=each.initial_value,
            is_archived=each.is_archived,
            is_server_key_only=each.is_server_key_only,
        )
        for each in wanted
    )
    MultivariateOption.objects.bulk_create(
        _option(feature, variant)
        for feature, each in zip(features, wanted, strict=True)
        for variant in each.variants
    )
    if project.enforce_feature_owners and isinstance(author, User):
        owners = Feature.owners.through
        owners._default_manager.bulk_create(owners(feature=feature, user=author) for feature in features)
    _record(features, author)
    return features


def _option(feature: Feature, variant: PortableVariant) -> MultivariateOption:
    option = MultivariateOption(
        feature=feature,
        key=variant.key,
        default_percentage_allocation=variant.default_percentage_allocation,
    )
    option.value = variant.value
    return option


def _record(features: Sequence[Feature], author: Author) -> None:
    states: dict[int, list[FeatureState]] = defaultdict(list)
    for state in FeatureState.objects.filter(feature__in=features).order_by("pk"):
        states[state.feature_id].append(state)
    for feature in features:
        records.feature_created(feature, author=author)
        for state in states[feature.pk]:
            state.feature = feature
            records.state_created(state, author=author)


def _changes(
    wanted: Sequence[PortableFeature], features: Sequence[Feature], environment: Environment
) -> list[Change]:
    """Let each new feature be in one environment what the file says; in the others it keeps its defaults."""
    options: dict[int, list[int]] = defaultdict(list)
    made = MultivariateOption.objects.filter(feature__in=features).order_by("pk")
    for option_id, feature_id in made.values_list("pk", "feature"):
        options[feature_id].append(option_id)
    return [
        Change(
            feature.pk,
            environment.pk,
            operation=Operation.UPDATE,
            enabled=each.enabled,
            value=each.value,
            allocations=tuple(
                Allocation(option_id, variant.percentage_allocation)
                for option_id, variant in zip(options[feature.pk], each.variants, strict=True)
            ),
        )
        for feature, each in zip(features, wanted, strict=True)
    ]
