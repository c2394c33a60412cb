"""Accounts: making them, and keeping what is known of their use."""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

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
    with connection.cursor() as cursor:  # two who come at once would both be first
        cursor.execute(f"LOCK TABLE {User._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
    if User.objects.exists():
        raise InvalidInput({"superuser": ["A superuser can only be created through registration once."]})


def note_use(user: User) -> None:
    """Let `last_login` show that the account is in use, without a write for every request."""
    threshold = timedelta(minutes=settings.LAST_LOGIN_UPDATE_THRESHOLD_MINUTES)
    now = timezone.now()
    if user.last_login is None or user.last_login < now - threshold:
        user.last_login = now
        user.save(update_fields=["last_login"])
