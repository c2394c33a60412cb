"""What tests need besides Python is skipped openly, or required."""

import pytest

from core.tests.programs import program, required


@pytest.fixture
def empty_path(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("REQUIRE", raising=False)


def test_node_and_a_redis_come_with_the_pinned_packages(empty_path):
    assert program("node").endswith("/bin/node")
    assert program("redis").endswith("/valkey-server")


def test_a_test_without_its_program_is_skipped(empty_path):
    with pytest.raises(pytest.skip.Exception, match="browser isn't installed here"):
        program("browser")


def test_a_test_without_a_required_program_fails(empty_path, monkeypatch):
    monkeypatch.setenv("REQUIRE", "memcached, browser")

    with pytest.raises(pytest.fail.Exception, match="browser isn't installed here, and REQUIRE names it"):
        program("browser")


def test_a_program_that_nobody_asks_for_cannot_be_required(monkeypatch):
    monkeypatch.setenv("REQUIRE", "redis,postgres")

    with pytest.raises(ValueError, match="not postgres"):
        required()
