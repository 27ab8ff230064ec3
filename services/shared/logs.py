"""One JSON line an event, in the fields that Cloud Logging reads."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog


def _severity(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["severity"] = "ERROR" if method == "exception" else method.upper()
    event["message"] = event.pop("event")
    return event


def set_up() -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _severity,
            structlog.processors.TimeStamper(fmt="iso", key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )


# https://www.w3.org/TR/trace-context/#traceparent-header-field-values
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


def traceparent(attributes: Mapping[str, str]) -> str:
    """The W3C traceparent that a message carries, or a new one where it has none that is well formed."""
    given = attributes.get("traceparent", "")
    return given if _TRACEPARENT.fullmatch(given) else f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"


def trace_fields(project: str, traceparent: str) -> Mapping[str, str]:
    """Cloud Logging's trace fields from a W3C traceparent; none where it is malformed."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return {}
    return {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{match[1]}",
        "logging.googleapis.com/spanId": match[2],
    }
