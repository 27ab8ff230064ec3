"""Random histories in which contracts change, held against the oracle: `python -m tests.programs.changes`.

What a contract may say is drawn: its format, how values are written, types, modes, and what changes of it; each file
is written by one of the contracts. G1, G9.
A local cloud of its own; both services run within this process, so that a deployment takes no time.
"""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path
from typing import Annotated

import structlog
import typer

from tests.harness.changes.history import Counts, History, histories, run
from tests.harness.changes.world import World
from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.histories.seeded import for_each

_EVERY = 20


def main(
    examples: Annotated[int, typer.Option("--histories", min=1, metavar="N")] = 2000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another number gives other histories.")] = 1,
) -> None:
    """Run random histories with changes of the contract. Prints each mismatch at once; exits 1 if there is one."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder, write_feeds(folder / "feeds")) as pipeline:
            counts, mismatches = search(World(pipeline), seed, examples)
    typer.echo(
        f"{counts.histories} histories, {counts.files} files, {counts.deployments} deployments, "
        f"{counts.read_anew} times read anew; ends: {dict(counts.ends)}; merged: {dict(counts.formats)}, "
        f"{counts.by_another} by another contract than they were written by; {mismatches} mismatches"
    )
    raise typer.Exit(1 if mismatches else 0)


def search(world: World, number: int, examples: int) -> tuple[Counts, int]:
    """Run so many histories that the seed decides; what they did, and how many of them differed."""
    counts, mismatches, started = Counts(), 0, time.monotonic()

    def one(history: History) -> None:
        nonlocal mismatches
        try:
            run(world, history, counts)
        except Exception as error:
            mismatches += 1
            typer.echo(f"{error!r}\n{history}")
        if counts.histories and counts.histories % _EVERY == 0:
            typer.echo(f"{counts.histories} in {time.monotonic() - started:.0f} s, {mismatches} mismatches")

    for_each(histories(), number, examples, one)
    return counts, mismatches


if __name__ == "__main__":
    typer.run(main)
