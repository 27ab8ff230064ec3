"""Being asked to stop: by Ctrl-C, by SIGTERM, by a terminal that closes (SIGHUP)."""

from __future__ import annotations

import signal


class StopSignals:
    """Remembers the first of them, from now on until the process ends.

    No exception is raised: one between starting a part of the local cloud and recording it would leave it behind.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP for its command, which is to outlive the terminal.
            if (number, signal.getsignal(number)) != (signal.SIGHUP, signal.SIG_IGN):
                signal.signal(number, self.heard)

    def heard(self, number: int, _: object) -> None:
        """The handler. A second, impatient one changes nothing."""
        self.number = self.number or number

    def asked(self) -> bool:
        return self.number is not None

    @property
    def code(self) -> int:
        """The exit code that shells give a command ended so: 130 Ctrl-C, 143 SIGTERM, 129 a closed terminal."""
        return 128 + (self.number or 0)
