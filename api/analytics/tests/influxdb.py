"""A server that speaks as much of InfluxDB 2 as we do: points are written to it, and summed up by it.

It refuses lines that InfluxDB's line protocol doesn't have, and knows of Flux what our questions are made of.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from core.tests.http_servers import QuietHandler, serving

TOKEN, ORGANISATION, BUCKET = "t0ken", "acme", "usage"
# measurement[,tag=value…] field=<integer>i time
_LINE = re.compile(r"(?P<series>(?:\\[,= ]|[^ \\\n])+) request_count=(?P<count>\d+)i (?P<time>\d{19})")
_SECONDS = {"1d": 86_400, "1h": 3600, "15m": 900}

Tags = dict[str, str]


@dataclass
class InfluxDB:
    """What was written, by bucket, and what was asked.

    Attributes:
        points: counts by bucket, and by series and time in nanoseconds; a later point replaces another.
        answers: statuses of the next writes, before they are taken again.
    """

    url: str = ""
    points: dict[str, dict[tuple[str, int], int]] = field(default_factory=lambda: {BUCKET: {}})
    asked: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return the sum of each series: `{"api_call,environment_id=7,…": 12}`."""
        sums: dict[str, int] = defaultdict(int)
        for (series, _), count in self.points[BUCKET].items():
            sums[series] += count
        return dict(sums)

    def write(self, bucket: str, body: str) -> int:
        lines = [_LINE.fullmatch(line) for line in body.split("\n")]
        if self.answers:
            return self.answers.pop(0)
        if bucket not in self.points:
            return 404
        if not all(lines):
            return 400
        for line in filter(None, lines):
            self.points[bucket][line["series"], int(line["time"])] = int(line["count"])
        return 204

    def ask(self, query: str) -> str | None:
        """Return the answer to a question, as CSV; None where there is no such bucket."""
        self.asked.append(query)
        bucket = _text(_found(r'^from\(bucket: "(.*?)"\)', query))
        if bucket not in self.points:
            return None
        since = datetime.fromisoformat(_found(r"range\(start: (\S+)\)", query)).timestamp()
        measurement = _found(r'r\._measurement == "(\w+)"', query)
        rows: list[dict[str, Any]] = [
            {**_tags(series), "_time": time // 10**9, "_value": count}
            for (series, time), count in self.points[bucket].items()
            if series.startswith(measurement) and time >= since * 10**9
        ]
        for condition in re.findall(r"filter\(fn: \(r\) => (\(?r\.(?!_).*?)\) \|>", query):
            rows = [row for row in rows if _holds(condition, row)]
        if "limit(n: 1)" in query:
            return _csv(sorted(rows, key=lambda row: row["_time"])[:1])
        seconds = _SECONDS[_found(r"truncateTimeColumn\(unit: (\w+)\)", query)]
        columns = re.findall(r'"(\w+)"', _found(r"group\(columns: \[(.*?)\]", query))
        sums: dict[tuple, int] = defaultdict(int)
        for row in rows:
            row["_time"] -= row["_time"] % seconds
            sums[tuple((name, row.get(name, "")) for name in columns)] += row["_value"]
        return _csv([{**dict(key), "_value": total} for key, total in sums.items()])


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None
    return match[1]


def _holds(condition: str, row: dict) -> bool:
    return any(
        all(
            (row.get(name, "") == _text(value)) is (operator == "==")
            for name, operator, value in re.findall(r'r\.(\w+) ([=!]=) "(.*?)"', alternative)
        )
        for alternative in condition.split(" or ")
    )


def _tags(series: str) -> Tags:
    pairs = [pair.split("=", 1) for pair in re.split(r"(?<!\\),", series)[1:]]
    return {name: re.sub(r"\\([,= ])", r"\1", value) for name, value in pairs}


def _text(literal: str) -> str:
    return re.sub(r"(?:\\x..)+", lambda part: bytes.fromhex(part[0].replace("\\x", "")).decode(), literal)


def _csv(rows: list[dict]) -> str:
    if not rows:
        return "\r\n"
    columns = sorted({name for row in rows for name in row})
    lines = [",result,table," + ",".join(columns)]
    for row in rows:
        row["_time"] = f"{datetime.fromtimestamp(row['_time'], UTC):%Y-%m-%dT%H:%M:%SZ}"
        quoted = ['"' + str(row.get(name, "")).replace('"', '""') + '"' for name in columns]
        lines.append(",_result,0," + ",".join(quoted))
    return "\r\n".join([*lines, "", ""])


class _Handler(QuietHandler):
    influxdb: InfluxDB

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.headers["Authorization"] != f"Token {TOKEN}":
            self._answer(401)
        elif query.get("org") != ORGANISATION:
            self._answer(404)
        elif url.path == "/api/v2/write" and query["precision"] == "ns":
            self._answer(self.influxdb.write(query["bucket"], body))
        else:
            answer = self.influxdb.ask(json.loads(body)["query"])
            self._answer(404 if answer is None else 200, answer or "")

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def influxdb_server() -> Iterator[InfluxDB]:
    """Run a server and give what is in it."""
    influxdb = InfluxDB()
    with serving(_Handler, influxdb=influxdb) as address:
        influxdb.url = f"{address}/"
        yield influxdb
