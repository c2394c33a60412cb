"""What all views of the management API have in common: that it is safe to write, and to write again.

What a request changes is locked before it is looked at, in the transaction that changes it. So nobody changes
or deletes it meanwhile, `If-Match` is compared with what will be overwritten, and whoever sends no `If-Match`
waits as well. New views need nothing for this but to be one of these.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar, cast

from django.db import DatabaseError, connection, models, transaction
from django.http import Http404, HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request, clone_request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import DomainError, is_worth_another_try
from core.idempotency import HEADER, Attempt
from core.locks import hold, take
from core.preconditions import PreconditionFailedError, Preconditions, tag_of

Handler = Callable[..., HttpResponse]


class ManagedView(APIView):
    """A view whose writes are transactions, know entity tags, and are done once for an `Idempotency-Key`.

    Attributes:
        is_about_one: it has one object at an address without parameters, such as the caller's own account.
    """

    is_about_one: ClassVar[bool] = False

    def initial(self, request: Request, *args: Any, **path: Any) -> None:
        if HEADER in request.headers:
            _ = request._request.body  # read whole, before a parser takes it from the stream
        super().initial(request, *args, **path)
        # As late as this: who is refused before has nothing locked, and what throttles count stays counted.
        name = str(request.method).lower()
        if request.method not in SAFE_METHODS and hasattr(self, name):
            setattr(self, name, partial(self._write, getattr(self, name)))
        elif self.shows_one and request.method in {"GET", "HEAD"}:
            setattr(self, name, partial(self._read, getattr(self, name)))

    @property
    def shows_one(self) -> bool:
        """Whether a GET shows one object."""
        return getattr(self, "action", "retrieve") == "retrieve" and hasattr(self, "retrieve")

    @property
    def names_one(self) -> bool:
        """Whether the address names one object, which the view knows how to find."""
        lookup = getattr(self, "lookup_url_kwarg", None) or getattr(self, "lookup_field", None)
        finds = getattr(self, "queryset", None) is not None
        return self.is_about_one or (finds and lookup in self.kwargs)

    def surroundings(self) -> Iterator[models.Model]:
        """Yield what may not be deleted while something is made in it."""
        yield from ()

    def written_row(self) -> models.Model:
        """Return the row that is changed, or that orders the changes of what the address names.

        Raises:
            Http404, APIException: there is none, or not for this caller.
        """
        row: models.Model = self.get_object()  # type: ignore[attr-defined]  # see `names_one`
        return row

    def _read(self, handler: Handler, request: Request, *args: Any, **path: Any) -> HttpResponse:
        response = handler(request, *args, **path)
        if isinstance(response, Response) and response.status_code == 200:
            response["ETag"] = tag_of(response.data)
            if Preconditions.of(request).is_fresh(response["ETag"]):
                response.status_code, response.data = 304, None
        return response

    def _write(self, handler: Handler, request: Request, *args: Any, **path: Any) -> HttpResponse:
        """Write in one transaction; once more where others were in the way, since nothing was done then."""
        try:
            return self._write_once(handler, request, *args, **path)
        except DatabaseError as error:
            if connection.in_atomic_block or not is_worth_another_try(error):
                raise
        return self._write_once(handler, request, *args, **path)

    @transaction.atomic
    def _write_once(self, handler: Handler, request: Request, *args: Any, **path: Any) -> HttpResponse:
        attempt = Attempt.of(request)
        if attempt and (answer := attempt.first_answer()):
            return answer
        self._lock(Preconditions.of(request))
        response = handler(request, *args, **path)
        if isinstance(response, Response) and response.status_code < 300:
            self._tag(response)
        if attempt:
            attempt.keep(response, request, self.get_renderer_context())
        return response

    def _lock(self, preconditions: Preconditions) -> None:
        """Lock what the request is about, and see that it is what the caller takes it for.

        Raises:
            PreconditionFailedError
            Http404, APIException, GoneError: it isn't there.
        """
        if not self.names_one:
            for row in self.surroundings():
                hold(row)
            if not preconditions.allow(None):
                raise PreconditionFailedError
            return
        take(self.written_row())
        if preconditions:
            current = self._shown(self.kwargs)
            tag = tag_of(current)
            if not preconditions.allow(tag):
                raise PreconditionFailedError(current, tag)

    def _tag(self, response: Response) -> None:
        """Name the state that a change has left, as a GET would: an answer may show more, or less."""
        path = self._path_after(response)
        if path is None:
            return
        try:
            response["ETag"] = tag_of(self._shown(path))
        except (Http404, APIException, DomainError):
            """Who may write may not always read."""

    def _path_after(self, response: Response) -> dict[str, Any] | None:
        """Return the parameters of the address of what an answer shows; None: it has none in this view."""
        is_new = response.status_code == 201
        lookup = getattr(self, "lookup_field", "")
        model = getattr(getattr(self, "queryset", None), "model", None)
        name = (model._meta.pk.name if model else "id") if lookup == "pk" else lookup
        shown = response.data if hasattr(self, "action") and isinstance(response.data, dict) else {}
        if name in shown and (is_new or self.request.method in {"PUT", "PATCH"}):
            return {**self.kwargs, getattr(self, "lookup_url_kwarg", None) or lookup: shown[name]}
        return self.kwargs if self.names_one and not is_new and response.status_code != 204 else None

    def _shown(self, path: dict[str, Any]) -> Any:
        """Return what a GET by the same caller, with the same parameters, would show of an object.

        By a view of its own, so that nothing is used that was read before the lock, or before the change.
        """
        reader = type(self)()
        reader.args, reader.kwargs, reader.format_kwarg = (), path, None
        reader.request = clone_request(self.request, "GET")
        if hasattr(self, "action"):
            reader.action, reader.action_map = "retrieve", {"get": "retrieve"}  # type: ignore[attr-defined]
        # Not all viewsets offer a GET of one: then it is what REST framework's would show.
        retrieve = getattr(reader, "retrieve", partial(cast(Any, RetrieveModelMixin).retrieve, reader))
        return retrieve(reader.request, **path).data
