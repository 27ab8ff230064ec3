"""Every statement that the services can send for a feed, by running their own code before a warehouse that analyses.

Whatever else sends statements is analysed the same way: run its code before an `AnalysingWarehouse` whose analyser
knows the tables, such as the one that `send_all` returns.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from google.cloud import bigquery

from services.ingest.check_rows import check_rows, stage_rows
from services.ingest.formats import format_of
from services.ingest.load_raw import loaded_layout
from services.ingest.match_header import match_header
from services.ingest.tables import Tables
from services.merge.entries import Entry
from services.merge.follow import definition
from services.merge.merge_loads import Merger
from services.merge.views.create import create_views
from services.shared.contract.feed import Feed
from services.shared.contract.formats import Ndjson
from services.shared.contract.types import TYPES
from services.shared.datasets import GENERATION_LABEL, STAGING
from services.shared.delivery import Delivery
from services.shared.errors import PermanentError
from services.shared.generation import ObjectGeneration
from services.shared.labels import service_labels, working_on
from services.shared.load import Load
from services.shared.messages.push import PushMessage
from services.shared.messages.staged import StagedMessage
from services.shared.settings import Settings
from services.shared.tables import table
from services.shared.upgrade_journal import upgrade_journal
from services.shared.warehouse import Cost, Parameters, ScriptJob, Warehouse, query_defaults
from tests.harness.main_table import described
from tests.harness.statements.analyser import Analyser, columns_of, type_of
from tests.harness.statements.feeds import GOOD, SHAPES, header

PROJECT = "local"
_NUMBER = type_of("INT64").type_kind

Statement = tuple[str, tuple[tuple[str, str], ...]]
"""Text, and its parameters' names and types."""


class AnalysingWarehouse(Warehouse):
    """Analyses what it is sent. A question for bounds is answered with examples, one for a number with a row of fives,
    any other with no rows."""

    def __init__(self, analyser: Analyser) -> None:
        client: Any = SimpleNamespace(
            project=PROJECT,
            default_query_job_config=query_defaults(service_labels("merge")),
            get_dataset=lambda *_, **__: None,
            create_table=lambda table, **__: self._create(table),
        )
        super().__init__(client, 60.0)
        self._schemas: dict[str, Sequence[bigquery.SchemaField]] = {}
        self._labels: dict[str, Mapping[str, str]] = {}
        self._entry: dict[str, Any] = {}
        self.analyser = analyser
        self.sent: list[Statement] = []
        self.staging: list[str] = []

    def query(self, sql: str, parameters: Parameters | None = None, name: str | None = None) -> list[Any]:
        types = {name: kind for name, (kind, _) in (parameters or {}).items()}
        self.sent.append((sql, tuple(sorted(types.items()))))
        columns = self.analyser.analyse(sql, types)
        kinds = {name: kind.type_kind for name, kind in columns.items()}
        if "instead_of" in types:
            self._entry = {name: value for name, (_, value) in (parameters or {}).items()}
        if set(kinds) == {one.name for one in fields(Entry)}:
            return [{name: self._entry[name] for name in kinds}] if self._entry else []
        if altered := re.search(r"ALTER TABLE `(.+)` ALTER COLUMN `(.+)` SET DATA TYPE (\w+)", sql):
            self._widen(*altered.groups())
        if set(kinds) == {"what", "number"}:
            return [{"what": what, "number": 5} for what in ("live", "newest")]
        if kinds and all(re.fullmatch(r"(low|high)_\d", name) for name in kinds):
            return [{name: _example(kind) for name, kind in kinds.items()}]
        return [dict.fromkeys(kinds, 5)] if _NUMBER in kinds.values() else []

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
        pass

    def find_table(self, table: str) -> bigquery.Table | None:
        schema = self._schemas.get(table)
        if schema is None and f".{STAGING}." in table:
            # A merge asks for the names of its columns.
            schema = [bigquery.SchemaField(name, "STRING") for name in self.analyser.columns(table)]
        labels = {GENERATION_LABEL: "5", **self._labels.get(table, {})}
        return described(table, schema, labels) if schema else None

    def table_exists(self, table: str) -> bool:
        return False

    def update_table(self, table: bigquery.Table, *fields: str) -> None:
        self._create(table)

    def _create(self, table: bigquery.Table) -> None:
        self._schemas[str(table.reference)] = table.schema
        self._labels[str(table.reference)] = {**self._labels.get(str(table.reference), {}), **table.labels}
        self.analyser.add_table(str(table.reference), columns_of(table.schema))

    def _widen(self, table: str, column: str, kind: str) -> None:
        known = {one.name: one for one in self._schemas[table]}
        schema = {**known, column: bigquery.SchemaField(column, kind, known[column].mode)}
        self._create(described(table, list(schema.values())))

    def list_tables(self, dataset: str, prefix: str) -> list[str]:
        return [name for name in self.staging if name.startswith(prefix)]


