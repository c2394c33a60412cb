"""Links in mails that prove who opens them: made, and read back."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from djoser.utils import decode_uid, encode_uid

from users.models import User


class ActivationTokenGenerator(PasswordResetTokenGenerator):
    """Makes tokens that let an account be used. One for that purpose is good for no other.

    They end as those for passwords do, and with the sessions: deactivating an account takes its link's force.
    """

    key_salt = "accounts.links.ActivationTokenGenerator"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.session_generation}"


password_reset_tokens = PasswordResetTokenGenerator()
activation_tokens = ActivationTokenGenerator()


def password_reset_link(user: User, *, site_url: str) -> str:
    """Return the address of the page on which `user` chooses a new password, for `PASSWORD_RESET_TIMEOUT`."""
    return f"{site_url}/password-reset/confirm/{encode_uid(user.pk)}/{password_reset_tokens.make_token(user)}"


def activation_link(user: User, *, site_url: str) -> str:
    """Return the address of the page on which `user` activates the account."""
    return f"{site_url}/activate/{encode_uid(user.pk)}/{activation_tokens.make_token(user)}"


def user_with(uid: str) -> User | None:
    """Return the user whom a link's `uid` names; None for nonsense."""
    try:
        return User.objects.get(pk=decode_uid(uid))
    except (User.DoesNotExist, ValueError, TypeError, OverflowError):
        return None
