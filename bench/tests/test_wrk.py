"""What wrk says is read as it is meant, and nothing that went wrong passes as a figure."""

import pytest

from bench.errors import CannotRun, CaseFailed
from bench.wrk import Load, find, parse

REPORT = """\
Running 2s test @ http://127.0.0.1:8000/api/v1/flags/
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.62ms    1.91ms  47.80ms   91.38%
    Req/Sec    12.71k     1.02k   15.01k    70.00%
  Latency Distribution
     50%  980.00us
     75%    3.05ms
     90%    4.21ms
     99%    1.02s
  50604 requests in 2.01s, 1.51GB read
Requests/sec:  25201.33
Transfer/sec:    770.20MB
"""


def test_a_report_is_read():
    report = parse(REPORT)

    assert report.requests == 50604
    assert report.per_second == 25201.33
    assert report.latencies == {50.0: 0.98, 75.0: 3.05, 90.0: 4.21, 99.0: 1020.0}
    assert report.errors == ()


def test_refusals_are_errors():
    report = parse(REPORT.replace("Requests/sec", "  Non-2xx or 3xx responses: 7\nRequests/sec"))

    assert report.errors == ("7 of 50604 answers were refusals",)


def test_lost_connections_are_errors():
    lost = "  Socket errors: connect 0, read 3, write 0, timeout 1\nRequests/sec"

    report = parse(REPORT.replace("Requests/sec", lost))

    assert report.errors == ("connections failed (connect 0, read 3, write 0, timeout 1)",)


def test_a_run_without_an_answer_is_an_error():
    report = parse(REPORT.replace("50604 requests", "0 requests"))

    assert report.errors == ("nothing was answered",)


def test_what_is_no_report_fails_the_case():
    with pytest.raises(CaseFailed, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:8000 Connection refused\n")


def test_a_plain_load_is_a_url_and_its_headers():
    load = Load("/flags/", "key", is_kept_alive=False, connections=8, threads=1)

    command = load.command("wrk", "http://localhost:1", path="/flags/", seconds=2, seed=1)

    assert command == [
        *("wrk", "-t1", "-c8", "-d2s", "--latency", "--timeout", "10s"),
        *("-H", "X-Environment-Key: key", "-H", "Connection: close"),
        "http://localhost:1/flags/",
    ]


def test_a_script_is_told_where_to_and_what_to_draw_from():
    load = Load("/identities/", "key", script="identities.lua", arguments=("known",))

    command = load.command("wrk", "http://localhost:1", path="/900", seconds=2, seed=7)

    assert command[-4:] == ["--", "/900", "7", "known"]


def test_a_missing_load_tool_is_named_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "")

    with pytest.raises(CannotRun, match="install wrk"):
        find()
