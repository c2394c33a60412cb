"""Users for tests."""

from itertools import count
from typing import Any

from users.models import User

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_user(**fields: Any) -> User:
    return User.objects.create_user(
        **{"email": f"user{next(_numbers)}@example.org", "password": PASSWORD, "first_name": "Kim", **fields}
    )
