"""Work in a warehouse of its own, of which nothing is left, however the command ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import typer

from dropmerge.cli.stop_signals import StopSignals
from dropmerge.cli.terminal import progress
from localcloud.errors import Interrupted

if TYPE_CHECKING:
    from dropmerge.operations.trial.reading import Tell
    from dropmerge.operations.trial.sandbox import Sandbox

_T = TypeVar("_T")
_UNASKED_SECONDS = 2.0
"""Who waits no longer than this needs no progress."""


def in_sandbox(work: Callable[[Sandbox, Tell], _T]) -> _T:
    """What `work` returns or raises. Ctrl-C, SIGTERM and a closed terminal end the command, with the shells' codes."""
    # It brings Google's clients with it.
    from dropmerge.operations.trial.sandbox import sandbox

    stop = StopSignals()
    try:
        with progress_of_long_work() as tell, sandbox(stop.asked) as box:
            return _unless_stopped(lambda: work(box, tell), stop)
    except Interrupted:
        raise typer.Exit(stop.code) from None
    finally:
        stop.restore()


def _unless_stopped(work: Callable[[], _T], stop: StopSignals) -> _T:
    """Signals raise nothing, so what waits for the warehouse is in another thread; it ends with the process."""
    result: Future[_T] = Future()
    threading.Thread(target=_into, args=(work, result), daemon=True).start()
    while not wait([result], 0.1).done:
        if stop.asked():
            raise Interrupted("interrupted")
    return result.result()


def _into(work: Callable[[], _T], result: Future[_T]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:
        result.set_exception(error)


@contextmanager
def progress_of_long_work() -> Iterator[Callable[[str], None]]:
    """A line at a terminal, never in the output; yields what takes its words."""
    line = progress().status("starting a warehouse")
    timer = threading.Timer(_UNASKED_SECONDS, line.start)
    timer.daemon = True
    timer.start()
    try:
        yield line.update
    finally:
        timer.cancel()
        timer.join()
        line.stop()
