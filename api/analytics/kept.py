"""Where each kind of counts is kept, as the settings say."""

from django.conf import settings

from analytics.influxdb import points, server
from analytics.services import add_evaluations, add_requests
from analytics.stores import InInfluxDB, InPostgres, Store
from analytics.tallies import EvaluationKey, RequestKey


def requests_store() -> Store[RequestKey]:
    if settings.COUNTS_ARE_IN_INFLUXDB:
        return InInfluxDB(points.of_requests, server.write)
    return InPostgres(add_requests)


def evaluations_stores() -> list[Store[EvaluationKey]]:
    """Evaluations are always in PostgreSQL too: which features are stale is found there."""
    stores: list[Store[EvaluationKey]] = [InPostgres(add_evaluations)]
    if settings.COUNTS_ARE_IN_INFLUXDB:
        stores.append(InInfluxDB(points.of_evaluations, server.write))
    return stores
