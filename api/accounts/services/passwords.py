"""New passwords."""

from django.db import transaction
from django.utils import timezone

from accounts.links import password_reset_tokens
from accounts.models import MailKind, SentMail
from core.errors import InvalidInput
from users.models import User


@transaction.atomic
def change_password(user: User, password: str) -> None:
    """Give a user another password, which ends their sessions. They may ask for reset mails anew."""
    user.set_password(password)
    user.save(update_fields=["password"])
    SentMail.objects.filter(user=user, kind=MailKind.PASSWORD_RESET).delete()


@transaction.atomic
def reset_password(user: User, token: str, password: str) -> None:
    """Change the password of whoever followed the link in a reset mail. A link works once.

    Raises:
        InvalidInput: the link has been used meanwhile.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not password_reset_tokens.check_token(user, token):
        raise InvalidInput({"token": ["Invalid token for given user."]})
    user.last_login = timezone.now()
    user.save(update_fields=["last_login"])
    change_password(user, password)
