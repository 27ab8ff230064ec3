"""The console page: its start, what its own code takes for the part of a page that changes, and its memory."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import requests

from tests.harness.cloud import running
from tests.harness.console import Console, console
from tests.harness.dead_letters import put_many, wait_for_the_table
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.programs.bench.figures import Figure, Found, found
from tests.programs.bench.memory import peak_mb
from tests.programs.bench.options import Options

_START_SECONDS, _KEPT_MS, _MEMORY_MB = 2.0, 150.0, 150.0
_FILES, _LETTERS = 50, 50
"""A whole page of each."""


def measure(options: Options) -> Found:
    """Over a local cloud on the same machine, whose time is in the first reading of a page and in no other figure."""
    with TemporaryDirectory(prefix="dropmerge-bench-") as name:
        folder = Path(name)
        with running(folder, write_feeds(folder / "feeds")) as pipeline:
            pages = _fill(pipeline, options.pick(_FILES, 5), options.pick(_LETTERS, 5))
            runs = [_run(pipeline, pages) for _ in range(options.times)]
    starts, first, kept, memory = zip(*runs, strict=True)
    return found(
        [
            Figure("start to address", "console", "s", starts, at_most=_START_SECONDS),
            *(Figure("page, first reading", page, "s", [one[page] for one in first]) for page in pages),
            *(
                Figure("part of a page, from what was read", page, "ms", [one[page] for one in kept], at_most=_KEPT_MS)
                for page in pages
            ),
            Figure("peak memory", "console", "MB", memory, at_most=_MEMORY_MB),
        ]
    )


def _fill(pipeline: Pipeline, files: int, letters: int) -> dict[str, str]:
    """What the pages show; their addresses by name."""
    uris = [pipeline.drop(f"{number}.csv", HEADER + row(str(number))) for number in range(files)]
    put_many(pipeline, letters, 8)
    wait_for_the_table(pipeline)
    pipeline.wait_until_idle()
    one = pipeline.dead_letters()[0].id
    return {
        "overview": "/overview",
        "files": "/files",
        "a file": f"/file?name={quote(uris[0])}",
        "dead letters": "/dead-letters",
        "a dead letter": f"/dead-letters/{one}",
    }


def _run(pipeline: Pipeline, pages: dict[str, str]) -> tuple[float, dict[str, float], dict[str, float], float]:
    started = time.monotonic()
    with console(pipeline) as shown:
        start, session = time.monotonic() - started, _signed_in(shown)
        first = {page: _seconds(session, shown.base + path) for page, path in pages.items()}
        kept = {page: _of_what_is_kept(session, shown.base + path) for page, path in pages.items()}
        return start, first, kept, peak_mb(shown.process.pid)


def _signed_in(shown: Console) -> requests.Session:
    """Without a page: the first is read when it is measured."""
    session = requests.Session()
    session.get(shown.address, timeout=60, allow_redirects=False).raise_for_status()
    return session


def _of_what_is_kept(session: requests.Session, url: str) -> float:
    """Milliseconds for the part that a page asks for every few seconds, right after somebody else has."""
    headers = {"HX-Request": "true"}
    _seconds(session, url, headers)
    return 1000 * _seconds(session, url, headers)


def _seconds(session: requests.Session, url: str, headers: dict[str, str] | None = None) -> float:
    started = time.monotonic()
    answer = session.get(url, headers=headers, timeout=120)
    answer.raise_for_status()
    return time.monotonic() - started
