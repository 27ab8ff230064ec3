"""A rival, running in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.topology import ROOT
from localcloud.environment import clean
from tests.programs.bench.memory import peak_mb

RIVALS = ("duckdb_alone", "pandas_function", "dlt")


class RivalFailed(Exception):
    """It ended without an answer; what it said is in the message."""


class Rival:
    """Its process, asked a line at a time."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process, self._log = process, log

    def ask(self, action: str, **arguments: Any) -> Any:
        """The answer, once there is one."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": action, **arguments}) + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RivalFailed("\n".join(self._log.read_text().splitlines()[-10:]))
        return json.loads(line)

    def peak_mb(self) -> float:
        return peak_mb(self._process.pid)


@contextmanager
def rival(name: str, folder: Path) -> Iterator[Rival]:
    """Run one; it has imported what it needs. It reaches the local cloud that this process's environment points to."""
    log = folder / f"{name}.log"
    pointers = {key: os.environ[key] for key in os.environ if key.endswith("_EMULATOR_HOST")}
    variables = {**clean(), **pointers, "GOOGLE_CLOUD_PROJECT": "local", "PYTHONPATH": str(ROOT)}
    command = [str(python_of(name)), "-m", f"tests.programs.bench.rivals.{name}.merge"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, text=True
        )
    with process:
        try:
            one = Rival(process, log)
            assert one.answer() == "ready"
            yield one
        finally:
            process.kill()


def python_of(name: str) -> Path:
    return ROOT / f".venv-bench-{name}" / "bin" / "python"


def are_installed() -> bool:
    return all(python_of(name).exists() for name in RIVALS)
