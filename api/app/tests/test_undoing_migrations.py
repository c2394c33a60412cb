"""All migrations, forwards, backwards and forwards again, on a database of their own."""

import os
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connection

from app.tests.commands import manage
from core.tests.thoroughness import EVERYTHING

NAME = "undoing_migrations"
COLUMNS = """
SELECT table_name, column_name, data_type, column_default FROM information_schema.columns
WHERE table_schema = 'public' ORDER BY 1, 2
"""


@pytest.fixture
def database(transactional_db) -> Iterator[str]:
    """The URL of an empty database."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {NAME}")
        yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{NAME}").geturl()
        cursor.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def columns(database: str) -> list[tuple[str, ...]]:
    with closing(psycopg2.connect(database)) as other, other.cursor() as cursor:
        cursor.execute(COLUMNS)
        return cursor.fetchall()


@pytest.mark.skipif(not EVERYTHING, reason="takes two minutes; WALKS=full does it")
def test_all_migrations_can_be_undone_and_applied_again(database):
    def run(*arguments: str) -> list[tuple[str, ...]]:
        result = manage(*arguments, DATABASE_URL=database)
        assert result.returncode == 0, result.stderr
        return columns(database)

    first = run("migrate")
    undone = run("rollbackmigrationsappliedafter", "2000-01-01")
    again = run("migrate")

    assert {table for table, *_ in undone} == {"django_migrations"}
    assert again == first
