"""Google's own SQL front end, over a catalog that grows with the statements it is shown.

zetasql is GoogleSQL's analyser: it resolves every name and type as BigQuery does, without BigQuery.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import wasmtime
from google.cloud import bigquery
from zetasql.api import Analyzer, CatalogBuilder, TableBuilder, TypeFactory
from zetasql.core import wasm_client
from zetasql.types import (
    AnalyzerOptions,
    LanguageFeature,
    LanguageOptions,
    ParseResumeLocation,
    ProductMode,
    TypeKind,
    ZetaSQLBuiltinFunctionOptions,
)


class _CachingConfig(wasmtime.Config):
    """zetasql is a WebAssembly module that takes half a minute of two cores to compile: once a machine is enough."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = True


wasm_client.Config = _CachingConfig

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
        for statement in self._statements(sql, parameters):
            columns = _output(statement)
            if type(statement).__name__ in ("ResolvedCreateTableStmt", "ResolvedCreateTableAsSelectStmt"):
                defined = {one.name: one.type for one in statement.column_definition_list or []}
                self.add_table(".".join(statement.name_path), defined or columns)
            elif type(statement).__name__ == "ResolvedCreateViewStmt":
                self.add_table(".".join(statement.name_path), columns)
        return columns

    def _statements(self, sql: str, parameters: Mapping[str, str] | None) -> Iterator[Any]:
        declared = [
            AnalyzerOptions.QueryParameter(name=name, type=type_of(kind)) for name, kind in (parameters or {}).items()
        ]
        options = AnalyzerOptions(
            language_options=language(), query_parameters=declared, allow_undeclared_parameters=parameters is None
        )
        # BigQuery takes `a.b.c` for a path of three names, zetasql for one name with dots in it.
        text = re.sub(r"`([\w-]+(?:\.[\w-]+)+)`", lambda name: name[0].replace(".", "`.`"), sql.strip())
        location, size = ParseResumeLocation(input=text, byte_position=0), len(text.encode())
        while location.byte_position < size:
            yield Analyzer.analyze_next_statement_static(location, options, self._catalog(self._tables))

    @staticmethod
    def _catalog(tables: Mapping[str, Columns]) -> Any:
        options = ZetaSQLBuiltinFunctionOptions(language_options=language())
        root = CatalogBuilder("").with_builtin_functions(options).build()
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
    return {one.name: one.column.type for one in getattr(statement, "output_column_list", None) or []}
