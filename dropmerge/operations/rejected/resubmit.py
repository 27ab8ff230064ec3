"""Rejected rows sent in again, to be checked by today's contract: as a load of their own.

They are dropped as an object of their feed, whose name has the load that they were rejected in, and a digest of their
bytes: what is interrupted and run again finds the object there, and goes on. A row stays on the list until the new
load has ended: then the main table has it, or it is on the list as a row of the new load.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from google.api_core import exceptions

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.operations.loads.states import State
from dropmerge.operations.loads.status import statuses_of
from dropmerge.operations.rejected.ends import history_of, merged_of
from dropmerge.operations.rejected.export import write_rows
from dropmerge.operations.rejected.reading import Reading
from dropmerge.operations.rejected.selection import RejectedLoad, Selection, find_loads, mark_done
from services.shared.contract.feed import Feed
from services.shared.contract.glob import common_name
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

if TYPE_CHECKING:
    pass

_PAUSE_SECONDS = 0.3
_TIMEOUT = 600.0
_RESUBMITTED = "resubmitted"


@dataclass(frozen=True)
class Plan:
    """What would be sent in again, and what cannot be."""

    rows: list[RejectedLoad]
    """Of merged files."""
    not_merged: dict[Load, State] = field(default_factory=dict)
    """Files of which nothing is merged yet: there the file as a whole is replayed."""


@dataclass(frozen=True)
class Resubmitted:
    of: RejectedLoad
    load: Load
    """Of the rows sent in again."""
    state: State
    reason: str | None = None
    """Why it is a dead letter."""
    rejected_again: int = 0
    """Rows that are on the list as its own."""

    @property
    def is_done(self) -> bool:
        """Whether the rows have left the list as rows of their old load."""
        return self.state == State.MERGED or self.reason == "too_many_bad_rows"


def plan(connection: Connection, feed: Feed, wanted: Selection) -> Plan:
    """Raises UsageError where rows of this feed mean something else in another file."""
    _require_sense(feed)
    loads = find_loads(connection, wanted)
    merged = merged_of(connection, [one.load for one in loads])
    others = [one.load for one in loads if one.load.load_id not in merged]
    # An earlier run was interrupted: what failed again in its load is on the list twice until that is finished.
    unfinished = [f"{_RESUBMITTED}-{load_id}-" for load_id in merged]
    return Plan(
        [one for one in loads if one.load.load_id in merged and not _has_one_of(one.load.source.name, unfinished)],
        {load: history_of(connection, load).state for load in others},
    )


def _has_one_of(name: str, parts: Sequence[str]) -> bool:
    return any(part in name for part in parts)


def _require_sense(feed: Feed) -> None:
    rebuild = f"`dropmerge rebuild {feed.name}` reads all files by today's contract, each row in its own file's place"
    if feed.mode == "append":
        raise UsageError(
            f"each row of each file is a row of {feed.name}, so that a rebuild would have these twice once "
            f"the contract takes them: {rebuild}"
        )
    if feed.mode == "upsert" and not feed.versions:
        raise UsageError(
            f"the newest file of {feed.name} wins, so that rows sent in again would win over later ones: {rebuild}"
        )
    if feed.mode != "upsert":
        raise UsageError(
            f"the files of {feed.name} are read as wholes, so that none can have rows of another: {rebuild}"
        )


@dataclass
class Resubmission:
    """One run of the command. What it has sent in again is merged once, however often it is run."""

    reading: Reading
    feed: Feed
    wanted: Selection
    seconds: float
    """How long to wait for the loads to end."""

    def run(self, loads: Sequence[RejectedLoad]) -> Iterator[Resubmitted]:
        """Sends all, then yields each as it ends. Raises NotDone where some have not ended in time."""
        sent = [(one, self._send(one)) for one in loads]
        deadline = time.monotonic() + self.seconds
        while sent:
            statuses = statuses_of(self.reading.connection, [source for _, source in sent])
            ended = [status.state.is_terminal for status in statuses]
            for (one, _), status in compress(zip(sent, statuses, strict=True), ended):
                yield self._settle(one, status.source)
            sent = [one for one, is_over in zip(sent, ended, strict=True) if not is_over]
            if sent and time.monotonic() > deadline:
                raise NotDone(
                    f"{len(sent)} of {len(loads)} are still on their way; their rows stay on the list: run the same "
                    "command again once `dropmerge wait` says that nothing is in flight"
                )
            if sent:
                time.sleep(_PAUSE_SECONDS)

    def _send(self, one: RejectedLoad) -> ObjectGeneration:
        connection = self.reading.connection
        wanted = replace(self.wanted, loads=[one.load.load_id])
        with TemporaryDirectory(prefix="dropmerge-") as folder:
            path = Path(folder) / f"rows{self.feed.format.suffix}"
            for _ in write_rows(self.feed, self.reading.all(wanted), path):
                pass
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
            name = object_name(connection, self.feed, f"{_RESUBMITTED}-{one.load.load_id}-{digest}")
            return self._upload(one, path, name)

    def _upload(self, one: RejectedLoad, path: Path, name: str) -> ObjectGeneration:
        from services.shared.journal import Event

        connection = self.reading.connection
        blob = connection.storage.bucket(connection.landing).blob(name)
        blob.metadata = {"resubmitted_from": str(one.load.source)}
        # Its time is before whatever a service records of the load.
        event = Event(_RESUBMITTED, {"of": str(one.load.source), "rows": one.rows})
        try:
            blob.upload_from_filename(str(path), timeout=_TIMEOUT, if_generation_match=0)
        except exceptions.PreconditionFailed:
            blob.reload()
            return ObjectGeneration(connection.landing, name, int(blob.generation or 0))
        load = Load(self.feed.name, ObjectGeneration(connection.landing, name, int(blob.generation or 0)))
        connection.journal.write([(event, load.fields)])
        return load.source

    def _settle(self, one: RejectedLoad, source: ObjectGeneration) -> Resubmitted:
        connection, load = self.reading.connection, Load(self.feed.name, source)
        again = sum(found.rows for found in find_loads(connection, Selection(load.feed, loads=[load.load_id])))
        history = history_of(connection, load)
        reason = history.dead_letter.reason if history.dead_letter else None
        ended = Resubmitted(one, load, history.state, reason, again)
        if ended.is_done:
            mark_done(connection, self.wanted, {one.load.load_id: one.rows}, resubmitted=str(source))
        return ended


def object_name(connection: Connection, feed: Feed, what: str) -> str:
    """A name that has this in it, of an object that the feed wants. Raises NotDone where its pattern has no room."""
    for pattern in (f"**{what}{feed.format.suffix}", f"**{what}**"):
        name = common_name(feed.objects, pattern)
        if name and connection.feed_of(name) == feed:
            return name
    raise NotDone(
        f"no object of another name is one of feed {feed.name}, whose pattern is {feed.objects}: write the rows with "
        "`dropmerge rejected --csv`, and drop them by --to"
    )
