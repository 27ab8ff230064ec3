"""Whether a part answers yet."""

import http.client
import socket
from urllib.parse import urlsplit


def answers(probe: str | None, host: str, port: int, seconds: float = 1) -> bool:
    """Whether the URL is answered without a server error or, without a URL, the port accepts."""
    try:
        if probe is None:
            socket.create_connection((host, port), timeout=seconds).close()
            return True
        url = urlsplit(probe)
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
        try:
            connection.request("GET", f"{url.path}?{url.query}")
            return connection.getresponse().status < 500
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False
