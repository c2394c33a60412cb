"""Reading what SDKs send (the Flagsmith SDK contract, "identities/" and "traits/").

Plain functions over parsed JSON; what is wrong is a `ValidationError` whose detail is the body of the
answer: `{"traits": [{}, {"trait_key": ["This field may not be blank."]}]}`, in the words of Django
REST framework. Nothing is read from a body that has one fault.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from rest_framework.exceptions import ValidationError

from core.text import unstorable_text
from identities import traits
from identities.traits import LARGEST_INTEGER, SMALLEST_INTEGER, TraitValue, trait_value

T = TypeVar("T")

LONGEST_IDENTIFIER = 2000
MOST_IDENTITIES = 100
MOST_PARAMETERS = 1000

REQUIRED = "This field is required."
NULL = "This field may not be null."
BLANK = "This field may not be blank."

_ONE_REVISION = re.compile(r"\d{1,18}", re.ASCII)
_SEVERAL_REVISIONS = re.compile(r"\d{1,10}=\d{1,18}(, ?\d{1,10}=\d{1,18})*", re.ASCII)
_TRUE = frozenset({True, "true", "True", "TRUE", "yes", "1"})
_FALSE = frozenset({False, "false", "False", "FALSE", "no", "0"})


class GivenTrait(NamedTuple):
    """A trait as a request has it. A value of None deletes; a transient one is for this request only."""

    value: TraitValue | None
    transient: bool = False


class GivenIdentity(NamedTuple):
    """Whom flags are asked for. An empty identifier: nobody in particular."""

    identifier: str
    transient: bool = False
    traits: Mapping[str, GivenTrait] = MappingProxyType({})


class GivenTraitOf(NamedTuple):
    """One trait for one identity, as the older endpoints take it."""

    identifier: str
    key: str
    value: TraitValue | None


class GivenIncrement(NamedTuple):
    identifier: str
    key: str
    by: int


def read_query(query: bytes) -> dict[str, str]:
    """Return a query string's parameters; where one comes twice, the later.

    Bytes that are no UTF-8 become lone surrogates, so that whoever reads the parameter refuses it.

    Raises:
        ValidationError: there are more than a thousand.
    """
    try:
        pairs = parse_qsl(
            query.decode(errors="surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError as error:
        raise ValidationError({"detail": "The query string has too many parameters."}) from error
    return dict(pairs)


def read_min_revision(header: str | None, environment_id: int) -> int | None:
    """Return the revision that a request wants its environment to be at, at least; None: any.

    Args:
        header: what a change was answered: `17`, or `3=17, 4=9` where it concerned several environments.
    """
    if header is None:
        return None
    if _ONE_REVISION.fullmatch(header):
        return int(header)
    if not _SEVERAL_REVISIONS.fullmatch(header):
        raise ValidationError(
            {"detail": "X-Burgee-Min-Revision is what X-Burgee-Revision was: 17, or 3=17, 4=9."}
        )
    revisions = dict(each.strip().split("=") for each in header.split(","))
    return int(revisions[str(environment_id)]) if str(environment_id) in revisions else None


def read_identifier(given: object) -> str:
    """Return an identifier without the blanks around it; empty for None or only blanks."""
    return "" if given is None else _text(given, longest=LONGEST_IDENTIFIER, blank=True)


def read_needed_identifier(given: object) -> str:
    return _text(given, longest=LONGEST_IDENTIFIER, blank=False)


def read_switch(given: str) -> bool:
    """Return whether a query parameter says yes: `true`, `1` or `yes`."""
    return given.strip().lower() in {"true", "1", "yes"}


def read_identity_in_query(parameters: Mapping[str, str]) -> GivenIdentity:
    """Read the parameters of `GET identities/`."""
    identifier = named("identifier", read_identifier, parameters.get("identifier"))
    return GivenIdentity(identifier, read_switch(parameters.get("transient", "")))


def read_identity(body: object) -> GivenIdentity:
    """Read the body of `POST identities/`."""
    fields = _Fields(body)
    given = GivenIdentity(
        identifier=fields.read("identifier", read_identifier, default=""),
        transient=fields.read("transient", _boolean, default=False),
        traits=fields.read("traits", _traits, default={}),
    )
    fields.raise_what_is_wrong()
    return given


def read_identities(body: object) -> list[GivenIdentity]:
    """Read the body of `POST bulk-identities/`."""
    fields = _Fields(body)
    given = fields.read("data", lambda items: _each(_list(items, longest=MOST_IDENTITIES), read_identity))
    fields.raise_what_is_wrong()
    return given


def read_trait(body: object) -> GivenTraitOf:
    """Read the body of `POST traits/`. A value of null is for the caller to judge."""
    fields = _Fields(body)
    given = GivenTraitOf(
        identifier=fields.read("identity", _named_identity),
        key=fields.read("trait_key", read_trait_key),
        value=fields.read("trait_value", read_trait_value),
    )
    fields.raise_what_is_wrong()
    return given


def read_traits(body: object) -> list[GivenTraitOf]:
    """Read the body of `PUT traits/bulk/`."""
    return _each(_list(body), read_trait)


def read_increment(body: object) -> GivenIncrement:
    """Read the body of `POST traits/increment-value/`."""
    fields = _Fields(body)
    given = GivenIncrement(
        identifier=fields.read("identifier", read_needed_identifier),
        key=fields.read("trait_key", read_trait_key),
        by=fields.read("increment_by", _integer),
    )
    fields.raise_what_is_wrong()
    return given


def read_new_value(body: object) -> TraitValue | None:
    """Read `{"trait_value": "pro"}`; None where there is none."""
    fields = _Fields(body)
    value = fields.read("trait_value", read_trait_value, default=None)
    fields.raise_what_is_wrong()
    return value


def named(name: str, reader: Callable[[object], T], given: object) -> T:
    """Read something that isn't in a body; what is wrong with it is told under its name."""
    try:
        return reader(given)
    except ValidationError as error:
        raise ValidationError({name: error.detail}) from error


