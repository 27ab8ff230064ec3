"""Samples of the stacks of running processes, taken from outside by py-spy (https://github.com/benfred/py-spy)."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.topology import ROOT
from tests.programs.bench.parts import Samples

PY_SPY = ROOT / ".venv-bench" / "bin" / "py-spy"
_RATE = 200
"""Per second and thread. Threads that the operating system does not run are left out."""
_PAUSE, _PATIENCE = 0.02, 60.0
_ATTACHED = b"Sampling process"
_LINE = re.compile(r"(?P<stack>.+) (?P<count>\d+)")


def sampled(pids: Mapping[str, int], work: Callable[[], None]) -> dict[str, Samples] | None:
    """Does the work, and returns what these processes and their children did meanwhile, by the names of `pids`.

    None where py-spy is not installed, or may not attach to a process (ptrace(2)): the work is done all the same.
    """
    if not PY_SPY.exists():
        work()
        return None
    with TemporaryDirectory(prefix="dropmerge-bench-") as folder:
        spies = {name: _Spy(pid, Path(folder) / f"{name}.stacks") for name, pid in pids.items()}
        try:
            are_attached = [one.is_attached() for one in spies.values()]
            work()
        finally:
            for one in spies.values():
                one.end()
        return {name: one.samples() for name, one in spies.items()} if all(are_attached) else None


class _Spy:
    def __init__(self, pid: int, out: Path) -> None:
        self._out, self._log = out, out.with_suffix(".log")
        # To pause the process for each sample would wake its idle threads, which then seem busy.
        command = [
            str(PY_SPY), "record", "--pid", str(pid), "--subprocesses", "--rate", str(_RATE), "--format", "raw",
            "--full-filenames", "--nolineno", "--nonblocking", "--output", str(out),
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_attached(self) -> bool:
        """Once it is, or has given up."""
        deadline = time.monotonic() + _PATIENCE
        while _ATTACHED not in self._log.read_bytes():
            if self._process.poll() is not None:
                return False
            assert time.monotonic() < deadline, "py-spy neither attaches nor ends"
            time.sleep(_PAUSE)
        return True

    def end(self) -> None:
        """It writes what it has."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_PATIENCE)
        finally:
            self._process.kill()

    def samples(self) -> Samples:
        """None are written of a process that was never busy."""
        counts: Counter[str] = Counter()
        for line in self._out.read_text(encoding="utf-8").splitlines() if self._out.exists() else ():
            if found := _LINE.fullmatch(line):
                counts[found["stack"]] += int(found["count"])
        return counts
