"""What DDL leaves in the catalog of bqemulator 1.4.0, which keeps less of a table than BigQuery does.

There a table made by a statement has its clustering, partitioning, labels and NOT NULL columns, one that a statement
alters has its new columns, types or name, a column that is added to a table's schema is in the table, and a view says
its query.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable
from typing import Any

import sqlglot
from bqemulator.api.routes import tables
from bqemulator.catalog import ddl_sync
from bqemulator.catalog.etag import generate_etag
from bqemulator.catalog.models import Clustering, TableFieldSchema, TableMeta, TableSchema, TimePartitioning
from bqemulator.jobs import executor
from bqemulator.scripting import interpreter
from bqemulator.storage.sql_identifiers import quoted_table_ref
from bqemulator.storage.type_map import bq_schema_to_duckdb_columns
from sqlglot import exp

from localcloud.warehouse.translation import head


def set_up() -> None:
    """Replaces what keeps the catalog after a statement, and what changes a table's schema."""
    for module in (executor, interpreter):
        module.sync_created_table = sync_table  # type: ignore[attr-defined]
        module.sync_created_view = sync_view  # type: ignore[attr-defined]
    setattr(tables, "_table_to_rest", _with_query(tables._table_to_rest))  # noqa: B010 - mypy knows the name
    (route,) = [
        one for one in list[Any](tables.router.routes) if one.endpoint is tables.patch_table and "PATCH" in one.methods
    ]
    route.endpoint = _with_columns(tables.patch_table)


def sync_table(bq_sql: str, project_id: str, ctx: Any) -> None:
    """Brings the catalog up to date after a statement; nothing where it neither creates nor alters a table."""
    ddl_sync.sync_created_table(bq_sql, project_id, ctx)
    tree = _parse(bq_sql)
    if isinstance(tree, exp.Create) and tree.kind == "TABLE":
        _change(tree.this, project_id, ctx, lambda meta: _as_declared(meta, tree))
    elif isinstance(tree, exp.Alter) and isinstance(tree.args["actions"][0], exp.AlterRename):
        _rename(tree, project_id, ctx)
    elif isinstance(tree, exp.Alter):
        _change(tree.this, project_id, ctx, lambda meta: _as_altered(meta, tree, ctx))


