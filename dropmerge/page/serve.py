"""The page's server: one process, for what one person has made it read all others are shown."""

from __future__ import annotations

import ctypes
import logging
import signal
import socket
import sys
from collections.abc import Callable

import waitress
from flask import Flask

from dropmerge.page.forms import MAX_BYTES

THREADS = 16
"""Requests that are answered at once. deploy/google/console sends an instance no more."""
_MOST_BYTES = 2 * MAX_BYTES
"""Of a body, which is read before it is known whose it is; what is a little too large the page refuses, in words."""
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3


def serve(app: Flask, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Until a signal ends it. `ready` is called once it answers."""
    _give_memory_back()
    # To its users, what waits for a thread is a page that takes a moment.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(
        app, sockets=[listener], threads=THREADS, ident=None, max_request_body_size=_MOST_BYTES
    )
    # Ctrl-C; what stops a process; a terminal that closes.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit())
    ready()
    server.run()


def _give_memory_back() -> None:
    """As Linux's C library is set, each thread keeps for itself what it once used, and large blocks grow what is kept.

    https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, 65_536)


def listen(address: str, port: int) -> socket.socket:
    """At this port, 0: at any that is free. Who connects waits until it is served. Raises OSError."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
