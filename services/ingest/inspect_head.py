"""Look at the first bytes of a file and hold its header against the contract."""

from __future__ import annotations

from dataclasses import replace

from services.ingest.formats import format_of
from services.ingest.formats.compression import GZIP, unpack
from services.ingest.formats.plain_text import encoding_of, json_kind
from services.ingest.kinds import Kind, kind_of
from services.ingest.match_header import Layout, match_header
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError

HEAD_BYTES = 256 * 1024
TAIL_BYTES = 4
_AT_THE_BEGINNING = {"parquet": b"PAR1", "avro": b"Obj\x01", "orc": b"ORC"}
_AT_THE_END = {"parquet": b"PAR1"}
"""By format, with what a file ends too (https://parquet.apache.org/docs/file-format)."""


def inspect_head(head: bytes, size: int, feed: Feed) -> Layout:
    """`head`: the file's first bytes, packed as they may be; `size`: how many it has.

    Where the file's names are known once it is loaded, the layout is empty.

    Raises PermanentError: empty_file, wrong_format, wrong_encoding, malformed_file or wrong_header.
    """
    if size == 0:
        raise PermanentError("empty_file", "the object has zero bytes, not even a header")
    is_whole = size <= len(head)
    if format_of(feed).NAMES_ARE_LOADED:
        _require(head, is_whole, feed.format.type)
        return Layout((), has_delete_column=False)
    if head.startswith(GZIP):
        head, is_whole = unpack(head, is_whole, HEAD_BYTES)
        if not head and is_whole:
            raise PermanentError("empty_file", "the gzip file holds zero bytes, not even a header")
        if head.startswith(GZIP):
            raise PermanentError("wrong_format", "the gzip file holds a gzip file: pack it once")
        if (kind := kind_of(head)) is not None and kind.format is not None:
            raise PermanentError("wrong_format", _packed(kind.name))
    _refuse_other_formats(head, feed.format.type)
    layout = match_header(format_of(feed).columns(head, is_whole, feed), feed)
    return replace(layout, encoding=encoding_of(head, feed.format.encoding))


def has_tail(size: int, feed: Feed) -> bool:
    """Whether the end of a file is to be looked at too, beyond its first bytes."""
    return feed.format.type in _AT_THE_END and size > HEAD_BYTES


def inspect_tail(tail: bytes, feed: Feed) -> None:
    """`tail`: the file's last bytes. Raises PermanentError("malformed_file")."""
    _require_end(tail, feed.format.type)


def _require(head: bytes, is_whole: bool, declared: str) -> None:
    """Raises PermanentError where a file does not begin, or end, as a format that says its own schema."""
    if head.startswith(GZIP):
        raise PermanentError("wrong_format", f"the feed declares {declared}; {_packed(declared)}")
    kind = kind_of(head)
    if kind is not None and kind.format != declared:
        raise _wrong(declared, kind)
    if not head.startswith(_AT_THE_BEGINNING[declared]):
        other = json_kind(head.partition(b"\n")[0].decode("utf-8", "replace"))
        looks = f"looks like {other}" if other else "does not begin as one"
        raise PermanentError("wrong_format", f"the feed declares {declared}, the file {looks}")
    if is_whole:
        _require_end(head, declared)


def _require_end(tail: bytes, declared: str) -> None:
    if not tail.endswith(_AT_THE_END.get(declared, b"")):
        raise PermanentError("malformed_file", f"the file does not end as {declared} does: was the upload cut off?")


def _packed(name: str) -> str:
    return f"the file is packed by gzip around {name}, which packs its own parts: send it as it was before"


def _refuse_other_formats(head: bytes, declared: str) -> None:
    if (kind := kind_of(head)) is not None:
        raise _wrong(declared, kind)


def _wrong(declared: str, kind: Kind) -> PermanentError:
    return PermanentError("wrong_format", f"the feed declares {declared}, the file is {kind.name}: {kind.way_out}")
