"""How long the console page takes where much is kept: `python -m tests.programs.page_scale --files 1000000`.

It writes as many loads and dead letters into a local cloud's tables as asked for, starts `dropmerge console`, and asks
for pages one after the other, as a person goes through them: each first read from the warehouse, then answered from
what was read. It prints the seconds, the bytes, the statements of each page, and the console's memory, as JSON.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import requests
from flask import Request

from dropmerge.operations.connection import Connection
from dropmerge.operations.session import Session
from dropmerge.page.access import Person, Role
from dropmerge.page.app import make_app
from tests.harness.cloud import running
from tests.harness.console import console
from tests.harness.dead_letters import ours
from tests.harness.feeds import write_feeds_of_folders
from tests.harness.pipeline import Pipeline
from tests.programs.console_scale import append, fill_tables

PAGES = ("/overview", "/dead-letters", "/files", "/files?since=45d", "/rejected", "/operations", "/audit", "/health")
_REASONS = ("wrong_header", "empty_file", "no_feed")
_PAGES_ON = 3


def fill_letters(pipeline: Pipeline, count: int, days: float = 2) -> list[str]:
    """Dead letters of several reasons in their table, evenly over some days, the oldest first; returns their ids."""
    ids = [f"{10**9 + number}" for number in range(count)]
    append(pipeline, "dead_letter_messages", _letters(pipeline, ids, datetime.now(UTC) - timedelta(days=days), days))
    return ids


def put_letter(pipeline: Pipeline, id: str, at: datetime) -> None:
    """One more."""
    append(pipeline, "dead_letter_messages", iter([_letter(pipeline, id, at, 0)]))


def _letters(pipeline: Pipeline, ids: list[str], since: datetime, days: float) -> Iterator[Mapping[str, Any]]:
    for number, id in enumerate(ids):
        # Some of them at the same time.
        yield _letter(pipeline, id, since + timedelta(days=days) * (number // 3 * 3 / len(ids)), number)


def _letter(pipeline: Pipeline, id: str, at: datetime, number: int) -> Mapping[str, Any]:
    name, when = f"incoming/accounts/letter-{number:06}.csv", at.isoformat()
    attributes = ours(name, _REASONS[number % 3], dropmerge_dead_lettered_at=when, dropmerge_error="e" * 500)
    table = pipeline.connection.topology.dead_letter_table_subscription("ingest")
    return {
        "subscription_name": f"projects/local/subscriptions/{table}",
        "message_id": id,
        "publish_time": when,
        "data": base64.b64encode(b"{}" * 500).decode(),
        "attributes": json.dumps(attributes),
    }


@dataclass
class Counted:
    """The pages in this process, which count their statements."""

    connection: Connection
    statements: int = 0

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """All is read anew: a console that was started just now."""
        self._client = make_app(lambda: self.connection, _Anybody(), _start_nothing).test_client()

    def ask(self, path: str) -> str:
        """The page's HTML."""
        answer = self._client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.text

    def count(self, path: str) -> int:
        """How many statements a page sends that nobody has asked for yet."""
        before = self.statements
        self._client.get(path)
        return self.statements - before


class NotShown(Exception):
    """A page has another status than 200; the text says which, and why."""


class _Anybody:
    def person(self, request: Request) -> Person:
        return Person("somebody", Role.OPERATOR, "")


@contextmanager
def counted(pipeline: Pipeline) -> Iterator[Counted]:
    """Nothing that another of them has read is known to it."""
    found = Counted(replace(pipeline.connection, may_lease=False))
    send = Session.request

    def counting(session: Session, method: str, url: str, *given: Any, **more: Any) -> Any:
        # A job, or a query without one; what is asked for its rows afterwards are pages of these.
        found.statements += method == "POST" and url.partition("?")[0].endswith(("/jobs", "/queries"))
        return send(session, method, url, *given, **more)

    Session.request = counting  # type: ignore[assignment, method-assign]
    try:
        yield found
    finally:
        Session.request = send  # type: ignore[method-assign]


def _start_nothing(_: str) -> None:
    raise AssertionError("nothing is to be carried out")


def ids_of(page: str) -> list[str]:
    """Of the letters, or files, that a page lists."""
    rows = re.findall(r'<tr data-row="([^"]*)"', page)
    return [html.unescape(one) for one in rows if re.fullmatch(r"\d+|gs://.*", one)]


def next_of(page: str) -> str | None:
    """The address of the page that follows."""
    found = re.search(r'<a href="([^"]*)" rel="next">', page)
    return html.unescape(found[1]) if found else None


def measure(pipeline: Pipeline, only: Sequence[str] = PAGES) -> dict[str, Any]:
    """By page the seconds of its first read, of a second one at once, and of pages that follow; the memory in MB. Of a
    page that is not shown, why."""
    pages: dict[str, dict[str, Any]] = {}
    with console(pipeline) as shown:
        session, master = requests.Session(), psutil.Process(shown.process.pid)
        session.get(shown.address, allow_redirects=False, timeout=60).raise_for_status()
        for path in only:
            pages[path] = one = _measured(session, shown.base, path) | {"memory": memory(master)}
            print(path, json.dumps(one), file=sys.stderr, flush=True)
        _ask_of_each_reason(lambda path: _timed(session, shown.base + path))
        return {"pages": pages, "memory with each group read": memory(master)}


def _measured(session: requests.Session, base: str, path: str) -> dict[str, Any]:
    try:
        first, text = _timed(session, base + path)
        again, _ = _timed(session, base + path)
        following: list[float] = []
        while (path_of_next := next_of(text)) and len(following) < _PAGES_ON:
            seconds, text = _timed(session, base + path_of_next)
            following.append(seconds)
    except NotShown as error:
        return {"not shown": str(error)}
    return {"first": first, "again": again, "bytes": len(text), "following": following}


def statements(pipeline: Pipeline) -> dict[str, int]:
    """By page, of a console that has read nothing yet."""
    found = {}
    for path in PAGES:
        with counted(pipeline) as pages:
            found[path] = pages.count(path)
    return found


def memory(master: psutil.Process) -> float:
    """Resident, in MB, of the process that answers, which is the largest."""
    processes = [master, *master.children(recursive=True)]
    return round(max(one.memory_info().rss for one in processes) / 1e6, 1)


def _ask_of_each_reason(ask: Callable[[str], object]) -> None:
    for reason in _REASONS:
        for more in ("", "&feed=accounts", "&service=ingest"):
            ask(f"/dead-letters?reason={reason}{more}")


def _timed(session: requests.Session, url: str) -> tuple[float, str]:
    started = time.monotonic()
    answer = session.get(url, timeout=600)
    seconds = round(time.monotonic() - started, 2)
    if answer.status_code != 200:
        told = html.unescape(" ".join(re.findall(r"<p>([^<]+)</p>", answer.text)))
        raise NotShown(f"{answer.status_code} after {seconds} s: {told}")
    return seconds, answer.text


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--letters", type=int, default=10_000)
    parser.add_argument("--days", type=float, default=30, help="how long ago the first file was dropped")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder, write_feeds_of_folders(folder / "feeds")) as pipeline:
            fill_tables(pipeline, given.files, given.days)
            fill_letters(pipeline, given.letters)
            found = {"files": given.files, "letters": given.letters, **measure(pipeline)}
            print(json.dumps(found, indent=2), flush=True)
            print(json.dumps({"statements": statements(pipeline)}, indent=2))


if __name__ == "__main__":
    main()
