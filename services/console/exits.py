"""How a command ends: its exit code, and errors in words. docs/runbook.md has the codes for those who script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError

from deploy.local.errors import CloudError
from services.shared.feed import BadContract

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
CODES: dict[int, str] = {
    DONE: "Done, or there was nothing to do.",
    FAILED: "Not done, or not so: Google or the local cloud answered with an error, `wait` timed out, `feeds check` "
    "found a fault, `explain` knows nothing, letters were replayed too often, the answer to a question was no.",
    USAGE: "The command line makes no sense, or names a feed or a dead letter that is not there. Nothing was done.",
    INTERRUPTED: "Interrupted by Ctrl-C. Run it again: what was done is not done twice.",
}


def fail(text: object) -> NoReturn:
    """It could not be done, or is not so."""
    typer.echo(str(text), err=True)
    raise typer.Exit(FAILED)


def misused(text: object) -> NoReturn:
    """What was typed cannot be meant."""
    typer.echo(f"Error: {text}", err=True)
    raise typer.Exit(USAGE)


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Google's errors and bad contracts as a line and exit code 1."""
    try:
        yield
    except google.Forbidden as error:
        fail(f"{error}\nThe account that runs this command lacks that permission.")
    except (google.GoogleAPIError, BadContract, CloudError) as error:
        fail(error)
    except GoogleAuthError as error:
        fail(f"{error}\nLog in with `gcloud auth application-default login`.")
    except ConnectionError as error:
        fail(f"{error}\nIs the local cloud up? `dropmerge up` starts what is missing.")
