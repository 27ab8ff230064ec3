"""A delivery logs one line: it has a trace that leads from file to merge, and a stack trace only for a crash."""

from __future__ import annotations

import json

import pytest
from google.api_core import exceptions

from services.shared.delivery import Delivery
from tests.harness.delivery import deliver

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def test_a_message_s_trace_is_in_its_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line has the fields by which Cloud Logging correlates."""
    _, line = deliver(lambda delivery: "merged", capsys, {"traceparent": PARENT})
    assert line["logging.googleapis.com/trace"] == f"projects/my-project/traces/{TRACE}"
    assert line["logging.googleapis.com/spanId"] == "b7ad6b7169203331"
    assert (line["severity"], line["message"]) == ("INFO", "merged")


@pytest.mark.parametrize(
    "given", ["", "nonsense", PARENT + "\n", PARENT.upper(), f"00-{'0' * 32}-b7ad6b7169203331-01"]
)
def test_a_message_without_a_usable_trace_gets_one(capsys: pytest.CaptureFixture[str], given: str) -> None:
    """The new trace is logged, and the handler hands it on."""
    handed: list[str] = []

    def handler(delivery: Delivery) -> str:
        handed.append(delivery.traceparent)
        return "staged"

    _, line = deliver(handler, capsys, {"traceparent": given})
    (parent,) = handed
    assert parent != given
    assert line["logging.googleapis.com/trace"] == f"projects/my-project/traces/{parent.split('-')[1]}"


def test_g10_a_crash_is_an_error_with_its_stack_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """The message is delivered again, and Error Reporting reads the log line as a crash. What the errors say is left
    out: it may be a row's value."""

    def handler(delivery: Delivery) -> str:
        fields: dict[str, str] = {}
        try:
            return str(int("Carre-4558"))
        except ValueError:
            return fields["Carre".lower()]

    status, line = deliver(handler, capsys, {})
    assert status == 503
    assert (line["severity"], line["message"]) == ("ERROR", "crash")
    assert line["exception"].startswith("Traceback (most recent call last):")
    assert line["exception"].endswith("\nKeyError")
    assert "\nValueError\n\nTraceback" in line["exception"]
    assert 'int("Carre-4558")' in line["exception"]  # a line of the code
    assert (line["error"], "carre" in str(line)) == ("KeyError", False)


@pytest.mark.parametrize("error", [exceptions.GoogleAPIError("busy"), ConnectionResetError("gone")])
def test_a_transient_error_is_no_crash(capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    """Error Reporting takes a line with a stack trace for a crash, so a transient error logs none."""

    def handler(delivery: Delivery) -> str:
        raise error

    status, line = deliver(handler, capsys, {})
    assert status == 503
    assert (line["severity"], line["message"]) == ("WARNING", "transient")
    assert str(error) in line["error"]
    assert "Traceback" not in json.dumps(line)
