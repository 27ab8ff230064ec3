"""Google's own SQL engine as a warehouse: what it answers is what BigQuery's SQL means.

The zetasql package is GoogleSQL, with the reference implementation that executes it, compiled to WebAssembly. The
engine evaluates queries and INSERT, UPDATE and DELETE over tables that travel with the request. It has no MERGE, no
DDL and no transactions: `GoogleSql` cuts a MERGE into the statements that it stands for, and keeps tables itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

from google.cloud import bigquery
from zetasql.core.local_service import ZetaSqlLocalService
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.parser import ast_enums_pb2
from zetasql.wasi._pb2.zetasql.proto import options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import type_pb2, value_pb2

from services.shared.labels import service_labels
from services.shared.warehouse import Cost, Parameters, ScriptJob, Warehouse, query_defaults
from tests.harness.engine import call, inner
from tests.harness.main_table import described
from tests.harness.statements.analyser import Analyser, builtins, columns_of, language, type_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCALE = 9
"""Decimals of a NUMERIC, which travels as a whole number of its last one, in two's complement."""
_EXACT = Context(prec=60)
_BIG_SCALE, _BIG = 38, Context(prec=100)
"""The same of a BIGNUMERIC."""
_NAMES = (
    *("STRING", "INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64", "BOOL", "DATE", "TIME", "DATETIME", "TIMESTAMP"),
    *("JSON", "BYTES", "GEOGRAPHY"),
)
_ROW_NUMBER = "_row_number"
_LABEL = re.compile(r"\('(\w+)', '(\w+)'\)")
_Match = ast_enums_pb2.ASTMergeWhenClauseEnums
_Action = ast_enums_pb2.ASTMergeActionEnums


@dataclass
class Table:
    """A table's columns, as name and type, and its rows, as the engine's values."""

    columns: list[tuple[str, type_pb2.TypeProto]]
    rows: list[list[value_pb2.ValueProto]] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    geographies: frozenset[str] = frozenset()
    """Columns that are GEOGRAPHY in BigQuery, and texts here."""
    clustering: list[str] | None = None
    partitioning: bigquery.TimePartitioning | None = None

    def as_dicts(self) -> list[dict[str, Any]]:
        return [
            {name: _decode(kind, cell) for (name, kind), cell in zip(self.columns, row, strict=True)}
            for row in self.rows
        ]


