"""Gzip, in which a file of any format of text may come: recognised by its first bytes, never by its name."""

from __future__ import annotations

import zlib

from services.shared.errors import PermanentError

GZIP = b"\x1f\x8b"
"""What a gzip member begins with (https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1)."""
_MEMBER = zlib.MAX_WBITS | 16
"""For zlib: a gzip header before the data, and a checksum after it."""


def unpack(head: bytes, is_whole: bool, most: int) -> tuple[bytes, bool]:
    """The first bytes of what a gzip file holds, at most so many, and whether they are all.

    `head`: the file's first bytes, which may be all. Raises PermanentError: malformed_file.
    """
    text, rest = b"", head
    while rest and len(text) < most:
        if not rest.startswith(GZIP[: len(rest)]):
            raise PermanentError(
                "malformed_file", "there are bytes after the end of the gzip data: compress the file again"
            )
        member = zlib.decompressobj(_MEMBER)
        try:
            text += member.decompress(rest, most - len(text))
        except zlib.error as error:
            raise PermanentError("malformed_file", f"the gzip data cannot be unpacked: {error}") from error
        if not member.eof:
            if is_whole and len(text) < most:
                raise PermanentError("malformed_file", "the gzip data end too early: was the upload cut off?")
            return text, False
        rest = member.unused_data
    return text, is_whole and not rest
