"""`dropmerge feeds test` in a terminal: it shows where it is, and however it is ended, nothing is left."""

import signal
from collections.abc import Callable

import pytest

from tests.harness.screen import CTRL_C, Screen, Terminal

_HEADER = "customer_id,account_number,credit_score,account_balance,last_modified\n"
_ENDS: dict[str, Callable[[Screen], None]] = {
    "Ctrl-C": lambda screen: screen.type(CTRL_C),
    "SIGTERM": lambda screen: screen.process.send_signal(signal.SIGTERM),
}


@pytest.mark.parametrize(("end", "code"), [("Ctrl-C", 130), ("SIGTERM", 143)])
def test_a_trial_that_is_ended_leaves_no_process_and_no_file(terminal: Terminal, end: str, code: int) -> None:
    """In the middle of a file."""
    rows = "".join(f"c{n},a,700,1.5,2025-01-01T00:00:00Z\n" for n in range(200_000))
    (terminal.folder / "large.csv").write_text(_HEADER + rows)
    before = sorted(terminal.folder.iterdir())
    with terminal.types("feeds", "test", "accounts", terminal.folder / "large.csv") as screen:
        screen.see("large.csv: ")
        assert len(terminal.processes()) > 1
        _ENDS[end](screen)
        assert "rejected" not in screen.ends(code)
    terminal.is_left_alone()
    assert sorted(terminal.folder.iterdir()) == before
