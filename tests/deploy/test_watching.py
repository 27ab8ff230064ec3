"""What a delivery leaves in the logs: a trace from file to merge, crashes that Error Reporting takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions

from services.shared import logs
from services.shared.delivery import Handler, handle
from services.shared.settings import Settings

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class NoBus:
    """For deliveries that publish nothing: a call fails."""


class NoJournal:
    """For deliveries of which no event is known."""


def delivered(
    handler: Handler, capsys: pytest.CaptureFixture[str], attributes: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    """Status and the one log line of a delivery."""
    message = {"data": base64.b64encode(b"{}").decode(), "attributes": attributes, "messageId": "7"}
    settings = Settings(
        GOOGLE_CLOUD_PROJECT="my-project", service="merge", feeds=Path("feeds"), dead_letter_topic="merge-dead-letter"
    )  # type: ignore[call-arg]
    logs.set_up()
    body = json.dumps({"message": message}).encode()
    _, status = handle(body, handler, settings, NoBus(), NoJournal())  # type: ignore[arg-type]
    (line,) = capsys.readouterr().out.splitlines()
    return status, json.loads(line)


def test_a_message_s_trace_is_in_its_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    """In the fields that Cloud Logging correlates by."""
    _, line = delivered(lambda work: "merged", capsys, {"traceparent": PARENT})
    assert line["logging.googleapis.com/trace"] == f"projects/my-project/traces/{TRACE}"
    assert line["logging.googleapis.com/spanId"] == "b7ad6b7169203331"
    assert (line["severity"], line["message"]) == ("INFO", "merged")


@pytest.mark.parametrize(
    "given", ["", "nonsense", PARENT + "\n", PARENT.upper(), f"00-{'0' * 32}-b7ad6b7169203331-01"]
)
def test_a_message_without_a_usable_trace_gets_one(capsys: pytest.CaptureFixture[str], given: str) -> None:
    """Which is what it hands on."""
    handed: list[str] = []

    def handler(work: Any) -> str:
        handed.append(work.traceparent)
        return "staged"

    _, line = delivered(handler, capsys, {"traceparent": given})
    (parent,) = handed
    assert parent != given
    assert line["logging.googleapis.com/trace"] == f"projects/my-project/traces/{parent.split('-')[1]}"


def test_a_crash_is_an_error_with_its_stack_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """And the message is asked for again."""

    def handler(work: Any) -> str:
        fields: dict[str, str] = {}
        return fields["gone"]

    status, line = delivered(handler, capsys, {})
    assert status == 503
    assert (line["severity"], line["message"]) == ("ERROR", "crash")
    assert line["exception"].startswith("Traceback (most recent call last):")
    assert line["exception"].endswith("KeyError: 'gone'")


@pytest.mark.parametrize("error", [exceptions.GoogleAPIError("busy"), ConnectionResetError("gone")])
def test_what_may_pass_is_no_crash(capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    """Error Reporting takes a line for a crash by its stack trace: there is none."""

    def handler(work: Any) -> str:
        raise error

    status, line = delivered(handler, capsys, {})
    assert status == 503
    assert (line["severity"], line["message"]) == ("WARNING", "transient")
    assert str(error) in line["error"]
    assert "Traceback" not in json.dumps(line)
