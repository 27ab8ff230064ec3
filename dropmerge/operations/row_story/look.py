"""A file looked into for a key: read as ingest reads it, in tables of its own, nothing of which stays."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.rejected.pinned import PinnedFile
from dropmerge.operations.rejected.spool import spool
from dropmerge.operations.row_story.found import MARK, FoundRow, find_rows
from dropmerge.operations.row_story.key import Key
from dropmerge.operations.trial.preview import own_tables, pinned_copy
from dropmerge.operations.trial.reading import Pinned
from services.ingest.check_rows import check_parameters, check_statement
from services.ingest.inspect_file import inspect_file
from services.ingest.load_raw import load_raw
from services.ingest.match_header import Layout
from services.ingest.row_rules import Rule
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError
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
    """Raises TransientError."""
    try:
        with pinned_copy(connection, load, key.feed) as one, own_tables(connection, load) as tables:
            return _look(connection, one, tables, key)
    except PermanentError as error:
        # Its text may quote the file.
        return Looked(problem=error.reason)
    except NotDone as error:
        return Looked(problem=str(error))


def _look(connection: Connection, one: Pinned, tables: Tables, key: Key) -> Looked:
    feed, layout = _load(connection, one, tables, key.feed)
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
            job = f"{one.load.load_id}-{uuid.uuid4().hex}"
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
