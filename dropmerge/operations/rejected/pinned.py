"""The pinned copy of a file, read record by record: the warehouse has its rows in no order."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.rejected.spool import Place
from services.shared.contract.blanks import BLANKS
from services.shared.contract.formats import FIELDS, LINE, SUFFIXES
from services.shared.contract.order import RESCUED
from services.shared.load import Load

if TYPE_CHECKING:
    from google.cloud.storage import Blob

    from services.ingest.formats.record import Record
    from services.ingest.match_header import Layout
    from services.shared.contract.feed import Feed

_CHUNK = 4 * 2**20
_NOT_DECODED = "\ufffd"


@dataclass(frozen=True)
class _Texts:
    """How the fields of a column are read."""

    nulls: frozenset[str]
    trims: bool
    fit: Callable[[str], str] = str
    """What a field of a type of its own becomes for the column's."""


@dataclass(frozen=True)
class PinnedFile:
    open: Callable[[], BinaryIO]
    """Its bytes, packed as they may be."""
    feed: Feed
    layout: Layout

    def records(self) -> Iterator[Record]:
        """In the file's order. Raises ValueError where they cannot be told apart."""
        from services.ingest.formats import format_of

        with unpacked(self.open()) as file:
            yield from format_of(self.feed).records(file, self.layout.columns, self.feed, self.layout.encoding)

    def places(self, tell: Callable[[Exception], None]) -> Iterator[Place]:
        """Of each record. `tell` is called with why they end before the file does; those until then are right."""
        try:
            for record in self.records():
                yield self.digest_of_record(record), record.number, record.line
        except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            tell(error)

    def digest_of_record(self, record: Record) -> bytes:
        """Equal to that of the row which was made of the record."""
        if LINE in record.fields:
            return _digest([_same(record.fields[LINE])])
        if FIELDS in record.fields:
            return _digest_of_fields(record.fields[FIELDS])
        texts = ((_text(record.fields.get(raw), read_as), read_as) for raw, _, read_as in self._compared)
        return _digest([None if text is None else read_as.fit(text) for text, read_as in texts])

    def digest_of_row(self, row_text: str) -> bytes:
        """Of a rejected row, as it is kept."""
        row: dict[str, Any] = json.loads(row_text)
        if LINE in row:
            return _digest([_same(row[LINE] or "").removesuffix("\r")])
        if FIELDS in row:
            return _digest_of_fields(row[FIELDS])
        row |= {f"{RESCUED.name}.{name}": text for name, text in (row.get(RESCUED.name) or {}).items()}
        return _digest([_text(row.get(name), read_as) for _, name, read_as in self._compared])

    @cached_property
    def _compared(self) -> list[tuple[str, str, _Texts]]:
        """Of the columns that a rejected row keeps and the file has: raw name, name in the row, how texts are read."""
        known = {one.name for one in self.feed.columns} | set(self.layout.added)
        known |= {self.feed.delete.column} if self.feed.delete else set()
        own = [(name, name) for name in self.layout.columns if name in known]
        rescued = [(raw, f"{RESCUED.name}.{name}") for name, raw in self.layout.rescued]
        return [(raw, name, _read_as(self.feed, self.layout, raw)) for raw, name in (*own, *rescued)]


def find_pinned(connection: Connection, load: Load) -> Blob:
    """The copy in the archive. Raises NotDone where there is none any more."""
    bucket = connection.storage.bucket(connection.archive)
    found = next(filter(None, (bucket.get_blob(load.archive_name(suffix)) for suffix in SUFFIXES)), None)
    if found is None:
        raise NotDone(f"{load.source} is no longer in the archive")
    return found


def open_blob(blob: Blob) -> BinaryIO:
    """A copy's bytes, of which some megabytes at a time are in memory."""
    # Raw: the client would unpack what is marked Content-Encoding: gzip (https://cloud.google.com/storage/docs/transcoding).
    return cast("BinaryIO", blob.open("rb", chunk_size=_CHUNK, raw_download=True))


@contextmanager
def unpacked(packed: BinaryIO) -> Iterator[BinaryIO]:
    """A file, unpacked where it is packed; closed with the block."""
    from services.ingest.formats.compression import GZIP

    with packed:
        is_packed = packed.read(len(GZIP)) == GZIP
        packed.seek(0)
        yield cast("BinaryIO", gzip.GzipFile(fileobj=packed) if is_packed else packed)


def open_pinned(connection: Connection, load: Load) -> PinnedFile:
    """The copy, as today's contract reads it. Raises NotDone where it cannot be read so."""
    from services.shared.errors import PermanentError

    feed = connection.feeds.get(load.feed)
    if feed is None:
        raise NotDone(f"there is no contract of feed {load.feed}")
    blob = find_pinned(connection, load)
    try:
        return PinnedFile(partial(open_blob, blob), feed, _layout(blob, feed))
    except PermanentError as error:
        raise NotDone(f"today's contract does not read {load.source}: {error.reason}") from error
    except ValueError as error:
        raise NotDone(f"{load.source} cannot be read: {error}") from error


def _layout(blob: Blob, feed: Feed) -> Layout:
    from services.ingest.formats import format_of
    from services.ingest.formats.typed_records import open_records
    from services.ingest.inspect_head import HEAD_BYTES, inspect_head
    from services.ingest.load_raw import loaded_layout

    size = int(blob.size or 0)
    head = blob.download_as_bytes(start=0, end=HEAD_BYTES - 1, raw_download=True) if size else b""
    layout = inspect_head(head, size, feed)
    if not format_of(feed).NAMES_ARE_LOADED:
        return layout
    with unpacked(open_blob(blob)) as file:
        return loaded_layout(open_records(feed.format.type.upper(), file).schema, feed)


def _read_as(feed: Feed, layout: Layout, column: str) -> _Texts:
    from services.ingest.fit import fitted_text

    found = next((one for one in feed.columns if one.name == column), None)
    is_marker = feed.delete is not None and column == feed.delete.column
    own = found.nulls if found else None
    nulls = () if is_marker else feed.format.nulls if own is None else own
    trims = feed.format.trim if found is None or found.trim is None else found.trim
    field = layout.fields.get(column)
    fit = partial(fitted_text, field=field, column=found) if found and field else str
    return _Texts(frozenset(nulls), trims, fit)


def _text(field: str | None, read_as: _Texts) -> str | None:
    bare = field.strip(BLANKS) if field and read_as.trims else field
    return None if not bare or bare in read_as.nulls else _same(bare)


def _same(text: str) -> str:
    """How many characters stand for bytes that are not in the encoding is not the same everywhere."""
    while _NOT_DECODED * 2 in text:
        text = text.replace(_NOT_DECODED * 2, _NOT_DECODED)
    return text


def _digest_of_fields(text: str) -> bytes:
    """Of a record that is broken. A blank line has no field, or an empty one."""
    fields: list[str | None] = json.loads(text)
    fields = fields if any(field is not None for field in fields[1:]) else [fields[0] or None, *fields[1:]]
    return _digest([FIELDS, *(None if field is None else _same(field) for field in fields)])


def _digest(texts: Sequence[str | None]) -> bytes:
    return hashlib.blake2b(json.dumps(texts).encode(), digest_size=16).digest()
