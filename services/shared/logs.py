"""One JSON line per event, in the fields that Cloud Logging reads
(https://cloud.google.com/logging/docs/structured-logging)."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog


def set_up() -> None:
    """Make structlog write such lines to standard output."""
    structlog.configure(
        processors=[
            _severity,
            structlog.processors.TimeStamper(fmt="iso", key="time"),
            _stack,
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )


def _severity(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["severity"] = "ERROR" if method == "exception" else method.upper()
    event["message"] = event.pop("event")
    return event


def _stack(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if isinstance(error := event.pop("exc_info", None), BaseException):
        event["exception"] = "\n\n".join(_stacks(error))
    return event


def _stacks(error: BaseException) -> Iterator[str]:
    """Of an error and what it came of, the first cause first. Their messages are left out, which may quote a row: line
    and type are enough to find a fault in the code (Error Reporting reads a stack without a message as well)."""
    context = None if error.__suppress_context__ else error.__context__
    if (cause := error.__cause__ or context) is not None:
        yield from _stacks(cause)
    frames = "".join(traceback.format_tb(error.__traceback__))
    yield f"Traceback (most recent call last):\n{frames}{type(error).__name__}"
