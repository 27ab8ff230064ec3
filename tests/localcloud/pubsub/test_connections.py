"""Pushes use a connection again while that is safe."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from localcloud.pubsub import connections
from localcloud.pubsub.connections import Connections
from tests.harness.pubsub import Endpoint, RunningServer, eventually


def test_pushes_one_after_the_other_share_connections(server: RunningServer, endpoint: Endpoint) -> None:
    """Twenty pushes take fewer than twenty connections."""
    topic = server.topic()
    server.subscribe(topic, push_config={"push_endpoint": endpoint.url})
    for _ in range(20):
        server.publish(topic, b"x")
        eventually(lambda: not server.backlog()["readers"])
    assert len(endpoint.bodies) == 20
    assert len(endpoint.connections) < 20


def test_one_that_was_idle_for_long_is_not_used_again(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server may close it just then."""
    ours = Connections()
    monkeypatch.setattr(connections, "FRESH_SECONDS", 600.0)
    assert [ours.post(endpoint.url, b"{}", 60) for _ in range(3)] == [204, 204, 204]
    assert len(endpoint.connections) == 1
    monkeypatch.setattr(connections, "FRESH_SECONDS", 0.0)
    assert ours.post(endpoint.url, b"{}", 60) == 204
    assert len(endpoint.connections) == 2


def test_another_endpoint_has_connections_of_its_own(endpoint: Endpoint) -> None:
    """A subscription's endpoint may change."""
    ours, other = Connections(), Endpoint()
    try:
        for one in (endpoint, other, endpoint):
            assert ours.post(one.url, b"{}", 60) == 204
        assert (len(endpoint.bodies), len(other.bodies)) == (2, 1)
    finally:
        other.close()


@pytest.fixture
def talker() -> Iterator[http.server.ThreadingHTTPServer]:
    """Answers each request with as many bytes as its path says, and then closes the connection if it says so."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            size, _, closes = self.path.strip("/").partition("/")
            self.send_response_only(200)
            self.send_header("Content-Length", size)
            if closes:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"x" * int(size))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening
        listening.shutdown()


@pytest.mark.parametrize("path", ["0", "10", "1000000", "0/closes", "10/closes"])
def test_a_request_follows_any_answer(talker: http.server.ThreadingHTTPServer, path: str) -> None:
    """Also one with a long body, and one after which the server closes the connection."""
    ours, url = Connections(), f"http://127.0.0.1:{talker.server_port}"
    assert [ours.post(f"{url}/{path}", b"{}", 60) for _ in range(3)] == [200, 200, 200]
