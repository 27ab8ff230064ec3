"""How large a CSV file may be that cannot be read in parts.

https://cloud.google.com/bigquery/quotas#load_jobs
"""

from __future__ import annotations

import os

from localcloud.warehouse.csv_dialect import CsvError, Dialect
from localcloud.warehouse.packed import is_packed

VARIABLE = "LOCALCLOUD_MAX_UNSPLIT_BYTES"
"""Environment variable with another limit, for tests: a number of bytes."""
_DEFAULT = 2**32


def limit(text: str | None) -> int:
    """Bytes. Raises ValueError where the variable's text is no such number."""
    if not text:
        return _DEFAULT
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError(f"{VARIABLE} is {text!r}, which is not a number of bytes from 1, such as {_DEFAULT}")
    return int(text)


MOST = limit(os.environ.get(VARIABLE))


def check_size(path: str, dialect: Dialect, most: int = MOST) -> None:
    """Raises CsvError, in BigQuery's words, for a file of more bytes that is packed or whose fields may have line
    ends."""
    size = os.path.getsize(path)
    if size > most and (dialect.quoted_newlines or is_packed(path)):
        raise CsvError(
            "Error while reading data, error message: Input CSV files are not splittable and at least one of the "
            f"files is larger than the maximum allowed size. Size is: {size}. Max allowed size is: {most}."
        )
