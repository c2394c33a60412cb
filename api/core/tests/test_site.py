"""Where links lead."""

import pytest
from django.contrib.sites.models import Site
from django.test import RequestFactory

from core.site import site_url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_configured(settings):
    settings.FLAGSMITH_DOMAIN = ""
    settings.ALLOWED_HOSTS = ["*"]


def asked(host: str, *, secure: bool = False):
    return RequestFactory(headers={"Host": host}).get("/", secure=secure)


def set_site(domain: str) -> None:
    Site.objects.update_or_create(pk=1, defaults={"domain": domain})


def test_the_configured_domain_wins(settings):
    settings.FLAGSMITH_DOMAIN = "flags.example.org:8443"
    set_site("site.example.org")

    assert site_url() == "https://flags.example.org:8443"


def test_the_site_of_the_admin_is_next_and_a_change_of_it_is_seen_at_once():
    set_site("site.example.org")
    first = site_url()
    Site.objects.filter(pk=1).update(domain="moved.example.org")

    assert (first, site_url()) == ("https://site.example.org", "https://moved.example.org")


@pytest.mark.parametrize("secure", [True, False])
def test_the_scheme_is_that_of_the_request(secure):
    set_site("site.example.org")

    assert site_url(asked("localhost", secure=secure)).startswith("https:" if secure else "http:")


@pytest.mark.parametrize("host", ["localhost", "localhost:3000", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_is_reached_without_tls(host):
    set_site(host)

    assert site_url() == f"http://{host}"


def test_the_host_of_a_request_counts_where_it_is_allowed_by_name(settings):
    settings.ALLOWED_HOSTS = ["one.example.org", "two.example.org"]

    assert site_url(asked("two.example.org:8443", secure=True)) == "https://two.example.org:8443"


def test_a_host_that_only_the_asterisk_allows_gets_no_links(settings):
    assert site_url(asked("evil.example.org")) == f"http://localhost:{settings.PORT}"


def test_a_request_to_this_machine_gets_links_to_it():
    assert site_url(asked("localhost:3000")) == "http://localhost:3000"


def test_a_host_that_is_not_allowed_is_replaced_by_one_that_is(settings):
    settings.ALLOWED_HOSTS = [".example.org", "flags.example.org"]

    assert site_url(asked("evil.example.net")) == "http://flags.example.org"
