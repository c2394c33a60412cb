"""Where features are named in code."""

from django.db.models import F, Func, IntegerField, Prefetch, Q, QuerySet

from features.models import CodeSighting, Feature

IN_CODE = ~Q(places=[])


def numbers_of_references() -> Prefetch:
    """For features: `code_sightings`, each with the `count` of its places instead of those."""
    return Prefetch("code_sightings", _sightings().annotate(count=_length("places")).defer("places"))


def sightings_of(feature: Feature) -> QuerySet[CodeSighting]:
    """Return where a feature was found, with the repositories."""
    return _sightings().filter(feature=feature)


def _sightings() -> QuerySet[CodeSighting]:
    return CodeSighting.objects.select_related("repository").order_by("repository")


def _length(column: str) -> Func:
    return Func(F(column), function="jsonb_array_length", output_field=IntegerField())
