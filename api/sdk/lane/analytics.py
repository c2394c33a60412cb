"""`analytics/flags/`: what SDKs have evaluated. Each reports every ten seconds, and doesn't wait."""

from typing import Any

from rest_framework.exceptions import ValidationError

from core.asgi.request import Request
from core.parsers import parse_json
from sdk import usage
from sdk.lane.answers import REFUSALS, Answers, refused
from sdk.lane.reads import KEY
from sdk.payloads import SdkResponse

_METHODS = "POST, OPTIONS"
_RECORDED = SdkResponse(200, b"{}")
# An SDK's report is a few lines. The loop has no time to read a megabyte.
_LONGEST_BYTES = 64 * 1024


class Reports:
    """Takes `{"new_checkout": 12}`. What is no such report Django refuses."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def __call__(self, request: Request) -> bool:
        method = request.scope["method"]
        if method == "OPTIONS":
            return await self._answers.preflight(request)
        if method != "POST" or b"expect" in request.headers or not _is_json(request):
            return False
        common = self._answers.common(request, _METHODS)
        if common is None:
            return False
        try:
            access = await self._answers.open(request, request.headers.get(KEY, b"").decode("latin-1"))
            report = _report(await request.body())
        except ValidationError:
            return False
        except REFUSALS as refusal:
            await self._answers.send(request, common, refused(refusal))
            return True
        if report is None:
            return False
        counts = usage.counted(access.snapshot, report)
        usage.count_evaluations(access.snapshot.environment_id, counts)
        await self._answers.send(request, common, _RECORDED, access)
        return True


def _is_json(request: Request) -> bool:
    return (request.text(b"content-type") or "").partition(";")[0].strip().lower() == "application/json"


def _report(body: bytes | None) -> dict[str, Any] | None:
    if not body or len(body) > _LONGEST_BYTES:
        return None
    try:
        report = parse_json(body)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None
