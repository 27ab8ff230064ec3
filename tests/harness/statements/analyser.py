"""Google's own SQL front end, over a catalog that grows with the statements it is shown.

zetasql is GoogleSQL's analyser: it resolves every name and type as BigQuery does, without BigQuery.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from google.cloud import bigquery
from zetasql.api import CatalogBuilder, TableBuilder, TypeFactory
from zetasql.types import (
    LanguageFeature,
    LanguageOptions,
    ProductMode,
    TypeKind,
    ZetaSQLBuiltinFunctionOptions,
)
from zetasql.types.proto_model import parse_proto
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2
from zetasql.wasi._pb2.zetasql.public import parse_resume_location_pb2

from tests.harness.engine import call, field_of, inner

_ALIASES = {"INTEGER": "INT64", "FLOAT": "DOUBLE", "FLOAT64": "DOUBLE", "BOOLEAN": "BOOL"}
"""Names that BigQuery has beside zetasql's own."""
Columns = Mapping[str, Any]
"""Name to zetasql type."""


def type_of(name: str) -> Any:
    """The analyser's type for a name in BigQuery's schemas."""
    return TypeFactory.create_simple_type(getattr(TypeKind, f"TYPE_{_ALIASES.get(name, name)}"))


def columns_of(schema: Sequence[bigquery.SchemaField]) -> Columns:
    return {field.name: _type_of_field(field) for field in schema}


def _type_of_field(field: bigquery.SchemaField) -> Any:
    kind = type_of(field.field_type)
    return TypeFactory.create_array_type(kind) if field.mode == "REPEATED" else kind


_NOT_BIGQUERYS = {
    LanguageFeature.FEATURE_TIMESTAMP_NANOS,
    LanguageFeature.FEATURE_TIMESTAMP_PICOS,
    LanguageFeature.FEATURE_JSON_TYPE_COMPARISON,
}
"""BigQuery's TIMESTAMP has microseconds, and its JSON no order
(https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types)."""


@cache
def language() -> Any:
    """GoogleSQL's features as BigQuery has them."""
    found = LanguageOptions.maximum_features()
    kept = [one for one in found.enabled_language_features if one not in _NOT_BIGQUERYS]
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language
    found.enabled_language_features = [*kept, LanguageFeature.FEATURE_ALTER_COLUMN_SET_DATA_TYPE]
    # As outside Google: FLOAT64 and not DOUBLE, no unsigned integers.
    found.product_mode = ProductMode.PRODUCT_EXTERNAL
    return found


@cache
def _language() -> Any:
    return language().to_proto()


@cache
def builtins() -> Any:
    """The message of all functions."""
    return ZetaSQLBuiltinFunctionOptions(language_options=language()).to_proto()


class Analyser:
    """Raises zetasql's ServerError, with line and column, for a statement that BigQuery would refuse."""

    def __init__(self) -> None:
        self._tables: dict[str, Columns] = {}

    def add_table(self, name: str, columns: Columns) -> None:
        self._tables[name] = columns

    def columns(self, table: str) -> Columns:
        """None of a table that is not there."""
        return self._tables.get(table, {})

    def add_table_like(self, name: str, other: str) -> None:
        self._tables[name] = self._tables[other]

    def analyse(self, sql: str, parameters: Mapping[str, str] | None = None) -> Columns:
        """Analyse a statement or a script; tables and views that it creates are known from then on.

        Without `parameters` (name to type), any are allowed. Returns the last statement's columns.
        """
        columns: Columns = {}
        for kind, statement in self.resolved(sql, parameters):
            columns = _output(statement)
            if kind in ("resolved_create_table_stmt_node", "resolved_create_table_as_select_stmt_node"):
                defined = {one.name: parse_proto(one.type) for one in field_of(statement, "column_definition_list")}
                self.add_table(".".join(field_of(statement, "name_path")), defined or columns)
            elif kind == "resolved_alter_table_stmt_node":
                self._rename(statement)
            elif kind == "resolved_create_view_stmt_node":
                self.add_table(".".join(field_of(statement, "name_path")), columns)
        return columns

    def _rename(self, statement: Any) -> None:
        """The table keeps its name too: the same checked table is staged in each way that there is."""
        *dataset, old = field_of(statement, "name_path")
        for action in field_of(statement, "alter_action_list"):
            name, node = inner(action)
            if name == "resolved_rename_to_action_node":
                self.add_table_like(".".join([*dataset, *node.new_path]), ".".join([*dataset, old]))

    def resolved(self, sql: str, parameters: Mapping[str, str] | None = None) -> Iterator[tuple[str, Any]]:
        """Kind and tree of each statement, whose scans have the columns alone that it reads."""
        options = options_pb2.AnalyzerOptionsProto(
            language_options=_language(),
            allow_undeclared_parameters=parameters is None,
            prune_unused_columns=True,
        )
        for name, kind in (parameters or {}).items():
            options.query_parameters.add(name=name, type=type_of(kind).to_proto())
        # BigQuery takes `a.b.c` for a path of three names, zetasql for one name with dots in it.
        text = re.sub(r"`([\w-]+(?:\.[\w-]+)+)`", lambda name: name[0].replace(".", "`.`"), sql.strip())
        position, size = 0, len(text.encode())
        while position < size:
            location = parse_resume_location_pb2.ParseResumeLocationProto(input=text, byte_position=position)
            request = service.AnalyzeRequest(options=options, parse_resume_location=location)
            request.simple_catalog.CopyFrom(self._catalog(self._tables).to_proto())
            request.simple_catalog.builtin_function_options.CopyFrom(builtins())
            answer = call("Analyze", request, service.AnalyzeResponse)
            position = answer.resume_byte_position
            yield inner(answer.resolved_statement)

    @staticmethod
    def _catalog(tables: Mapping[str, Columns]) -> Any:
        root = CatalogBuilder("").build()
        catalogs: dict[tuple[str, ...], Any] = {(): root}
        for name, columns in tables.items():
            *path, last = name.split(".")
            for depth in range(len(path)):
                if tuple(path[: depth + 1]) not in catalogs:
                    catalog = catalogs[tuple(path[: depth + 1])] = CatalogBuilder(path[depth]).build()
                    above = catalogs[tuple(path[:depth])]
                    above.catalog = [*(above.catalog or []), catalog]
            table = TableBuilder(last)
            for column, kind in columns.items():
                table.add_column(column, kind)
            holder = catalogs[tuple(path)]
            holder.table = [*(holder.table or []), table.build()]
        return root


def _output(statement: Any) -> Columns:
    try:
        return {one.name: parse_proto(one.column.type) for one in field_of(statement, "output_column_list")}
    except AttributeError:
        return {}  # a statement without an answer
