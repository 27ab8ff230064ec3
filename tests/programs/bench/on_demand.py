"""What BigQuery bills on demand for the statements of a job, by its rules; the local warehouse bills nothing.

- Of a table that a statement reads, the columns that it reads, in the logical sizes of their types, in whole MiB and
  10 MiB at least (https://cloud.google.com/bigquery/pricing#on_demand_pricing,
  https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes).
- Of the table that an UPDATE or a MERGE with an UPDATE changes, all columns; an INSERT reads nothing of its own
  (https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#on-demand_query_size_calculation). That
  page adds what the statement reads to what it changes. Here the table is counted once, as others measured it: a
  MERGE of 500 rows into 543 MB was billed 543 MB (https://github.com/bruin-data/ingestr/pull/943).
- Of a table that is clustered by a column which the statement holds against constants, the blocks that may have rows
  between them (https://cloud.google.com/bigquery/docs/querying-clustered-tables). How large a block is Google does not
  say, so only the rows between the constants are counted: that is the least.
- Nothing for a load job, for DDL that reads no table, for BEGIN and COMMIT
  (https://cloud.google.com/bigquery/pricing#free).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.cloud.bigquery import SchemaField

from deploy.costs import MIB, QUERY_MINIMUM
from dropmerge.operations.connection import Connection
from tests.harness.engine import field_of
from tests.harness.statements.analyser import Analyser, columns_of

_NAME = re.compile(r"`(local\.\w+\.\w+)`")
_BOUND = re.compile(r"^\s*AND (_t\.`\w+` (?:>=|<=|=|>|<) .*)$", re.MULTILINE)
"""As services/merge/pruning.py holds the main table against constants."""
_FIXED = {"BOOL": 1, "BOOLEAN": 1, "NUMERIC": 16, "BIGNUMERIC": 32}
"""Bytes of a value by its type; eight of the others that are no text."""


@dataclass(frozen=True)
class Reading:
    """Of one table, by one statement."""

    statement: str
    """Its kind, such as `merge`."""
    table: str
    columns: int
    rows: int
    """Between the statement's bounds, where it has some."""
    rows_of_table: int
    bytes: int

    @property
    def billed(self) -> int:
        """Bytes, in whole MiB."""
        return max(QUERY_MINIMUM, -(-self.bytes // MIB) * MIB)


def readings(connection: Connection, sql: str) -> list[Reading]:
    """What a script reads of the tables as they are now.

    Raises zetasql's ServerError for one that BigQuery would refuse.
    """
    schemas = {}
    for name in sorted(set(_NAME.findall(sql))):
        if table := connection.warehouse.find_table(name):
            schemas[name] = table.schema
    analyser = Analyser()
    for name, schema in schemas.items():
        analyser.add_table(name, columns_of(schema))
    return [
        _reading(connection, kind, name, [one for one in schemas[name] if one.name in columns], bounds)
        for kind, read, bounds in _statements(analyser, sql, schemas)
        for name, columns in read.items()
    ]


def _statements(
    analyser: Analyser, sql: str, schemas: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, set[str]], str]]:
    """Of each statement its kind, the columns that it reads by table, and what it holds its target against."""
    full = {name.rpartition(".")[2]: name for name in schemas}
    for node, statement in analyser.resolved(sql):
        kind = node.removeprefix("resolved_").removesuffix("_node").removesuffix("_stmt")
        target = field_of(statement, "table_scan") if kind in ("insert", "update", "delete", "merge") else None
        read: dict[str, set[str]] = defaultdict(set)
        for scan in _scans(statement):
            if scan is not target:
                read[full[scan.table.name]] |= {one.name for one in field_of(scan, "column_list")}
        if target is not None and kind != "insert":
            name = full[target.table.name]
            read[name] |= {one.name for one in schemas[name]}
        yield kind, read, " AND ".join(_BOUND.findall(sql)) if kind == "merge" else ""


def _scans(message: Any) -> Iterator[Any]:
    if message.DESCRIPTOR.name == "ResolvedTableScanProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if field.is_repeated else [value]:
                yield from _scans(one)


def _reading(connection: Connection, kind: str, table: str, columns: list[SchemaField], bounds: str) -> Reading:
    where = f" WHERE {bounds}" if bounds and ".main." in table else ""
    size = " + ".join(f"COALESCE(SUM({_size(one)}), 0)" for one in columns) or "0"
    (found,) = connection.warehouse.query(
        f"SELECT COUNT(*) AS n, {size} AS size, (SELECT COUNT(*) FROM `{table}`) AS total FROM `{table}` AS _t{where}"
    )
    return Reading(kind, table, len(columns), found["n"], found["total"], int(found["size"]))


def _size(column: SchemaField) -> str:
    """SQL of a value's bytes; of NULL there are none."""
    name = f"_t.`{column.name}`"
    if column.mode == "REPEATED":
        return f"2 * ARRAY_LENGTH({name}) + BYTE_LENGTH(ARRAY_TO_STRING({name}, ''))"
    if column.field_type in ("STRING", "BYTES"):
        return f"2 + BYTE_LENGTH({name})"
    return f"IF({name} IS NULL, 0, {_FIXED.get(column.field_type, 8)})"
