"""The encodings of text that a contract can name, by BigQuery's names for them and by Python's."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import BeforeValidator

UTF_8, UTF_16, UTF_16LE, UTF_16BE = "utf-8", "utf-16", "utf-16le", "utf-16be"
ISO_8859_1, WINDOWS_1252 = "iso-8859-1", "windows-1252"
CODECS: Mapping[str, str] = {
    UTF_8: "utf-8",
    UTF_16: "utf-16",
    UTF_16LE: "utf-16-le",
    UTF_16BE: "utf-16-be",
    ISO_8859_1: "iso8859-1",
    WINDOWS_1252: "cp1252",
}
"""Python's name of each, as `codecs.lookup` gives it."""
IN_BIGQUERY: Mapping[str, str] = {
    UTF_8: "UTF-8",
    UTF_16LE: "UTF-16LE",
    UTF_16BE: "UTF-16BE",
    ISO_8859_1: "ISO-8859-1",
    WINDOWS_1252: "ISO-8859-1",
}
"""What a load job reads each as (https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#encoding).

BigQuery does not know Windows-1252, of which ISO-8859-1 differs in the bytes 0x80 to 0x9f. Of UTF-16 it wants to be
told the order of bytes.
"""
_ALSO: Mapping[str, str] = {"utf8": UTF_8, "iso_8859_1": ISO_8859_1}
"""Other names of BigQuery's for them
(https://cloud.google.com/bigquery/docs/reference/standard-sql/load-statements#load_option_list)."""


def _encoding(name: object) -> object:
    if not isinstance(name, str):
        return name
    folded = name.lower()
    folded = _ALSO.get(folded, folded)
    if folded in CODECS:
        return folded
    near = _same_codec(name) or next(iter(get_close_matches(folded, CODECS, n=1)), None)
    known = f"did you mean {near}?" if near else f"there are {', '.join(CODECS)}"
    raise ValueError(f"{name!r} is not an encoding that dropmerge reads; {known}")


def _same_codec(name: str) -> str | None:
    """What Python knows under this name too, as latin1 is iso-8859-1."""
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return next((one for one, own in CODECS.items() if own == codec), None)


_Name = Literal["utf-8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "windows-1252"]
Encoding = Annotated[_Name, BeforeValidator(_encoding, json_schema_input_type=Literal[_Name, "utf8", "iso_8859_1"])]
