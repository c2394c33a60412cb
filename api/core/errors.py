"""How the product says no: the exceptions that services raise, and the one place that renders them."""

import logging
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_framework_handler

logger = logging.getLogger(__name__)

# PostgreSQL's SQLSTATEs
FOREIGN_KEY_VIOLATION = "23503"
UNIQUE_VIOLATION = "23505"
CHECK_VIOLATION = "23514"
SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"
LONGEST_MESSAGE = 1000

# Lost connections, and what was given up for taking too long.
AWAY = (OperationalError, InterfaceError)
_AWAY_DETAIL = {"detail": "The database can't be reached at the moment. Try again."}
_AWAY_HEADERS = {"Retry-After": "1"}
_IN_THE_WAY_DETAIL = {"detail": "Others are changing the same thing at the moment. Try again."}


class DomainError(Exception):
    """Something that the product refuses, in words for someone who cannot see the code.

    Rendered as `{"detail": message, "code": code}` with `status_code`. Subclasses name the case.
    """

    status_code: int = status.HTTP_400_BAD_REQUEST
    code = "invalid"
    headers: Mapping[str, str] = {}

    @property
    def body(self) -> Any:
        return {"detail": str(self), "code": self.code}


class GoneError(DomainError):
    """What somebody is about to change was deleted meanwhile."""

    status_code = status.HTTP_404_NOT_FOUND
    code = "not_found"

    def __init__(self) -> None:
        super().__init__("Not found.")


class InvalidInput(DomainError):
    """Refused because of one or more fields: rendered as DRF does, `{"field": ["reason"]}`.

    A bare list, or a text instead of a list of texts, where the contract has one, is rendered as it is.
    """

    def __init__(self, errors: dict[str, list[str]] | dict[str, str] | list[str]) -> None:
        super().__init__(str(errors))
        self.errors = errors

    @property
    def body(self) -> Any:
        return self.errors


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Render what a view raised; None for what is a fault of ours."""
    if isinstance(error, DatabaseError | ObjectDoesNotExist):
        error = _refusal_of(error)
    if isinstance(error, DomainError):
        return Response(error.body, status=error.status_code, headers=dict(error.headers))
    if isinstance(error, ModelValidationError):
        return Response(exceptions.ValidationError(detail=_messages(error)).detail, status=400)
    if isinstance(error, IntegrityError) and (reason := violation_message(error)):
        return Response({"non_field_errors": [reason]}, status=400)
    if is_worth_another_try(error):
        logger.warning("Writers were in each other's way: %s", error)
        return Response(_IN_THE_WAY_DETAIL, status=503, headers=_AWAY_HEADERS)
    if isinstance(error, AWAY):
        logger.error("The database is away: %s", error)
        return Response(_AWAY_DETAIL, status=503, headers=_AWAY_HEADERS)
    response = rest_framework_handler(error, context)
    if response is not None:
        response.data = for_clients(response.data)
    return response


class ConflictError(DomainError):
    """Two requests at the same moment, of which one makes the other senseless."""

    status_code = status.HTTP_409_CONFLICT
    code = "conflict"

    def __init__(self) -> None:
        super().__init__("Something that this refers to was changed or deleted at the same moment.")


def _refusal_of(error: Exception) -> Exception:
    """Return the refusal that a failure means where others have deleted what a request is about; else itself.

    Services look before they write. This is for what is gone between the two.
    """
    # Of Django itself, no subclass: an update of one row that is no longer there.
    if type(error) is DatabaseError or isinstance(error, ObjectDoesNotExist):
        return GoneError()
    return ConflictError() if _sqlstate(error) == FOREIGN_KEY_VIOLATION else error


def is_worth_another_try(error: Exception) -> bool:
    """Whether the database gave this up only because others were at work on the same rows."""
    return _sqlstate(error) in {DEADLOCK_DETECTED, SERIALIZATION_FAILURE}


def _sqlstate(error: Exception) -> str | None:
    return getattr(error.__cause__, "pgcode", None)


def for_clients(errors: Any) -> Any:
    """Give errors the shape that clients of Flagsmith's API know.

    REST framework keeps the errors of a list's items by index, clients look for them at the item's place:
    `{1: {"name": ["…"]}}` becomes `[{}, {"name": ["…"]}]`. Some messages repeat what was sent, however long
    it was: those are cut.
    """
    if isinstance(errors, dict) and errors and all(isinstance(key, int) for key in errors):
        return [for_clients(errors.get(index, {})) for index in range(max(errors) + 1)]
    if isinstance(errors, dict):
        return {key: for_clients(value) for key, value in errors.items()}
    if isinstance(errors, list):
        return [for_clients(each) for each in errors]
    if isinstance(errors, str) and len(errors) > LONGEST_MESSAGE:
        return f"{errors[:LONGEST_MESSAGE]}…"
    return errors


def violation_message(error: IntegrityError) -> str | None:
    """Return the words for a violated constraint of ours, or None for another failure.

    Serializers check before they write; this is for two requests that write at the same moment.
    """
    diagnostics = getattr(error.__cause__, "diag", None)
    if diagnostics is None:
        return None
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name == diagnostics.constraint_name:
                return str(constraint.violation_error_message)
    if diagnostics.sqlstate == UNIQUE_VIOLATION:  # of a field that is unique by itself
        return "That value is already taken."
    # What else no model declares as a constraint, a trigger of ours raised, in words for people.
    is_ours = diagnostics.sqlstate == CHECK_VIOLATION
    return str(diagnostics.message_primary) if is_ours else None


def refusal_in_words(error: Exception) -> str | None:
    """Return what is refused, in a sentence for the admin's pages; None for what is a fault of ours."""
    if isinstance(error, InvalidInput):
        reasons = error.errors.values() if isinstance(error.errors, dict) else [error.errors]
        return " ".join(each if isinstance(each, str) else " ".join(each) for each in reasons)
    if isinstance(error, IntegrityError):
        return violation_message(error)
    return str(error) if isinstance(error, DomainError) else None


