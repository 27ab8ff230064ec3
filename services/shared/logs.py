"""One JSON line per event, in the fields that Cloud Logging reads
(https://cloud.google.com/logging/docs/structured-logging)."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any

import structlog


def set_up() -> None:
    """Make structlog write such lines to standard output."""
    structlog.configure(
        processors=[
            _severity,
            structlog.processors.TimeStamper(fmt="iso", key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )


def _severity(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["severity"] = "ERROR" if method == "exception" else method.upper()
    event["message"] = event.pop("event")
    return event
