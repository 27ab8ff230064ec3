"""The time of a screen."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from dropmerge.operations.times import moment


def as_of() -> None:
    """Below the screen, and never in a command's output."""
    typer.echo(f"as of {moment(datetime.now(UTC))}", err=True)
