"""The bytes of a file in another encoding, as UTF-8."""

from __future__ import annotations

import codecs
from typing import Protocol


class Source(Protocol):
    """Where bytes are read from, front to back."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; nothing at the end."""


def as_utf8(source: Source, codec: str) -> Source:
    """What is not in the encoding becomes U+FFFD, as in BigQuery
    (https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#encoding)."""
    return source if codec == "utf-8" else _AsUtf8(source, codec)


class _AsUtf8:
    def __init__(self, source: Source, codec: str) -> None:
        self._source, self._decoder, self._left = source, codecs.getincrementaldecoder(codec)("replace"), b""

    def read(self, size: int, /) -> bytes:
        while len(self._left) < size:
            block = self._source.read(size)
            self._left += self._decoder.decode(block, final=not block).encode()
            if not block:
                break
        taken, self._left = self._left[:size], self._left[size:]
        return taken
