"""What happened to one object generation: from the ledger, the warehouse, the buckets and the journal.

The journal only adds to what is there to be seen; a load whose journal is lost is still explained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import generation_of, latest_dead_letters
from dropmerge.operations.loads.events import LoadEvent, is_current, read_events
from dropmerge.operations.loads.find_file import live
from dropmerge.operations.loads.generations import Generation, other_generations
from dropmerge.operations.loads.merges import Merge, find_jobs, find_merge, is_lost, merged_together, row_counts
from dropmerge.operations.loads.possible import possible_loads
from dropmerge.operations.loads.same_bytes import RULE, SameBytes, find_same_bytes
from dropmerge.operations.loads.states import DISPATCH_EVENTS, SETTLED_EVENTS, Evidence, State, state_of
from services.shared.contract.formats import SUFFIXES
from services.shared.contract.pattern import patterns_like
from services.shared.generation import ObjectGeneration
from services.shared.load import Load


@dataclass(frozen=True)
class MergeDetails:
    merged_at: datetime
    merge_id: str
    contract: str | None
    """The fingerprint of the contract by which the file was read; None where an earlier release merged it."""
    merged_with: list[str]
    """Other loads of the same MERGE, by object generation or load id."""


@dataclass(frozen=True)
class DeadLetterDetails:
    reason: str | None
    error: str | None
    dead_letter: str | None
    """Its id."""
    discarded: str | None = None
    """Why it was discarded, if it was."""


@dataclass(frozen=True)
class Job:
    """A job to open in BigQuery's console."""

    job_id: str
    state: str
    created: datetime | None
    error: str | None


@dataclass(frozen=True)
class LoadHistory:
    source: ObjectGeneration
    """Generation 0 where none is known."""
    load: Load | None
    """None where no feed ever wanted the object, or no generation is known."""
    feed: str | None
    state: State
    events: Sequence[LoadEvent]
    merge: MergeDetails | None = None
    dead_letter: DeadLetterDetails | None = None
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Rows that failed their checks, by reason."""
    merged_rows: Mapping[str, int] = field(default_factory=dict)
    jobs: Sequence[Job] = ()
    same_bytes: Sequence[SameBytes] = ()
    """Other loads of the feed with the file's bytes."""
    others: Sequence[Generation] = ()
    """The object's other generations."""
    is_live: bool = False
    """Whether the bucket has this very generation, as far as that was asked."""
    why: str | None = None
    """Why nothing is known, or why it is ignored."""

    @property
    def contract(self) -> str | None:
        """The fingerprint of the contract by which the file was read last, as far as it is known."""
        known = [event.detail["contract"] for event in self.events if event.detail.get("contract")]
        return self.merge.contract if self.merge else (known[-1] if known else None)

    @property
    def newer_merged(self) -> int | None:
        """The newest generation of the object that is merged, if it is newer than this one."""
        merged = [one.source.generation for one in self.others if one.last == State.MERGED]
        return max((one for one in merged if one > self.source.generation), default=None)

    @property
    def size(self) -> int | None:
        """Bytes of the file, as far as a service has recorded them."""
        return next((event.detail["size"] for event in self.events if event.detail.get("size") is not None), None)

    @property
    def timeline(self) -> list[LoadEvent]:
        """The events, with the merge when the ledger says that it was: the journal has one event for a whole group."""
        if self.merge is None:
            return list(self.events)
        others = [event for event in self.events if event.event != State.MERGED]
        loads = {"loads": [self.source, *self.merge.merged_with]}
        merged = LoadEvent(self.merge.merged_at, State.MERGED.value, "merge", self.feed, loads)
        return sorted([*others, merged], key=lambda event: event.at)

    @property
    def took(self) -> float | None:
        """Seconds from the upload to the end, if the file is merged."""
        return (self.merge.merged_at - self.source.created).total_seconds() if self.merge else None

    @property
    def warning(self) -> str | None:
        """What was found in the file that no row is refused for."""
        found = next((one.detail for one in reversed(self.events) if one.event == "checked"), {})
        number, lost = found.get("duplicate_keys"), found.get("lost_in_file")
        what = "several rows of this file have one key and version and differ, so that one of them stays"
        passed = found.get("rows", 0) - found.get("rejected_rows", 0)
        sentences = [
            *([f"{lost} of its {passed} rows lost to another row of this file with the same key"] if lost else []),
            *([f"{what}: {number} times"] if number else []),
        ]
        return "; ".join(sentences) or None

    @property
    def is_sent_again(self) -> bool:
        """Whether a load with the same bytes is of an earlier upload."""
        return any(one.source.generation < self.source.generation for one in self.same_bytes)

    def as_json(self) -> dict[str, Any]:
        """Keys load_id, state, feed, bucket, object, generation, events, and what else is known."""
        details = [asdict(one) for one in (self.merge, self.dead_letter) if one]
        found = {
            "rejected": dict(self.rejected),
            "merged_rows": dict(self.merged_rows),
            "jobs": [asdict(job) for job in self.jobs],
            "same_bytes": [one.as_json() for one in self.same_bytes],
            "other_generations": [one.as_json() for one in self.others],
            "size": self.size,
            "seconds": self.took,
            "sent_again": RULE if self.is_sent_again else None,
            "warning": self.warning,
            "why": self.why,
        }
        return {
            "load_id": self.load.load_id if self.load else None,
            "contract": self.contract,
            "state": self.state.value,
            "feed": self.feed,
            **self.source.fields,
            "generation": self.source.generation or None,
            **{name: _readable(value) for one in details for name, value in one.items() if value is not None},
            **{name: _readable(value) for name, value in found.items() if value},
            "events": [event.as_json() for event in self.events],
        }


