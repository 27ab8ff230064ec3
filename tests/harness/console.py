"""The console page as a person starts it: a process of its own, over a local cloud."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.harness.commands import Commands
from tests.harness.pipeline import Pipeline


@dataclass(frozen=True)
class Console:
    address: str
    """With the token: what the command prints."""
    process: subprocess.Popen[bytes]

    @property
    def base(self) -> str:
        """http://127.0.0.1:PORT."""
        found = urlsplit(self.address)
        return f"{found.scheme}://{found.netloc}"

    def session(self) -> requests.Session:
        """Signed in, as a browser is that has opened the address."""
        session = requests.Session()
        session.get(self.address, timeout=60).raise_for_status()
        return session

    def json(self, path: str) -> Any:
        """What a page answers to a machine."""
        answer = self.session().get(self.base + path, timeout=120)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return json.loads(answer.text)


@contextmanager
def console(pipeline: Pipeline, *options: str) -> Iterator[Console]:
    """`dropmerge console` on a free port, until the block ends."""
    words = ("console", "--port", str(free_port()), *options)
    # As a terminal's: Ctrl-C there is for it, and for what has stayed in its group.
    with Commands.of(pipeline).start(*words, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout
        address = process.stdout.readline().decode().strip()
        assert address.startswith("http://127.0.0.1:"), f"the console did not start: {address!r}"
        yield Console(address, process)
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
