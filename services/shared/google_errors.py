"""The one reading of Google's errors."""

from __future__ import annotations

import re

from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError

from services.shared.errors import PermanentError, TransientError

_CONFLICTS = (
    # BigQuery reports conflicts as 400 invalidQuery, like a syntax error: only the text tells.
    "could not serialize access",
    "aborted due to concurrent update",
    "too many dml statements outstanding",
    "transaction conflict",
)
_PERMANENT_REASONS = {
    "invalid": "refused_by_warehouse",
    "invalidQuery": "refused_by_warehouse",
    "resourcesExceeded": "refused_by_warehouse",
    "notFound": "not_found",
    "accessDenied": "access_denied",
}


_EXPECTED = (TransientError, google.GoogleAPIError, GoogleAuthError, OSError)


def is_unexpected(error: Exception) -> bool:
    """Neither ours, nor Google's, nor the network's: a fault in the code, which a person should see."""
    return not isinstance(error, _EXPECTED)


def google_reason(error: BaseException) -> str:
    """The `reason` word of Google's first structured error, or an empty string."""
    errors = getattr(error, "errors", None) or []
    return str(errors[0].get("reason", "")) if errors and isinstance(errors[0], dict) else ""


def classify(error: Exception) -> PermanentError | TransientError:
    """The kind of any error. Judged by Google's reason word and message, not by class alone.

    Unknown errors are transient: retried, then dead-lettered by Pub/Sub.
    """
    if isinstance(error, (PermanentError, TransientError)):
        return error
    text = str(error)
    reason = google_reason(error)
    if any(conflict in text.lower() for conflict in _CONFLICTS):
        return TransientError(text)
    if isinstance(error, google.NotFound) and re.search(r"not found: job\b", text, re.IGNORECASE):
        # Nobody configures a job: one that is not known is started again by the next delivery.
        return TransientError(text)
    if reason in _PERMANENT_REASONS:
        return PermanentError(_PERMANENT_REASONS[reason], text)
    if isinstance(error, google.Forbidden) and reason in ("", "forbidden"):
        return PermanentError("access_denied", text)
    if isinstance(error, google.NotFound):
        return PermanentError("not_found", text)
    return TransientError(f"{type(error).__name__}: {text}")
