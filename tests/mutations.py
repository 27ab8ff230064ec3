"""Each guarantee broken on purpose, in a copy of the project, and the named test that must fail for it.

`python -m tests.mutations` runs them all, `python -m tests.mutations NAME…` some; exits 1 if a mutation survives.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.environment import ROOT


@dataclass(frozen=True)
class Mutation:
    name: str
    guarantee: str
    file: str
    old: str
    new: str
    test: str
    """A pytest node id."""


_MERGE = "services/merge/merge.sql"
_ORDER = "tests/truth/test_histories.py::test_the_order_of_rows"

MUTATIONS = [
    Mutation(
        "no-version-guard", "G1", _MERGE, "WHEN MATCHED AND {{ beats(order) }} THEN", "WHEN MATCHED THEN", _ORDER
    ),
    Mutation("no-tie-break", "G1", _MERGE, "'_generation', '_deleted'] +", "'_deleted'] +", _ORDER),
    Mutation(
        "swallowed-error",
        "G2",
        "services/shared/settle.py",
        'return "try again", 503',
        "return ACK",
        "tests/faults/test_transient_faults.py",
    ),
    Mutation(
        "publish-before-work",
        "G2",
        "services/ingest/stage_file.py",
        "        if self.warehouse.exists(self._tables(load).staging):",
        "        self.bus.publish(self.settings.staged_topic, Staged(load).encode(), {})\n"
        "        if self.warehouse.exists(self._tables(load).staging):",
        "tests/faults/test_transient_faults.py",
    ),
    Mutation(
        "hard-delete",
        "G3",
        _MERGE,
        "WHEN NOT MATCHED THEN",
        "WHEN NOT MATCHED AND NOT s._deleted THEN",
        "tests/guarantees/test_g3_deleted_stays_deleted.py",
    ),
    Mutation(
        "whole-file-in-memory",
        "G4",
        "services/ingest/stage_file.py",
        "_stored(blob, min(HEAD_BYTES, size))",
        "_stored(blob, size)",
        "tests/faults/test_g4_bytes_read.py",
    ),
    Mutation(
        "no-lock",
        "G5",
        _MERGE,
        "UPDATE {{ locks | identifier }} SET merges = merges + 1 WHERE feed = {{ feed.feed | literal }};",
        "",
        "tests/guarantees/test_g5_group_commit.py",
    ),
    Mutation(
        "one-load-a-merge",
        "G5",
        "services/merge/merge_loads.py",
        "MOST_LOADS = 100",
        "MOST_LOADS = 1",
        "tests/guarantees/test_g5_group_commit.py",
    ),
    Mutation(
        "replay-loses-the-original",
        "G6",
        "services/shared/dead_letter.py",
        "return envelope.data, {**original, **named}",
        "return envelope.data, named",
        "tests/guarantees/test_g6_replay.py",
    ),
    Mutation(
        "tolerates-everything",
        "G7",
        "services/shared/feed.py",
        "return bad <= self.at_most",
        "return True",
        "tests/guarantees/test_g2_g7_bad_input.py",
    ),
]


def survives(mutation: Mutation) -> bool:
    """Whether the test passes all the same."""
    with tempfile.TemporaryDirectory(prefix="dropmerge-mutation-") as name:
        copy = Path(name) / "copy"
        ignored = shutil.ignore_patterns(".git", ".venv*", ".*_cache", ".local", "*.egg-info")
        shutil.copytree(ROOT, copy, ignore=ignored)
        file = copy / mutation.file
        text = file.read_text(encoding="utf-8")
        if mutation.old not in text:
            raise ValueError(f"{mutation.name}: {mutation.file} no longer has {mutation.old!r}")
        file.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        words = [sys.executable, "-m", "pytest", "-x", "--tb=no", "-p", "no:cacheprovider", "--timeout=150"]
        done = subprocess.run([*words, mutation.test], cwd=copy, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise ValueError(f"{mutation.name}: pytest could not run {mutation.test}: {done.stdout}{done.stderr}")
        return done.returncode == 0


def main(names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Break what each guarantee stands on, and see its test fail."""
    known = {mutation.name for mutation in MUTATIONS}
    if unknown := set(names or []) - known:
        typer.echo(f"no mutation {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}", err=True)
        raise typer.Exit(2)
    table, survivors = Table("guarantee", "mutation", "test", "caught"), 0
    for mutation in MUTATIONS:
        if names and mutation.name not in names:
            continue
        with Console(stderr=True).status(mutation.name):
            lives = survives(mutation)
        survivors += lives
        Console(stderr=True).print(f"{mutation.name}: {'SURVIVES' if lives else 'caught'}")
        table.add_row(mutation.guarantee, mutation.name, mutation.test, "no" if lives else "yes")
    Console().print(table)
    raise typer.Exit(1 if survivors else 0)


if __name__ == "__main__":
    typer.run(main)
