"""`python -m dropmerge.demo` runs to its end in a terminal, and leaves nothing when it is interrupted."""

import re
import signal
import sys
import time
from collections.abc import Callable

import psutil
import pytest
import requests

from tests.harness.screen import CTRL_C, PATIENCE, Screen, Terminal

DEMO = [sys.executable, "-m", "dropmerge.demo"]


@pytest.mark.slow
def test_the_demo_asks_nothing_shows_its_page_and_ends(terminal: Terminal) -> None:
    """With --keep the page of the console shows its data until Ctrl-C, which is no failure."""
    with terminal.opens([*DEMO, "--keep"]) as screen:
        screen.see("equal, no dead letter left")
        screen.see("Summary")
        screen.see("Ctrl-C ends it")
        (address,) = set(re.findall(r"http://127\.0\.0\.1:\d+/enter\?token=[\w-]+", screen.text))
        with requests.Session() as session:
            assert session.get(address, timeout=60).url.endswith("/overview")
            files = session.get(address.partition("/enter")[0] + "/files.json", timeout=60).json()
        assert [one["state"] for one in files] == ["merged"] * 4
        screen.type(CTRL_C)
        assert "[y/N]" not in screen.ends(0)
    _nothing_is_left(terminal)


@pytest.mark.parametrize(
    ("step", "end", "code"),
    [
        pytest.param("warehouse on port", lambda screen: screen.type(CTRL_C), 130, id="Ctrl-C while it starts"),
        pytest.param(
            "creating datasets, tables, topics", lambda screen: screen.type(CTRL_C * 3), 130, id="three Ctrl-C"
        ),
        pytest.param("Generating", lambda screen: screen.process.send_signal(signal.SIGTERM), 143, id="SIGTERM"),
        pytest.param("initial.csv  ", lambda screen: screen.hang_up(), 129, id="a closed window"),
    ],
)
def test_the_demo_that_is_ended_leaves_nothing(
    terminal: Terminal, step: str, end: Callable[[Screen], None], code: int
) -> None:
    """No process and no folder are left."""
    with terminal.opens(DEMO) as screen:
        screen.see(step)
        end(screen)
        screen.ends(code)
    _nothing_is_left(terminal)


def test_a_child_that_hangs_is_ended_by_the_time_limit_of_its_step(terminal: Terminal) -> None:
    """The test sends the clock's signal early. The folder stays, and is named."""
    with terminal.opens(DEMO) as screen:
        screen.see("Generating an initial file")
        _stop_a_child(screen.process.pid, "generator")
        screen.process.send_signal(signal.SIGALRM)
        text = screen.ends(1)
    assert "the demo failed: step 'Generating an initial file" in text
    assert "took longer than 300 s" in text
    terminal.is_left_alone()
    (folder,) = terminal.folder.glob("dropmerge-demo-*")
    assert f"what it left: {folder}" in text


HANGS = """
from dropmerge import demo
demo.{limit} = 1.0
demo._Demo.run = lambda self: (self._clock.begin("one"), demo._python("http.server", "--bind", "127.0.0.1", "0"))
raise SystemExit(demo.main())
"""


@pytest.mark.parametrize("limit", ["_STEP_SECONDS", "_SECONDS"])
def test_each_step_has_a_time_limit_and_so_has_the_whole(terminal: Terminal, limit: str) -> None:
    """The limit here is a second, and the child never ends."""
    with terminal.opens([sys.executable, "-c", HANGS.format(limit=limit)]) as screen:
        assert "the demo failed: step 'one' took longer than 1 s" in screen.ends(1)
    terminal.is_left_alone()


def test_an_end_that_takes_longer_to_describe_than_the_clock_waits_has_no_traceback(terminal: Terminal) -> None:
    """The clock rings each second, as an exception may be lost; once one was caught it is quiet."""
    slow = "import time\nfrom dropmerge import demo\ndemo.describe_error = lambda error: time.sleep(2.5) or ''\n"
    with terminal.opens([sys.executable, "-c", slow + HANGS.format(limit="_SECONDS")]) as screen:
        assert "the demo failed: step 'one' took longer than 1 s" in screen.ends(1)
    terminal.is_left_alone()


STARTING = """
import os, signal, subprocess, time
from dropmerge import demo
start = subprocess.Popen.__init__
def start_and_ring(self, *words, **options):
    start(self, *words, **options)
    os.kill(self.pid, signal.SIGSTOP)  # or the terminal's end would end it
    os.kill(os.getpid(), signal.SIGALRM)
    time.sleep(60)
subprocess.Popen.__init__ = start_and_ring
demo._Demo.run = lambda self: (self._clock.begin("one"), demo._python("http.server", "--bind", "127.0.0.1", "0"))
raise SystemExit(demo.main())
"""


def test_a_signal_while_a_child_is_being_started_leaves_no_child(terminal: Terminal) -> None:
    """The demo does not know the child yet, and ends it all the same."""
    with terminal.opens([sys.executable, "-c", STARTING]) as screen:
        assert "the demo failed: step 'one'" in screen.ends(1)
    terminal.is_left_alone()


def _nothing_is_left(terminal: Terminal) -> None:
    terminal.is_left_alone()
    assert not list(terminal.folder.glob("dropmerge-demo-*"))


def _stop_a_child(parent: int, word: str) -> None:
    """As if it hung."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for child in psutil.Process(parent).children():
            try:
                if word in child.cmdline():
                    child.suspend()
                    return
            except psutil.Error:
                continue
        time.sleep(0.01)
    raise AssertionError(f"no child {word}")
