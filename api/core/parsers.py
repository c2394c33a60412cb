"""Reading JSON from strangers."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """JSON as RFC 8259 has it: no NaN or Infinity, no number beyond a double, valid UTF-8, bounded nesting.

    Whatever is wrong is a 400 with `{"detail": "JSON parse error - …"}`.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return parse_json(stream.read())
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: it isn't one; the message says where. Integers are limited by Python's own limit of
            digits (4,300), nesting by its recursion limit.
    """
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("The document is nested too deeply.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"Out of range float values are not JSON compliant: {name}")


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"The number {text[:20]} is out of range.")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite_float)
