"""Google's errors are classified once, by reason word and message."""

import pytest
from google.api_core import exceptions

from services.shared.errors import NotFoundError, PermanentError, TransientError
from services.shared.google_errors import classify, translated

_Google = exceptions.GoogleAPICallError


def _error(kind: type[_Google], reason: str, text: str = "words") -> _Google:
    return kind(text, errors=[{"reason": reason, "message": text}])


@pytest.mark.parametrize(
    ("kind", "reason", "text"),
    [
        (exceptions.ServiceUnavailable, "backendError", ""),
        (exceptions.TooManyRequests, "jobRateLimitExceeded", ""),
        (exceptions.Forbidden, "rateLimitExceeded", ""),
        (exceptions.Forbidden, "quotaExceeded", ""),
        (exceptions.NotFound, "notFound", "404 GET https://…: Not found: Job p:EU.dropmerge-load-1"),
        (exceptions.BadRequest, "invalidQuery", "Could not serialize access to table t due to concurrent update"),
        (exceptions.BadRequest, "invalidQuery", "Transaction is aborted due to concurrent update against table t"),
        (exceptions.BadRequest, "invalidQuery", "Too many DML statements outstanding against table t"),
    ],
)
def test_what_may_pass_is_transient(kind: type[_Google], reason: str, text: str) -> None:
    """Conflicts are transient too, though BigQuery reports them like syntax errors."""
    assert isinstance(classify(_error(kind, reason, text)), TransientError)


def test_a_job_over_its_bound_is_permanent_and_says_both_figures() -> None:
    """BigQuery's client makes a 500 of it, as of errors that pass; the wording of the error is BigQuery's."""
    text = "Query exceeded limit for bytes billed: 1048576. 10485760 or higher required."
    found = classify(_error(exceptions.InternalServerError, "bytesBilledLimitExceeded", text))
    assert isinstance(found, PermanentError)
    assert found.reason == "too_expensive"
    assert "would bill 10485760 bytes (10.0 MiB)" in found.detail
    assert "allows 1048576 bytes (1.0 MiB)" in found.detail
    # By the text alone, and by the reason alone.
    other = [
        classify(_error(exceptions.BadRequest, "invalidQuery", text)),
        classify(_error(exceptions.InternalServerError, "bytesBilledLimitExceeded", "The budget is used up.")),
    ]
    assert [one.reason for one in other if isinstance(one, PermanentError)] == ["too_expensive"] * 2


@pytest.mark.parametrize(
    ("kind", "reason", "ours"),
    [
        (exceptions.BadRequest, "invalid", "refused_by_warehouse"),
        (exceptions.BadRequest, "invalidQuery", "refused_by_warehouse"),
        (exceptions.Forbidden, "accessDenied", "access_denied"),
        (exceptions.Forbidden, "accessNotConfigured", "access_denied"),
        (exceptions.Forbidden, "billingNotEnabled", "access_denied"),
        (exceptions.Forbidden, "vpcServiceControls", "access_denied"),
        (exceptions.NotFound, "notFound", "not_found"),
        (exceptions.BadRequest, "resourcesExceeded", "refused_by_warehouse"),
    ],
)
def test_what_stays_is_permanent(kind: type[_Google], reason: str, ours: str) -> None:
    """The error has our reason and Google's words."""
    found = classify(_error(kind, reason))
    assert isinstance(found, PermanentError)
    assert (found.reason, "words" in found.detail) == (ours, True)


def test_the_unknown_is_transient() -> None:
    """The message is retried, and dead-lettered by Pub/Sub in the end."""
    assert isinstance(classify(ConnectionResetError("reset")), TransientError)
    assert isinstance(classify(KeyError("a bug")), TransientError)


@pytest.mark.parametrize(
    ("kind", "reason", "text"),
    [
        (exceptions.NotFound, "notFound", "Not found: Table p:d.t was not found in location US"),
        (exceptions.NotFound, "", "404 GET https://…: No such object"),
        (exceptions.BadRequest, "invalidQuery", "Query error: Not found: Table p:d.t at [1:1]"),
    ],
)
def test_what_is_missing_can_be_told_from_what_is_refused(kind: type[_Google], reason: str, text: str) -> None:
    """Also in a script, of which BigQuery says that the query is bad."""
    assert isinstance(classify(_error(kind, reason, text)), NotFoundError)
    assert not isinstance(classify(_error(exceptions.BadRequest, "invalidQuery")), NotFoundError)


def test_errors_are_translated_once() -> None:
    """Google's and the network's become ours, with the original as the cause; ours and faults in the code pass."""
    original = _error(exceptions.Forbidden, "accessDenied")
    with pytest.raises(PermanentError) as caught, translated(), translated():
        raise original
    assert caught.value.__cause__ is original
    with pytest.raises(TransientError), translated():
        raise ConnectionResetError("reset")
    with pytest.raises(KeyError), translated():
        raise KeyError("a bug")
