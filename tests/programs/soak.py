"""Fresh random histories, faults and crashes for a while: `python -m tests.programs.soak --minutes 30`.

Prints what was done to the pipeline and how often its tables differed from the oracle's. Exits 1 at a difference.
"""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.harness import subscription
from tests.harness.faults.calls import Fault, at
from tests.harness.faults.cloud import Faulty, faulty_cloud
from tests.harness.faults.kinds import ANYWHERE, AT_JOBS, AT_MERGE
from tests.harness.histories import runner
from tests.harness.histories.feeds import write_feeds
from tests.harness.histories.histories import run_random
from tests.harness.histories.runner import Counts

_HISTORIES = 3
"""In a row, with one lot of faults armed."""
_STEPS = {
    "ingest": ("head", "pin", "load", "check", "stage", "publish", "drop"),
    "merge": ("list", "ledger", "merge", "drop"),
}

_PARTS = ("ingest", "merge", "warehouse", "bus", "bucket")
_A_KILL = 0.01
"""Chance in each fifth of a second."""


def _arm(faulty: Faulty, chance: random.Random) -> None:
    """Some faults, at most one of them slow, and now and then a crash."""
    steps = [step for some in _STEPS.values() for step in some] + ["answer"]
    quick = [fault for fault in ANYWHERE if not fault.slow]
    for _ in range(chance.randrange(8)):
        faulty.script.arm(chance.choice(quick), at(chance.choice([*steps, "journal"])))
    for _ in range(chance.randrange(4)):
        faulty.script.arm(chance.choice(AT_JOBS), at(chance.choice(["load", "check", "stage", "ledger", "merge"])))
    if chance.random() < 0.5:
        faulty.script.arm(chance.choice(AT_MERGE), at("merge"))
    if chance.random() < 0.2:
        slow = next(fault for fault in ANYWHERE if fault.slow)
        faulty.script.arm(slow, at(chance.choice(["load", "check", "merge", "answer"])))
    if chance.random() < 0.5:
        service = chance.choice(list(_STEPS))
        part = chance.choice([service, service, "warehouse"])
        crash = Fault(f"{part} killed", lose_answer=chance.random() < 0.5, act=lambda: faulty.kill(part))
        faulty.script.arm(crash, at(chance.choice(_STEPS[service])))


class _Nurse(threading.Thread):
    """Starts again what was killed, and now and then kills a part itself, at no step in particular.

    Never while a history has paused a subscription, which `up` would resume.
    """

    def __init__(self, faulty: Faulty, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._faulty, self._over, self.quiet = faulty, threading.Event(), threading.Lock()
        self._chance = chance

    def run(self) -> None:
        while not self._over.wait(0.2):
            with self.quiet:
                if self._chance.random() < _A_KILL:
                    part = self._chance.choice(_PARTS)
                    self._faulty.kill(part)
                    self._faulty.script.injected[f"{part} killed"] += 1
                if self._faulty.pipeline.cloud.dead():
                    self._faulty.pipeline.cloud.up()

    def leave(self) -> None:
        self._over.set()
        self.join()

    @contextmanager
    def paused(self, *words: object) -> Iterator[None]:
        with self.quiet, _paused(*words):  # type: ignore[arg-type]
            yield


_paused = subscription.paused_subscription


def soak(minutes: float, number: int, progress: Console) -> tuple[Counts, Counter[str]]:
    """Counts of histories and of faults by name."""
    chance, total = random.Random(number), Counts()
    folder = Path(tempfile.mkdtemp(prefix="dropmerge-soak-"))
    with faulty_cloud(folder, write_feeds(folder / "feeds")) as faulty:
        nurse = _Nurse(faulty, random.Random(number))
        runner.paused_subscription = nurse.paused  # type: ignore[attr-defined, assignment]
        nurse.start()
        deadline = time.monotonic() + minutes * 60
        try:
            while time.monotonic() < deadline:
                _arm(faulty, chance)
                _add(total, run_random(faulty.pipeline, chance.randrange(2**32), _HISTORIES))
                progress.print(
                    f"{total.histories} histories, {total.files} files, {faulty.script.injected.total()} faults, "
                    f"{len(total.mismatches)} mismatches"
                )
        finally:
            runner.paused_subscription = _paused  # type: ignore[attr-defined]
            nurse.leave()
        return total, faulty.script.injected


def _add(total: Counts, some: Counts) -> None:
    total.histories += some.histories
    total.files += some.files
    total.deliveries += some.deliveries
    total.ends.update(some.ends)
    total.mismatches += some.mismatches


def main(
    minutes: Annotated[float, typer.Option(min=0)] = 30.0,
    seed: Annotated[int | None, typer.Option(help="Decides histories and faults, though not their timing.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Run random histories with faults and crashes, and compare each with the oracle."""
    number = random.randrange(2**32) if seed is None else seed
    total, injected = soak(minutes, number, Console(stderr=True))
    figures = {
        "seed": number,
        "minutes": minutes,
        "histories": total.histories + len(total.mismatches),
        "files": total.files,
        "deliveries": total.deliveries,
        **{f"ended: {end}": n for end, n in sorted(total.ends.items())},
        **{f"fault: {name}": n for name, n in sorted(injected.items())},
        "mismatches": len(total.mismatches),
    }
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        table = Table("what", "how many")
        for name, value in figures.items():
            table.add_row(name, str(value))
        Console().print(table)
    for text in total.mismatches:
        typer.echo(text, err=True)
    if total.mismatches:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
