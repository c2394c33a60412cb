"""Requests that may be sent again: with the same `Idempotency-Key` only the first one does something.

The answer is kept in the transaction that makes the change, so there is never one without the other, whenever
a process dies. Who comes while the first is still at work can't get the lock, and is told so. Only what was
done is kept: a refused request has done nothing, and may be sent again with the same key.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import DomainError
from core.models import KeptAnswer

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
LONGEST_KEY = 255
KEPT_FOR = timedelta(hours=24)

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


class InvalidKeyError(DomainError):
    code = "invalid_idempotency_key"

    def __init__(self) -> None:
        super().__init__(f"{HEADER} has to have 1 to {LONGEST_KEY} characters.")


class KeyUsedOtherwiseError(DomainError):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(f"This {HEADER} was used for another request: other path, parameters or body.")


class StillAtWorkError(DomainError):
    status_code = status.HTTP_409_CONFLICT
    code = "idempotency_key_in_use"
    headers = {"Retry-After": "1"}

    def __init__(self) -> None:
        super().__init__(f"The first request with this {HEADER} is still at work. Try again.")


@dataclass(frozen=True)
class Attempt:
    """One of the requests with a key. `kept` is named by caller and key, `asked` by all that is asked."""

    kept: str
    asked: str

    @classmethod
    def of(cls, request: Request) -> "Attempt | None":
        """Return what a request is an attempt at; None where it has no key, or comes from nobody.

        Raises:
            InvalidKeyError
        """
        key = request.headers.get(HEADER)
        if key is None or request.method != "POST" or not request.user.is_authenticated:
            return None
        if not 1 <= len(key) <= LONGEST_KEY:
            raise InvalidKeyError
        return cls(_digest(_caller(request), key), _digest(request.get_full_path(), request._request.body))

    def first_answer(self) -> HttpResponse | None:
        """Return the answer that the first request got; None: this is the first.

        From here on to the end of the transaction there is no other.

        Raises:
            StillAtWorkError: the first isn't answered yet.
            KeyUsedOtherwiseError: the first was another request.
        """
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [self.kept])
            if cursor.fetchone() != (True,):
                raise StillAtWorkError
        kept: KeptAnswer | None = KeptAnswer.objects.filter(pk=self.kept, expires_at__gt=Now()).first()
        if kept is None:
            return None
        if kept.request_digest != self.asked:
            raise KeyUsedOtherwiseError
        response = HttpResponse(kept.content, status=kept.status, headers=kept.headers)
        if not kept.content:
            del response["Content-Type"]
        response[REPLAYED_HEADER] = "true"
        return response

    def keep(self, response: HttpResponse, request: Request, renderer_context: dict[str, Any]) -> None:
        """Keep the answer of a request that did something, in the transaction in which it did."""
        if response.status_code >= 400 or response.streaming:
            return
        headers = dict(response.items())
        if isinstance(response, Response):
            # As REST framework does it later: byte for byte what the caller gets now.
            renderer = request.accepted_renderer
            content: Any = renderer.render(response.data, request.accepted_media_type, renderer_context)
            headers |= {"Content-Type": renderer.media_type} if content else {}
        else:
            content = bytes(response.content)
        KeptAnswer.objects.update_or_create(
            pk=self.kept,
            defaults={
                "request_digest": self.asked,
                "status": response.status_code,
                "content": content.decode(),
                "headers": headers,
                "expires_at": Now() + KEPT_FOR,
            },
        )
        request._request.kept_answer = self.kept  # type: ignore[attr-defined]  # for `also_keep`


def delete_expired_answers() -> None:
    """Delete the answers whose keys mean nothing any more."""
    KeptAnswer.objects.filter(expires_at__lt=Now()).delete()


def also_keep(request: HttpRequest, header: str, value: str) -> None:
    """Add to a kept answer what is known only now that the transaction has ended, if the answer was kept."""
    if kept := getattr(request, "kept_answer", None):
        for answer in KeptAnswer.objects.filter(pk=kept):
            answer.headers[header] = value
            answer.save(update_fields=["headers"])


def _caller(request: Request) -> str:
    """Name whose key it is. A machine isn't the user who made its key."""
    machine = getattr(request.user, "key_id", None)
    return f"machine {machine}" if machine else f"user {request.user.pk}"


def _digest(*parts: str | bytes) -> str:
    digest = sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.hexdigest()
