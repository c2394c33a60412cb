"""Lists of identities: their count, their pages, and searching them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from core.errors import InvalidInput
from environments.models import Environment
from identities.models import Identity, IdentityCountChange
from identities.searching import search_time_limit
from identities.selectors import number_of_identities


@pytest.fixture
def staging(project) -> Environment:
    return Environment.objects.create(project=project, name="Staging")


def make_crowd(environment: Environment, number: int) -> list[str]:
    """Make identities of which always two were created at the same instant."""
    start = timezone.now()
    identities = [Identity(environment=environment, identifier=f"user {each}") for each in range(number)]
    for each, identity in enumerate(Identity.objects.bulk_create(identities)):
        Identity.objects.filter(pk=identity.pk).update(created_date=start + timedelta(seconds=each // 2))
    return [each.identifier for each in identities]


def url(environment: Environment) -> str:
    return f"/api/v1/environments/{environment.api_key}/identities/"


def names(page: dict[str, Any]) -> list[str]:
    return [each["identifier"] for each in page["results"]]


class TestCount:
    def test_follows_whatever_comes_and_goes(self, environment, staging):
        Identity.objects.bulk_create(Identity(environment=environment, identifier=f"{n}") for n in range(5))
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM identities_identity WHERE identifier IN ('0', '1')")
        Identity.objects.filter(identifier="2").update(environment=staging)
        with transaction.atomic():
            Identity.objects.create(environment=environment, identifier="rolled back")
            transaction.set_rollback(True)
        Identity.objects.filter(identifier="3").update(traits={"plan": "pro"})

        assert [number_of_identities(each) for each in (environment, staging)] == [2, 1]

    def test_is_of_many_lines_only_once(self, environment, staging, django_assert_num_queries):
        Identity.objects.bulk_create(
            Identity(environment=environment, identifier=f"{n}") for n in range(1001)
        )
        Identity.objects.create(environment=staging, identifier="elsewhere")

        first = number_of_identities(environment)
        with django_assert_num_queries(1):
            again = number_of_identities(environment)

        assert (first, again, number_of_identities(staging)) == (1001, 1001, 1)
        assert IdentityCountChange.objects.filter(environment_id=environment.pk).count() == 1


class TestPages:
    def test_are_walked_to_the_end_and_back_by_their_links(self, admin_client, environment, staging):
        crowd = make_crowd(environment, 11)
        make_crowd(staging, 2)

        pages = [admin_client.get(url(environment), {"page_size": 3}).json()]
        while pages[-1]["next"]:
            pages.append(admin_client.get(pages[-1]["next"]).json())
        back = [pages[-1]]
        while back[-1]["previous"]:
            back.append(admin_client.get(back[-1]["previous"]).json())

        assert [names(each) for each in pages] == [crowd[0:3], crowd[3:6], crowd[6:9], crowd[9:11]]
        assert [names(each) for each in back] == [names(each) for each in reversed(pages)]
        assert {each["count"] for each in pages} == {11}
        assert "page=2" in pages[0]["next"]
        assert pages[0]["previous"] is None

    @pytest.mark.parametrize("number", range(1, 5))
    def test_are_the_same_by_their_number_alone(self, admin_client, environment, number):
        crowd = make_crowd(environment, 11)

        page = admin_client.get(url(environment), {"page_size": 3, "page": number}).json()

        assert names(page) == crowd[3 * number - 3 : 3 * number]
        assert (page["next"] is None, page["previous"] is None) == (number == 4, number == 1)

    def test_go_on_where_they_were_when_something_before_them_is_deleted(self, admin_client, environment):
        crowd = make_crowd(environment, 6)
        first = admin_client.get(url(environment), {"page_size": 2}).json()
        Identity.objects.filter(identifier__in=crowd[:2]).delete()

        by_link = admin_client.get(first["next"]).json()
        by_another_number = admin_client.get(first["next"].replace("page=2", "page=1")).json()

        assert names(by_link) == crowd[2:4]
        assert names(by_another_number) == crowd[2:4]

    @pytest.mark.parametrize("page", ["0", "5", "-1", "x", "9" * 30, "1.0"])
    def test_that_are_not_there_are_not_found(self, admin_client, environment, page):
        make_crowd(environment, 4)

        response = admin_client.get(url(environment), {"page": page, "page_size": 1})

        assert (response.status_code, response.json()) == (404, {"detail": "Invalid page."})

    @pytest.mark.parametrize("cursor", ["x", "%00", "MSBhZnRlciAyMDI2IDE", "é"])
    def test_of_a_malformed_cursor_are_refused(self, admin_client, environment, cursor):
        response = admin_client.get(url(environment), {"cursor": cursor})

        assert response.status_code == 400
        assert list(response.json()) == ["cursor"]

    def test_of_nobody_are_one_empty_page(self, admin_client, environment):
        assert admin_client.get(url(environment)).json() == {
            "count": 0,
            "next": None,
            "previous": None,
            "results": [],
        }


class TestSearching:
    def test_pages_what_it_finds(self, admin_client, environment):
        crowd = make_crowd(environment, 5)
        Identity.objects.create(environment=environment, identifier="else")

        first = admin_client.get(url(environment), {"q": "USER", "page_size": 3}).json()
        second = admin_client.get(first["next"]).json()
        beyond = admin_client.get(url(environment), {"q": "user", "page": 3, "page_size": 3})

        assert (first["count"], names(first)) == (5, crowd[:3])
        assert (second["count"], names(second), second["next"]) == (5, crowd[3:], None)
        assert names(admin_client.get(second["previous"]).json()) == crowd[:3]
        assert beyond.status_code == 404

    def test_that_takes_too_long_is_refused_with_a_remedy(self, admin_client, environment, settings):
        settings.IDENTITY_SEARCH_SECONDS = 0.001
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO identities_identity (environment_id, identifier, created_date, traits) "
                "SELECT %s, repeat('x', 1990) || n, now(), '{}' FROM generate_series(1, 1000) AS n",
                [environment.pk],
            )

        refused = admin_client.get(url(environment), {"q": "needle"})
        exact = admin_client.get(url(environment), {"q": f'"{"x" * 1990}7"'})

        assert refused.status_code == 400
        assert "double quotes" in refused.json()["q"][0]
        assert "indexidentifiers" in refused.json()["q"][0]
        assert exact.json()["count"] == 1

    def test_leaves_no_time_limit_behind(self, environment, settings):
        settings.IDENTITY_SEARCH_SECONDS = 0.02

        with search_time_limit():
            pass
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.03)")
        with pytest.raises(InvalidInput), search_time_limit(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(1)")

    def test_says_what_the_index_of_parts_needs(self, db):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
            if cursor.fetchone() != (0,):
                pytest.skip(
                    "This server has pg_trgm, and its index can't be made inside a test's transaction."
                )

        with pytest.raises(CommandError, match="pg_trgm"):
            call_command("indexidentifiers")
