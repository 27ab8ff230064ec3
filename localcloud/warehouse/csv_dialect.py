"""The dialect of a load job's CSV files, read from its options, and the patterns of its fields and records."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_DELIMITERS = {"tab": "\t", "\\t": "\t"}
_CODECS = {
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "ISO-8859-1": "latin-1",
    "UTF-16LE": "utf-16-le",
    "UTF-16BE": "utf-16-be",
}


class CsvError(Exception):
    """The file breaks the rules of CSV, or the job asks for a dialect that is not read here.

    bqemulator answers a load with the reason `invalid` and this message.
    """


@dataclass(frozen=True)
class Dialect:
    """What a load job says about its CSV files. Delimiter and quote are one byte; an empty quote quotes nothing."""

    width: int
    """Columns of the table."""
    delimiter: bytes = b","
    quote: bytes = b'"'
    quoted_newlines: bool = False
    skip: int = 0
    keeps_controls: bool = False
    """Whether a NUL is a character like others, and not a fault."""
    codec: str = "utf-8"
    """Python's name of the file's encoding."""
    fills: bool = False
    """Whether a record may lack fields at its end, which are NULL."""
    cuts: bool = False
    """Whether a record may have more fields than the table has columns, which are left out."""
    null_marker: str = ""
    """A field that is this text is NULL."""
    quoted: re.Pattern[bytes] = field(init=False)
    bare: re.Pattern[bytes] = field(init=False)
    within_fields: bytes = field(init=False)
    """The bytes that separate and quote nothing."""

    def __post_init__(self) -> None:
        quote, delimiter = re.escape(self.quote), re.escape(self.delimiter)
        inner = b"[^%s%s]*+" % (quote, b"" if self.quoted_newlines else rb"\r\n")
        quoted = b"%s%s(?:%s%s%s)*+%s" % (quote, inner, quote, quote, inner, quote) if quote else b"(?!)"
        bare = rb"[^%s%s\r\n]*+" % (quote, delimiter)
        object.__setattr__(self, "quoted", re.compile(quoted))
        object.__setattr__(self, "bare", re.compile(bare))
        object.__setattr__(
            self, "within_fields", bytes(set(range(256)).difference(self.quote, self.delimiter, b"\r\n"))
        )

    def plain_width(self, records: bytes) -> int | None:
        """How many fields each of these whole records has, if they are as many, two at least, and none is quoted: an
        answer in a fraction of the time that it takes to find where each record ends. None where it is not so."""
        separators = records.translate(None, delete=self.within_fields)
        first = separators[: separators.find(b"\n") + 1]
        width = first.count(self.delimiter) + 1
        fits = width > 1 and (width == self.width or (width < self.width and self.fills))
        is_whole = first in (self.delimiter * (width - 1) + end for end in (b"\n", b"\r\n"))
        are_alike = separators == first * separators.count(b"\n")
        has_lone_cr = separators.count(b"\r") > records.count(b"\r\n")
        return width if fits and is_whole and are_alike and not has_lone_cr else None

    def records(self, width: int) -> re.Pattern[bytes]:
        """As many records of so many fields as there are, none of them a blank line."""
        # Written out and possessive: no step is ever taken back, which keeps it as fast as a plain search.
        cell = b"(?>%s|%s)" % (self.quoted.pattern, self.bare.pattern)
        record = rb"(?!\r?\n)%s\r?\n" % re.escape(self.delimiter).join([cell] * width)
        return re.compile(b"(?:%s)*+" % record)

    @classmethod
    def of(cls, options: dict[str, Any], width: int) -> Dialect:
        """The dialect of a job's `configuration.load`, with BigQuery's defaults for what it leaves out.

        https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad

        Raises:
            CsvError: the encoding, delimiter or quote is none that this module reads.
        """
        delimiter = str(options.get("fieldDelimiter") or ",")
        quote = options.get("quote")
        encoding = str(options.get("encoding") or "UTF-8").upper()
        if encoding not in _CODECS:
            raise CsvError(f"the local warehouse does not read encoding {encoding}, only {', '.join(_CODECS)}")
        return cls(
            width=width,
            delimiter=_one_byte("fieldDelimiter", _DELIMITERS.get(delimiter, delimiter)),
            quote=b"" if quote == "" else _one_byte("quote", quote or '"'),
            quoted_newlines=bool(options.get("allowQuotedNewlines")),
            skip=int(options.get("skipLeadingRows") or 0),
            codec=_CODECS[encoding],
            keeps_controls=bool(options.get("preserveAsciiControlCharacters")),
            fills=bool(options.get("allowJaggedRows")),
            cuts=bool(options.get("ignoreUnknownValues")),
            null_marker=str(options.get("nullMarker") or ""),
        )


def _one_byte(option: str, value: str) -> bytes:
    encoded = value.encode()
    if len(encoded) != 1:
        raise CsvError(f"{option} {value!r} is not one ASCII character")
    return encoded
