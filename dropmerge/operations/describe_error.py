"""Errors that are no bugs, in words: Google's, a part that does not answer, bad contracts."""

from __future__ import annotations

from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.operations.no_answer import PUBSUB, NoAnswer
from services.shared.errors import PermanentError, TransientError


def describe_error(error: Exception) -> str | None:
    """What a person reads of it; None for a bug."""
    if isinstance(error, (NoAnswer, NotDone, UsageError)):
        return str(error)
    if isinstance(error, (PermanentError, TransientError)):
        return describe_error(error.__cause__) if isinstance(error.__cause__, Exception) else str(error)
    if isinstance(error, BrokenPipeError):
        # Of what is written to, such as a terminal; the network's are the client libraries' own errors.
        return None
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError
    from requests import RequestException

    from services.shared.contract.reader import ContractError

    if isinstance(error, exceptions.RetryError) and isinstance(error.cause, Exception):
        return describe_error(error.cause)
    if (
        isinstance(error, (exceptions.ServiceUnavailable, exceptions.DeadlineExceeded))
        and error.grpc_status_code is not None
    ):
        # Of all that is talked to, only Pub/Sub is spoken to in gRPC.
        return str(NoAnswer(PUBSUB, str(error.message)))
    if isinstance(error, exceptions.Forbidden):
        return f"{error}\nThe account that asked lacks that permission."
    if isinstance(error, (exceptions.GoogleAPIError, ContractError)):
        return str(error)
    if isinstance(error, GoogleAuthError):
        return f"{error}\nLog in with `gcloud auth application-default login`."
    if isinstance(error, (ConnectionError, RequestException)):
        return f"{error}\nIs the local cloud running? `dropmerge up` starts whatever is not."
    return None
