"""How a command ends: its exit code, and errors in words. docs/runbook.md has the codes for those who script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.operations.no_answer import PUBSUB, NoAnswer
from localcloud.errors import CloudError
from services.shared.errors import PermanentError, TransientError

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
CODES: dict[int, str] = {
    DONE: "Done, or there was nothing to do.",
    FAILED: "Not done, or not so: Google or the local cloud answered with an error, `wait` timed out, `status "
    "--check` found what needs somebody, `feeds check` a fault, `feeds test` or `preview` a rejected row, file or "
    "case, `explain` knows nothing, dead letters were replayed too often, the answer to a question was no.",
    USAGE: "The command line makes no sense, names a feed or a dead letter that is not there, or lacks `--yes` where "
    "there is no terminal to ask at. Nothing was done.",
    INTERRUPTED: "Interrupted by Ctrl-C. Run it again: what was done is not done twice.",
}


def abort(text: object) -> NoReturn:
    """It could not be done, or is not so."""
    typer.echo(str(text), err=True)
    raise typer.Exit(FAILED)


def usage_error(text: object) -> NoReturn:
    """What was typed cannot be meant."""
    typer.echo(f"Error: {text}", err=True)
    raise typer.Exit(USAGE)


@contextmanager
def report_errors() -> Iterator[None]:
    """Google's errors, a part that does not answer, and bad contracts, as some lines and exit code 1."""
    try:
        yield
    except UsageError as error:
        usage_error(error)
    except Exception as error:
        words = describe_error(error)
        if words is None:
            raise
        abort(words)


def describe_error(error: Exception) -> str | None:
    """What to tell the person at the terminal; None for a fault in the code."""
    if isinstance(error, (NoAnswer, CloudError, NotDone)):
        return str(error)
    if isinstance(error, (PermanentError, TransientError)):
        return describe_error(error.__cause__) if isinstance(error.__cause__, Exception) else str(error)
    if isinstance(error, (typer.Exit, typer.Abort, TyperException)):
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
        # Of all that commands talk to, only Pub/Sub is spoken to in gRPC.
        return str(NoAnswer(PUBSUB, str(error.message)))
    if isinstance(error, exceptions.Forbidden):
        return f"{error}\nThe account that runs this command lacks that permission."
    if isinstance(error, (exceptions.GoogleAPIError, ContractError)):
        return str(error)
    if isinstance(error, GoogleAuthError):
        return f"{error}\nLog in with `gcloud auth application-default login`."
    if isinstance(error, (ConnectionError, RequestException)):
        return f"{error}\nIs the local cloud up? `dropmerge up` starts what is missing."
    return None
