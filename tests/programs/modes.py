"""Random histories of feeds of every mode, held against the oracle: `python -m tests.programs.modes`.

G1, G3, G5. A local cloud of its own; both services run within this process.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Annotated

import structlog
import typer

from tests.harness.changes.world import World
from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.histories.seeded import for_each
from tests.harness.modes.history import MODES, Counts, History, histories, run

_EVERY = 10


def main(
    examples: Annotated[int, typer.Option("--histories", min=1, metavar="N")] = 500,
    mode: Annotated[str, typer.Option("--mode", help="This one alone.")] = "",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another number gives other histories.")] = 1,
) -> None:
    """Run so many random histories of each mode. Prints each mismatch at once; exits 1 if there is one."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    counts, mismatches, chosen = Counts(), 0, [mode] if mode else MODES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder, write_feeds(folder / "feeds")) as pipeline:
            world = World(pipeline)

            def one(history: History) -> None:
                nonlocal mismatches
                try:
                    run(world, history, counts)
                except Exception as error:
                    mismatches += 1
                    typer.echo(f"{error!r}\n{history}")
                if counts.histories.total() % _EVERY == 0:
                    typer.echo(f"{dict(counts.histories)}, {mismatches} mismatches")

            for mode in chosen:
                for_each(histories(mode), seed, examples, one)
    typer.echo(f"{dict(counts.histories)}; ends: {dict(counts.ends)}; {mismatches} mismatches")
    raise typer.Exit(1 if mismatches else 0)


if __name__ == "__main__":
    typer.run(main)
