"""A file looked into for a key: read as ingest reads it, in tables of its own, nothing of which stays."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from google.api_core import exceptions
from google.cloud.storage import Blob

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.rebuild.archive import pinned
from dropmerge.operations.rejected.pinned import PinnedFile, open_blob
from dropmerge.operations.rejected.spool import spool
from dropmerge.operations.row_story.found import MARK, FoundRow, find_rows
from dropmerge.operations.row_story.key import Key
from dropmerge.operations.trial.preview import own_tables
from dropmerge.operations.trial.reading import Pinned
from services.ingest.check_rows import check_parameters, check_statement
from services.ingest.formats.compression import GZIP
from services.ingest.inspect_file import inspect_file, read_part
from services.ingest.load_raw import load_raw
from services.ingest.match_header import Layout
from services.ingest.row_rules import Rule
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.contract.formats import GZIP_SUFFIX
from services.shared.errors import PermanentError, TransientError
from services.shared.load import Load

_READ_OTHERWISE = ("wrong_header", "no_final_newline")
"""Reasons why a contract refuses a file whose keys can be read all the same."""


@dataclass(frozen=True)
class Looked:
    rows: Sequence[FoundRow] = ()
    """The file's with the key, the winner first, and the main table's."""
    records: Sequence[int | None] = ()
    """Of each of the file's rows."""
    reading: Feed | None = None
    """By which the file was read: the feed, or what is left of it for a file whose header does not fit."""
    problem: str | None = None
    """Why the file could not be read: a dead letter's reason, or a sentence."""


def look_into(connection: Connection, load: Load, key: Key) -> Looked:
    """A file that cannot be read has a problem; nothing is raised for it."""
    try:
        with own_tables(connection, load) as tables:
            return _look(connection, _file(connection, load), tables, key)
    except PermanentError as error:
        # Its text may quote the file.
        return Looked(problem=error.reason)
    except TransientError:
        return Looked(problem="BigQuery did not read it this time, so try again")
    except exceptions.NotFound:
        return Looked(problem="object_gone")
    except exceptions.Forbidden:
        # Anybody may have written the message that names it, with a bucket that is not ours.
        return Looked(problem="access_denied")
    except NotDone as error:
        return Looked(problem=str(error))


def _file(connection: Connection, load: Load) -> Pinned:
    """The archive's copy, or the object where there is none. No copy is made: the archive keeps what is put there."""
    kept = next(pinned(connection, load.feed, load.load_id), None)
    if kept:
        blob = connection.storage.bucket(connection.archive).blob(kept.name)
        uri, size = f"gs://{connection.archive}/{kept.name}", kept.size
    else:
        blob = connection.storage.bucket(load.source.bucket).blob(load.source.name, generation=load.source.generation)
        blob.reload()
        uri, size = load.source.uri, int(blob.size or 0)
        if not _is_loaded_as_it_is(blob):
            raise NotDone("BigQuery cannot load it under its name, and there is no copy in the archive")
    return Pinned(load, uri, size, partial(open_blob, blob), partial(read_part, blob))


def _is_loaded_as_it_is(blob: Blob) -> bool:
    """Whether its name means this object alone, and says whether it is packed
    (https://cloud.google.com/bigquery/docs/batch-loading-data#load-wildcards)."""
    is_packed = bool(blob.size) and read_part(blob, 0, len(GZIP)) == GZIP
    return "*" not in blob.name and is_packed == blob.name.endswith(GZIP_SUFFIX)


def _require_unchanged(connection: Connection, one: Pinned) -> None:
    """BigQuery loads an object by its name, whichever generation that is."""
    if one.uri == one.load.source.uri:
        live = connection.storage.bucket(one.load.source.bucket).get_blob(one.load.source.name)
        if live is None or int(live.generation) != one.load.source.generation:
            raise NotDone("it was overwritten while it was read")


def _look(connection: Connection, one: Pinned, tables: Tables, key: Key) -> Looked:
    feed, layout = _load(connection, one, tables, key.feed)
    _require_unchanged(connection, one)
    rule = Rule(MARK, key.marked)
    values = {**check_parameters(feed, one.load, layout, one.load.source.created), **key.parameters}
    connection.warehouse.query(check_statement(feed, tables, layout, [rule]), values)
    main = f"{connection.project}.{key.feed.table}"
    rows = find_rows(connection.warehouse, feed, key, [main], tables.checked)
    own = [row for row in rows if row.table == tables.checked]
    records = find_records(PinnedFile(one.open, feed, layout), own)
    return Looked(rows, records, feed)


def _load(connection: Connection, one: Pinned, tables: Tables, feed: Feed) -> tuple[Feed, Layout]:
    """The file's raw rows, by the contract or by as much of it as fits the file."""
    refusal: PermanentError | None = None
    for reading in _readings(feed):
        try:
            layout = inspect_file(one.size, reading, one.part)
            # Without the load's id: `explain` lists the jobs that have it as the load's own.
            job = f"look-{uuid.uuid4().hex}"
            return reading, load_raw(connection.warehouse, one.uri, tables.raw, job, layout, reading)
        except PermanentError as error:
            if error.reason not in _READ_OTHERWISE:
                raise
            refusal = refusal or error
    assert refusal
    raise refusal


def _readings(feed: Feed) -> Iterator[Feed]:
    """The contract; its key and version, if they have names in the file; its key."""
    yield feed
    if feed.places:
        return
    lenient = {"unknown_columns": "ignore", "missing_columns": "null", "twice": "keep"}
    asks_for_end = "final_newline" in type(feed.format).model_fields
    form = feed.format.model_copy(update={"final_newline": False} if asks_for_end else {})
    yield _only(feed, feed.of_every_row, {**lenient, "format": form})
    yield _only(feed, feed.key, {**lenient, "format": form, "version": None, "delete": None})


def _only(feed: Feed, names: Sequence[str], changes: dict[str, object]) -> Feed:
    columns = [one.model_copy(update={"check": None}) for one in feed.columns if one.name in names]
    found = feed.model_copy(update={**changes, "columns": columns})
    for name in ("names_in_file", "reads_json", "fingerprint"):
        found.__dict__.pop(name, None)  # of the whole contract
    return found


def find_records(file: PinnedFile, rows: Sequence[FoundRow]) -> list[int | None]:
    """The number of each row's record in the file, from 1; None where it is not found there."""
    texts = [row.row_text or "{}" for row in rows]
    if not texts:
        return []
    with spool() as kept:
        kept.add(("", file.digest_of_row(text), None, text, "") for text in texts)
        numbers: dict[str, list[int | None]] = {}
        for text, _, record, _ in kept.find("", file.places(lambda _: None), lambda _: None):
            numbers.setdefault(text, []).append(record)
    return [numbers[text].pop(0) for text in texts]
