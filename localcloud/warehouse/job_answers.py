"""What BigQuery answers to who starts a job, where bqemulator 1.4.0 answers otherwise.

A job's id is taken for ever; bqemulator runs another job under it. A job that is under way cannot be asked about here:
who sends its id again is answered once it has ended. And a statement that fails within jobs.query is an error of that
call; bqemulator answers that it is done, without rows
(https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from bqemulator.api.routes import jobs
from bqemulator.domain import errors

_under_way: dict[tuple[str, str], asyncio.Event] = {}
_BY_REASON: dict[str, type[errors.DomainError]] = {
    one.bq_reason: one
    for one in (errors.NotFoundError, errors.AlreadyExistsError, errors.PermissionDeniedError, errors.InternalError)
}


def set_up() -> None:
    """Replaces what starts jobs; called before the server is made, and after `kept_jobs`, which replaces one too."""
    for start, by in ((jobs.insert_job, _once), (jobs.query, _failing)):
        (route,) = [one for one in list[Any](jobs.router.routes) if one.endpoint is start]
        route.endpoint = by(start)


def _once(insert: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(insert)
    async def insert_job(project_id: str, request: Any, ctx: Any, caller: Any) -> Any:
        job_id = (await request.json()).get("jobReference", {}).get("jobId")
        if job_id is None:
            return await insert(project_id, request, ctx, caller)
        key = (project_id, job_id)
        while key in _under_way:
            await _under_way[key].wait()
        if ctx.catalog.get_job(project_id, job_id) is not None:
            raise _error("duplicate", f"Already Exists: Job {project_id}:US.{job_id}")
        ended = _under_way[key] = asyncio.Event()
        try:
            return await insert(project_id, request, ctx, caller)
        finally:
            del _under_way[key]
            ended.set()

    return insert_job


def _failing(query: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(query)
    async def failing(*given: Any, **options: Any) -> Any:
        answer = await query(*given, **options)
        for one in answer.get("errors", []):
            raise _error(one["reason"], one["message"])
        return answer

    return failing


def _error(reason: str, message: str) -> errors.DomainError:
    kind = _BY_REASON.get(reason, errors.InvalidQueryError)
    return kind(message, details=[errors.ErrorDetail(reason=reason, message=message)])
