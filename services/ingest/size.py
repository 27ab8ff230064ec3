"""Whether BigQuery can load a file of this size: one that it cannot read in parts may have 4 GiB."""

from __future__ import annotations

from services.ingest.formats.compression import GZIP
from services.shared.contract.formats import Csv, Format, Ndjson
from services.shared.errors import PermanentError

LIMIT = 2**32
"""Bytes of a file of text that BigQuery cannot split: 4 GB of one that is packed, and of CSV whose fields may have
line ends (https://cloud.google.com/bigquery/quotas#load_jobs); of others 5 TB. Its error has the number exactly
(https://github.com/embulk/embulk-output-bigquery/issues/6, of gzip https://github.com/iconara/bigshift/issues/2)."""


def check_size(head: bytes, size: int, form: Format) -> None:
    """`head`: the file's first bytes; `size`: how many it has, packed as they may be.

    Raises PermanentError("file_too_large") for what a load job would surely refuse.
    """
    is_packed = head.startswith(GZIP)
    if size <= LIMIT or not _cannot_be_split(is_packed, form):
        return
    what = "a file that is packed by gzip" if is_packed else "CSV whose quoted fields may have line ends"
    raise PermanentError(
        "file_too_large",
        f"the file has {size:,} bytes, and BigQuery loads at most {LIMIT:,} of {what}: {_ways_out(is_packed, form)}",
    )


def _cannot_be_split(is_packed: bool, form: Format) -> bool:
    return (is_packed and isinstance(form, Csv | Ndjson)) or (isinstance(form, Csv) and form.spans_lines)


def _ways_out(is_packed: bool, form: Format) -> str:
    has_more_lines = isinstance(form, Csv) and form.spans_lines
    option = "if no field has line ends, write quoted_newlines: false in the contract's format"
    if not is_packed:
        return f"{option}; or have it split into several files"
    unpacked = f"have it sent unpacked ({option})" if has_more_lines else "have it sent unpacked"
    return f"{unpacked}, or split into several files"
