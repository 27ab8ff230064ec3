"""The two kinds of failure, the reasons a person is shown, and the one reading of Google's errors."""

from __future__ import annotations

import re

from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError

REASONS: dict[str, str] = {
    "malformed_message": "The message is not a notification or staged message that can be read.",
    "no_feed": "The object lies under the landing prefix and no feed's pattern matches it.",
    "unknown_feed": "The message names a feed that this deployment has no contract for.",
    "empty_file": "The object has zero bytes: not even a header.",
    "wrong_format": "The bytes are not the format that the feed declares.",
    "wrong_encoding": "The bytes are not text in the encoding that the feed declares.",
    "wrong_header": "The header's names are not the contract's columns.",
    "malformed_file": "The file breaks the rules of its format, so its records cannot be told apart.",
    "too_many_bad_rows": "More rows failed their checks than the feed tolerates.",
    "staging_missing": "The staging table is gone and the load was never merged.",
    "not_found": "Something that must exist (dataset, bucket, table) does not.",
    "access_denied": "The service's identity lacks a permission.",
    "refused_by_warehouse": "BigQuery refused the statement for a reason that repeating cannot mend.",
    "delivery_attempts_exhausted": "Pub/Sub gave up after the maximum number of delivery attempts.",
}

ROW_REASONS: dict[str, str] = {
    "missing_value": "A key, the version, or another required column is empty.",
    "not_utf8": "The text contains U+FFFD, which BigQuery writes where a byte is not UTF-8.",
    "not_an_integer": "The text is not [+-]digits, or does not fit in 64 bits.",
    "not_a_number": "The text is not in plain decimal notation.",
    "too_many_decimals": "More than 9 decimals remain after trailing zeros.",
    "number_out_of_range": "The number does not fit in the column's type.",
    "not_a_timestamp": "The text is not an RFC 3339 timestamp with an offset, or names no real instant.",
    "not_a_date": "The text is not YYYY-MM-DD, or names no real day.",
    "not_a_boolean": "The text is neither true nor false.",
    "version_in_the_future": "The version is more than 24 h after the object's creation.",
    "check_failed": "The column's check in the contract is false for the row.",
}


class Permanent(Exception):
    """Repeating cannot help: the message becomes a dead letter with this reason."""

    def __init__(self, reason: str, detail: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason!r} is not a listed reason")
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Transient(Exception):
    """Repeating may help: the message is not acknowledged, and Pub/Sub delivers it again."""


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


_FORESEEN = (Transient, google.GoogleAPIError, GoogleAuthError, OSError)


def is_crash(error: Exception) -> bool:
    """Neither ours, nor Google's, nor the network's: a fault in the code, which a person should see."""
    return not isinstance(error, _FORESEEN)


def google_reason(error: BaseException) -> str:
    """The `reason` word of Google's first structured error, or an empty string."""
    errors = getattr(error, "errors", None) or []
    return str(errors[0].get("reason", "")) if errors and isinstance(errors[0], dict) else ""


def classify(error: Exception) -> Permanent | Transient:
    """The kind of any error. Judged by Google's reason word and message, not by class alone.

    Unknown errors are transient: retried, then dead-lettered by Pub/Sub.
    """
    if isinstance(error, (Permanent, Transient)):
        return error
    text = str(error)
    reason = google_reason(error)
    if any(conflict in text.lower() for conflict in _CONFLICTS):
        return Transient(text)
    if isinstance(error, google.NotFound) and re.search(r"not found: job\b", text, re.IGNORECASE):
        # Nobody configures a job: one that is not known is started again by the next delivery.
        return Transient(text)
    if reason in _PERMANENT_REASONS:
        return Permanent(_PERMANENT_REASONS[reason], text)
    if isinstance(error, google.Forbidden) and reason in ("", "forbidden"):
        return Permanent("access_denied", text)
    if isinstance(error, google.NotFound):
        return Permanent("not_found", text)
    return Transient(f"{type(error).__name__}: {text}")
