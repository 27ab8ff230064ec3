"""What is to be found of one object generation: in the ledger, the warehouse, the buckets, the journal.

The journal only adds to what is there to be seen; a load whose journal is lost is still explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from google.api_core import exceptions

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import is_current, latest_dead_letters
from dropmerge.operations.loads.events import DISPATCH_EVENTS, TERMINAL_STATES, read_events, state_from_events
from dropmerge.operations.loads.merges import Merge, find_jobs, find_merge, merged_together, row_counts
from services.shared.contract.pattern import feed_for
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.dead_letter import DeadLetter


@dataclass(frozen=True)
class LoadHistory:
    connection: Connection
    bucket: str
    object: str
    generation: int
    load: Load | None
    """None where no feed wants the object."""

    @property
    def feed(self) -> str | None:
        return self.load.feed if self.load else None

    @property
    def load_id(self) -> str | None:
        return self.load.load_id if self.load and self.generation else None

    @cached_property
    def state(self) -> str:
        """One of arrived pinned loaded staged merged dead_lettered superseded ignored unknown."""
        if self.merge:
            return "merged"
        word = state_from_events(event["event"] for event in self.events if not self._is_superseded(event))
        # Only the ledger says merged.
        if word and word in TERMINAL_STATES - {"merged"}:
            return word
        if self.load and self.generation:
            for state, is_so in (
                ("staged", self._is_staged),
                ("loaded", self._is_loaded),
                ("pinned", self._is_pinned),
            ):
                if is_so():
                    return state
        if any(event["service"] != "console" for event in self.events):
            return "arrived"
        if self.generation and self._nobody_wants_it:
            return "ignored"
        if self.generation and self.load and self._is_overwritten:
            return "superseded"
        return "unknown"

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        return read_events(self.connection, self.bucket, self.object, self.generation)

    @cached_property
    def merge(self) -> Merge | None:
        return find_merge(self.connection, self.load) if self.load and self.generation else None

    @property
    def merge_details(self) -> dict[str, Any]:
        """When, in which MERGE, with which other loads."""
        if not self.merge or not self.load:
            return {}
        return {
            "merged_at": self.merge.at.isoformat(),
            "merge_id": self.merge.id,
            "merged_with": merged_together(self.connection, self.merge, self.load),
        }

    @property
    def dead_letter(self) -> dict[str, Any]:
        """Reason, error and id of the letter that the journal told of last, and why it was discarded if it was."""
        found: dict[str, Any] = {}
        for event in self.events:
            if event["event"] == "dead_lettered":
                detail = event["detail"]
                found = {
                    "reason": detail.get("reason"),
                    "error": detail.get("error"),
                    "dead_letter": detail.get("dead_letter_id"),
                }
            elif event["event"] == "discarded":
                detail = event["detail"]
                if found.get("dead_letter") != detail.get("dead_letter_id"):
                    # Pub/Sub's own: nothing told of it before.
                    found = {"reason": detail.get("reason"), "dead_letter": detail.get("dead_letter_id")}
                found["discarded"] = detail.get("why")
        return found

    @property
    def waiting_dead_letter(self) -> DeadLetter | None:
        """The dead letter that waits, if it has not set out again since: Pub/Sub's own, or the journal is lost."""
        key = (self.bucket, self.object, self.generation)
        letter = latest_dead_letters(self.connection, {key}).get(key)
        return letter if letter and is_current(letter.at, self._last_dispatched_at) else None

    @property
    def _last_dispatched_at(self) -> datetime | None:
        times = (datetime.fromisoformat(event["at"]) for event in self.events if event["event"] in DISPATCH_EVENTS)
        return max(times, default=None)

    def _is_superseded(self, event: dict[str, Any]) -> bool:
        if event["event"] != "discarded":
            return False
        return not is_current(
            datetime.fromisoformat(event["detail"].get("dead_lettered_at") or event["at"]), self._last_dispatched_at
        )

    @cached_property
    def rejected(self) -> dict[str, int]:
        """Rows that failed their checks, by reason."""
        if self.load_id is None:
            return {}
        rows = self.connection.rows(
            "SELECT why, COUNT(*) AS n FROM `ops.rejected_rows`, UNNEST(reasons) AS why"
            " WHERE feed = @feed AND load_id = @load_id GROUP BY why ORDER BY n DESC, why",
            {"feed": ("STRING", self.feed), "load_id": ("STRING", self.load_id)},
        )
        return {row["why"]: row["n"] for row in rows}

    @property
    def job_details(self) -> dict[str, Any]:
        """What the MERGE did to rows, and the load's jobs by the ids to open in BigQuery's console; keys with news."""
        if not self.load or not self.generation:
            return {}
        moments = [datetime.fromisoformat(event["at"]) for event in self.events]
        until = max([*moments, self.merge.at] if self.merge else moments, default=datetime.now(UTC))
        found = find_jobs(self.connection, self.load, self.merge, until)
        rows = row_counts(self.connection, self.merge, self.load, found) if self.merge else {}
        jobs = [
            {
                "job_id": job.job_id,
                "state": job.state,
                "created": job.created.isoformat() if job.created else None,
                "error": job.error_result["message"] if job.error_result else None,
            }
            for job in found
        ]
        return {name: value for name, value in (("merged_rows", rows), ("jobs", jobs)) if value}

    @property
    def live(self) -> bool:
        return self._live_generation == self.generation

    @cached_property
    def _live_generation(self) -> int | None:
        try:
            blob = self.connection.storage.bucket(self.bucket).get_blob(self.object)
        except exceptions.NotFound:
            return None
        return int(blob.generation) if blob else None

    @property
    def _nobody_wants_it(self) -> bool:
        prefix = self.connection.topology["buckets"]["landing"]["prefix"]
        return self.object.endswith("/") or (self.load is None and not self.object.startswith(prefix))

    @property
    def _is_overwritten(self) -> bool:
        if self._live_generation is None or self._live_generation <= self.generation:
            return False
        # With versioning, an overwritten generation can still be pinned.
        blob = self.connection.storage.bucket(self.bucket).blob(self.object, generation=self.generation)
        return not blob.exists()

    def _is_staged(self) -> bool:
        return self.load is not None and self._has_table(self.load.staging_table)

    def _is_loaded(self) -> bool:
        return self.load is not None and any(map(self._has_table, (self.load.raw_table, self.load.checked_table)))

    def _is_pinned(self) -> bool:
        if self.load is None:
            return False
        archive = self.connection.storage.bucket(self.connection.archive)
        return bool(archive.blob(self.load.archive_name).exists())

    def _has_table(self, name: str) -> bool:
        return self.connection.warehouse.table_exists(f"{self.connection.project}.staging.{name}")


def load_history(connection: Connection, bucket: str, name: str, generation: int) -> LoadHistory:
    feed = feed_for(connection.feeds, name)
    load = Load(feed.name, ObjectGeneration(bucket, name, generation)) if feed else None
    return LoadHistory(connection, bucket, name, generation, load)
