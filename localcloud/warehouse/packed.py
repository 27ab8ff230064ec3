"""Files that may be packed by gzip, which BigQuery reads unpacked.

https://cloud.google.com/bigquery/docs/batch-loading-data#loading_compressed_and_uncompressed_data
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from localcloud.warehouse.csv_dialect import CsvError
from localcloud.warehouse.encoded import Source

_GZIP = b"\x1f\x8b"


def is_packed(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(len(_GZIP)) == _GZIP


@contextmanager
def bytes_of(path: str) -> Iterator[Source]:
    """The file's bytes, unpacked. Raises CsvError within the block where they cannot be."""
    packed = is_packed(path)
    with open(path, "rb") as file:
        if not packed:
            yield file
            return
        try:
            with gzip.open(file) as unpacked:
                yield unpacked
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CsvError(f"the gzip file cannot be unpacked: {error}") from error
