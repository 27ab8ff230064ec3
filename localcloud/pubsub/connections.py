"""HTTP connections to a push endpoint, each used for one request at a time, and again while it is fresh."""

import http.client
import threading
import time
from urllib.parse import urlsplit

FRESH_SECONDS = 1.0
"""A request is lost on a connection that its server closes meanwhile: gunicorn does, after two idle seconds
(https://docs.gunicorn.org/en/stable/settings.html#keepalive)."""
_SMALL = 65_536
_HEADERS = {"Content-Type": "application/json", "User-Agent": "dropmerge-pubsub"}
_Origin = tuple[str, str, int | None]
"""Scheme, host and port."""


class Connections:
    """Those of one subscription; its endpoint may change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._origin: _Origin = ("", "", None)
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []

    def post(self, url: str, body: bytes, timeout: float) -> int:
        """POST and return the status. Redirects are not followed and no proxy is asked, as with Pub/Sub.

        Raises:
            OSError: among them a TimeoutError, after `timeout` seconds.
            ValueError, http.client.HTTPException: the URL or the answer makes no sense.
        """
        parts = urlsplit(url)
        origin = (parts.scheme, parts.hostname or "", parts.port)
        connection = self._take(origin, timeout)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, _HEADERS)
            response = connection.getresponse()
            status = response.status
            # What is left unread spoils a connection; a long body is not worth its time.
            if response.length is not None and response.length <= _SMALL:
                response.read()
                self._give_back(origin, connection)
                return status
        except BaseException:
            connection.close()
            raise
        connection.close()
        return status

    def _take(self, origin: _Origin, timeout: float) -> http.client.HTTPConnection:
        with self._lock:
            if origin == self._origin and self._idle and self._idle[-1][0] > time.monotonic() - FRESH_SECONDS:
                _, connection = self._idle.pop()
            else:
                # The last one is the freshest of all.
                for _, stale in self._idle:
                    stale.close()
                self._idle.clear()
                self._origin = origin
                kind = http.client.HTTPSConnection if origin[0] == "https" else http.client.HTTPConnection
                connection = kind(*origin[1:])
        connection.timeout = timeout
        if connection.sock:
            connection.sock.settimeout(timeout)
        return connection

    def _give_back(self, origin: _Origin, connection: http.client.HTTPConnection) -> None:
        """For the next request. Where the server has said that it closes it, that one connects anew."""
        with self._lock:
            if origin == self._origin:
                self._idle.append((time.monotonic(), connection))
                return
        connection.close()
