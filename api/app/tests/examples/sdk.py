"""What SDKs call."""

from app.tests.examples.example import Example

EXAMPLES: dict[str, Example] = {}
