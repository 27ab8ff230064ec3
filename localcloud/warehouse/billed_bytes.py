"""What BigQuery would bill for a query that says how much it may be billed, as bqemulator 1.4.0 bills nothing.

Each table that the statement names counts once with all its bytes, in BigQuery's sizes, and with 10 MiB at least
(https://cloud.google.com/bigquery/pricing#on_demand_pricing); nothing is left out for partitions, blocks or columns
that a statement does not read. A query over its bound fails with BigQuery's error, before it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlglot
from bqemulator.api.routes import jobs
from bqemulator.storage.sql_identifiers import quoted_table_ref
from sqlglot import exp

from localcloud.warehouse.replace import replace

LEAST = 10 * 2**20
"""Bytes that are billed for a table."""
_SIZES = {"BOOLEAN": 1}
"""By DuckDB's types, bytes of a value; eight of the others that are no text
(https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes)."""
_WIDE = 16
_TEXTS = ("VARCHAR", "BLOB", "JSON")

_original: dict[str, Callable[..., Any]] = {}


def set_up() -> None:
    """Replaces what runs a query job; called before the server is made."""
    _original["execute"] = replace(jobs, "_execute_query_or_failed_meta", execute)


async def execute(
    *,
    project_id: str,
    job_id: str,
    bq_sql: str,
    query_params: Any,
    query_config: dict[str, Any],
    config: dict[str, Any],
    ctx: Any,
    caller: Any,
) -> Any:
    """Runs a query, unless it has a bound and is over it; one within its bound reports the bytes billed."""
    known = {
        "project_id": project_id,
        "job_id": job_id,
        "bq_sql": bq_sql,
        "query_params": query_params,
        "query_config": query_config,
        "config": config,
        "ctx": ctx,
        "caller": caller,
    }
    bound = query_config.get("maximumBytesBilled")
    if bound is None:
        return await _original["execute"](**known)
    billed = sum(max(LEAST, size) for size in _sizes(bq_sql, project_id, ctx))
    if billed > int(bound):
        message = f"Query exceeded limit for bytes billed: {bound}. {billed} or higher required."
        return jobs._failed_job_meta(
            project_id=project_id,
            job_id=job_id,
            job_type="QUERY",
            config=config,
            error_result={"reason": "bytesBilledLimitExceeded", "message": message},
            now=ctx.clock.now(),
        )
    done = await _original["execute"](**known)
    done.statistics["query"]["totalBytesBilled"] = str(billed)
    return done


def _sizes(bq_sql: str, project_id: str, ctx: Any) -> Iterator[int]:
    """Of each table that is there and named, in bytes."""
    trees = [tree for tree in sqlglot.parse(bq_sql, read="bigquery") if tree]
    named = {tuple(_parts(one, project_id)) for tree in trees for one in tree.find_all(exp.Table)}
    for project, dataset, table in sorted(one for one in named if len(one) == 3):
        meta = ctx.catalog.get_table(project, dataset, table)
        if meta is not None and meta.table_type == "TABLE":
            yield _size(quoted_table_ref(project, dataset, table), ctx)


def _parts(table: exp.Table, project_id: str) -> list[str]:
    parts = [part for one in table.parts for part in one.name.split(".")]
    return parts if len(parts) != 2 else [project_id, *parts]


def _size(table: str, ctx: Any) -> int:
    columns = [(name, kind) for name, kind, *_ in ctx.engine.execute(f"DESCRIBE {table}").fetchall()]
    sizes = " + ".join(_size_of(f'"{name}"', kind) for name, kind in columns)
    ((found,),) = ctx.engine.execute(f"SELECT COALESCE(SUM({sizes}), 0) FROM {table}").fetchall()  # noqa: S608
    return int(found)


def _size_of(column: str, kind: str) -> str:
    """SQL of a value's bytes; of NULL there are none."""
    if kind in _TEXTS or kind.endswith("]") or kind.startswith("STRUCT"):
        return f"COALESCE(2 + LENGTH(CAST({column} AS VARCHAR)), 0)"
    size = _WIDE if kind.startswith("DECIMAL") else _SIZES.get(kind, 8)
    return f"CASE WHEN {column} IS NULL THEN 0 ELSE {size} END"
