"""The API's description of itself."""

from app.tests.examples.example import Caller, Example

EXAMPLES = {
    "GET /api/v1/docs/": Example(caller=Caller.ANYONE, is_page=True),
    "GET /api/v1/swagger.json": Example(caller=Caller.ANYONE),
    "GET /api/v1/swagger.yaml": Example(caller=Caller.ANYONE),
}
