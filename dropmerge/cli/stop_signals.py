"""Being asked to stop: by Ctrl-C, by SIGTERM, by a terminal that closes (SIGHUP)."""

from __future__ import annotations

import signal
from typing import Any


class StopSignals:
    """Remembers the first of them, from now on until the process ends or `restore` is called.

    No exception is raised: one between starting a part of the local cloud and recording it would leave it behind.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._before: dict[int, Any] = {}
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP for its command, which is to outlive the terminal.
            if (number, signal.getsignal(number)) != (signal.SIGHUP, signal.SIG_IGN):
                self._before[number] = signal.signal(number, self.heard)

    def heard(self, number: int, _: object) -> None:
        """The handler. A second, impatient one changes nothing."""
        self.number = self.number or number

    def asked(self) -> bool:
        return self.number is not None

    def restore(self) -> None:
        """Let signals do again what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def code(self) -> int:
        """The exit code that shells give a command ended so: 130 Ctrl-C, 143 SIGTERM, 129 a closed terminal."""
        return 128 + (self.number or 0)
