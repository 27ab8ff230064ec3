"""What is to be found of one object generation: in the ledger, the warehouse, the buckets, the journal.

The journal only adds to what is there to be seen; a load whose journal is lost is still explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

from google.api_core import exceptions as google

from services.console.connection import Connection
from services.console.events import CLOCKS, created, read_events
from services.console.letter import Letter
from services.console.mailbox import Mailbox
from services.ingest.pin import archived_name
from services.shared.feed import feed_for
from services.shared.load import Load

_MOST_JOBS = 10_000
_MOST_OTHERS = 100


@dataclass(frozen=True)
class Facts:
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
        end = self._end
        if self.merge:
            return "merged"
        if end is not None:
            return {"discarded": "dead_lettered"}.get(end["event"], str(end["event"]))
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
    def merge(self) -> dict[str, Any]:
        """When, in which MERGE, with which other loads; empty where the ledger does not hold the load."""
        if self.load_id is None:
            return {}
        entries = self.connection.rows(
            "SELECT o.load_id, o.merged_at, o.merge_id FROM `ops.ledger` AS l JOIN `ops.ledger` AS o"
            " ON o.merge_id = l.merge_id AND o.feed = l.feed WHERE l.feed = @feed AND l.load_id = @load_id"
            " ORDER BY o.load_id",
            {"feed": ("STRING", self.feed), "load_id": ("STRING", self.load_id)},
        )
        own = next((entry for entry in entries if entry["load_id"] == self.load_id), None)
        if own is None:
            return {}
        others = [entry["load_id"] for entry in entries if entry["load_id"] != self.load_id]
        return {
            "merged_at": own["merged_at"].isoformat(),
            "merge_id": own["merge_id"],
            "merged_with": self._named(others[:_MOST_OTHERS]),
            "merged_rows": self._merged_rows(str(own["merge_id"]), [entry["load_id"] for entry in entries]),
        }

    def _merged_rows(self, merge_id: str, load_ids: list[str]) -> dict[str, int]:
        """Of the whole MERGE, as BigQuery counts them; an applied delete is an update, or inserts a tombstone.

        `ignored`: staged and not applied, because the table or the same MERGE had a newer row for the key, or this
        very one. Empty where BigQuery no longer has the job; without `ignored` where the journal has lost a load.
        """
        done = [job for job in self._jobs if f"-{merge_id}-" in job.job_id and not job.error_result]
        children = [child for job in done for child in self.connection.warehouse.client.list_jobs(parent_job=job)]
        counts = [child.dml_stats for child in children if child.statement_type == "MERGE" and child.dml_stats]
        if not counts:
            return {}
        found = {
            "inserted": sum(count.inserted_row_count for count in counts),
            "updated": sum(count.updated_row_count for count in counts),
        }
        staged = self._staged_rows(load_ids)
        if staged is None:
            return found
        return {**staged, **found, "ignored": staged["staged"] - sum(found.values())}

    def _staged_rows(self, load_ids: list[str]) -> dict[str, int] | None:
        """By the journal's latest word on each load's checks; None unless it has one on all."""
        rows = self.connection.rows(
            "SELECT detail FROM `ops.journal` WHERE event = 'checked' AND load_id IN UNNEST(SPLIT(@load_ids))"
            " AND `at` >= @since QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY `at` DESC) = 1",
            {"load_ids": ("STRING", ",".join(load_ids)), "since": ("TIMESTAMP", self._since_others)},
        )
        details = [json.loads(row["detail"]) for row in rows]
        if len(details) < len(load_ids):
            return None
        return {
            "staged": sum(detail["rows"] - detail["rejected_rows"] for detail in details),
            "deletes": sum(detail.get("deletes", 0) for detail in details),
        }

    @property
    def _since_others(self) -> datetime:
        """What is merged together was dropped within days."""
        return created(self.generation) - timedelta(days=7)

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
                found["discarded"] = event["detail"].get("why")
        return found

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

    @cached_property
    def _jobs(self) -> list[Any]:
        """The load's own and its MERGE, oldest first, by their ids; BigQuery keeps them for six months."""
        if self.load_id is None:
            return []
        wanted = [self.load_id, *([f"-{self._merge_id}-"] if self._merge_id else [])]
        times = [datetime.fromisoformat(event["at"]) for event in self.events]
        if self._entry:
            times.append(self._entry["merged_at"])
        try:
            listed = self.connection.warehouse.client.list_jobs(
                all_users=True,
                max_results=_MOST_JOBS,
                min_creation_time=created(self.generation) - CLOCKS,
                max_creation_time=max(times, default=datetime.now(UTC)) + timedelta(minutes=1),
            )
            return [job for job in listed if any(part in (job.job_id or "") for part in wanted)][::-1]
        except google.Forbidden:
            return []

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """Ids to open in BigQuery's console."""
        return [
            {
                "job_id": job.job_id,
                "state": job.state,
                "created": job.created.isoformat() if job.created else None,
                "error": job.error_result["message"] if job.error_result else None,
            }
            for job in self._jobs
        ]

    @property
    def live(self) -> bool:
        return self._live_generation == self.generation

    @cached_property
    def _live_generation(self) -> int | None:
        try:
            blob = self.connection.storage.bucket(self.bucket).get_blob(self.object)
        except google.NotFound:
            return None
        return int(blob.generation) if blob else None

    @property
    def _end(self) -> dict[str, Any] | None:
        """The journal's last event, if it is an end that nothing came after but its own discarding."""
        last = self.events[-1] if self.events else None
        ends = ("dead_lettered", "superseded", "ignored", "discarded")
        return last if last and last["event"] in ends else None

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
        return any(self._has_table(f"{kind}_{self.load_id}") for kind in ("_raw", "_checked"))

    def _is_pinned(self) -> bool:
        if self.load is None:
            return False
        archive = self.connection.storage.bucket(self.connection.archive)
        return bool(archive.blob(archived_name(self.load)).exists())

    def _has_table(self, name: str) -> bool:
        return self.connection.warehouse.exists(f"{self.connection.project}.staging.{name}")

    def _named(self, load_ids: list[str]) -> list[str]:
        """Each load by its object where the journal knows it."""
        rows = self.connection.rows(
            "SELECT DISTINCT load_id, bucket, object, generation FROM `ops.journal`"
            " WHERE load_id IN UNNEST(SPLIT(@load_ids)) AND `at` >= @since",
            {
                "load_ids": ("STRING", ",".join(load_ids)),
                "since": ("TIMESTAMP", self._since_others),
            },
        )
        names = {row["load_id"]: f"gs://{row['bucket']}/{row['object']}#{row['generation']}" for row in rows}
        return [names.get(load_id, load_id) for load_id in load_ids]


def gather(connection: Connection, bucket: str, name: str, generation: int) -> Facts:
    feed = feed_for(connection.feeds, name)
    load = Load(feed.feed, bucket, name, generation) if feed else None
    return Facts(connection, bucket, name, generation, load)


def find_letter(connection: Connection, bucket: str, name: str, generation: int) -> Letter | None:
    """The dead letter of an object's generation that waits, if one does."""
    with Mailbox(connection) as mailbox:
        letters = chain.from_iterable(mailbox.batches())
        return next((x for x in letters if (x.bucket, x.object, x.generation) == (bucket, name, generation)), None)
