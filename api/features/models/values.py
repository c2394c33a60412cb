"""Values of features: a string, a 32-bit integer, a boolean or nothing."""

from django.db import models
from django.db.models import Q

FlagValue = str | int | bool | None


class ValueType(models.TextChoices):
    STRING = "unicode", "String"
    INTEGER = "int", "Integer"
    BOOLEAN = "bool", "Boolean"


# The one of the three columns that `type` names may be filled; the others are empty.
TYPED_VALUE = (
    Q(type=ValueType.STRING, integer_value__isnull=True, boolean_value__isnull=True)
    | Q(type=ValueType.INTEGER, string_value__isnull=True, boolean_value__isnull=True)
    | Q(type=ValueType.BOOLEAN, string_value__isnull=True, integer_value__isnull=True)
)


class TypedValue(models.Model):
    """Columns of a value whose type is kept: `"5"`, `5` and `true` are three different things."""

    type = models.CharField(max_length=10, choices=ValueType, default=ValueType.STRING)
    string_value = models.TextField(null=True, blank=True)
    integer_value = models.IntegerField(null=True, blank=True)
    boolean_value = models.BooleanField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def value(self) -> FlagValue:
        """The value in its own type."""
        if self.type == ValueType.INTEGER:
            return self.integer_value
        if self.type == ValueType.BOOLEAN:
            return self.boolean_value
        return self.string_value

    @value.setter
    def value(self, value: FlagValue) -> None:
        self.string_value = self.integer_value = self.boolean_value = None
        if isinstance(value, bool):
            self.type, self.boolean_value = ValueType.BOOLEAN, value
        elif isinstance(value, int):
            self.type, self.integer_value = ValueType.INTEGER, value
        else:
            self.type, self.string_value = ValueType.STRING, value


def typed_value(text: str | None) -> FlagValue:
    """Return the value that a feature's `initial_value` stands for.

    `true`, `True`, `false`, `False` are booleans, a whole number below 2,147,483,647 in size is an
    integer, anything else a string (the Flagsmith SDK wire contract, "Feature values"). The trigger in
    `defaults.py` says the same in SQL.

    >>> typed_value("true"), typed_value("-20"), typed_value("2147483647"), typed_value("20 pages")
    (True, -20, '2147483647', '20 pages')
    """
    if text in {"true", "True"}:
        return True
    if text in {"false", "False"}:
        return False
    if text is not None and text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 11:
        number = int(text)
        return number if abs(number) < 2_147_483_647 else text
    return text
