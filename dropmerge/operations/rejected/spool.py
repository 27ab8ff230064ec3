"""Rejected rows beside the records of their files, on disk: there may be millions of either."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

Row = tuple[str, bytes, int | None, str, str]
"""Load id, digest, how many of the load's rows are alike (None: as many as are kept), row and reasons."""
Place = tuple[bytes, int, int | None]
"""Digest, record and line."""

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -8192;
CREATE TABLE rejected (load_id TEXT, digest BLOB, alike INTEGER, row_text TEXT, reasons TEXT);
CREATE TABLE place (digest BLOB, record INTEGER, line INTEGER);
CREATE TABLE placed (digest BLOB, nth INTEGER, alike INTEGER, record INTEGER, line INTEGER, PRIMARY KEY (digest, nth))
WITHOUT ROWID;
"""
_INDEX = "CREATE INDEX rejected_by_digest ON rejected (load_id, digest)"
_ADD = "INSERT INTO rejected VALUES (?, ?, ?, ?, ?)"
_PLACE = """
INSERT INTO place SELECT ?1, ?2, ?3
WHERE EXISTS (SELECT 1 FROM rejected WHERE load_id = ?4 AND digest = ?1)
"""
_NUMBER = """
INSERT INTO placed
SELECT
  digest, ROW_NUMBER() OVER (PARTITION BY digest ORDER BY record), COUNT(*) OVER (PARTITION BY digest), record, line
FROM place
ORDER BY digest, record
"""
# A row and a record are one where as many records as rows are alike, none of which says which is which.
_FOUND = """
SELECT row_text, reasons, record, line
FROM (
  SELECT
    digest, row_text, reasons,
    ROW_NUMBER() OVER (PARTITION BY digest ORDER BY rowid) AS nth,
    COALESCE(alike, COUNT(*) OVER (PARTITION BY digest)) AS alike
  FROM rejected
  WHERE load_id = ?
) AS one
LEFT JOIN placed ON placed.digest = one.digest AND placed.nth = one.nth AND placed.alike = one.alike
ORDER BY record IS NULL, record, row_text
"""
_BATCH = 1000


class Spool:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")  # never committed: nobody else reads it

    def add(self, rows: Iterable[Row]) -> None:
        """Keep rows of any loads."""
        self._database.executemany(_ADD, rows)
        self._database.execute(_INDEX)

    def find(
        self, load_id: str, places: Iterable[Place], tell: Callable[[int], None]
    ) -> Iterator[tuple[str, str, int | None, int | None]]:
        """Row, reasons, record and line of each of a load's rows, in the file's order; those not found come last.

        `places`: all records of the load's file. `tell` is called with how many were read.
        """
        self._database.execute("DELETE FROM place")
        self._database.execute("DELETE FROM placed")
        for some in _batches(places):
            self._database.executemany(_PLACE, [(*place, load_id) for place in some])
            tell(len(some))
        self._database.execute(_NUMBER)
        yield from self._database.execute(_FOUND, (load_id,))


@contextmanager
def spool() -> Iterator[Spool]:
    """Its file goes with the block."""
    with (
        TemporaryDirectory(prefix="dropmerge-") as folder,
        closing(sqlite3.connect(Path(folder) / "rejected.db", isolation_level=None)) as database,
    ):
        yield Spool(database)


def _batches(places: Iterable[Place]) -> Iterator[Sequence[Place]]:
    rest = iter(places)
    while some := list(islice(rest, _BATCH)):
        yield some
