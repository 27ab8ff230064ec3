"""A terminal, and a person at it: types a command, waits for words, answers, or closes the window."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import termios
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pexpect
import psutil
from pexpect.fdpexpect import fdspawn

from deploy.topology import ROOT

PATIENCE = 200
CTRL_C, CTRL_D = "\x03", "\x04"
_MARK = "TYPED_IN_TERMINAL"


# A session of its own, whose controlling terminal is this one. Not pexpect.spawn, nor a preexec_fn: a fork of a
# process in which gRPC has threads may hang or die before it comes to its command.
_OPEN = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


class Screen:
    """One command, running in a terminal of its own."""

    def __init__(
        self, line: list[str], folder: Path, environment: Mapping[str, str], size: tuple[int, int] = (30, 100)
    ) -> None:
        self._fd, theirs = os.openpty()
        termios.tcsetwinsize(theirs, size)
        self.process = subprocess.Popen(
            [sys.executable, "-IS", "-c", _OPEN, *line],
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self._is_open = True
        self._log = io.StringIO()
        self._reader = fdspawn(self._fd, timeout=PATIENCE, encoding="utf-8", codec_errors="replace")
        self._reader.logfile_read = self._log

    @property
    def text(self) -> str:
        """Everything shown so far, codes included."""
        return self._log.getvalue()

    def see(self, words: str) -> None:
        """Wait until these words are shown."""
        try:
            self._reader.expect_exact(words)
        except (pexpect.EOF, pexpect.TIMEOUT) as error:
            raise AssertionError(f"no {words!r} ({type(error).__name__}); the screen:\n{self.text}") from None

    def type(self, keys: str) -> None:
        self._reader.send(keys)

    def hang_up(self) -> None:
        """Close the window: the command's group gets SIGHUP, and a process that writes gets an error."""
        if self._is_open:
            os.close(self._fd)
            self._is_open = False

    def ends(self, code: int) -> str:
        """Wait for the end, with this exit code and no traceback; returns the text that was shown."""
        if self._is_open:
            self.see_end()
        found = self.process.wait(timeout=PATIENCE)
        assert found == code, f"exit code {found}; the screen:\n{self.text}"
        assert "Traceback" not in self.text, self.text
        return self.text

    def see_end(self) -> None:
        """Wait until no process has the terminal open."""
        try:
            self._reader.expect(pexpect.EOF)
        except pexpect.TIMEOUT:
            raise AssertionError(f"it goes on and on; the screen:\n{self.text}") from None

    def leave(self) -> None:
        """Kill the command if it still runs, and close the window."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.hang_up()


@dataclass(frozen=True)
class Terminal:
    """Opens windows whose commands, and what these start, can be told from all others."""

    folder: Path
    more: Mapping[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    size: tuple[int, int] = (30, 100)
    """Lines and columns."""

    @property
    def environment(self) -> dict[str, str]:
        stripped = ("DROPMERGE_", "PUBSUB_", "STORAGE_", "BIGQUERY_", "GOOGLE_CLOUD_", "COLUMNS", "LINES")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(stripped)}
        own = {
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm",
            "DROPMERGE_STATE": str(self.folder / "state"),
            "TMPDIR": str(self.folder),
            _MARK: self.mark,
        }
        return {**kept, **own, **self.more}

    def dropmerge(self, *words: object) -> list[str]:
        """The command line of `dropmerge` with these words."""
        return [sys.executable, "-m", "dropmerge", *map(str, words)]

    @contextmanager
    def opens(self, line: list[str]) -> Iterator[Screen]:
        screen = Screen(line, self.folder, self.environment, self.size)
        try:
            yield screen
        finally:
            screen.leave()

    def types(self, *words: object) -> AbstractContextManager[Screen]:
        """`dropmerge …`"""
        return self.opens(self.dropmerge(*words))

    def processes(self) -> list[psutil.Process]:
        """The processes that were started here and still run."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(_MARK) == self.mark
        except psutil.Error:
            return False

    def is_left_alone(self) -> None:
        """Wait until every process that was started here has ended."""
        deadline = time.monotonic() + PATIENCE
        while left := self.processes():
            assert time.monotonic() < deadline, f"left behind: {[one.cmdline() for one in left]}"
            time.sleep(0.1)

    def kill_all(self) -> None:
        for process in self.processes():
            process.kill()
