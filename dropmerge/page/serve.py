"""The page on this machine: one process with some threads, on 127.0.0.1 only."""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

_THREADS = 8


class _Server(BaseApplication):  # type: ignore[misc]  # it has no types
    def __init__(self, make: Callable[[], Flask], port: int, ready: Callable[[], None]) -> None:
        self._make = make
        self._port = port
        self._ready = ready
        super().__init__()

    def load_config(self) -> None:
        """What gunicorn is to do; nothing of it is read from elsewhere."""
        settings: dict[str, Any] = {
            "bind": f"127.0.0.1:{self._port}",
            "workers": 1,  # what one has read, all viewers share
            "worker_class": "gthread",
            "threads": _THREADS,
            "timeout": 300,
            "graceful_timeout": 2,
            "accesslog": None,  # addresses have names and keys in them
            "loglevel": "warning",
            "when_ready": self._listens,
            # What is there already stays shared between the two processes: no collection writes to it.
            "pre_fork": lambda _, __: gc.freeze(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def _listens(self, _: object) -> None:
        # A terminal that closes ends it; to gunicorn the signal means to begin anew.
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        self._ready()

    def load(self) -> Flask:
        """In the process that answers."""
        return self._make()


def serve(make: Callable[[], Flask], port: int, ready: Callable[[], None]) -> None:
    """Until a signal ends it. `ready` is called once it listens; SystemExit at its end."""
    _Server(make, port, ready).run()


def free_port(wanted: int, is_given: bool) -> int:
    """The wanted port, or, unless somebody gave it, another that is free where it is taken. Raises OSError."""
    try:
        return _bound(wanted)
    except OSError:
        if is_given:
            raise
        return _bound(0)


def _bound(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])
