"""The command line as a test types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner, Result

from deploy.topology import ROOT
from dropmerge.cli.main import app

if TYPE_CHECKING:
    from tests.harness.pipeline import Pipeline


@dataclass(frozen=True)
class Commands:
    """`dropmerge …` as typed, though within this process: starting one takes longer than most commands."""

    variables: Mapping[str, str]

    @classmethod
    def of(cls, pipeline: Pipeline) -> Commands:
        """With its state and contracts, on a wide terminal."""
        feeds = pipeline.connection.feeds_folder
        return cls({"DROPMERGE_STATE": str(pipeline.cloud.state), "DROPMERGE_FEEDS": str(feeds), "COLUMNS": "200"})

    def run(self, *words: object, code: int = 0) -> Result:
        """Run the command and check its exit code; the result's `stdout` and `stderr` are text."""
        done = CliRunner().invoke(app, [str(word) for word in words], env=self.variables)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, f"{words}: exit code {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: object, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", code=code).stdout)

    @contextmanager
    def start(self, *words: object, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """Start the command in a process of its own, which a test may talk to, or kill."""
        line = [sys.executable, "-m", "dropmerge", *map(str, words)]
        environ = {**os.environ, **self.variables, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(line, cwd=ROOT, env=environ, **options) as process:
            try:
                yield process
            finally:
                process.kill()


def completed(typed: str, **more: str) -> list[str]:
    """What the shell offers for the last word."""
    done = complete(typed, "from dropmerge.__main__ import app; app(prog_name='dropmerge')", **more)
    assert "Traceback" not in done.stderr
    return done.stdout.split()


def complete(typed: str, program: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program as the shell does, which asks it for completions."""
    environ = {
        **os.environ,
        "_DROPMERGE_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
        **more,
    }
    line = [sys.executable, "-c", program]
    return subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
