"""Threads of a service do not wait for each other's connections, nor throw them away."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from services.shared.connections import keep_connections

_AT_ONCE = 40


class _Api(ThreadingHTTPServer):
    """Answers nobody until so many have asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.together = threading.Barrier(_AT_ONCE, timeout=60)
        self.connections = 0

    def process_request(self, *given: Any) -> None:
        self.connections += 1
        super().process_request(*given)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Api

    def do_GET(self) -> None:
        self.server.together.wait()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Requests are counted, not shown."""


@pytest.mark.parametrize("kind", [bigquery.Client, storage.Client])
def test_as_many_connections_stay_open_as_there_are_threads(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Forty calls at once, and forty more, over forty connections, and none is discarded."""
    api = _Api()
    threading.Thread(target=api.serve_forever, daemon=True).start()
    options = ClientOptions(api_endpoint=f"http://127.0.0.1:{api.server_address[1]}")
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    client = kind(project="p", credentials=nobody, client_options=options)
    keep_connections(client, _AT_ONCE)
    ask = client.get_service_account_email
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for _ in range(2):
            list(threads.map(lambda _: _quietly(ask), range(_AT_ONCE)))
    client.close()
    api.shutdown()
    api.server_close()
    assert "Connection pool is full" not in caplog.text
    assert api.connections == _AT_ONCE


def _quietly(ask: Any) -> None:
    """The answer is not what is asked for here, and has nothing of it."""
    with suppress(KeyError):
        ask()
