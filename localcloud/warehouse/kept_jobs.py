"""What the local warehouse remembers of jobs and of their results; bqemulator 1.4.0 keeps all of it for ever.

BigQuery keeps a result for 24 hours and a job for six months, and then answers `notFound`. Here the bounds are counts
and bytes. A result is dropped when younger ones need its place, though not while somebody reads it page by page; a job
is dropped long after its result. A running job is in no store: it enters when it has ended, as the youngest.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from bqemulator.api.routes import jobs, tables
from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.catalog.memory_repository import MemoryCatalogRepository
from bqemulator.domain.errors import ErrorDetail, NotFoundError
from bqemulator.jobs import executor
from bqemulator.storage.engine import CATALOG_SCHEMA
from bqemulator.streaming import read_session
from fastapi import Query

from localcloud.warehouse import transactions
from localcloud.warehouse.bounded import Tables, Youngest
from localcloud.warehouse.replace import replace, replace_store

MAX_RESULTS = 200
MAX_RESULT_BYTES = 32 * 2**20
MAX_QUESTIONS = 1_000
"""Jobs that only read, such as those of `dropmerge status`. Like their results they end with the process."""
MAX_CHANGES = 5_000
"""All other jobs: loads, MERGEs, failures."""
MAX_JOB_BYTES = 16 * 2**20
"""Of either kind, as JSON."""

_JOBS = f'"{CATALOG_SCHEMA}"."jobs"'
_STATEMENT = "json_extract_string(metadata_json, '$.statistics.query.statementType')"

_results = Tables(MAX_RESULTS, MAX_RESULT_BYTES, lambda job_id: executor.JOB_SCHEMAS.pop(job_id, None))
_sessions = Tables(MAX_RESULTS, MAX_RESULT_BYTES)
_questions = Youngest(MAX_QUESTIONS, MAX_JOB_BYTES)
_changes = Youngest(MAX_CHANGES, MAX_JOB_BYTES)
_lock = threading.RLock()  # some routes run in threads
_original: dict[str, Callable[..., Any]] = {}


def set_up() -> None:
    """Replaces stores and routes of jobs; called before the server is made."""
    for module, name, store in (
        (executor, "JOB_RESULTS", _results),
        (jobs, "JOB_RESULTS", _results),  # holds it by its name
        (read_session, "_SESSIONS", _sessions),
    ):
        replace_store(module, name, store)
    for owner, name, by in (
        (jobs, "resource_not_found", job_not_found),
        (tables, "_anonymous_result_table_to_rest", anonymous_table),
        (DuckDBCatalogRepository, "upsert_job", upsert_job),
        (DuckDBCatalogRepository, "delete_job", delete_job),
        (DuckDBCatalogRepository, "_hydrate_jobs", hydrate_jobs),
        (MemoryCatalogRepository, "list_jobs", list_jobs),
    ):
        _original[name] = replace(owner, name, by)
    for name, by in (
        ("query", _query_noted(jobs.query)),
        ("get_query_results", _results_noted(jobs.get_query_results)),
        ("list_jobs", _listed_by_time(jobs.list_jobs)),
    ):
        routes: list[Any] = list(jobs.router.routes)
        (route,) = [one for one in routes if one.endpoint is getattr(jobs, name)]
        route.endpoint = by
        setattr(jobs, name, by)


def job_not_found(ref: Any) -> NotFoundError:
    """The error for an unknown job, in BigQuery's words."""
    return _not_found(f"Not found: Job {ref.project_id}:US.{ref.resource_id}")


def anonymous_table(project_id: str, dataset_id: str, table_id: str) -> dict[str, Any]:
    """A result by its destination's name. One that is gone is not found, where bqemulator answers with no rows."""
    if table_id.removeprefix("anon") not in {job_id.replace("-", "") for job_id in _results}:
        raise _not_found(f"Not found: Table {project_id}:{dataset_id}.{table_id}")
    return dict(_original["_anonymous_result_table_to_rest"](project_id, dataset_id, table_id))


def _not_found(message: str) -> NotFoundError:
    return NotFoundError(message, details=[ErrorDetail(reason="notFound", message=message)])


