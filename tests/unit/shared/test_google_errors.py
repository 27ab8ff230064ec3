"""Google's errors, read once: by reason word and message."""

import pytest
from google.api_core import exceptions as google

from services.shared.errors import PermanentError, TransientError
from services.shared.google_errors import classify


def _error(kind: type[google.GoogleAPICallError], reason: str, text: str = "words") -> google.GoogleAPICallError:
    return kind(text, errors=[{"reason": reason, "message": text}])


@pytest.mark.parametrize(
    ("kind", "reason", "text"),
    [
        (google.ServiceUnavailable, "backendError", ""),
        (google.TooManyRequests, "jobRateLimitExceeded", ""),
        (google.Forbidden, "rateLimitExceeded", ""),
        (google.Forbidden, "quotaExceeded", ""),
        (google.NotFound, "notFound", "404 GET https://…: Not found: Job p:EU.dropmerge-load-1"),
        (google.BadRequest, "invalidQuery", "Could not serialize access to table t due to concurrent update"),
        (google.BadRequest, "invalidQuery", "Transaction is aborted due to concurrent update against table t"),
        (google.BadRequest, "invalidQuery", "Too many DML statements outstanding against table t"),
    ],
)
def test_what_may_pass_is_transient(kind: type[google.GoogleAPICallError], reason: str, text: str) -> None:
    """Also conflicts, which BigQuery reports like syntax errors."""
    assert isinstance(classify(_error(kind, reason, text)), TransientError)


@pytest.mark.parametrize(
    ("kind", "reason", "ours"),
    [
        (google.BadRequest, "invalid", "refused_by_warehouse"),
        (google.BadRequest, "invalidQuery", "refused_by_warehouse"),
        (google.Forbidden, "accessDenied", "access_denied"),
        (google.NotFound, "notFound", "not_found"),
        (google.BadRequest, "resourcesExceeded", "refused_by_warehouse"),
    ],
)
def test_what_stays_is_permanent(kind: type[google.GoogleAPICallError], reason: str, ours: str) -> None:
    """With our reason and Google's words."""
    found = classify(_error(kind, reason))
    assert isinstance(found, PermanentError)
    assert (found.reason, "words" in found.detail) == (ours, True)


def test_the_unknown_is_transient() -> None:
    """Retried, then dead-lettered by Pub/Sub."""
    assert isinstance(classify(ConnectionResetError("reset")), TransientError)
    assert isinstance(classify(KeyError("a bug")), TransientError)
