"""The local warehouse alone: for a command that needs no more, and ends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import topology
from deploy.topology import ROOT
from localcloud import parts, processes, ready
from localcloud.environment import clean
from localcloud.errors import CloudError, Interrupted
from localcloud.ports import FREE, choose

_PATIENCE = 120.0


@contextmanager
def running_warehouse(folder: Path, is_stopped: Callable[[], bool]) -> Iterator[str]:
    """Its URL, once it answers, on a free port of 127.0.0.1. It keeps its data in `folder`, finds gs://b/o in
    `folder`/bucket/b/o, and is killed at the end.

    A signal must not raise meanwhile: an error between its start and its record would leave it behind. Raises
    CloudError, and Interrupted where `is_stopped` says so.
    """
    ports = choose(FREE)
    plan = parts.Plan(folder, ports, folder, ROOT / "services", f"127.0.0.1:{ports['bus']}")
    part = parts.build(plan, topology.read())["warehouse"]
    log = folder / "warehouse.log"
    (folder / "warehouse").mkdir()
    # What it puts aside of a file goes with the folder, however it ends.
    process = processes.start(part.command, {**clean(), **part.variables, "TMPDIR": str(folder)}, log)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not ready.answers(part.probe, "127.0.0.1", part.port):
            if is_stopped():
                raise Interrupted("interrupted")
            if not processes.alive(process) or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise CloudError(f"the warehouse did not start: {said}")
            time.sleep(0.05)
        yield plan.url("warehouse")
    finally:
        # Nobody will read its data again.
        processes.end([process], patience=0)
