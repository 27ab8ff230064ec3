"""Files tried one after the other by a contract, in a warehouse in which nothing else is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from dropmerge.operations.trial.effect import Effect, keep_before, merged_effect
from dropmerge.operations.trial.price import Price, price_of_merge
from dropmerge.operations.trial.reading import Fault, Pinned, Read, Tell, read
from dropmerge.operations.trial.sandbox import Sandbox
from services.ingest.formats.compression import GZIP
from services.ingest.tables import Tables
from services.merge.main_table import MainTables
from services.merge.merge_group import merge_group
from services.merge.snapshots import require_large_enough
from services.merge.staged import Staged
from services.shared.contract.feed import Feed
from services.shared.contract.formats import GZIP_SUFFIX
from services.shared.datasets import STAGING
from services.shared.errors import PermanentError
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.sql import Templates

_SQL = Templates(Path(__file__).parent)


@dataclass(frozen=True)
class Tried:
    file: str
    created: datetime
    """What stands for the object's creation."""
    created_by: str
    """Where that is from: `modification time`, `now`, or `the file before`, which it must come after."""
    read: Read
    effect: Effect | None = None
    """None where nothing is merged."""
    price: Price | None = None


@dataclass(frozen=True)
class Trial:
    sandbox: Sandbox
    feed: Feed
    project: str
    """Of the sandbox; no other trial has it."""
    main_bytes: float = 0
    """Taken for the main table's size where the MERGE's price is asked for."""
    most: int = 1000
    """Rejected rows that are kept of a file."""
    tell: Tell = lambda _: None

    def run(self, files: Sequence[Path]) -> list[Tried]:
        """Each file, merged before the next is read: their order is that in which they were created."""
        return [self._try(*one) for one in _created(files)]

    def rows(self, most: int | None = None) -> tuple[list[str], list[list[Any]]]:
        """Columns and rows of the view, sorted by key; nothing where no file was merged."""
        if self._warehouse.find_table(f"{self.project}.{self.feed.table}") is None:
            return [column.name for column in self.feed.columns], []
        sql = _SQL.render("current_rows.sql", current=f"{self.project}.{self.feed.table}_current", feed=self.feed)
        parameters: Mapping[str, tuple[str, Any]] = {"most": ("INT64", 2**63 - 1 if most is None else most)}
        found = self._warehouse.query(sql, parameters)
        return [column.name for column in self.feed.columns], [list(row.values()) for row in found]

    @cached_property
    def _warehouse(self) -> Any:
        return self.sandbox.warehouse(self.project)

    @cached_property
    def _main_tables(self) -> MainTables:
        return MainTables(self._warehouse, self.project)

    def _try(self, file: Path, generation: int, created_by: str) -> Tried:
        self.tell(f"{file.name}: reading")
        load = Load(self.feed.name, ObjectGeneration("files", file.name, generation))
        one = self._pin(file, load)
        tables = Tables.of(self.project, self.feed, load)
        found = read(self._warehouse, self.feed, one, tables, load.load_id, self.most)
        tried = Tried(file.name, load.source.created, created_by, found)
        return self._merged(tried, found.staged, one.size) if found.staged else tried

    def _pin(self, file: Path, load: Load) -> Pinned:
        suffix = self.feed.format.suffix + (GZIP_SUFFIX if _part(file, 0, len(GZIP)) == GZIP else "")
        uri = self.sandbox.put(file, self.project, load.archive_name(suffix))
        return Pinned(load, uri, file.stat().st_size, lambda: file.open("rb"), partial(_part, file))

    def _merged(self, tried: Tried, staged: Staged, size: int) -> Tried:
        self.tell(f"{tried.file}: merging")
        main, before = f"{self.project}.{self.feed.table}", f"{self.project}.{STAGING}._before"
        try:
            table = self._main_tables.ensure(self.feed)
            require_large_enough(self._warehouse, self.project, self.feed, table, staged)
            keep_before(self._warehouse, self.feed, main, before)
            merge_group(self._main_tables, self.feed, [staged])
        except PermanentError as error:
            fault = Fault(error.reason, error.detail)
            return replace(tried, read=replace(tried.read, fault=fault, staged=None))
        effect = merged_effect(self._warehouse, self.feed, staged, before, main)
        # As large as the main table at least.
        versions = self.main_bytes if self.feed.history else None
        price = price_of_merge(self.main_bytes, size, versions)
        return replace(tried, effect=effect, price=price)


def _part(file: Path, begin: int, end: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(begin)
        return opened.read(end - begin)


def _created(files: Sequence[Path]) -> Iterator[tuple[Path, int, str]]:
    """Each file with its generation, and where that is from: no file may be older than the one before it."""
    last = 0
    for file in files:
        modified, now = file.stat().st_mtime_ns // 1000, time.time_ns() // 1000
        generation, by = (modified, "modification time") if modified <= now else (now, "now")
        if generation <= last:
            generation, by = last + 1, "the file before"
        yield file, generation, by
        last = generation
