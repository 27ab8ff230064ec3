"""Look at a file's beginning, and at its end where that says more: whether the contract reads it, and how."""

from __future__ import annotations

from collections.abc import Callable

from google.cloud.storage import Blob

from services.ingest.final_newline import check_final_newline
from services.ingest.inspect_head import HEAD_BYTES, TAIL_BYTES, has_tail, inspect_head, inspect_tail
from services.ingest.match_header import Layout
from services.ingest.size import check_size
from services.shared.contract.feed import Feed
from services.shared.google_errors import translated


def inspect_file(size: int, feed: Feed, read: Callable[[int, int], bytes]) -> Layout:
    """`size`: how many bytes the file has, packed as they may be; `read`: returns those from one offset to another.

    Raises PermanentError as `inspect_head`, `check_size`, `check_final_newline` and `inspect_tail` do.
    """
    head = read(0, min(HEAD_BYTES, size)) if size else b""
    layout = inspect_head(head, size, feed)
    check_size(head, size, feed.format)
    check_final_newline(head, size, feed.format, read)
    if has_tail(size, feed):
        inspect_tail(read(size - TAIL_BYTES, size), feed)
    return layout


@translated()
def read_part(blob: Blob, begin: int, end: int, head: bytes = b"") -> bytes:
    """A blob's bytes from one offset to another, packed as they may be; out of its `head` where they are known."""
    if end <= len(head):
        return head[begin:end]
    # Raw: an object marked Content-Encoding: gzip would otherwise come unpacked, and might be a bomb.
    return bytes(blob.download_as_bytes(start=begin, end=end - 1, raw_download=True, timeout=60))
