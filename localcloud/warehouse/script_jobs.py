"""A script's child jobs, as bqemulator 1.4.0 has none: what each MERGE in it inserted and updated.

BigQuery runs each statement of a script as a job of its own, listed by its parent's id, with the rows that it
touched in `statistics.query.dmlStats`. Only a MERGE is reported here, and only until the process ends.
"""

from __future__ import annotations

import functools
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from bqemulator.api.routes import jobs
from bqemulator.scripting.interpreter import ScriptInterpreter
from bqemulator.storage.engine import DuckDBEngine

from localcloud.warehouse.kept_jobs import MAX_CHANGES

_MERGED = re.compile(r'\s*MERGE\s+INTO\s+(?P<table>"(?:[^"]|"")+"(?:\."(?:[^"]|"")+")*)', re.IGNORECASE)
_DELETES = re.compile(r"\bTHEN\s+DELETE\b", re.IGNORECASE)

_parent: ContextVar[str | None] = ContextVar("parent", default=None)
_in_script: ContextVar[bool] = ContextVar("in_script", default=False)
_children: OrderedDict[tuple[str, str], list[dict[str, Any]]] = OrderedDict()


def set_up() -> None:
    """Replaces what runs and lists jobs; called before the server is made."""
    for owner, name, by in (
        (jobs, "execute_query_job", _knowing_its_id),
        (ScriptInterpreter, "_run_query", _as_script),
        (DuckDBEngine, "fetch_arrow", _counting),
    ):
        setattr(owner, name, by(getattr(owner, name)))
    routes: list[Any] = list(jobs.router.routes)
    (route,) = [one for one in routes if one.endpoint is jobs.list_jobs]
    route.endpoint = _with_children(jobs.list_jobs)


def _knowing_its_id(execute: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(execute)
    async def execute_query_job(project_id: str, job_id: str, *rest: Any, **options: Any) -> Any:
        token = _parent.set(f"{project_id}:{job_id}")
        try:
            return await execute(project_id, job_id, *rest, **options)
        finally:
            _parent.reset(token)

    return execute_query_job


def _as_script(run: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(run)
    async def run_query(self: Any, bq_sql: str) -> Any:
        token = _in_script.set(True)
        try:
            return await run(self, bq_sql)
        finally:
            _in_script.reset(token)

    return run_query


def _counting(fetch: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fetch)
    def fetch_arrow(self: Any, sql: str, parameters: list[Any] | None = None) -> Any:
        parent = _parent.get()
        if parent is None or not _in_script.get() or sql.lstrip()[:5].upper() != "MERGE":
            return fetch(self, sql, parameters)
        merged = _MERGED.match(sql)
        if merged is None or _DELETES.search(sql):
            done = fetch(self, f"{sql.rstrip().rstrip(';')} RETURNING merge_action", parameters)
            counts = done.column(0).value_counts().to_pylist()
            _remember(parent, Counter({one["values"]: one["counts"] for one in counts}))
            return done
        # DuckDB merges by more than one thread where it need not say what it did with each row.
        count = f"SELECT COUNT(*) FROM {merged['table']}"  # noqa: S608 - as the statement has it
        before = fetch(self, count).column(0)[0].as_py()
        done = fetch(self, sql, parameters)
        inserted = fetch(self, count).column(0)[0].as_py() - before
        _remember(parent, Counter({"INSERT": inserted, "UPDATE": done.column(0)[0].as_py() - inserted}))
        return done

    return fetch_arrow


def _remember(parent: str, actions: Counter[str]) -> None:
    project, _, job_id = parent.partition(":")
    known = _children.setdefault((project, job_id), [])
    child = f"script_job_{job_id}_{len(known)}"
    now = str(int(time.time() * 1000))
    counts = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}
    statistics = {
        "creationTime": now,
        "startTime": now,
        "endTime": now,
        "parentJobId": job_id,
        "query": {
            "statementType": "MERGE",
            "numDmlAffectedRows": str(actions.total()),
            "dmlStats": {f"{name}RowCount": str(actions[action]) for name, action in counts.items()},
        },
    }
    known.append(
        {
            "kind": "bigquery#job",
            "id": f"{project}:{child}",
            "jobReference": {"projectId": project, "jobId": child, "location": "US"},
            "status": {"state": "DONE"},
            "configuration": {"jobType": "QUERY", "query": {"query": ""}},
            "statistics": statistics,
        }
    )
    while len(_children) > MAX_CHANGES:
        _children.popitem(last=False)


def _with_children(list_jobs: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    @functools.wraps(list_jobs)
    def listed(*given: Any, **options: Any) -> dict[str, Any]:
        parent = options.get("parentJobId")
        if parent is None:
            return list_jobs(*given, **options)
        found = _children.get((options["project_id"], parent), [])
        return {"kind": "bigquery#jobList", "jobs": found, "totalItems": len(found)}

    return listed
