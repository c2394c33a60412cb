"""Letting changes of one feature wait for each other."""

from collections.abc import Collection

from features.models import Feature


def lock(feature: Feature, columns: Collection[str] = ()) -> None:
    """Keep others from changing a feature until the transaction ends, and read `columns` as they then are.

    Records of a change say what was there before; what the caller has in memory may be older.
    """
    rows = Feature.all_objects.select_for_update(no_key=True)
    feature.refresh_from_db(fields=["id", *columns], from_queryset=rows)
