"""Users in the admin."""

import pytest

from users.models import User
from users.tests.factories import make_user

ADD = "/admin/users/user/add/"


def test_a_user_is_added_by_e_mail_address_which_is_stored_in_lower_case(superuser_client):
    response = superuser_client.post(
        ADD,
        {
            "email": "Ada@Example.org",
            "first_name": "Ada",
            "last_name": "Byron",
            "usable_password": "true",
            "password1": "0123-quagga-JUMPS",
            "password2": "0123-quagga-JUMPS",
        },
    )

    assert response.status_code == 302, response.content
    assert User.objects.get(email="ada@example.org").check_password("0123-quagga-JUMPS")


def test_an_address_that_is_taken_in_another_letter_case_is_refused(superuser_client):
    make_user(email="ada@example.org")

    response = superuser_client.post(
        ADD, {"email": "ADA@example.org", "usable_password": "false", "password1": "", "password2": ""}
    )

    assert response.status_code == 200
    assert "already exists" in response.content.decode()


@pytest.mark.parametrize("found_by", ["ada@", "Byron"])
def test_users_are_found_by_address_and_name(found_by, superuser_client):
    make_user(email="ada@example.org", last_name="Byron")
    make_user(email="kim@example.org")

    page = superuser_client.get("/admin/users/user/", {"q": found_by}).content.decode()

    assert "ada@example.org" in page
    assert "kim@example.org" not in page


def test_who_is_the_last_administrator_among_members_can_not_be_deleted(superuser_client, admin, member):
    response = superuser_client.post(f"/admin/users/user/{admin.pk}/delete/", {"post": "yes"}, follow=True)

    assert "An organisation needs an administrator." in response.content.decode()
    assert User.objects.filter(pk=admin.pk).exists()
