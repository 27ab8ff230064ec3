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
    FAILED: "It failed, or the answer is no: Google or the local cloud answered with an error, `wait` timed out, "
    "a file was not merged (`drop --wait`, `dead-letters replay --wait`, `wait --strict`), `status --check` found "
    "something that needs attention, `feeds check` found an error, `feeds test` or `preview` found a rejected row, "
    "file or case, `explain` found nothing, `doctor` found something wrong, dead letters had been replayed too often "
    "or taken by somebody else, or "
    "the answer to a question was no.",
    USAGE: "The command line is wrong, names a feed or a dead letter that does not exist, or lacks `--yes` where "
    "there is no terminal to ask at. Nothing was done.",
    INTERRUPTED: "Interrupted by Ctrl-C. Run the command again: nothing is done twice.",
}


def abort(text: object) -> NoReturn:
    """It failed, or the answer is no."""
    typer.echo(str(text), err=True)
    raise typer.Exit(FAILED)


def usage_error(text: object) -> NoReturn:
    """The command line is wrong."""
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
    """What the person at the terminal reads; None for a bug."""
    if isinstance(error, (NoAnswer, CloudError, NotDone)):
        return str(error)
    if isinstance(error, (PermanentError, TransientError)):
        return describe_error(error.__cause__) if isinstance(error.__cause__, Exception) else str(error)
    if isinstance(error, (typer.Exit, typer.Abort, TyperException, BrokenPipeError)):
        # Of a pipe, such as `| head`, that is closed; the network's are the client libraries' own errors.
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
        return f"{error}\nIs the local cloud running? `dropmerge up` starts whatever is not."
    return None
