"""Look at the first bytes of a file and hold its header against the contract."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping
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
    """Raises Permanent: empty_file, wrong_format, wrong_encoding, malformed_file or wrong_header."""
    if size == 0:
        raise PermanentError("empty_file", "the object has zero bytes, not even a header")
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise PermanentError(
                "wrong_format", f"the feed declares {feed.format.type}, the file's first bytes say {what}"
            )
    is_whole = size <= len(head)
    text = _decode(head, is_whole)
    if "\0" in text:
        raise PermanentError("wrong_format", f"not text: a NUL byte at character {text.index(chr(0))}")
    return _match(format_of(feed.format).columns(text, is_whole, feed.format), feed)


def _decode(head: bytes, is_whole: bool) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PermanentError("wrong_encoding", "the file begins with a UTF-16 byte order mark; the feed says UTF-8")
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The cut may have split the last character; anything earlier is the file's own fault.
        if not is_whole and error.start >= len(head) - 3:
            return head[: error.start].decode("utf-8-sig")
        bad = head[error.start : error.start + 1].hex()
        raise PermanentError(
            "wrong_encoding", f"not UTF-8: byte 0x{bad} at offset {error.start}; save the file as UTF-8"
        ) from error


def _match(header: list[str], feed: Feed) -> Layout:
    if len(header) > _MAX_COLUMNS:
        raise PermanentError("wrong_header", f"{len(header)} columns; a BigQuery table has at most {_MAX_COLUMNS}")
    known = [column.name for column in feed.columns]
    marker = feed.delete.column if feed.delete else None
    faults = []
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        faults.append("twice: " + ", ".join(map(repr, twice[:10])))
    strangers = [name for name in header if name not in known and name != marker]
    missing = [name for name in known if name not in header]
    if missing:
        faults.append("missing: " + ", ".join(_suggestion(name, strangers[:_MAX_HINTS]) for name in missing))
    if strangers and (feed.unknown_columns == "reject" or missing):
        more = f" and {len(strangers) - 10} more" if len(strangers) > 10 else ""
        faults.append("unknown: " + ", ".join(repr(name[:60]) for name in strangers[:10]) + more)
    if faults:
        raise PermanentError("wrong_header", f"the header does not fit feed {feed.name}: " + "; ".join(faults))
    columns = tuple(name if name in known or name == marker else f"_unknown_{n}" for n, name in enumerate(header))
    return Layout(columns, has_delete_column=marker in header)


def _suggestion(name: str, strangers: list[str]) -> str:
    folded = {stranger.strip().lower(): stranger for stranger in strangers}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    return f"{name} (is {folded[near[0]]!r} meant?)" if near else name
