"""Look at the first bytes of a file and hold its header against the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from services.ingest.formats import format_of
from services.ingest.formats.compression import GZIP, unpack
from services.ingest.formats.plain_text import encoding_of
from services.ingest.match_header import Layout, match_header
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError

HEAD_BYTES = 256 * 1024
_MAGIC: Mapping[bytes, str] = {
    b"PK\x03\x04": "zip (an Excel workbook is one)",
    b"PAR1": "Parquet",
    b"Obj\x01": "Avro",
    b"\x89PNG": "PNG",
    b"%PDF": "PDF",
    b"\xff\xd8\xff": "JPEG",
    b"\x7fELF": "an executable",
    b"\xd0\xcf\x11\xe0": "an old Microsoft Office document",
}


def inspect_head(head: bytes, size: int, feed: Feed) -> Layout:
    """`head`: the file's first bytes, packed as they may be; `size`: how many it has.

    Raises PermanentError: empty_file, wrong_format, wrong_encoding, malformed_file or wrong_header.
    """
    if size == 0:
        raise PermanentError("empty_file", "the object has zero bytes, not even a header")
    is_whole = size <= len(head)
    if head.startswith(GZIP):
        head, is_whole = unpack(head, is_whole, HEAD_BYTES)
        if not head and is_whole:
            raise PermanentError("empty_file", "the gzip file holds zero bytes, not even a header")
        if head.startswith(GZIP):
            raise PermanentError("wrong_format", "the gzip file holds a gzip file: pack it once")
    _refuse_other_formats(head, feed.format.type)
    layout = match_header(format_of(feed).columns(head, is_whole, feed), feed)
    return replace(layout, encoding=encoding_of(head, feed.format.encoding))


def _refuse_other_formats(head: bytes, declared: str) -> None:
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise PermanentError("wrong_format", f"the feed declares {declared}, the file's first bytes say {what}")