def _example(kind: object) -> object:
    """A value of the type that zetasql calls so."""
    (found,) = [name for name in TYPES if type_of(name).type_kind == kind]
    return TYPES[found].parse(GOOD[found])


def send_all(feed: Feed, loads: int = 1) -> AnalysingWarehouse:
    """Stage files of each shape, checked once and again, and merge `loads` of them at once.

    Raises zetasql's ServerError for a statement that BigQuery would refuse.
    """
    warehouse = AnalysingWarehouse(Analyser())
    for name in ("journal", "dead_letter_messages"):
        warehouse.analyser.add_table(f"{PROJECT}.ops.{name}", columns_of(table(PROJECT, name).schema))
    first, *others = [Load(feed.name, ObjectGeneration("landing", f"{n}.csv", n)) for n in range(loads)]
    for shape in SHAPES:
        _stage(warehouse, feed, first, header(feed, shape), "5" if shape is SHAPES[0] else None)
    for load in others:
        warehouse.analyser.add_table_like(_qualified(feed, load), _qualified(feed, first))
    warehouse.staging = [load.staging_table(feed.fingerprint) for load in (first, *others)]
    _merge(warehouse, feed, first)
    return warehouse


def send_widening(feed: Feed) -> AnalysingWarehouse:
    """Merge a load into a table of an earlier release, whose contract had INT64 where this one has NUMERIC."""
    earlier = feed.model_copy(
        update={
            "columns": [
                one.model_copy(update={"type": "INT64"} if one.type == "NUMERIC" else {}) for one in feed.columns
            ]
        }
    )
    warehouse = AnalysingWarehouse(Analyser())
    warehouse.client.create_table(bigquery.Table(f"{PROJECT}.{feed.table}", definition(earlier)))
    load = Load(feed.name, ObjectGeneration("landing", "0.csv", 0))
    _stage(warehouse, feed, load, header(feed, "plain"), again=None)
    warehouse.staging = [load.staging_table(feed.fingerprint)]
    _merge(warehouse, feed, load)
    return warehouse


EARLIER_JOURNAL = [
    bigquery.SchemaField("at", "TIMESTAMP", "REQUIRED"),
    bigquery.SchemaField("event", "STRING", "REQUIRED"),
    bigquery.SchemaField("service", "STRING", "REQUIRED"),
    *(bigquery.SchemaField(name, "STRING") for name in ("load_id", "feed", "bucket", "object")),
    bigquery.SchemaField("generation", "INTEGER"),
    bigquery.SchemaField("detail", "STRING"),
]
"""Columns of the journal as an earlier release made it."""


class _BeforeUpgrade(AnalysingWarehouse):
    def table_exists(self, table: str) -> bool:
        return True


def send_journal_upgrade() -> None:
    """Put today's journal in the place of one of an earlier release."""
    warehouse = _BeforeUpgrade(Analyser())
    warehouse.client.create_table(bigquery.Table(f"{PROJECT}.ops.journal", EARLIER_JOURNAL))
    upgrade_journal(warehouse)


def send_views() -> AnalysingWarehouse:
    """Make the views that merge makes when it starts."""
    warehouse = AnalysingWarehouse(Analyser())
    # Made with the subscriptions that write it.
    warehouse.client.create_table(table(PROJECT, "dead_letter_messages"))
    create_views(warehouse)
    return warehouse


