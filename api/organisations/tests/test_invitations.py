"""Who counts as invited where sign-up is closed to others."""

from datetime import timedelta

import pytest
from django.utils import timezone

from organisations.invitations import is_invited, is_invited_by_link

YESTERDAY, TOMORROW = (timezone.now() + timedelta(days=days) for days in (-1, 1))


@pytest.mark.parametrize(
    ("email", "invited"),
    [
        ("kim@example.org", True),
        ("KIM@Example.org", True),
        ("kim@example.com", False),
        ("kim_example.org", False),
        ("", False),
    ],
)
def test_an_invited_address_is_known_whatever_its_letter_case(email, invited, organisation):
    organisation.invites.create(email="Kim@example.org")

    assert is_invited(email) is invited


@pytest.mark.parametrize(("expires_at", "invited"), [(None, True), (TOMORROW, True), (YESTERDAY, False)])
def test_a_link_invites_until_it_expires(expires_at, invited, organisation):
    link = organisation.invite_links.create(expires_at=expires_at)

    assert is_invited_by_link(link.hash) is invited
    assert is_invited_by_link(link.hash.swapcase()) is False


def test_no_link_invites_where_links_are_off(settings, organisation):
    settings.DISABLE_INVITE_LINKS = True

    assert is_invited_by_link(organisation.invite_links.create().hash) is False


def test_a_deleted_organisation_invites_nobody(organisation):
    organisation.invites.create(email="kim@example.org")
    link = organisation.invite_links.create()

    organisation.delete()

    assert (is_invited("kim@example.org"), is_invited_by_link(link.hash)) == (False, False)
