"""How large the database is, and how large it will be."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from operations.models import TableSize
from operations.sizes import remember_sizes
from operations.tasks import remember_table_sizes
from users.models import User
from users.tests.factories import PASSWORD

TABLE = "features_feature"


def remembered(*, days: float, table: str = TABLE, size: int) -> None:
    moment = timezone.now() - timedelta(days=days)
    TableSize.objects.create(measured_at=moment, table=table, bytes=size, rows=1)


def test_staff_see_how_large_everything_is_and_what_it_grows_by(client_of, member):
    staff = client_of(User.objects.create_superuser("root@example.org", PASSWORD))

    fresh = staff.get("/database/sizes/").json()
    now = next(each for each in fresh["tables"] if each["table"] == TABLE)["bytes"]
    remembered(days=10, size=1)  # not of the last week
    remembered(days=0.2, size=2)  # too short ago to tell a day from
    still_unknown = staff.get("/database/sizes/").json()
    remembered(days=4, size=now - 4_000)
    remembered(days=2, size=now)
    answer = staff.get("/database/sizes/").json()

    sizes = [each["bytes"] for each in fresh["tables"]]
    assert sizes == sorted(sizes, reverse=True)
    assert fresh["database"]["bytes"] > sum(sizes) / 2
    for early in (fresh, still_unknown):
        assert early["measured_days"] is None
        assert {early["database"]["bytes_a_day"], early["database"]["expected_bytes"]} == {None}
    found = next(each for each in answer["tables"] if each["table"] == TABLE)
    assert answer["measured_days"] == 4.0
    assert (found["bytes"], found["bytes_a_day"]) == (now, 1_000)
    assert found["expected_bytes"] == now + 30_000
    # A table that wasn't there then has grown from nothing.
    new = next(each for each in answer["tables"] if each["table"] == "analytics_requestbucket")
    assert new["bytes_a_day"] == round(new["bytes"] / 4)
    assert answer["database"]["bytes_a_day"] == sum(each["bytes_a_day"] for each in answer["tables"])
    assert client_of(member).get("/database/sizes/").status_code == 403
    assert APIClient().get("/database/sizes/").status_code == 401


def test_parts_of_a_table_count_as_the_table(db):
    remember_sizes()

    names = set(TableSize.objects.values_list("table", flat=True))
    assert "analytics_requestbucket" in names
    assert {name for name in names if name.startswith("analytics_requestbucket_")} == set()
    assert TableSize.objects.get(table="analytics_requestbucket").bytes > 0


def test_sizes_are_remembered_for_about_a_year(db):
    remembered(days=401, size=1)
    remembered(days=399, size=2)

    remember_table_sizes()

    older = TableSize.objects.filter(measured_at__lt=timezone.now() - timedelta(days=1))
    assert [each.bytes for each in older] == [2]
    assert TableSize.objects.filter(table=TABLE).count() == 2


def test_metrics_show_sizes(db):
    text = Client().get("/metrics/").content.decode()

    assert "\nburgee_database_bytes " in text
    assert f'\nburgee_table_bytes{{table="{TABLE}"}} ' in text
