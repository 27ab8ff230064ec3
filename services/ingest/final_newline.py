"""Whether a file's last line ends, where the feed demands it: one that was cut off within a line may read as whole."""

from __future__ import annotations

from collections.abc import Callable

from services.ingest.formats.compression import GZIP
from services.ingest.formats.plain_text import encoding_of
from services.shared.contract.encodings import CODECS
from services.shared.contract.formats import Csv, Format
from services.shared.errors import PermanentError

_LINE_END = "\n"


def check_final_newline(head: bytes, size: int, form: Format, read: Callable[[int, int], bytes]) -> None:
    """`head`: the file's first bytes; `size`: how many it has; `read`: returns those from one offset to another.

    Of a gzip file the end of its own data is the proof: one that is cut cannot be unpacked. A file of zero bytes is
    refused anyway. Raises PermanentError("no_final_newline").
    """
    if not isinstance(form, Csv) or not form.final_newline or not size or head.startswith(GZIP):
        return
    expected = _LINE_END.encode(CODECS[encoding_of(head, form.encoding)])
    begin = max(size - len(expected), 0)
    last = head[begin:size] if size <= len(head) else read(begin, size)
    # Two bytes of UTF-16 are a character only at an even offset: 0x000a may lie across two others.
    if last != expected or begin % len(expected):
        raise PermanentError(
            "no_final_newline",
            f"the file ({size} bytes) does not end with a line end, as the contract requires: it was cut off, or its "
            "sender does not end the last line. Have it sent again, or remove final_newline from the contract",
        )
