"""Machines that call the management API, with a master key of their organisation."""

from hmac import compare_digest
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from organisations.models import MasterKey
from organisations.secrets import digest, prefix_of
from permissions.actors import Machine
from permissions.callers import IsUser


class MasterKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <prefix>.<secret>`: `request.user` is a `Machine`, `request.auth` its key.

    Every request asks the database, so that a key which was revoked, has expired or was deleted, or whose
    organisation was, is refused from the next request on, by every worker.
    """

    keyword = b"api-key"

    def authenticate(self, request: Request) -> tuple[Machine, MasterKey] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword:
            return None
        key = _key_that_works(b" ".join(words[1:]))
        if key is None:
            raise exceptions.AuthenticationFailed("Valid Master API Key not found.")
        return Machine(key.pk, key.name, key.organisation_id, key.is_admin), key

    def authenticate_header(self, request: Request) -> str:
        return "Api-Key"


def _key_that_works(given: bytes) -> MasterKey | None:
    prefix = prefix_of(given)
    if prefix is None:
        return None
    keys = MasterKey.objects.filter(organisation__deleted_at__isnull=True)
    key: MasterKey | None = keys.filter(prefix=prefix).first()
    if key is None or not compare_digest(key.hashed_key, digest(given)):
        return None
    return key if key.works else None


class MasterKeyScheme(OpenApiAuthenticationExtension):
    """How the API's description names the header, where machines are let in."""

    target_class = MasterKeyAuthentication
    name = "masterApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        words = "An organisation's master API key, with the prefix `Api-Key`."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": words}

    # The generator takes None for an answer too: the view is not for machines.
    def get_security_requirement(  # type: ignore[override]
        self, auto_schema: Any
    ) -> dict[str, list[Any]] | None:
        if any(isinstance(each, IsUser) for each in auto_schema.view.get_permissions()):
            return None
        return {"masterApiKey": []}
