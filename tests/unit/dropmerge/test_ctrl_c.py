"""Ctrl-C comes between any two lines of `status --watch`, or of what it waits with."""

import os
import subprocess
import sys

from deploy.topology import ROOT

# A process of its own: what does not end is killed.
_WATCH = """
import signal, sys
from dropmerge.cli import status
from dropmerge.operations.no_answer import BIGQUERY, NoAnswer

status._EVERY_SECONDS = 0.001
status.clear = status.print_trouble = lambda *_: None

class Reader:
    def __init__(self, line):
        self.line = line
    def read(self):
        if not sys.gettrace():
            sys.settrace(self.trace)
            sys._getframe(1).f_trace = self.trace
        raise NoAnswer(BIGQUERY, "no figures here")
    def trace(self, frame, event, _):
        if event == "line":
            self.line -= 1
            if self.line == 0:
                sys.settrace(None)
                print("at", frame.f_code.co_filename, frame.f_lineno, flush=True)
                signal.raise_signal(signal.SIGINT)
        return self.trace

for line in range(1, LINES + 1):
    status._watch(Reader(line))
"""
_LINES = 200


def test_status_watches_until_a_ctrl_c_at_any_line() -> None:
    """No lock that the watching thread holds keeps the handler waiting."""
    done = subprocess.run(
        [sys.executable, "-c", _WATCH.replace("LINES", str(_LINES))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    places = [line for line in done.stdout.splitlines() if line.startswith("at ")]
    assert (done.returncode, len(places)) == (0, _LINES), done.stderr
    assert len(set(places)) > 8, "every line of a round"
