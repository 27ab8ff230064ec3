"""What a file that is in a bucket would do to its main table: read as ingest reads it, counted, and not merged."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from google.cloud.bigquery import QueryJobConfig, Table
from google.cloud.storage import Blob

from dropmerge.operations.adopt import entries_of
from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.gcs_uri import GcsUri
from dropmerge.operations.loads.find_file import find_file
from dropmerge.operations.no_answer import BIGQUERY
from dropmerge.operations.rebuild.archive import pinned
from dropmerge.operations.rejected.pinned import open_blob
from dropmerge.operations.trial.effect import Effect, expected_effect
from dropmerge.operations.trial.price import Price, price_of_dry_run, price_of_merge
from dropmerge.operations.trial.reading import Fault, Pinned, Read, Tell, read
from services.ingest.formats.compression import GZIP
from services.ingest.inspect_file import read_part
from services.ingest.tables import Tables
from services.merge.entries import Entry
from services.merge.ledger import applied_loads
from services.merge.main_table import MainTable, require_fit, required_changes
from services.merge.pruning import key_range
from services.merge.snapshots import require_large_enough
from services.merge.staged import Staged
from services.merge.statement import merge_statement
from services.shared.contract.feed import Feed
from services.shared.contract.formats import GZIP_SUFFIX
from services.shared.contract.history import versions_table
from services.shared.datasets import STAGING
from services.shared.errors import PermanentError, TransientError
from services.shared.generation import ObjectGeneration
from services.shared.google_errors import translated
from services.shared.load import Load


@dataclass(frozen=True)
class Previewed:
    feed: Feed
    source: ObjectGeneration
    is_merged: bool
    """Whether the main table has the load: then merge would do nothing."""
    read: Read
    effect: Effect | None = None
    price: Price | None = None


def preview(connection: Connection, file: str, tell: Tell, most: int = 1000) -> Previewed:
    """Of a file by any of its names, the latest generation where none is named.

    Nothing of it stays: no table, no event, no rejected row. Raises NotDone, UsageError, and PermanentError where the
    fault is not the file's.
    """
    load, feed = _load(connection, file)
    one = _file(connection, load, feed)
    with own_tables(connection, load) as tables:
        tell("reading")
        # Each preview has tables of its own, and so jobs.
        job = tables.staging.rpartition("_")[2]
        found = read(connection.warehouse, feed, one, tables, f"{load.load_id}-{job}", most)
        if one.uri == load.source.uri:
            bucket = connection.storage.bucket(load.source.bucket)
            _require_live(load.source, bucket.get_blob(load.source.name))
        tell("counting")
        return _counted(connection, feed, load, found, one.size)


def _load(connection: Connection, file: str) -> tuple[Load, Feed]:
    """Of the object, and by which contract it is read."""
    if file.startswith(f"gs://{connection.archive}/"):
        return _archived(connection, GcsUri.parse(file.partition("#")[0]))
    source = find_file(connection, file)
    if not source.generation:
        raise NotDone(f"{source.uri} does not exist")
    if glob := connection.ignored_by(source.name):
        raise NotDone(f"{source.uri} would be ignored, by {glob} in deploy/topology.yaml")
    feed = connection.feed_of(source.name)
    if feed is None:
        raise NotDone(f"no_feed: no feed's pattern matches {source.name!r}")
    return Load(feed.name, source), feed


def _archived(connection: Connection, copy: GcsUri) -> tuple[Load, Feed]:
    """By the contract of the feed that it was copied for, whichever wants its object today."""
    blob = connection.storage.bucket(copy.bucket).get_blob(copy.name)
    load = Load.from_archive(copy.name, blob.metadata) if blob else None
    if load is None:
        raise NotDone(f"{copy} is not a copy made by ingest")
    return load, connection.feed(load.feed)


def _file(connection: Connection, load: Load, feed: Feed) -> Pinned:
    """The archive's copy of the file. Of one that has none, the file where it lies: what is written to the archive can
    not be deleted again."""
    kept = next(pinned(connection, feed.name, load.load_id), None)
    if kept:
        bucket, name = connection.archive, kept.name
    else:
        bucket, name = load.source.bucket, load.source.name
    blob = connection.storage.bucket(bucket).get_blob(name)
    if not kept:
        _require_live(load.source, blob)
        _require_readable(load.source, blob)
    size = int(blob.size or 0)
    return Pinned(load, f"gs://{bucket}/{name}", size, partial(open_blob, blob), partial(read_part, blob))


def _require_live(source: ObjectGeneration, blob: Blob | None) -> None:
    """Raises NotDone where the object's generation is another one now: BigQuery loads the newest."""
    if blob is None or int(blob.generation or 0) != source.generation:
        raise NotDone(f"{source} was overwritten and is gone: the newer generation is merged instead")