def _messages(error: ModelValidationError) -> Any:
    return error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}


class Problem(serializers.Serializer):
    """What is wrong, as the routes for programs tell it."""

    msg = serializers.CharField(help_text="The status in words.")
    reason = serializers.CharField(help_text="What is wrong, in words for people.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a field: the metaclass takes it away
        required=False, help_text="The same by field, where a field is wrong."
    )


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Render what a view raised as a `Problem`; None for what is a fault of ours."""
    response = exception_handler(error, context)
    if response is not None:
        response.data = _problem(response.status_code, response.data)
    return response


def _problem(status_code: int, data: Any) -> dict[str, Any]:
    problem: dict[str, Any] = {"msg": HTTPStatus(status_code).phrase, "reason": ""}
    if isinstance(data, dict) and "detail" in data:
        problem["reason"] = data["detail"]
    else:
        problem["reason"] = " ".join(_sentences(data))
        problem["errors"] = data
    return problem


def _sentences(errors: Any) -> Iterator[str]:
    if isinstance(errors, dict):
        for field, reasons in errors.items():
            name = "" if field == "non_field_errors" else f"{field}: "
            yield name + " ".join(_sentences(reasons))
    elif isinstance(errors, list):
        for each in errors:
            yield from _sentences(each)
    else:
        yield str(errors)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What Django itself refuses to read, e.g. a form of ten thousand fields."""
    return _answer(request, 400, "Bad request.", "The request can't be read.")


def unauthorised(request: HttpRequest, header: str) -> HttpResponse:
    """A request without the key that `header` brings."""
    reason = f"The header {header} is missing or wrong."
    return _answer(request, 401, reason, reason, {"WWW-Authenticate": f'{header} realm="services"'})


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A page that isn't for whoever asks."""
    return _answer(request, 403, "Forbidden.", str(exception or "") or "This isn't for you.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A path that leads nowhere."""
    return _answer(request, 404, "Not found.", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours, or the database is away. What happened is in the log, not in the answer."""
    if isinstance(sys.exc_info()[1], AWAY):
        detail = _AWAY_DETAIL["detail"]
        return _answer(request, 503, detail, detail, headers=_AWAY_HEADERS)
    return _answer(request, 500, "Internal server error.", "Something went wrong here. It is in the log.")


def _answer(
    request: HttpRequest, status_code: int, detail: str, reason: str, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Answer outside of the API's views: people get a page, and programs what both kinds of them read."""
    problem = {"msg": HTTPStatus(status_code).phrase, "reason": reason}
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        page = render_to_string("core/error.html", problem)
        return HttpResponse(page, status=status_code, headers=headers)
    return JsonResponse({"detail": detail, **problem}, status=status_code, headers=headers)
