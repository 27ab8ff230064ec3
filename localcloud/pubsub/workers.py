"""Threads that are used again: to start one costs more than what most of them do."""

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Workers:
    """Run each job at once, in an idle thread or else a new one. They do not keep the process from its end."""

    def __init__(self) -> None:
        self._jobs = SimpleQueue[Callable[[], None]]()
        self._idle = threading.Semaphore(0)

    def run(self, job: Callable[[], None]) -> None:
        """Start the job, which raises nothing."""
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            self._jobs.get()()
            self._idle.release()
