"""Processes that the tests end."""

from collections.abc import Collection

import psutil


def await_end(processes: Collection[psutil.Process], patience: float = 60.0) -> None:
    """Until all have ended: what follows would take one that has not for one that runs."""
    _, left = psutil.wait_procs(processes, timeout=patience)
    assert not left
