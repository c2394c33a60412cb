"""Master keys in the admin."""

from django.contrib.auth.models import Permission
from django.test import Client

from organisations.tests.factories import make_key
from users.tests.factories import make_user

KEYS = "/admin/organisations/masterkey/"


def staff_client(*permissions: str) -> Client:
    """A browser of somebody who isn't a superuser, but was given these permissions."""
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def revoke(client: Client, *keys):
    return client.post(
        KEYS, {"action": "revoke", "_selected_action": [each.pk for each in keys]}, follow=True
    )


def test_no_page_shows_a_secret_or_its_hash(superuser_client, organisation):
    key = make_key(organisation)

    pages = superuser_client.get(KEYS), superuser_client.get(f"{KEYS}{key.pk}/change/")

    for page in pages:
        assert key.prefix in page.content.decode()
        assert key.hashed_key not in page.content.decode()
        assert key.secret not in page.content.decode()


def test_keys_are_revoked(superuser_client, organisation):
    lost, kept, revoked = make_key(organisation), make_key(organisation), make_key(organisation, revoked=True)

    page = revoke(superuser_client, lost, revoked)

    assert "Revoked: Terraform" in page.content.decode()
    for each in (lost, kept, revoked):
        each.refresh_from_db()
    assert (lost.revoked, kept.revoked, revoked.revoked) == (True, False, True)


def test_whoever_is_no_superuser_revokes_nothing(organisation):
    key = make_key(organisation)

    response = revoke(staff_client("view_masterkey", "change_masterkey"), key)

    assert response.status_code == 403
    key.refresh_from_db()
    assert not key.revoked


def test_keys_are_neither_made_nor_changed_nor_deleted_here(superuser_client, organisation):
    key = make_key(organisation)

    responses = [
        superuser_client.get(f"{KEYS}add/"),
        superuser_client.post(f"{KEYS}{key.pk}/change/", {"name": "renamed"}),
        superuser_client.post(f"{KEYS}{key.pk}/delete/", {"post": "yes"}),
    ]

    assert [response.status_code for response in responses] == [403] * 3
