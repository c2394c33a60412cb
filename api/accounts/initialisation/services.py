"""The steps that a new installation takes once. Of several who try at the same time one succeeds."""

from collections.abc import Callable

from django.contrib.auth.password_validation import validate_password
from django.contrib.sites.models import Site
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import Model

from core.errors import DomainError, InvalidInput
from organisations.models import Organisation
from organisations.services import create_organisation
from projects.models import Project
from projects.services import create_project
from users.models import User


class AlreadyInitialisedError(DomainError):
    """There is a user: whoever comes now is not the first."""

    code = "already_initialised"


def is_initialised() -> bool:
    return User.objects.exists()


def hold(model: type[Model]) -> None:
    """Let nobody else make one before this transaction ends: two who come at once would both be first."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {model._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def first_superuser() -> User | None:
    """Return who runs this installation, as far as one can tell."""
    return User.objects.filter(is_superuser=True, is_active=True).order_by("id").first()


@transaction.atomic
def create_first_superuser(email: str, *, username: str = "", password: str = "") -> User:
    """Make the superuser of an installation that has no user yet.

    Args:
        password: empty for none, in which case a link is the way in; see `links.password_link`.

    Raises:
        AlreadyInitialisedError: there is a user.
        InvalidInput: the address is none, or the password breaks the rules.
    """
    hold(User)
    if is_initialised():
        raise AlreadyInitialisedError("This installation has users already.")

    user = User(email=email.strip().lower(), username=username or None)
    _check("email", lambda: validate_email(user.email))
    if password:
        _check("password", lambda: validate_password(password, user))
    return User.objects.create_superuser(email, password or None, username=user.username)


def name_site(*, name: str, domain: str) -> None:
    """Say where this installation is found: the links of its mails begin with it."""
    Site.objects.update_or_create(pk=1, defaults={"name": name, "domain": domain})


@transaction.atomic
def create_first_organisation(administrator: User, name: str) -> Organisation | None:
    """Make an organisation unless there is one. Returns what was made."""
    hold(Organisation)
    if Organisation.all_objects.exists():  # one that was deleted doesn't come back
        return None
    return create_organisation(creator=administrator, name=name)


@transaction.atomic
def create_first_project(administrator: User, name: str) -> Project | None:
    """Make a project in the oldest organisation unless there is a project. Returns what was made.

    Raises:
        InvalidInput: there is no organisation that it could belong to.
    """
    hold(Project)
    if Project.all_objects.exists():
        return None
    organisation = Organisation.objects.order_by("id").first()
    if organisation is None:
        raise InvalidInput({"organisation": ["There is no organisation that the project could belong to."]})
    return create_project(organisation, creator=administrator, name=name)


def _check(field: str, check: Callable[[], None]) -> None:
    try:
        check()
    except ValidationError as error:
        raise InvalidInput({field: error.messages}) from error
