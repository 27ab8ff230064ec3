"""What bqemulator 1.4.0 finds out of each statement anew, found out once of each shape: its translation above all.

A translation depends on the tables that it names too: on their columns, and on what they are. Statements that name
views, that ask for the schema's own tables, or for tables by a pattern, are translated each time.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import sqlglot
from bqemulator.catalog import ddl_sync
from bqemulator.domain.errors import DomainError
from bqemulator.domain.result import Ok
from bqemulator.jobs import ddl_result, executor, routine_ddl
from bqemulator.scripting import interpreter, parser
from bqemulator.scripting.ast import Script, SqlStmt
from bqemulator.sql import inner_query, table_rewriter
from bqemulator.sql.catalog_schema import _resolve_table_ref, _safe_bq_to_duckdb
from bqemulator.sql.rewriter.unnest_offset import rewrite_unnest_offset
from bqemulator.sql.translator import SQLTranslator
from sqlglot import exp

from localcloud.warehouse.bounded import remembered
from localcloud.warehouse.patches import tree_of
from localcloud.warehouse.replace import replace
from localcloud.warehouse.shapes import Shape, by_shape, shape_of

_DEPEND = ("INFORMATION_SCHEMA", "SYSTEM_TIME", "SESSION_USER", "_TABLE_SUFFIX", "*`")
"""Words of statements whose translation depends on more than the columns of tables."""

_BEFORE = r"(?:\s|--[^\n]*|#[^\n]*|/\*.*?\*/)*"
DML = re.compile(rf"{_BEFORE}(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE)\b", re.DOTALL | re.IGNORECASE)
_DDL = re.compile(rf"{_BEFORE}(?:CREATE|ALTER|DROP)\b", re.DOTALL | re.IGNORECASE)
_SINGLE = re.compile(
    rf"{_BEFORE}(?:SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|ALTER|DROP|CREATE\s+(?:OR\s+REPLACE\s+)?(?:TABLE(?!\s+FUNCTION)|VIEW))\b",
    re.DOTALL | re.IGNORECASE,
)
_TYPED = re.compile("AVG|DIV|/", re.IGNORECASE)
"""In what is translated by the types of what they are given; to find out types takes a third of the time."""
_NEVER_CHANGED = (
    *(exp.Identifier, exp.Column, exp.Table, exp.TableAlias, exp.Alias, exp.Ordered, exp.Select, exp.Subquery),
    *(exp.Literal, exp.Null, exp.Boolean, exp.And, exp.Or, exp.Not, exp.Is, exp.EQ, exp.GT, exp.LT, exp.Between),
    *(exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Array, exp.RegexpLike, exp.PropertyEQ),
)
"""Most nodes of a statement. No rule is for them, but each of a hundred would be asked."""

_original: dict[str, Callable[..., Any]] = {}

Names = tuple[str, str, str]
Columns = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Of each table by its name in the shape: names and types, as the catalog has them."""


def set_up() -> None:
    """Replaces what translates statements and what looks at them; called before the server is made."""
    _original["translate"] = replace(inner_query, "rewrite_and_translate_statement", translate)
    for module in (executor, interpreter):
        _put(module, "rewrite_and_translate_statement", translate)  # they hold it by its name
        _put(module, "parse_script", parse_script)
        _put(module, "rewrite_table_refs", by_shape(table_rewriter.rewrite_table_refs))
    _original["reject"] = replace(executor, "_reject_dml_on_immutable", reject_dml_on_immutable)
    _original["capture"] = replace(executor, "_capture_dml_snapshots", capture_dml_snapshots)
    _original["rule"] = replace(SQLTranslator, "_apply_first_matching_rule", apply_first_matching_rule)
    _put(executor, "_parse_for_classification", _parsed)
    _put(executor, "classify_statement_type", by_shape(executor.classify_statement_type))
    _put(interpreter, "_is_row_producing", by_shape(lambda sql: isinstance(_parsed(sql), exp.Query)))
    for module in (ddl_sync, ddl_result, routine_ddl):
        _put(module, "sqlglot", SimpleNamespace(parse_one=head, errors=sqlglot.errors))


def _put(module: Any, name: str, by: Any) -> None:
    setattr(module, name, by)


async def translate(bq_sql: str, *, project_id: str, ctx: Any, caller: Any, translator: Any) -> str:
    """A statement in DuckDB's SQL, in which tables still have their names of BigQuery."""
    shape = shape_of(bq_sql)
    columns = _columns(shape, project_id, ctx)
    text = _translated(shape.text, columns) if columns is not None else None
    if text is not None:
        return shape.restore(text)
    known = {"project_id": project_id, "ctx": ctx, "caller": caller, "translator": translator}
    return str(await _original["translate"](bq_sql, **known))