def sync_view(bq_sql: str, project_id: str, ctx: Any) -> None:
    """Brings the catalog up to date after a statement that creates a view; nothing where it does not."""
    ddl_sync.sync_created_view(bq_sql, project_id, ctx)
    tree = _parse(bq_sql)
    text = re.match(
        r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?VIEW\s+`[^`]+`(?:\s+OPTIONS\s*\([^()]*(?:\([^()]*\)[^()]*)*\))?\s+AS\s(.*)",
        bq_sql,
        re.DOTALL | re.IGNORECASE,
    )
    if text and isinstance(tree, exp.Create) and tree.kind == "VIEW":
        # As it was written, as BigQuery has it: who asks compares it with what it would write.
        _change(tree.this, project_id, ctx, lambda _: {"view_query": text[1].strip()})


def _with_query(to_rest: Callable[[TableMeta], dict[str, Any]]) -> Callable[[TableMeta], dict[str, Any]]:
    @functools.wraps(to_rest)
    def table_to_rest(t: TableMeta) -> dict[str, Any]:
        view = {"view": {"query": t.view_query, "useLegacySql": False}} if t.table_type == "VIEW" else {}
        return {**to_rest(t), **view}

    return table_to_rest


def _parse(bq_sql: str) -> Any:
    try:
        return head(bq_sql, read="bigquery")
    except sqlglot.errors.SqlglotError:
        return None


def _change(target: Any, project_id: str, ctx: Any, change: Callable[[TableMeta], dict[str, Any]]) -> None:
    meta = _entry(target, project_id, ctx)
    if meta is not None:
        ctx.catalog.update_table(meta.model_copy(update={**change(meta), **_now(meta, ctx)}))


def _rename(tree: exp.Alter, project_id: str, ctx: Any) -> None:
    """All that is known of the table stays."""
    meta = _entry(tree.this, project_id, ctx)
    if meta is not None:
        ctx.catalog.delete_table(meta.project_id, meta.dataset_id, meta.table_id)
        renamed = meta.model_copy(update={"table_id": tree.args["actions"][0].this.name})
        ctx.catalog.create_table(renamed.model_copy(update=_now(renamed, ctx)))


def _entry(target: Any, project_id: str, ctx: Any) -> TableMeta | None:
    """What the catalog has of a statement's table."""
    table = target.this if isinstance(target, exp.Schema) else target
    parts = [part for one in table.parts for part in one.name.split(".")]
    project, dataset, name = parts if len(parts) == 3 else (project_id, *parts[-2:])
    found: TableMeta | None = ctx.catalog.get_table(project, dataset, name)
    return found


def _now(meta: TableMeta, ctx: Any) -> dict[str, Any]:
    """Of a table that has just changed."""
    now = ctx.clock.now()
    return {
        "last_modified_time": now,
        "etag": generate_etag(meta.project_id, meta.dataset_id, meta.table_id, str(now)),
    }


def _as_declared(meta: TableMeta, tree: exp.Create) -> dict[str, Any]:
    properties = tree.args.get("properties")
    declared = properties.expressions if properties else []
    cluster = next((one for one in declared if isinstance(one, exp.ClusterProperty)), None)
    labels = next((one for one in declared if isinstance(one, exp.Property) and one.name.lower() == "labels"), None)
    partition = next((one for one in declared if isinstance(one, exp.PartitionedByProperty)), None)
    columns = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    required = {column.name for column in columns if column.find(exp.NotNullColumnConstraint)}
    fields = [_with_mode(one, "REQUIRED" if one.name in required else one.mode) for one in meta.schema_.fields]
    return {
        "schema_": TableSchema(fields=tuple(fields)),
        "clustering": Clustering(fields=tuple(one.name for one in cluster.expressions)) if cluster else None,
        "time_partitioning": _partitioning(partition.this) if partition else meta.time_partitioning,
        "labels": dict(_pairs(labels)) if labels else {},
    }


def _partitioning(by: exp.Expression) -> TimePartitioning:
    """Of a column, or of one truncated to a unit of time."""
    column, unit = by.find(exp.Identifier), by.args.get("unit")
    return TimePartitioning(field=column.name if column else None, type=unit.name.upper() if unit else "DAY")


def _pairs(labels: exp.Property) -> list[tuple[str, str]]:
    """Of OPTIONS (labels=[('name', 'value')])."""
    return [
        (name.name, value.name)
        for name, value in (one.expressions for one in labels.args["value"].find_all(exp.Tuple))
    ]


def _as_altered(meta: TableMeta, tree: exp.Alter, ctx: Any) -> dict[str, Any]:
    actions = {one.name: one for one in tree.args["actions"] if isinstance(one, exp.AlterColumn)}
    before = {one.name: one for one in meta.schema_.fields}
    now = ddl_sync._introspect_schema(meta.project_id, meta.dataset_id, meta.table_id, ctx)
    fields = []
    for one in now.fields:
        # DuckDB's own columns do not say all of what BigQuery's are: JSON is text there.
        kept = one if one.name in actions or one.name not in before else before[one.name]
        is_relaxed = one.name in actions and actions[one.name].args.get("drop")
        mode = before[one.name].mode if one.name in before and not is_relaxed else "NULLABLE"
        fields.append(_with_mode(kept, mode))
    return {"schema_": TableSchema(fields=tuple(fields))}


def _with_mode(field: TableFieldSchema, mode: str) -> TableFieldSchema:
    return field.model_copy(update={"mode": mode})


def _with_columns(patch: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(patch)
    async def patch_table(project_id: str, dataset_id: str, table_id: str, request: Any, ctx: Any) -> Any:
        body = await request.json()
        meta = ctx.catalog.get_table(project_id, dataset_id, table_id)
        there = {one.name.lower() for one in meta.schema_.fields} if meta else set()
        added = [one for one in body.get("schema", {}).get("fields", []) if one["name"].lower() not in there]
        if meta is not None and added:
            async with ctx.engine.write_lock():
                # A kill after this leaves a column that the catalog does not know, and the next patch finds.
                for name, kind in bq_schema_to_duckdb_columns(added):
                    table = quoted_table_ref(project_id, dataset_id, table_id)
                    ctx.engine.execute(f'ALTER TABLE {table} ADD COLUMN IF NOT EXISTS "{name}" {kind}')
        return await patch(project_id, dataset_id, table_id, request, ctx)

    return patch_table
