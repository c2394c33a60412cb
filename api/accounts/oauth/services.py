"""Remembering at which provider an account is known."""

from django.db import transaction

from accounts.external import Person
from accounts.methods import GITHUB, GOOGLE
from users.models import User

_COLUMNS = {GOOGLE: "google_user_id", GITHUB: "github_user_id"}


@transaction.atomic
def link(user: User, person: Person) -> None:
    """Note under which id the provider knows the user. An id belongs to whoever has the address now."""
    column = _COLUMNS[person.method]
    subject = person.subject[:50]
    if getattr(user, column) == subject:
        return
    User.objects.filter(**{column: subject}).exclude(pk=user.pk).update(**{column: None})
    setattr(user, column, subject)
    user.save(update_fields=[column])
