"""The trace of a file through both services, as W3C Trace Context writes it
(https://www.w3.org/TR/trace-context/#traceparent-header-field-values)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


def traceparent(attributes: Mapping[str, str]) -> str:
    """The traceparent that a message carries, or a new one where it has none that is well formed."""
    given = attributes.get("traceparent", "")
    return given if _TRACEPARENT.fullmatch(given) else f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"


def trace_fields(project: str, traceparent: str) -> Mapping[str, str]:
    """Cloud Logging's fields for a traceparent (https://cloud.google.com/logging/docs/structured-logging); none where
    it is malformed."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return {}
    return {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{match[1]}",
        "logging.googleapis.com/spanId": match[2],
    }
