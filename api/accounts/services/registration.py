"""Making accounts."""

from django.db import transaction

from accounts.initialisation.services import hold, is_initialised
from core.errors import InvalidInput
from users.models import SignUpType, User


@transaction.atomic
def register_user(
    *,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    sign_up_type: SignUpType | None = None,
    superuser: bool = False,
) -> User:
    """Make an account.

    Args:
        superuser: whoever comes first to an installation may ask to be its superuser.

    Raises:
        InvalidInput: `superuser` was asked for, and there is a user already.
    """
    if superuser:
        _check_first()
    create = User.objects.create_superuser if superuser else User.objects.create_user
    return create(email, password, first_name=first_name, last_name=last_name, sign_up_type=sign_up_type)


def _check_first() -> None:
    hold(User)
    if is_initialised():
        raise InvalidInput({"superuser": ["A superuser can only be created through registration once."]})
