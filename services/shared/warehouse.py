"""BigQuery, as both services use it."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import structlog
from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from services.shared.deadline import remaining
from services.shared.errors import PermanentError, TransientError
from services.shared.google_errors import google_reason, translated
from services.shared.labels import feed_labels

HTTP_TIMEOUT = 120.0
# Google's default retries run for 10 and 40 minutes, longer than a push may take, with pauses of up to one.
RETRY = bigquery.DEFAULT_RETRY.with_timeout(60.0).with_delay(initial=0.5, maximum=8.0)
_MAX_ATTEMPTS = 100
_TOO_LARGE = "larger than the maximum allowed size"
"""In the error of a load job (https://cloud.google.com/bigquery/docs/troubleshoot-quotas#ts-load-csv-quota-errors)."""
_COUNT_TIMEOUT = 10.0
_PAGE = 1000
_LONG_PAGE = 10_000

Parameters = Mapping[str, tuple[str, Any]]
"""Name to (BigQuery type, value)."""


@dataclass(frozen=True)
class Cost:
    """Of a job that is done; None is what BigQuery does not say."""

    bytes_billed: int | None = None
    """Of a script, of all its statements."""
    slot_ms: int | None = None

    @classmethod
    def of(cls, job: Any) -> Cost:
        return cls(job.total_bytes_billed, job.slot_millis)


@dataclass(frozen=True)
class ScriptJob:
    """A script that is done."""

    job_id: str
    cost: Cost = Cost()


def connect(
    project: str, location: str, labels: Mapping[str, str] = MappingProxyType({}), reservation: str = ""
) -> bigquery.Client:
    """A client; anonymous against an emulator, which unlike the other clients this one does not do itself.

    `labels`: of all its jobs. `reservation`: whose slots its queries run on, `projects/P/locations/L/reservations/R`;
    empty leaves that to the project's assignments
    (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfiguration, `reservation`).
    """
    emulated: Any = {"credentials": AnonymousCredentials()} if os.environ.get("BIGQUERY_EMULATOR_HOST") else {}  # type: ignore[no-untyped-call]
    defaults = query_defaults(labels, reservation)
    return bigquery.Client(project=project, location=location, default_query_job_config=defaults, **emulated)


def query_defaults(labels: Mapping[str, str], reservation: str = "") -> bigquery.QueryJobConfig:
    """What a client's queries have that do not say otherwise."""
    defaults = bigquery.QueryJobConfig(labels=dict(labels))
    if reservation:
        defaults.reservation = reservation
    return defaults


class Warehouse:
    """Statements and jobs, each awaited for `budget_seconds`, or what is left of the delivery's time.

    Every method raises PermanentError or TransientError, with Google's error as its cause; NotFoundError where a table
    or dataset is missing.
    """

    def __init__(self, client: bigquery.Client, budget_seconds: float, retry: Retry = RETRY) -> None:
        self.client = client
        self._budget = budget_seconds
        self._retry = retry

    def labels(self, feed: str = "") -> dict[str, str]:
        """Of what is made now: those of the client's jobs, and this feed or the one that is worked on."""
        defaults = self.client.default_query_job_config
        return {**(defaults.labels if defaults else {}), **feed_labels(feed)}

    @translated()
    def query(self, sql: str, parameters: Parameters | None = None, name: str | None = None) -> list[bigquery.Row]:
        """The rows. With `name`, the job's id begins with it, for a person to find; without, one call is enough where
        the statement ends soon (https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query)."""
        return list(self._named_rows(sql, parameters, name) if name else self._rows(sql, parameters))

    def stream(self, sql: str, parameters: Parameters | None = None, page: int = _LONG_PAGE) -> Iterator[bigquery.Row]:
        """The rows, of which a page at a time is in memory."""
        with translated():
            yield from self._rows(sql, parameters, page)

    def _rows(self, sql: str, parameters: Parameters | None, page: int | None = None) -> Iterable[bigquery.Row]:
        seconds = remaining(self._budget)
        found: Iterable[bigquery.Row] = self.client.query_and_wait(
            sql,
            job_config=self._config(parameters),
            api_timeout=min(HTTP_TIMEOUT, seconds),
            wait_timeout=seconds,
            page_size=page,
            retry=self._retry,
            job_retry=None,  # type: ignore[arg-type]  # a job is not started again
        )
        return found

    def _named_rows(self, sql: str, parameters: Parameters | None, name: str) -> Iterable[bigquery.Row]:
        job = self._start(sql, parameters, name)
        found: Iterable[bigquery.Row] = job.result(retry=self._retry, timeout=remaining(self._budget), job_retry=None)
        return found

    def _start(self, sql: str, parameters: Parameters | None, name: str, max_bytes_billed: int | None = None) -> Any:
        remaining(self._budget)  # Do not start a job that no time is left to wait for.
        return self.client.query(
            sql,
            job_config=self._config(parameters, max_bytes_billed),
            job_id_prefix=f"dropmerge-{name}-",
            retry=self._retry,
            job_retry=None,
            timeout=HTTP_TIMEOUT,
        )

    @translated()
    def run_script(self, sql: str, name: str, max_bytes_billed: int | None = None) -> ScriptJob:
        """Run a script; its job's id begins with `name`, for a person to find.

        Raises: PermanentError("too_expensive") where more than `max_bytes_billed` would be billed.
        """
        job = self._start(sql, None, name, max_bytes_billed)
        job.result(retry=self._retry, timeout=remaining(self._budget), job_retry=None)
        return ScriptJob(job.job_id, Cost.of(job))

    def _config(self, parameters: Parameters | None, max_bytes_billed: int | None = None) -> bigquery.QueryJobConfig:
        config = bigquery.QueryJobConfig(
            query_parameters=[
                bigquery.ScalarQueryParameter(name, kind, value) for name, (kind, value) in (parameters or {}).items()
            ],
            labels=self.labels(),
        )
        if max_bytes_billed is not None:
            config.maximum_bytes_billed = max_bytes_billed
            # Whether that is of a whole script, or of each statement in it, is not documented; this is of each
            # (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#ScriptOptions).
            config.script_options = bigquery.ScriptOptions(statement_byte_budget=max_bytes_billed)
        return config

    def rows_changed(self, job_id: str) -> tuple[int, int] | None:
        """How many rows the first MERGE of a script inserted and updated; None where there is none.

        Each statement of a script is a job (https://cloud.google.com/bigquery/docs/scripting-concepts#script_jobs).
        Failures are logged and ignored: what is counted is done.
        """
        try:
            listed = self.client.list_jobs(
                parent_job=job_id, retry=self._retry.with_timeout(_COUNT_TIMEOUT), timeout=_COUNT_TIMEOUT
            )
            merges = [job for job in listed if job.statement_type == "MERGE" and job.dml_stats]
        except Exception as error:
            structlog.get_logger().warning("changed rows not counted", error=str(error), job_id=job_id)
            return None
        if not merges:
            return None
        first = min(merges, key=lambda job: (job.created, job.job_id)).dml_stats
        return first.inserted_row_count, first.updated_row_count

    @translated()
    def find_table(self, table: str) -> bigquery.Table | None:
        """The table of this full name, project included; None where there is none. The question is free."""
        try:
            return self.client.get_table(table, retry=self._retry, timeout=HTTP_TIMEOUT)
        except exceptions.NotFound:
            return None

    def table_exists(self, table: str) -> bool:
        """Whether a table of this full name, project included, is there. The question is free."""
        return self.find_table(table) is not None

    @translated()
    def update_table(self, table: bigquery.Table, *fields: str) -> None:
        """Write these fields of a table as it was found; TransientError where somebody else has changed it since."""
        self.client.update_table(table, fields, retry=self._retry, timeout=HTTP_TIMEOUT)

    @translated()
    def drop_table(self, table: str) -> None:
        """Drop the table of this full name; one that is not there is dropped."""
        self.client.delete_table(table, not_found_ok=True, retry=self._retry, timeout=HTTP_TIMEOUT)

    @translated()
    def list_tables(self, dataset: str, prefix: str) -> list[str]:
        """Names of a dataset's tables that begin with a prefix. A listing is free; a query is not."""
        listed: Iterable[Any] = self.client.list_tables(
            dataset, page_size=_PAGE, retry=self._retry, timeout=HTTP_TIMEOUT
        )
        return [item.table_id for item in listed if item.table_id.startswith(prefix)]

    @translated()
    def create_table_once(
        self,
        name: str,
        table: str,
        sql: str,
        parameters: Parameters | None = None,
        idempotency_key: str = "",
        max_bytes_billed: int | None = None,
    ) -> Cost:
        """Run a statement that creates `table`, under a job id that repeats with the statement and the key.

        Deliveries that overlap, or a lost response, attach to the running job instead of starting another.
        Raises: PermanentError("too_expensive") where more than `max_bytes_billed` would be billed.
        """

        def start(job_id: str) -> Any:
            return self.client.query(
                sql,
                job_config=self._config(parameters, max_bytes_billed),
                job_id=job_id,
                retry=self._retry,
                job_retry=None,
                timeout=HTTP_TIMEOUT,
            )

        name = _job_name(name, sql, repr(sorted((parameters or {}).items())), idempotency_key)
        return Cost.of(self._once(name, table, start))

    @translated()
    def load_table_once(self, name: str, table: str, uri: str, config: bigquery.LoadJobConfig) -> None:
        """Load `uri` into `table`, as `create_table_once`. Raises: PermanentError("malformed_file") for a file that
        BigQuery cannot read, "file_too_large" for one that it does not load for its size."""

        labelled = copy.deepcopy(config)
        labelled.labels = self.labels()

        def start(job_id: str) -> Any:
            return self.client.load_table_from_uri(
                uri, table, job_id=job_id, job_config=labelled, retry=self._retry, timeout=HTTP_TIMEOUT
            )

        with _unreadable_file():
            self._once(_job_name(name, uri, str(config.to_api_repr())), table, start)

    def _once(self, name: str, table: str, start: Callable[[str], Any]) -> Any:
        """The job that is done."""
        for attempt in range(_MAX_ATTEMPTS):
            job_id = f"{name}-{attempt}"
            remaining(self._budget)  # Do not start a job that no time is left to wait for.
            try:
                job = start(job_id)
            except exceptions.Conflict:
                # Asked for only now: most work is done once.
                if (known := self._attached(job_id, table)) is not None:
                    return known
                continue
            job.result(timeout=remaining(self._budget))
            return job
        raise TransientError(f"job {name} was tried {_MAX_ATTEMPTS} times")

    def _attached(self, job_id: str, table: str) -> Any | None:
        """The job of another delivery, or of a lost answer, once it is done; None where it failed, or its table has
        gone since: then its id cannot be used again."""
        job = self._find(job_id)
        if job is None:
            raise TransientError(f"job {job_id} does not exist and cannot be started")
        if not job.done(retry=self._retry):
            job.result(timeout=remaining(self._budget))
        return job if job.error_result is None and self.table_exists(table) else None

    @translated()
    def create_dataset(self, name: str) -> None:
        """Create a dataset if it is not there."""
        dataset = bigquery.DatasetReference(self.client.project, name)
        try:
            self.client.get_dataset(dataset, retry=self._retry, timeout=HTTP_TIMEOUT)
        except exceptions.NotFound:
            # Only now: creating one, even one that is there, takes a right on the whole project.
            self.client.create_dataset(dataset, exists_ok=True, retry=self._retry, timeout=HTTP_TIMEOUT)

    @translated()
    def create_table(self, table: bigquery.Table) -> None:
        """Create a table if it is not there; one that is there, of an earlier release, gains the columns it lacks."""
        found = self.find_table(str(table.reference))
        if found is None:
            table.labels = {**self.labels(), **table.labels}
            # Only now: creating one, even one that is there, takes a right on the whole dataset.
            self.client.create_table(table, exists_ok=True, retry=self._retry, timeout=HTTP_TIMEOUT)
            return
        names = {field.name for field in found.schema}
        if missing := [field for field in table.schema if field.name not in names]:
            found.schema = [*found.schema, *missing]
            self.update_table(found, "schema")

    def _find(self, job_id: str) -> Any | None:
        try:
            return self.client.get_job(job_id, retry=self._retry, timeout=HTTP_TIMEOUT)
        except exceptions.NotFound:
            return None


@contextmanager
def _unreadable_file() -> Iterator[None]:
    try:
        with translated():
            yield
    except PermanentError as error:
        # The same word says that bucket and dataset are in different places.
        is_file = error.__cause__ and google_reason(error.__cause__) == "invalid"
        if is_file and "different locations" not in error.detail:
            reason = "file_too_large" if _TOO_LARGE in error.detail else "malformed_file"
            raise PermanentError(reason, _once(error.detail)) from error.__cause__
        raise


def _once(detail: str) -> str:
    """A job's error has the first of its errors in its own message, and again behind `reason: … message:`."""
    said, _, again = detail.partition("; reason: ")
    is_repeated = again.partition("message: ")[2].startswith(said.partition(" ")[2])
    return said if again and is_repeated else detail


def _job_name(name: str, *parts: str) -> str:
    # Statement and parameters are part of the name: a fixed contract is other work, not a repetition.
    return f"dropmerge-{name}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:8]}"