def _columns(shape: Shape, project_id: str, ctx: Any) -> Columns | None:
    """Of the tables that a statement names; None where its translation depends on more."""
    if ctx.catalog.list_all_materialized_views() or ctx.catalog.list_all_row_access_policies():
        return None
    found = []
    named = named_tables(shape.text, project_id)
    if named is None:
        return None
    for project, dataset, table in named:
        meta = ctx.catalog.get_table(*map(shape.restore, (project, dataset, table)))
        if meta is not None and meta.table_type != "TABLE":
            return None
        if meta is not None:
            found.append((table, tuple((one.name, one.type) for one in meta.schema_.fields)))
    return tuple(found)


@remembered()
def named_tables(text: str, project_id: str) -> tuple[Names, ...] | None:
    """The tables that a statement names, in the order of its text; None where it may ask for others."""
    tree = None if any(word in text.upper() for word in _DEPEND) else _parsed(text)
    if tree is None:
        return None
    found = (_resolve_table_ref(one, project_id=project_id) for one in tree.find_all(exp.Table))
    return tuple(dict.fromkeys(one for one in found if one))


@remembered()
def _translated(text: str, columns: Columns) -> str | None:
    """None where it cannot be translated: the statement itself is to say why."""
    done = _translator().translate(
        rewrite_unnest_offset(text), schema=_schema(columns) if _TYPED.search(text) else None
    )
    return done.value if isinstance(done, Ok) else None


def apply_first_matching_rule(self: Any, node: Any, tree: Any) -> bool:
    """Whether a rule has changed a node."""
    return not isinstance(node, _NEVER_CHANGED) and bool(_original["rule"](self, node, tree))


def _schema(columns: Columns) -> dict[str, dict[str, str]] | None:
    types = {table: {name: _safe_bq_to_duckdb(kind) for name, kind in fields} for table, fields in columns}
    known = {table: {name: kind for name, kind in fields.items() if kind} for table, fields in types.items()}
    return {table: fields for table, fields in known.items() if fields} or None


@functools.cache
def _translator() -> SQLTranslator:
    return SQLTranslator()


def parse_script(source: str) -> Script:
    """A script's statements; those of a shape once, if none of them directs the others."""
    if _SINGLE.match(source) and ";" not in source:
        return Script((SqlStmt(source.strip()),))
    shape = shape_of(source)
    try:
        script = _script(shape.text)
    except DomainError:
        return parser.parse_script(source)
    if not shape.ids:
        return Script(script.statements)
    if not all(isinstance(one, SqlStmt) for one in script.statements):
        return parser.parse_script(source)
    return Script(tuple(SqlStmt(shape.restore(one.sql)) for one in script.statements))


@remembered()
def _script(text: str) -> Any:
    return parser.parse_script(text)


def reject_dml_on_immutable(project_id: str, bq_sql: str, ctx: Any) -> None:
    """Raises the error of a statement that changes what cannot be changed."""
    if DML.match(bq_sql):
        _original["reject"](project_id, bq_sql, ctx)


async def capture_dml_snapshots(project_id: str, bq_sql: str, ctx: Any) -> None:
    """Says which tables a statement has changed."""
    if DML.match(bq_sql):
        await _original["capture"](project_id, bq_sql, ctx)


def _parsed(sql: str) -> Any:
    try:
        return tree_of(sql, "bigquery")
    except sqlglot.errors.SqlglotError:
        return None


@functools.lru_cache(maxsize=16)
def head(sql: str, read: str | None = None) -> Any:
    """The tree of a statement that creates, alters or drops, without the query of a table; of others nothing.

    Who asks for it must not change it.
    """
    if not _DDL.match(sql):
        return exp.Select()
    shape = shape_of(sql)
    try:
        tree = _head(shape.text, read)
    except sqlglot.errors.SqlglotError:
        return sqlglot.parse_one(sql, read=read)
    return shape.restore_tree(tree.copy())


@remembered()
def _head(text: str, read: str | None) -> Any:
    tree = tree_of(text, read)
    if not isinstance(tree, exp.Create) or tree.kind != "TABLE":
        return tree
    query = tree.args.get("expression")
    tree.set("expression", None)
    try:
        return tree.copy()
    finally:
        tree.set("expression", query)
