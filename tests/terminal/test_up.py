"""`dropmerge up` in a terminal: however it is ended, everything has stopped."""

import signal
from collections.abc import Callable

import pytest

from localcloud.cloud import LocalCloud
from tests.harness.screen import CTRL_C, Screen, Terminal

ENDS: dict[str, Callable[[Screen], None]] = {
    "Ctrl-C": lambda screen: screen.type(CTRL_C),
    "SIGTERM": lambda screen: screen.process.send_signal(signal.SIGTERM),
    "a closed window": lambda screen: screen.hang_up(),
}


@pytest.mark.parametrize("end", ["SIGTERM", "a closed window"])
def test_up_stops_every_part_when_it_is_ended(terminal: Terminal, end: str) -> None:
    """Once up, the command waits to be ended and exits 0."""
    with terminal.types("up", "--port-base", 0) as screen:
        screen.see("Ctrl-C stops it")
        assert LocalCloud(terminal.folder / "state").dead() == []
        ENDS[end](screen)
        screen.ends(0)
    terminal.is_left_alone()
    assert not LocalCloud(terminal.folder / "state").is_recorded()


@pytest.mark.parametrize(
    ("end", "code"), [("Ctrl-C", 130), ("SIGTERM", 143), ("a closed window", 129)], ids=lambda value: str(value)
)
def test_up_that_is_ended_while_it_starts_leaves_nothing(terminal: Terminal, end: str, code: int) -> None:
    with terminal.types("up", "--port-base", 0) as screen:
        screen.see("warehouse on port")
        ENDS[end](screen)
        screen.ends(code)
    terminal.is_left_alone()
    assert not LocalCloud(terminal.folder / "state").is_recorded()


def test_ctrl_c_stops_every_part_and_an_impatient_one_does_not_stop_the_stopping(terminal: Terminal) -> None:
    """Closing the window meanwhile does not stop it either."""
    with terminal.types("up", "--port-base", 0) as screen:
        screen.see("Ctrl-C stops it")
        screen.type(CTRL_C)
        screen.see("stopping bucket")
        screen.type(CTRL_C)
        screen.see("stopping bus")
        screen.type(CTRL_C)
        screen.hang_up()
        screen.ends(0)
    terminal.is_left_alone()
    assert not LocalCloud(terminal.folder / "state").is_recorded()