def read_trait_key(given: object) -> str:
    return _text(given, longest=traits.LONGEST_KEY, blank=False)


def read_trait_value(given: object) -> TraitValue | None:
    if given is None:
        return None
    try:
        return trait_value(given)
    except ValueError as error:
        raise ValidationError([str(error)]) from error


class _Fields:
    """Reads the fields of a JSON object, and notes what is wrong with each."""

    _NONE: Any = object()

    def __init__(self, body: object) -> None:
        if not isinstance(body, Mapping):
            raise ValidationError(
                {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(body).__name__}."]}
            )
        self._body = body
        self._errors: dict[str, Any] = {}

    def read(self, name: str, reader: Callable[[object], T], default: T = _NONE) -> T:
        """Return a field's value, or `default` where the body hasn't got it; without one it is required."""
        if name not in self._body:
            if default is self._NONE:
                self._errors[name] = [REQUIRED]
            return default
        try:
            return reader(self._body[name])
        except ValidationError as error:
            self._errors[name] = error.detail
            return default

    def raise_what_is_wrong(self) -> None:
        if self._errors:
            raise ValidationError(self._errors)


def _each(items: list[object], reader: Callable[[object], T]) -> list[T]:
    """Read every item of a list; its errors stand at the places of the items, `{}` at those of good ones."""
    read: list[T] = []
    errors: dict[int, Any] = {}
    for place, item in enumerate(items):
        try:
            read.append(reader(item))
        except ValidationError as error:
            errors[place] = error.detail
    if errors:
        raise ValidationError([errors.get(place, {}) for place in range(len(items))])
    return read


def _list(given: object, longest: int | None = None) -> list[object]:
    if not isinstance(given, list):
        raise ValidationError([f'Expected a list of items but got type "{type(given).__name__}".'])
    if longest is not None and len(given) > longest:
        raise ValidationError([f"Ensure this field has no more than {longest} elements."])
    return given


def _traits(given: object) -> dict[str, GivenTrait]:
    """Read a list of traits; where two have one key, the later counts. Null is an empty list."""
    return {} if given is None else dict(_each(_list(given), _trait))


def _trait(item: object) -> tuple[str, GivenTrait]:
    if isinstance(item, dict) and "trait_key" in item and "trait_value" in item:
        try:
            value, transient = read_trait_value(item["trait_value"]), _boolean(item.get("transient"))
            return read_trait_key(item["trait_key"]), GivenTrait(value, transient)
        except ValidationError:
            pass  # it is read again, to tell of all that is wrong with it
    fields = _Fields(item)
    key = fields.read("trait_key", read_trait_key)
    value = fields.read("trait_value", read_trait_value)
    transient = fields.read("transient", _boolean, default=False)
    fields.raise_what_is_wrong()
    return key, GivenTrait(value, transient)


def _named_identity(given: object) -> str:
    """Read `{"identifier": "kim"}`."""
    fields = _Fields(given)
    identifier = fields.read("identifier", read_needed_identifier)
    fields.raise_what_is_wrong()
    return identifier


def _text(given: object, *, longest: int, blank: bool) -> str:
    if given is None:
        raise ValidationError([NULL])
    if not isinstance(given, str):
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise ValidationError(["Not a valid string."])
        given = str(given)
    text = given.strip()
    if not text and not blank:
        raise ValidationError([BLANK])
    if len(text) > longest:
        raise ValidationError([f"Ensure this field has no more than {longest} characters."])
    if reason := unstorable_text(text):
        raise ValidationError([reason])
    return text


def _boolean(given: object) -> bool:
    # Ruby's and the JavaScript SDK's null is a false.
    if given is None or given is False:
        return False
    if isinstance(given, bool | int | str):
        if given in _TRUE:
            return True
        if given in _FALSE:
            return False
    raise ValidationError(["Must be a valid boolean."])


def _integer(given: object) -> int:
    if given is None:
        raise ValidationError([NULL])
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise ValidationError(["A valid integer is required."])
    try:
        number = int(given)
    except ValueError as error:
        raise ValidationError(["A valid integer is required."]) from error
    if not SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
        raise ValidationError(["The number is beyond 64 bits."])
    return number
