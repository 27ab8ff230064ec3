"""How each feed stands: what is on its way, what was merged lately, what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.events import newest_of_feeds
from dropmerge.operations.loads.find_file import ended_among
from dropmerge.operations.loads.in_flight import WINDOW, Snapshot
from dropmerge.operations.loads.states import State
from dropmerge.operations.loads.status import LoadStatus, statuses_of
from dropmerge.operations.status.failures import Failure, read_failures
from dropmerge.operations.status.letters import LetterGroup, Letters
from dropmerge.operations.status.services import ServiceHealth
from dropmerge.operations.status.states import FeedState
from dropmerge.operations.status.totals import FeedTotals
from dropmerge.operations.texts import field_names
from services.shared.generation import ObjectGeneration
from services.shared.load import staged_load

LATELY = timedelta(days=1)
_REMEMBERED = timedelta(days=90)
"""How far back the last file of an idle feed is looked for."""


@dataclass(frozen=True)
class FileStatus:
    bucket: str
    object: str
    generation: int
    at: datetime
    """When the object was created."""
    state: State

    @property
    def source(self) -> ObjectGeneration:
        return ObjectGeneration(self.bucket, self.object, self.generation)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.at.isoformat()}


@dataclass(frozen=True)
class Late:
    """The files of a feed that wait for longer than they may."""

    count: int
    oldest: FileStatus


@dataclass(frozen=True)
class FailingFile:
    file: FileStatus
    failure: Failure


@dataclass(frozen=True)
class FeedStatus:
    state: FeedState
    in_flight: int
    """Files that are on their way."""
    staged: int
    """Staging tables that wait for their MERGE; not those of dead letters."""
    merged_today: int
    """Files, since midnight (UTC)."""
    p95_seconds: float | None
    """From drop to merged, of the files that were dropped and merged in the last 24 h; None where there is none."""
    rejected_rows: int
    """That are listed now."""
    dead_letters_waiting: int
    last_file: FileStatus | None
    oldest_waiting: FileStatus | None
    late: Late | None
    failing: FailingFile | None
    """The file whose delivery failed last, of those on their way."""
    totals: FeedTotals | None = None
    """None where they were not asked for."""

    def as_json(self) -> dict[str, Any]:
        """Times as RFC 3339; the totals beside the rest."""
        files = {"last_file": self.last_file, "oldest_waiting": self.oldest_waiting}
        plain = {
            name: value for name, value in vars(self).items() if name not in ("late", "failing", "totals", *files)
        }
        failing = (
            {"attempt": self.failing.failure.attempt, "error": self.failing.failure.error} if self.failing else {}
        )
        return {
            **plain,
            "state": self.state.value,
            **(asdict(self.totals) if self.totals else {}),
            "failing": {"object": self.failing.file.object, **failing} if self.failing else None,
            **{name: one.as_json() if one else None for name, one in files.items()},
        }


COLUMNS = tuple(name for name in field_names(FeedStatus) if name not in ("late", "totals"))
"""The keys of a feed as JSON, without its totals."""


@dataclass(frozen=True)
class _Known:
    """What is read once for all feeds."""

    now: datetime
    max_age: timedelta
    services: Mapping[str, ServiceHealth]
    failures: Mapping[ObjectGeneration, Failure]

    def health_for(self, load: LoadStatus) -> ServiceHealth:
        """Of the service that it waits for."""
        return self.services["merge" if load.state == State.STAGED else "ingest"]

    def is_late(self, load: LoadStatus) -> bool:
        """Not one that was announced or replayed a moment ago, however old it is, unless its message is old too."""
        began = load.last_dispatched_at or load.created
        is_old_message = self.health_for(load).oldest_seconds > self.max_age.total_seconds()
        return self.now - load.created > self.max_age and (self.now - began > self.max_age or is_old_message)


def read_feeds(
    connection: Connection,
    snapshot: Snapshot,
    letters: Letters,
    services: Mapping[str, ServiceHealth],
    max_age: timedelta,
    totals: Mapping[str, FeedTotals] | None = None,
) -> dict[str, FeedStatus]:
    """By name. Two or three queries, whatever the number of feeds, of the last two days of the journal."""
    now = datetime.now(UTC)
    failures = read_failures(connection, now - WINDOW) if snapshot.pending else {}
    known = _Known(now, max_age, services, failures)
    merged = {
        row["feed"]: row for row in connection.ledger("merged_lately.sql", {"since": ("TIMESTAMP", now - LATELY)})
    }
    rejected = {row["feed"]: row["n"] for row in connection.query("count_rejected.sql")}
    staged = _staged(connection, snapshot.loads, letters)
    loads = [*snapshot.loads, *_idle(connection, snapshot.loads, now)]
    found = {}
    for name in connection.feeds:
        own = [load for load in loads if load.feed == name]
        lately = merged.get(name)
        found[name] = _feed(
            known,
            own,
            letters.groups.get(name),
            staged=staged[name],
            merged_today=lately["today"] if lately else 0,
            p95_seconds=lately["p95"] if lately else None,
            rejected_rows=rejected.get(name, 0),
            totals=totals[name] if totals else None,
        )
    return found


def _feed(known: _Known, own: Sequence[LoadStatus], letters: LetterGroup | None, **counts: Any) -> FeedStatus:
    pending = [load for load in own if load.is_in_flight]
    late = [load for load in pending if known.is_late(load)]
    failing = max(
        (load for load in pending if load.source in known.failures),
        key=lambda load: known.failures[load.source].at,
        default=None,
    )
    last = max(own, key=lambda load: load.created, default=None)
    return FeedStatus(
        state=_state(known, pending, late, letters, failing, last),
        in_flight=len(pending),
        dead_letters_waiting=letters.count if letters else 0,
        last_file=_file(last) if last else None,
        oldest_waiting=_file(_oldest(pending)) if pending else None,
        late=Late(len(late), _file(_oldest(late))) if late else None,
        failing=FailingFile(_file(failing), known.failures[failing.source]) if failing else None,
        **counts,
    )


def _state(
    known: _Known,
    pending: Sequence[LoadStatus],
    late: Sequence[LoadStatus],
    letters: LetterGroup | None,
    failing: LoadStatus | None,
    last: LoadStatus | None,
) -> FeedState:
    holds = {
        FeedState.STUCK: any(known.health_for(load).state.needs_somebody for load in pending),
        FeedState.LATE: late,
        FeedState.DEAD: letters,
        FeedState.FAILING: failing,
        FeedState.BUSY: pending,
        FeedState.OK: last is not None and known.now - last.created < LATELY,
    }
    return next((state for state, is_so in holds.items() if is_so), FeedState.IDLE)


def _idle(connection: Connection, loads: Sequence[LoadStatus], now: datetime) -> list[LoadStatus]:
    """The newest load of each feed that has had none lately."""
    idle = set(connection.feeds) - {load.feed for load in loads}
    newest = newest_of_feeds(connection, now - _REMEMBERED) if idle else {}
    return statuses_of(connection, {newest[name] for name in idle if name in newest})


def _staged(connection: Connection, loads: Sequence[LoadStatus], letters: Letters) -> Counter[str]:
    """Staging tables that wait for their MERGE, by feed. One that was merged may take a moment to be dropped, and one
    of a dead letter waits for the letter."""
    tables = connection.staging_tables()
    staged = [(name, found[0]) for table in tables for name in connection.feeds if (found := staged_load(name, table))]
    pending = {load.load.load_id for load in loads if load.load and load.is_in_flight}
    doubtful = sorted({load_id for _, load_id in staged} - pending - letters.load_ids)
    ended = letters.load_ids | ended_among(connection, doubtful)
    return Counter(name for name, load_id in staged if load_id not in ended)


def _oldest(loads: Sequence[LoadStatus]) -> LoadStatus:
    return min(loads, key=lambda load: load.created)


def _file(load: LoadStatus) -> FileStatus:
    source = load.source
    return FileStatus(source.bucket, source.name, source.generation, load.created, load.state)
