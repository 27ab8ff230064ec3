"""Look at the first bytes of a file and hold its header against the contract."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.ingest.formats import format_of
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError

HEAD_BYTES = 256 * 1024
_MAX_COLUMNS = 10_000  # of a BigQuery table
_MAX_HINTS = 1_000  # names looked through for one that was meant
_MAGIC: Mapping[bytes, str] = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip (an Excel workbook is one)",
    b"PAR1": "Parquet",
    b"Obj\x01": "Avro",
    b"\x89PNG": "PNG",
    b"%PDF": "PDF",
    b"\xff\xd8\xff": "JPEG",
    b"\x7fELF": "an executable",
    b"\xd0\xcf\x11\xe0": "an old Microsoft Office document",
}


@dataclass(frozen=True)
class Layout:
    columns: tuple[str, ...]
    """Raw column names in the file's order; a column that the contract does not know is `_unknown_<n>`."""
    has_delete_column: bool


def inspect_head(head: bytes, size: int, feed: Feed) -> Layout:
    """Raises PermanentError: empty_file, wrong_format, wrong_encoding, malformed_file or wrong_header."""
    if size == 0:
        raise PermanentError("empty_file", "the object has zero bytes, not even a header")
    _refuse_other_formats(head, feed.format.type, format_of(feed.format).MAGIC)
    return _match(format_of(feed.format).columns(head, size <= len(head), feed.format), feed)


def _refuse_other_formats(head: bytes, declared: str, own: bytes) -> None:
    for magic, what in _MAGIC.items():
        if magic != own and head.startswith(magic):
            raise PermanentError("wrong_format", f"the feed declares {declared}, the file's first bytes say {what}")


def _match(header: list[str], feed: Feed) -> Layout:
    if len(header) > _MAX_COLUMNS:
        raise PermanentError("wrong_header", f"{len(header)} columns; a BigQuery table has at most {_MAX_COLUMNS}")
    marker = feed.delete.column if feed.delete else None
    known = {*(column.name for column in feed.columns), marker}
    faults = list(_faults(header, [name for name in header if name not in known], feed))
    if faults:
        raise PermanentError("wrong_header", f"the header does not fit feed {feed.name}: " + "; ".join(faults))
    columns = tuple(name if name in known else f"_unknown_{n}" for n, name in enumerate(header))
    return Layout(columns, has_delete_column=marker in header)


def _faults(header: list[str], unexpected: list[str], feed: Feed) -> Iterator[str]:
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        yield "twice: " + ", ".join(map(repr, twice[:10]))
    missing = [column.name for column in feed.columns if column.name not in header]
    if missing:
        yield "missing: " + ", ".join(_suggestion(name, unexpected[:_MAX_HINTS]) for name in missing)
    if unexpected and (feed.unknown_columns == "reject" or missing):
        more = f" and {len(unexpected) - 10} more" if len(unexpected) > 10 else ""
        yield "unknown: " + ", ".join(repr(name[:60]) for name in unexpected[:10]) + more


def _suggestion(name: str, unexpected: list[str]) -> str:
    folded = {other.strip().lower(): other for other in unexpected}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    return f"{name} (is {folded[near[0]]!r} meant?)" if near else name
