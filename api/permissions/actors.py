"""Who asks: a signed-in user, a machine with a master key, or nobody."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

Actor: TypeAlias = Any  # users.models.User, Machine or AnonymousUser: `request.user`


@dataclass(frozen=True)
class Machine:
    """The holder of a master key, as `request.user`. It is of one organisation, and no user of any."""

    key_id: UUID
    name: str
    organisation_id: int
    is_admin: bool

    pk: ClassVar[None] = None
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False


def is_nobody(actor: Actor) -> bool:
    return isinstance(actor, AnonymousUser)