def _require_readable(source: ObjectGeneration, blob: Blob) -> None:
    """Raises NotDone for an object that BigQuery does not read as it is, as ingest's copy under a name of its own.

    * is a wildcard, // is taken for / (https://cloud.google.com/bigquery/docs/batch-loading-data#load-uris), and
    whether a file is packed is told by its name.
    """
    is_packed = bool(blob.size) and read_part(blob, 0, len(GZIP)) == GZIP
    has_fitting_name = is_packed == source.name.endswith(GZIP_SUFFIX)
    if "*" in source.name or "//" in source.name or not has_fitting_name or blob.content_encoding:
        raise NotDone(
            f"{source} cannot be read where it lies: BigQuery takes * and // in a name for something else, and a file "
            f"for packed by its name, {GZIP_SUFFIX} at the end; nor may it have a Content-Encoding. Copy it to a name "
            "that fits"
        )


@contextmanager
def own_tables(connection: Connection, load: Load) -> Iterator[Tables]:
    """Names that no service takes for a load's, of tables that are dropped again. What a kill leaves expires with the
    dataset's other tables."""
    own = f"{load.load_id}_{uuid.uuid4().hex}"
    names = [
        f"{connection.project}.{STAGING}._preview_{what}_{own}" for what in ("raw", "checked", "staged", "rejected")
    ]
    tables = Tables(*names)
    try:
        yield tables
    finally:
        for name in names:
            connection.warehouse.drop_table(name)


def _counted(connection: Connection, feed: Feed, load: Load, found: Read, size: int) -> Previewed:
    entries, table = entries_of(connection, feed), _find(connection, feed)
    is_merged = bool(table and entries) and bool(
        applied_loads(connection.warehouse, connection.project, feed.name, entries[0].table_id, [load.load_id])
    )
    previewed = Previewed(feed, load.source, is_merged, found)
    try:
        require_fit(feed, entries, table)
        needed = required_changes(feed, table, found.staged.extra if found.staged else ()) if table else None
        if table and entries and found.staged and not is_merged:
            main = _main_table(table, entries)
            require_large_enough(connection.warehouse, connection.project, feed, main, found.staged)
    except PermanentError as error:
        fault = found.fault or Fault(error.reason, error.detail)
        return replace(previewed, read=replace(found, fault=fault))
    except TransientError as error:
        raise NotDone(str(error)) from error
    if found.staged is None:
        return previewed
    price = _price(connection, feed, found.staged, table, entries, size, can_be_asked=not needed)
    if is_merged:
        return replace(previewed, effect=Effect(), price=price)
    return replace(previewed, effect=_effect(connection, feed, found.staged, table), price=price)


def _find(connection: Connection, feed: Feed) -> Table | None:
    return connection.warehouse.find_table(f"{connection.project}.{feed.table}")


def _main_table(table: Table, entries: list[Entry]) -> MainTable:
    return MainTable(entries[0].table_id, table.created, tuple(one.name for one in table.schema))


def _effect(connection: Connection, feed: Feed, staged: Staged, table: Table | None) -> Effect:
    bounds = key_range(connection.warehouse, feed, [staged.table]) if table else []
    main = f"{connection.project}.{feed.table}" if table else None
    return expected_effect(connection.warehouse, feed, staged, main, bounds)


def _price(
    connection: Connection,
    feed: Feed,
    staged: Staged,
    table: Table | None,
    entries: list[Entry],
    size: int,
    can_be_asked: bool,
) -> Price:
    # The local warehouse reads by other rules than BigQuery, and knows no bytes.
    if table and entries and can_be_asked and not BIGQUERY.emulator:
        main = _main_table(table, entries)
        bytes_read = _dry_run(connection, merge_statement(connection.project, feed, main, [staged]))
        if bytes_read:
            return price_of_dry_run(bytes_read)
    if not feed.history:
        return price_of_merge(_bytes(table), size)
    versions = connection.warehouse.find_table(f"{connection.project}.{versions_table(feed.table)}")
    return price_of_merge(_bytes(table), size, _bytes(versions))


def _bytes(table: Table | None) -> float:
    return float(table.num_bytes or 0) if table else 0


@translated()
def _dry_run(connection: Connection, sql: str) -> int:
    """Bytes that a script would read, which costs nothing to ask; 0 where BigQuery does not say
    (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2, totalBytesProcessed)."""
    job = connection.warehouse.client.query(sql, job_config=QueryJobConfig(dry_run=True))
    return int(job.total_bytes_processed or 0)