def read_history(connection: Connection, source: ObjectGeneration, with_jobs: bool = False) -> LoadHistory:
    """What happened to an object generation; generation 0 where none is known.

    `with_jobs`: also jobs and merged_rows, which take listing the jobs of that time, and loads with the same bytes.
    """
    events = read_events(connection, source)
    load, merge = _load(connection, source, events)
    state = state_of(_evidence(connection, source, load, merge, events))
    dead_letter = _last_dead_letter(events) if state == State.DEAD_LETTERED else None
    if not state.is_terminal and source.generation:
        # The journal has no final state; a waiting dead letter may.
        dead_letter = _waiting_dead_letter(connection, source, events)
        state = State.DEAD_LETTERED if dead_letter else state
    jobs = _jobs(connection, load, merge, events) if with_jobs and load else []
    is_live = state == State.UNKNOWN and live(connection, source.bucket, source.name) == source.generation
    return LoadHistory(
        source,
        load,
        load.feed if load else _feed_today(connection, source.name),
        state,
        events,
        _merge_details(connection, merge, load) if merge and load else None,
        dead_letter,
        _rejected(connection, load) if load else {},
        row_counts(connection, merge, load, jobs) if with_jobs and merge and load else {},
        [_job(job) for job in jobs],
        find_same_bytes(connection, load, events) if with_jobs and load else [],
        other_generations(connection, source) if with_jobs and source.generation else [],
        is_live,
        _why(connection, source, load, state, events, is_live),
    )


def _load(
    connection: Connection, source: ObjectGeneration, events: Sequence[LoadEvent]
) -> tuple[Load | None, Merge | None]:
    """The load that the ledger holds and its MERGE, else the one that is on its way."""
    if not source.generation:
        return None, None
    journal_feed = next((event.feed for event in reversed(events) if event.feed), None)
    loads = possible_loads(connection, source, journal_feed)
    found = ((load, find_merge(connection, load)) for load in loads)
    return next((one for one in found if one[1]), (loads[0] if loads else None, None))


def _feed_today(connection: Connection, name: str) -> str | None:
    feed = connection.feed_of(name)
    return feed.name if feed else None


def _evidence(
    connection: Connection,
    source: ObjectGeneration,
    load: Load | None,
    merge: Merge | None,
    events: Sequence[LoadEvent],
) -> Evidence:
    return Evidence(
        merge is not None,
        [event.event for event in events if not _is_superseded(event, events)],
        any(event.service != "console" for event in events),
        load,
        cache(lambda: frozenset(connection.staging_tables())),
        is_pinned=lambda: load is not None and _is_pinned(connection, load),
        is_unwanted=bool(source.generation) and connection.is_unwanted(source.name),
        is_overwritten=lambda: load is not None and _is_overwritten(connection, source),
    )


def _is_pinned(connection: Connection, load: Load) -> bool:
    archive = connection.storage.bucket(connection.archive)
    return any(archive.blob(load.archive_name(suffix)).exists() for suffix in SUFFIXES)


def _is_overwritten(connection: Connection, source: ObjectGeneration) -> bool:
    there = live(connection, source.bucket, source.name)
    if there is None or there <= source.generation:
        return False
    # With versioning, an overwritten generation can still be pinned.
    return not connection.storage.bucket(source.bucket).blob(source.name, generation=source.generation).exists()


