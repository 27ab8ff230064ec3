"""How a command ends: its exit code, and errors in words. docs/runbook.md has the codes for those who script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from dropmerge.operations.describe_error import describe_error
from dropmerge.operations.errors import UsageError
from localcloud.errors import CloudError

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
    except CloudError as error:
        abort(error)
    except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
        # Of a pipe, such as `| head`, that is closed; the network's are the client libraries' own errors.
        raise
    except Exception as error:
        words = describe_error(error)
        if words is None:
            raise
        abort(words)