def merge_statement(feed: Feed, loads: int = 1) -> str:
    """The script, from BEGIN TRANSACTION to COMMIT, that is sent to merge so many loads of the feed."""
    (sql,) = [sql for sql, _ in send_all(feed, loads).sent if sql.startswith("BEGIN TRANSACTION")]
    return sql


def _stage(warehouse: AnalysingWarehouse, feed: Feed, load: Load, names: Sequence[str], again: str | None) -> None:
    # Each line may have each name.
    names = list(feed.names_in_file) if isinstance(feed.format, Ndjson) else names
    tables = Tables.of(PROJECT, feed, load)
    if format_of(feed).NAMES_ARE_LOADED:
        raw = [bigquery.SchemaField(name, "STRING") for name in names]
        layout = loaded_layout(raw, feed)
    else:
        layout = match_header(names, feed)
        raw = format_of(feed).load_config(layout.columns, feed, layout.encoding).schema
    warehouse.analyser.add_table(tables.raw, columns_of(raw))
    with contextlib.suppress(PermanentError):  # five bad rows of five are more than most feeds tolerate
        check_rows(warehouse, feed, load, tables, layout, datetime(2025, 1, 1, tzinfo=UTC), again)
    stage_rows(warehouse, feed, load, tables, rejected=0)
    if feed.bad_rows.at_most:
        stage_rows(warehouse, feed, load, tables, rejected=5)


def _qualified(feed: Feed, load: Load) -> str:
    return Tables.of(PROJECT, feed, load).staging


def _merge(warehouse: AnalysingWarehouse, feed: Feed, load: Load) -> None:
    settings = Settings(  # type: ignore[call-arg]  # the rest has defaults
        GOOGLE_CLOUD_PROJECT=PROJECT, service="merge", feeds=Path("feeds"), dead_letter_topic="t", budget_seconds=60
    )
    merger = Merger(settings, {feed.name: feed}, warehouse, publisher=None)  # type: ignore[arg-type]  # nothing is sent back
    with working_on({"feed": feed.name}):
        outcome = merger(Delivery(PushMessage(StagedMessage(load, feed.fingerprint).encode(), {}, "1", "s", 1), ""))
    assert outcome == "merged"


def normalised(statement: Statement) -> Statement:
    """The statement without what differs from load to load: ids, contracts, bounds, how many loads, white space."""
    sql, parameters = statement
    text = re.sub(r"\b[0-9a-f]{32}\b|(?<![0-9a-z])[0-9a-f]{20}(?![0-9a-z])", "ID", re.sub(r"\s+", " ", sql)).strip()
    text = re.sub(r"(_(?:raw|checked)_ID__)[0-9a-f]{12}\b", r"\1CONTRACT", text)
    text = re.sub(r" AND _t\.`\w+` (>=|<=|<) ([A-Z]+ )?('[^']*'|-?\d+)", "", text)
    text = re.sub(r"( SELECT (?:(?!SELECT).)*?) UNION ALL(?=\1)", "", text)
    text = re.sub(r"\('dropmerge_service', '\w+'\)", "('dropmerge_service', '')", text)
    # Of snapshots, their generations.
    text = re.sub(r"\('dropmerge_generation', '\d+'\)", "('dropmerge_generation', '0')", text)
    text = re.sub(r"( WHEN 'ID' THEN \d+)+", " WHEN 'ID' THEN 0", re.sub(r"GREATEST\(\d+,", "GREATEST(0,", text))
    return re.sub(r"'ID'(, 'ID')+", "'ID'", text), parameters


def known(feeds: Mapping[str, Feed]) -> set[Statement]:
    """The normalised statements for some feeds, each analysed."""
    views = set(map(normalised, send_views().sent))
    return views.union(*(_known(feed.model_dump_json(exclude_none=True)) for feed in feeds.values()))


@cache
def _known(feed: str) -> frozenset[Statement]:
    return frozenset(normalised(statement) for statement in send_all(Feed.model_validate_json(feed)).sent)


def unseen(sent: Iterable[Statement], feeds: Mapping[str, Feed]) -> list[Statement]:
    """Those of `sent` that the analysis of these feeds does not know."""
    return sorted(set(map(normalised, sent)) - known(feeds))