class GoogleSql(Warehouse):
    """A warehouse whose statements Google's engine executes; tables and jobs live in this object.

    `time_zone` is the default of the project, which no statement may depend on.
    Raises zetasql's ServerError for a statement that is refused, or fails for a value.
    """

    def __init__(self, time_zone: str = "UTC") -> None:
        client: Any = SimpleNamespace(
            project="local",
            default_query_job_config=query_defaults(service_labels("merge")),
            get_dataset=lambda *_, **__: None,
            create_table=self._create_table,
        )
        super().__init__(client, 60.0)
        self._time_zone = time_zone
        self.tables: dict[str, Table] = {}
        self.views: dict[str, str] = {}
        """By name, the query of each."""

    def load(self, table: str, names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        """A table of texts, as a load job makes it of a file."""
        text = type_of("STRING").to_proto()
        cells = [[_encode("STRING", cell) for cell in row] for row in rows]
        self.tables[table] = Table([(name, text) for name in names], cells)

    def query(self, sql: str, parameters: Parameters | None = None, name: str | None = None) -> list[Any]:
        """The rows of the last statement, each a dict. A script that fails leaves every table as it was."""
        sql = _without_geography(sql)
        before = {name: replace(table, rows=list(table.rows)) for name, table in self.tables.items()}
        answer = Table([])
        try:
            for kind, node in _statements(sql):
                answer = self._run(kind, node, sql, parameters or {})
        except Exception:
            self.tables = before
            raise
        return answer.as_dicts()

    def create_table_once(
        self,
        name: str,
        table: str,
        sql: str,
        parameters: Parameters | None = None,
        idempotency_key: str = "",
        max_bytes_billed: int | None = None,
    ) -> Cost:
        self.query(sql, parameters)
        return Cost()

    def run_script(self, sql: str, name: str, max_bytes_billed: int | None = None) -> ScriptJob:
        self.query(sql)
        return ScriptJob("")

    def rows_changed(self, job_id: str) -> None:
        """Nothing here counts them."""

    def drop_table(self, table: str) -> None:
        self.tables.pop(table, None)

    def find_table(self, table: str) -> bigquery.Table | None:
        found = self.tables.get(table)
        if found is None:
            return None
        fields = [
            bigquery.SchemaField(name, "GEOGRAPHY") if name in found.geographies else _field(name, kind)
            for name, kind in found.columns
        ]
        one = described(table, fields, found.labels)
        one.clustering_fields, one.time_partitioning = found.clustering, found.partitioning
        return one

    def update_table(self, table: bigquery.Table, *fields: str) -> None:
        """Columns that are added at the end are NULL in the rows that are there, or an empty array."""
        found = self.tables[str(table.reference)]
        found.labels, found.clustering = dict(table.labels), table.clustering_fields
        for name, kind in list(columns_of(table.schema).items())[len(found.columns) :]:
            found.columns.append((name, kind.to_proto()))
            cell = value_pb2.ValueProto()
            if kind.to_proto().HasField("array_type"):
                cell.array_value.SetInParent()
            found.rows = [[*row, cell] for row in found.rows]

    def list_tables(self, dataset: str, prefix: str) -> list[str]:
        start = f"{self.client.project}.{dataset}."
        names = [name.removeprefix(start) for name in self.tables if name.startswith(start)]
        return [name for name in names if name.startswith(prefix)]

    def _create_table(self, table: bigquery.Table, **_: object) -> None:
        geography, text = type_of("GEOGRAPHY").to_proto(), type_of("STRING").to_proto()
        columns = [(name, kind.to_proto()) for name, kind in columns_of(table.schema).items()]
        columns = [(name, text if kind == geography else kind) for name, kind in columns]
        geographies = frozenset(one.name for one in table.schema if one.field_type == "GEOGRAPHY")
        made = Table(columns, labels=dict(table.labels), geographies=geographies)
        made.clustering, made.partitioning = table.clustering_fields, table.time_partitioning
        self.tables.setdefault(str(table.reference), made)

    def _run(self, kind: str, node: Any, script: str, parameters: Parameters) -> Table:
        """One statement of a script; the answer of a query, nothing for all others."""
        match kind:
            case "query":
                return self._select(_text(script, node), parameters)
            case "create_table":
                self._create(node, script, parameters)
            case "alter_table":
                self._rename(node, script)
            case "create_view":
                name = ".".join(one.id_string for one in node.parent.name.names)
                self.views[name] = _text(script, node.parent.query)
            case "merge":
                # Each clause judges the tables as they were before the statement.
                self._apply([self._changes(kind, text, parameters) for kind, text in _cut(node, script)])
            case "insert" | "update" | "delete":
                self._apply([self._changes(kind, _text(script, node), parameters)])
        return Table([])

    def _create(self, node: Any, sql: str, parameters: Parameters) -> None:
        name = ".".join(one.id_string for one in node.parent.name.names)
        if node.HasField("query"):
            self.tables[name] = self._select(_text(sql, node.query), parameters)
            self.tables[name].labels = dict(_LABEL.findall(_text(sql, node).partition(" AS\n")[0]))
        elif name not in self.tables:
            analyser = Analyser()
            analyser.analyse(_text(sql, node))
            self.tables[name] = Table([(column, kind.to_proto()) for column, kind in analyser.columns(name).items()])

    def _rename(self, node: Any, sql: str) -> None:
        old, new = re.findall(r"`([^`]+)`", _text(sql, node))
        self.tables[f"{old.rpartition('.')[0]}.{new}"] = self.tables.pop(old)

    def _select(self, sql: str, parameters: Parameters) -> Table:
        request = self._request(service.EvaluateQueryRequest(sql=sql), parameters)
        answer = call("EvaluateQuery", request, service.EvaluateQueryResponse)
        columns = [(one.name, one.type) for one in answer.prepared.columns]
        return Table(columns, [list(row.cell) for row in answer.content.table_data.row])

    def _changes(self, kind: str, sql: str, parameters: Parameters) -> Any:
        request = self._request(service.EvaluateModifyRequest(sql=sql), parameters, numbered=kind != "insert")
        return call("EvaluateModify", request, service.EvaluateModifyResponse)

    def _apply(self, changes: Sequence[Any]) -> None:
        """Changes that were judged by the tables as they were before any of them."""
        for change in changes:
            rows = self.tables[change.table_name].rows
            gone, new = set(), []
            for row in change.content:
                if row.operation == row.INSERT:
                    new.append(list(row.cell))
                    continue
                number = row.old_primary_key[0].int64_value
                if row.operation == row.UPDATE:
                    rows[number] = list(row.cell)[:-1]
                else:
                    gone.add(number)
            # Inserted rows come last, so that the numbers of the others stay as they were.
            kept = [row for number, row in enumerate(rows) if number not in gone] if gone else rows
            self.tables[change.table_name].rows = kept + new

    def _request(self, request: Any, parameters: Parameters, numbered: bool = False) -> Any:
        """With the tables that the statement names. `numbered`: rows have their number as a primary key."""
        request.options.CopyFrom(_options(self._time_zone))
        request.simple_catalog.CopyFrom(_builtins())
        for name, (kind, value) in parameters.items():
            request.options.query_parameters.add(name=name, type=_type(kind))
            request.params.add(name=name, value=_encode(kind, value))
        for name, table in self.tables.items():
            if f"`{name}`" in request.sql:
                _add_table(request, name, table, numbered)
        return request


def _without_geography(sql: str) -> str:
    """The reference implementation has no GEOGRAPHY: a text stands for it, whatever it says."""
    return re.sub(r"(?:SAFE\.ST_GEOGFROM(?:TEXT|GEOJSON)|ST_ASTEXT)[(]", "CONCAT(", sql).replace(
        "ARRAY<GEOGRAPHY>", "ARRAY<STRING>"
    )


def accepts(condition: str, types: Mapping[str, str]) -> None:
    """Prepare a condition over columns, name to type. Raises zetasql's ServerError if the engine refuses it."""
    options = options_pb2.AnalyzerOptionsProto()
    options.CopyFrom(_options("UTC"))
    for name, kind in types.items():
        options.expression_columns.add(name=name, type=_type(kind))
    request = service.PrepareRequest(sql=condition, options=options, simple_catalog=_builtins())
    prepared = call("Prepare", request, service.PrepareResponse).prepared
    ZetaSqlLocalService.get_instance().unprepare(prepared_expression_id=prepared.prepared_expression_id)


def _statements(sql: str) -> Iterator[tuple[str, Any]]:
    """Kind and parse tree of each statement of a script."""
    request = service.ParseRequest(sql_statement=sql, options=language().to_proto(), allow_script=True)
    parsed = call("Parse", request, service.ParseResponse).parsed_script
    for one in parsed.statement_list_node.statement_list:
        name, node = inner(one)
        yield name.removeprefix("ast_").removesuffix("_node").removesuffix("_statement"), node


def _cut(node: Any, sql: str) -> Iterator[tuple[str, str]]:
    """The statements that a MERGE stands for: kind and text of one for each WHEN.

    The first clause of its kind that fits takes a row, as BigQuery documents: later ones must not
    (https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#merge_statement).
    """
    target = f"{_text(sql, node.target_path)} {_text(sql, node.alias) if node.HasField('alias') else ''}"
    source, on = _text(sql, inner(node.table_expression)[1]), _text(sql, inner(node.merge_condition)[1])
    taken: dict[int, str] = {}
    for clause in node.when_clauses.clause_list:
        extra = _text(sql, inner(clause.search_condition)[1]) if clause.HasField("search_condition") else "TRUE"
        fits = f"({extra}){taken.get(clause.match_type, '')}"
        taken[clause.match_type] = f"{taken.get(clause.match_type, '')} AND ({extra}) IS NOT TRUE"
        action = clause.action
        if clause.match_type == _Match.NOT_MATCHED_BY_TARGET:
            columns, (row,) = _text(sql, action.insert_column_list), [_text(sql, action.insert_row)]
            missing = f"NOT EXISTS (SELECT 1 FROM {target} WHERE {on}) AND {fits}"
            into = _text(sql, node.target_path)
            yield "insert", f"INSERT INTO {into} {columns} SELECT {row[1:-1]} FROM {source} WHERE {missing}"
        elif clause.match_type == _Match.MATCHED and action.action_type == _Action.UPDATE:
            sets = _text(sql, action.update_item_list)
            yield "update", f"UPDATE {target} SET {sets} FROM {source} WHERE ({on}) AND {fits}"
        else:
            raise NotImplementedError(f"no test needs this clause yet: {_text(sql, clause)}")


def _text(sql: str, node: Any) -> str:
    while not node.DESCRIPTOR.fields_by_name.get("parse_location_range"):
        node = node.parent
    return sql.encode()[node.parse_location_range.start : node.parse_location_range.end].decode()


@cache
def _options(time_zone: str) -> Any:
    return options_pb2.AnalyzerOptionsProto(language_options=language().to_proto(), default_timezone=time_zone)


@cache
def _builtins() -> Any:
    return simple_catalog_pb2.SimpleCatalogProto(builtin_function_options=builtins())


def _add_table(request: Any, name: str, table: Table, numbered: bool) -> None:
    described = request.simple_catalog.table.add(name=name)
    for column, kind in table.columns:
        described.column.add(name=column, type=kind)
    content = request.table_content[name].table_data
    content.SetInParent()
    for number, cells in enumerate(table.rows):
        content.row.add(cell=[*cells, value_pb2.ValueProto(int64_value=number)] if numbered else cells)
    if numbered:
        described.column.add(name=_ROW_NUMBER, type=_type("INT64"), is_pseudo_column=True)
        described.primary_key_column_index.append(len(table.columns))


def _field(name: str, kind: type_pb2.TypeProto) -> bigquery.SchemaField:
    element = kind.array_type.element_type if kind.HasField("array_type") else kind
    found = next(one for one in _NAMES if type_of(one).to_proto() == element)
    return bigquery.SchemaField(name, found, "REPEATED" if element is not kind else "NULLABLE")


@cache
def _type(name: str) -> Any:
    return type_of(name).to_proto()


def _encode(kind: str, value: Any) -> Any:
    cell = value_pb2.ValueProto()
    if value is None:
        return cell
    match kind:
        case "STRING":
            cell.string_value = value
        case "INT64":
            cell.int64_value = value
        case "BOOL":
            cell.bool_value = value
        case "FLOAT64":
            cell.double_value = value
        case "NUMERIC":
            whole = int(value.scaleb(_SCALE, _EXACT))
            cell.numeric_value = whole.to_bytes(whole.bit_length() // 8 + 1, "little", signed=True)
        case "DATE":
            cell.date_value = (value - _EPOCH.date()).days
        case "TIMESTAMP":
            cell.timestamp_value.FromDatetime(value)
    return cell


def _day(packed: int) -> date:
    """Year, month and day beside each other."""
    return date(packed >> 9, packed >> 5 & 15, packed & 31)


def _time(packed: int, nanos: int) -> time:
    return time(packed >> 12, packed >> 6 & 63, packed & 63, nanos // 1000)


def _decode(kind: Any, cell: Any) -> Any:
    """As BigQuery's client returns it."""
    which = cell.WhichOneof("value")
    match which:
        case None:
            return None
        case "numeric_value":
            return Decimal(int.from_bytes(cell.numeric_value, "little", signed=True)).scaleb(-_SCALE, _EXACT)
        case "bignumeric_value":
            whole = int.from_bytes(cell.bignumeric_value, "little", signed=True)
            return Decimal(whole).scaleb(-_BIG_SCALE, _BIG)
        case "datetime_value":
            packed = cell.datetime_value
            day, moment = divmod(packed.bit_field_datetime_seconds, 2**17)
            return datetime.combine(_day(day), _time(moment, packed.nanos))
        case "time_value":
            return _time(*divmod(cell.time_value, 2**30))
        case "json_value":
            return json.loads(cell.json_value)
        case "date_value":
            return _EPOCH.date() + timedelta(days=cell.date_value)
        case "timestamp_value":
            return cell.timestamp_value.ToDatetime(UTC)
        case "array_value":
            return [_decode(kind.array_type.element_type, one) for one in cell.array_value.element]
        case _:
            return getattr(cell, which)