def _last_dispatched_at(events: Sequence[LoadEvent]) -> datetime | None:
    return max((event.at for event in events if event.event in DISPATCH_EVENTS), default=None)


def _is_superseded(event: LoadEvent, events: Sequence[LoadEvent]) -> bool:
    """Whether it is of a dead letter that was given up after its load had been dispatched again."""
    if event.event not in SETTLED_EVENTS:
        return False
    written = event.detail.get("dead_lettered_at")
    return not is_current(datetime.fromisoformat(written) if written else event.at, _last_dispatched_at(events))


def _last_dead_letter(events: Sequence[LoadEvent]) -> DeadLetterDetails | None:
    """The dead letter that the journal named last."""
    found = None
    for event in events:
        detail = event.detail
        if event.event == "dead_lettered":
            found = DeadLetterDetails(detail.get("reason"), detail.get("error"), detail.get("dead_letter_id"))
        elif event.event == "discarded":
            is_known = found is not None and found.dead_letter == detail.get("dead_letter_id")
            # Of Pub/Sub's own there was no event before.
            error = found.error if found and is_known else None
            reason = found.reason if found and is_known else detail.get("reason")
            found = DeadLetterDetails(reason, error, detail.get("dead_letter_id"), detail.get("why"))
        elif event.event == "undone" and found is not None:
            found = DeadLetterDetails(found.reason, found.error, detail.get("undone_as"))
    return found


def _waiting_dead_letter(
    connection: Connection, source: ObjectGeneration, events: Sequence[LoadEvent]
) -> DeadLetterDetails | None:
    """Pub/Sub's own, or one whose event is lost; unless the load was dispatched again since."""
    one = latest_dead_letters(connection, lambda one: generation_of(one) == source).get(source)
    if one is None or not is_current(one.at, _last_dispatched_at(events)):
        return None
    return DeadLetterDetails(one.reason, one.error, one.id)


def _merge_details(connection: Connection, merge: Merge, load: Load) -> MergeDetails:
    return MergeDetails(merge.at, merge.id, merge.contract, merged_together(connection, merge, load))


def _rejected(connection: Connection, load: Load) -> dict[str, int]:
    parameters = {"feed": ("STRING", load.feed), "load_id": ("STRING", load.load_id)}
    return {row["why"]: row["n"] for row in connection.query("rejected_reasons.sql", parameters)}


def _jobs(connection: Connection, load: Load, merge: Merge | None, events: Sequence[LoadEvent]) -> list[Any]:
    moments = [event.at for event in events] + ([merge.at] if merge else [])
    return find_jobs(connection, load, merge, max(moments, default=datetime.now(UTC)))


def _job(job: Any) -> Job:
    return Job(job.job_id, job.state, job.created, job.error_result["message"] if job.error_result else None)


def _why(
    connection: Connection,
    source: ObjectGeneration,
    load: Load | None,
    state: State,
    events: Sequence[LoadEvent],
    is_live: bool,
) -> str | None:
    if state == State.IGNORED:
        return _why_ignored(connection, source, events)
    if state == State.PINNED and load and is_lost(connection, load):
        return (
            "it was merged into a main table that is no longer there, or no longer the contract's: "
            "`dropmerge backfill` announces it for the one that is there, `dropmerge rebuild` makes that of all files"
        )
    if state == State.UNKNOWN and is_live:
        return "the file is in the bucket, but its notification never arrived: `dropmerge backfill` announces it"
    if state == State.UNKNOWN:
        return "no such file: it is not in the bucket, and neither the ledger nor the journal has a record of it"
    return None


def _why_ignored(connection: Connection, source: ObjectGeneration, events: Sequence[LoadEvent]) -> str:
    recorded = [event.detail["pattern"] for event in events if "pattern" in event.detail]
    pattern = recorded[-1] if recorded else connection.ignored_by(source.name)
    if pattern:
        return f"its name matches {pattern}, which deploy/topology.yaml ignores"
    if source.name.endswith("/"):
        return "it is a folder's placeholder, and no file"
    patterns = patterns_like(connection.feeds, source.name)
    return (
        f"it is outside {connection.landing_prefix}, where files are for the feeds, and no feed's pattern matches its "
        f"name ({patterns}): put it where one does"
    )


def _readable(value: Any) -> Any:
    """With times as RFC 3339."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_readable(one) for one in value]
    if isinstance(value, dict):
        return {name: _readable(one) for name, one in value.items()}
    return value
