"""Making accounts."""

from django.conf import settings
from django.db import transaction

from accounts.initialisation.services import hold, is_initialised
from accounts.services.mails import send_activation
from core import site
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
    site_url: str | None = None,
) -> User:
    """Make an account. With `ENABLE_EMAIL_ACTIVATION` it can't be used before the link in a mail was opened.

    Args:
        site_url: what that link begins with; None leaves it to `core.site`. A superuser needs no link: they
            set up mail first of all.
        superuser: whoever comes first to an installation may ask to be its superuser.

    Raises:
        InvalidInput: `superuser` was asked for, and there is a user already.
    """
    if superuser:
        _check_first()
    create = User.objects.create_superuser if superuser else User.objects.create_user
    awaits_activation = settings.ENABLE_EMAIL_ACTIVATION and not superuser
    user = create(
        email,
        password,
        first_name=first_name,
        last_name=last_name,
        sign_up_type=sign_up_type,
        is_active=not awaits_activation,
        awaits_activation=awaits_activation,
    )
    if awaits_activation:
        send_activation(user, site_url=site_url or site.site_url())
    return user


def _check_first() -> None:
    hold(User)
    if is_initialised():
        raise InvalidInput({"superuser": ["A superuser can only be created through registration once."]})