def upsert_job(self: Any, job: Any) -> Any:
    """Stores a finished job and drops the oldest that have no place left."""
    key, size, question = (job.project_id, job.job_id), len(job.model_dump_json()), is_question(job)
    own, other = (_questions, _changes) if question else (_changes, _questions)
    with _lock:
        self.ensure_ready()
        has_moved = other.discard(key)
        if has_moved if question else key in _changes:  # an id used again
            _original["delete_job"](self, *key, not_found_ok=True)
        if question:
            self._cache.upsert_job(job)
        else:
            _original["upsert_job"](self, job)
        transactions.on_rollback(lambda: own.discard(key))
        for old in own.add(key, size):
            self.delete_job(*old, not_found_ok=True)
        return job


def delete_job(self: Any, project_id: str, job_id: str, *, not_found_ok: bool = False) -> None:
    """Deletes a job; one that only read is in memory alone."""
    with _lock:
        if _questions.discard((project_id, job_id)):
            self._cache.delete_job(project_id, job_id)
            return
        _original["delete_job"](self, project_id, job_id, not_found_ok=not_found_ok)
        _changes.discard((project_id, job_id))


def hydrate_jobs(self: Any) -> None:
    """Reads the youngest `MAX_CHANGES` jobs from disk, and deletes the others there."""
    self._engine.execute(
        f"DELETE FROM {_JOBS} WHERE {_STATEMENT} = 'SELECT' OR (project_id, job_id) NOT IN"  # noqa: S608
        f" (SELECT (project_id, job_id) FROM {_JOBS} ORDER BY end_time DESC LIMIT {MAX_CHANGES})"
    )
    _original["_hydrate_jobs"](self)
    found = sorted(self._cache._jobs.items(), key=lambda item: item[1].end_time or item[1].creation_time)
    for key, job in found:
        for old in _changes.add(key, len(job.model_dump_json())):
            self.delete_job(*old)


def is_question(job: Any) -> bool:
    """Whether a finished job changed nothing."""
    statistics: dict[str, Any] = job.statistics.get("query", {})
    return statistics.get("statementType") == "SELECT" and job.error_result is None


def list_jobs(
    self: Any, project_id: str, *, state_filter: str | None = None, max_results: int = 100
) -> tuple[Any, ...]:
    """A project's jobs, youngest first. Reads a copy, since other threads add jobs meanwhile."""
    found = [
        job for job in list(self._jobs.values()) if job.project_id == project_id and state_filter in (None, job.state)
    ]
    return tuple(sorted(found, key=lambda job: job.creation_time, reverse=True)[:max_results])


def _note(answer: dict[str, Any]) -> dict[str, Any]:
    if "pageToken" not in answer:
        _results.done(answer["jobReference"]["jobId"])
    return answer


def _query_noted(query: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(query)
    async def noted(*given: Any, **options: Any) -> dict[str, Any]:
        return _note(await query(*given, **options))

    return noted


def _results_noted(get_query_results: Callable[..., dict[str, Any]]) -> Callable[..., Awaitable[dict[str, Any]]]:
    @functools.wraps(get_query_results)
    async def noted(*given: Any, **options: Any) -> dict[str, Any]:
        return _note(get_query_results(*given, **options))

    return noted


def _listed_by_time(list_jobs: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """With the bounds that bqemulator does not know: a listing of every statement takes a hundred megabytes."""

    @functools.wraps(list_jobs)
    def listed(
        *given: Any,
        minCreationTime: int | None = None,  # the API's name
        maxCreationTime: int | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        most = options.pop("maxResults")
        answer = list_jobs(*given, **options, maxResults=MAX_QUESTIONS + MAX_CHANGES)
        first, last = minCreationTime or 0, maxCreationTime or float("inf")
        found = [job for job in answer["jobs"] if first <= int(job["statistics"]["creationTime"]) <= last][:most]
        return {**answer, "jobs": found, "totalItems": len(found)}

    known = inspect.signature(list_jobs)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=Query(None), annotation=int | None)
        for name in ("minCreationTime", "maxCreationTime")
    ]
    listed.__signature__ = known.replace(parameters=[*known.parameters.values(), *more])  # type: ignore[attr-defined]
    return listed
