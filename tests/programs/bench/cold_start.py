"""A function's start, as the local cloud starts it, until its server answers the first request."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy import topology
from deploy.topology import ROOT, SERVICES
from localcloud import parts, processes, ready
from localcloud.environment import clean
from localcloud.ports import choose
from tests.programs.bench.figures import Figure, Found, found
from tests.programs.bench.options import Options

_SECONDS = 1.5


def measure(options: Options) -> Found:
    """The function's module is imported by then, with its contracts read; no other part runs."""
    return found(
        Figure("start to first answer", name, "s", [_start(name) for _ in range(options.times)], at_most=_SECONDS)
        for name in SERVICES
    )


def _start(name: str) -> float:
    with TemporaryDirectory(prefix="dropmerge-bench-") as folder:
        ports = choose(0)
        plan = parts.Plan(
            Path(folder), ports, ROOT / "deploy" / "feeds", ROOT / "services", f"127.0.0.1:{ports['bus']}"
        )
        part = parts.build(plan, topology.read())[name]
        (plan.state / "run" / name).mkdir(parents=True)
        started = time.monotonic()
        process = processes.start(part.command, {**clean(), **part.variables}, plan.state / f"{name}.log")
        try:
            while not ready.answers(part.probe, "127.0.0.1", part.port):
                assert processes.alive(process), (plan.state / f"{name}.log").read_text()
                time.sleep(0.005)
            return time.monotonic() - started
        finally:
            processes.end([process])
