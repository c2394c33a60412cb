"""A feature's variants. What they get in each environment at first, a database trigger sees to."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.models import Sum

from audit.services import Author
from core.errors import InvalidInput
from core.locks import take
from features.models import Feature, FeatureState, MultivariateOption
from features.models.state import FOR_EVERYONE
from features.models.values import FlagValue
from features.services import records
from features.services.allocations import MOST_PERCENT
from features.services.prerequisites import refuse_where_variant_needed


class OptionProperties(TypedDict, total=False):
    value: FlagValue
    key: str | None
    default_percentage_allocation: float


class WantedOption(OptionProperties, total=False):
    """One of the options that a feature is to have; with the `id` of the one that it is already."""

    id: int | None


@transaction.atomic
def create_option(
    feature: Feature, *, author: Author, **properties: Unpack[OptionProperties]
) -> MultivariateOption:
    """Give a feature another variant. It gets its default share in every environment.

    Raises:
        InvalidInput: shares exceed 100 percent, by the defaults or as they are in some environment, or
            the key is taken.
    """
    take(feature)
    option = _create(feature, properties, author)
    _check_shares(feature, field="default_percentage_allocation")
    return option


@transaction.atomic
def update_option(
    option: MultivariateOption, *, author: Author, **properties: Unpack[OptionProperties]
) -> MultivariateOption:
    """Change a variant. Shares that it has in environments stay as they are.

    Raises:
        InvalidInput: the default shares exceed 100 percent, or the key is taken.
        VariantNeededError: it is to get another key, and prerequisites name the one that it has.
    """
    take(option.feature)
    stored = MultivariateOption.objects.filter(pk=option.pk).select_related("feature__project").first()
    if stored is None:
        raise InvalidInput({"non_field_errors": ["The multivariate option was deleted meanwhile."]})
    option = stored  # as the change before has left it
    _update(option, properties, author)
    _check_shares(option.feature, field="default_percentage_allocation")
    return option


@transaction.atomic
def delete_option(option: MultivariateOption, *, author: Author) -> None:
    """Take a variant away, with its shares everywhere.

    Raises:
        VariantNeededError: prerequisites name it.
    """
    take(option.feature)
    _delete(option, author)


@transaction.atomic
def replace_options(feature: Feature, wanted: Sequence[WantedOption], *, author: Author) -> None:
    """Make `wanted` all the options of a feature: known ids are changed, others are made, the rest goes.

    Raises:
        InvalidInput: shares exceed 100 percent.
        VariantNeededError: prerequisites name one that is to go.
    """
    take(feature)
    known = {option.pk: option for option in feature.multivariate_options.select_related("feature__project")}
    kept = {option_id for each in wanted if (option_id := each.get("id")) in known}
    for option in [known[option_id] for option_id in known if option_id not in kept]:
        _delete(option, author)
    for each in wanted:
        properties = OptionProperties(**{k: v for k, v in each.items() if k != "id"})  # type: ignore[typeddict-item]
        option_id = each.get("id")
        if option_id in kept:
            _update(known[option_id], properties, author)
        else:
            _create(feature, properties, author)
    _check_shares(feature, field="multivariate_options")


def _create(feature: Feature, properties: OptionProperties, author: Author) -> MultivariateOption:
    option = MultivariateOption(feature=feature)
    _assign(option, properties)
    _check_key(option)
    option.save()
    records.option_added(feature, author=author)
    return option


def _update(option: MultivariateOption, properties: OptionProperties, author: Author) -> None:
    before = _described(option)
    _assign(option, properties)
    _check_key(option)
    if option.key != before["key"]:
        refuse_where_variant_needed(option, before["key"])
    changes = [
        records.change(f"multivariate_option.{field}", before[field], now)
        for field, now in _described(option).items()
        if (type(now), now) != (type(before[field]), before[field])
    ]
    if changes:
        option.save()
        records.feature_updated(option.feature, author=author, changes=changes)


def _delete(option: MultivariateOption, author: Author) -> None:
    refuse_where_variant_needed(option, option.key)
    option.delete()
    records.option_removed(option.feature, author=author)


def _assign(option: MultivariateOption, properties: OptionProperties) -> None:
    for name, value in properties.items():
        setattr(option, name, value)


def _described(option: MultivariateOption) -> dict[str, Any]:
    return {
        "value": option.value,
        "key": option.key,
        "default_percentage_allocation": option.default_percentage_allocation,
    }


def _check_key(option: MultivariateOption) -> None:
    if option.key is None:
        return
    if option.key == "control":
        raise InvalidInput({"key": ['"control" is a reserved variant key.']})
    others = MultivariateOption.objects.filter(feature=option.feature, key=option.key).exclude(pk=option.pk)
    if others.exists():
        raise InvalidInput({"key": ["Multivariate option with this key already exists for the feature."]})


def _check_shares(feature: Feature, *, field: str) -> None:
    """Refuse more than 100 percent: after all is written, so that two weights can be swapped."""
    defaults = feature.multivariate_options.values_list("default_percentage_allocation", flat=True)
    # Of drafts as well: they are given a share of a new option, and are to be published one day.
    actual = (
        FeatureState.all_objects.undeleted()
        .filter(FOR_EVERYONE, feature=feature)
        .annotate(total=Sum("multivariate_feature_state_values__percentage_allocation"))
    )
    if _exceed(defaults) or actual.filter(total__gt=MOST_PERCENT).exists():
        raise InvalidInput({field: ["Invalid percentage allocation"]})


def _exceed(percentages: Iterable[float]) -> bool:
    return sum(percentages) > MOST_PERCENT
