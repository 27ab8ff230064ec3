"""Google's errors, read in one place and turned into ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from services.shared.contract.sizes import as_bytes
from services.shared.errors import NotFoundError, PermanentError, TransientError
from services.shared.without_values import without_values

_CONFLICTS = (
    # BigQuery reports conflicts as 400 invalidQuery, like a syntax error: only the text says which it is.
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
    "accessNotConfigured": "access_denied",
    "billingNotEnabled": "access_denied",
    "vpcServiceControls": "access_denied",
}
_OVER_LIMIT = re.compile(r"limit for bytes billed: (\d+)\. (\d+) or higher required")
"""What BigQuery says of a job that it does not run, as its bytes billed would be more than the job allows. The client
makes a status of 500 of it, as of an error that passes."""

_OF_NO_ROW = (exceptions.NotFound, exceptions.Forbidden, exceptions.Unauthorized, exceptions.TooManyRequests)
"""They name resources, permissions and limits."""
_EXPECTED = (TransientError, exceptions.GoogleAPIError, GoogleAuthError, OSError)


def is_unexpected(error: Exception) -> bool:
    """Neither ours, nor Google's, nor the network's: a fault in the code, which a person should see."""
    return not isinstance(error, _EXPECTED)


@contextmanager
def translated() -> Iterator[None]:
    """Raises ours in place of Google's and the network's errors, as `classify` reads them; others pass as they are."""
    try:
        yield
    except (exceptions.GoogleAPIError, GoogleAuthError, OSError) as error:
        raise classify(error) from error


def google_reason(error: BaseException) -> str:
    """The `reason` word of Google's first structured error, or an empty string."""
    errors = getattr(error, "errors", None) or []
    return str(errors[0].get("reason", "")) if errors and isinstance(errors[0], dict) else ""


def classify(error: Exception) -> PermanentError | TransientError:
    """The kind of any error. Judged by Google's reason word and message, not by class alone.

    Its text has no value of a row. Unknown errors are transient: retried, then dead-lettered by Pub/Sub.
    """
    if isinstance(error, (PermanentError, TransientError)):
        return error
    text = _text(error)
    reason = google_reason(error)
    if any(conflict in str(error).lower() for conflict in _CONFLICTS):
        return TransientError(text)
    if isinstance(error, exceptions.NotFound) and re.search(r"not found: job\b", str(error), re.IGNORECASE):
        # Nobody configures a job: one that is not known is started again by the next delivery.
        return TransientError(text)
    if (over := _OVER_LIMIT.search(str(error))) or reason == "bytesBilledLimitExceeded":
        return PermanentError("too_expensive", _over_limit(over, text))
    if reason in _PERMANENT_REASONS:
        # A script's statement reports a missing table as a bad query.
        is_missing = isinstance(error, exceptions.NotFound) or "not found: table" in str(error).lower()
        return (NotFoundError if is_missing else PermanentError)(_PERMANENT_REASONS[reason], text)
    if isinstance(error, exceptions.Forbidden) and reason in ("", "forbidden"):
        return PermanentError("access_denied", text)
    if isinstance(error, exceptions.NotFound):
        return NotFoundError("not_found", text)
    return TransientError(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _over_limit(over: re.Match[str] | None, text: str) -> str:
    if over is None:
        return text
    limit, needed = map(int, over.groups())
    return (
        f"BigQuery would bill {as_bytes(needed)} for the statement, by its estimate, and the contract allows "
        f"{as_bytes(limit)} (max_bytes_billed): it was not run, and nothing was billed"
    )


def _text(error: Exception) -> str:
    """Without values; of a fault in our code nothing, since its text may have one and the stack says where it was."""
    if is_unexpected(error):
        return ""
    if isinstance(error, _OF_NO_ROW) or not isinstance(error, exceptions.GoogleAPIError):
        return str(error)
    return without_values(str(error))
