"""The beginning of a CSV file: its first record, and what that says of the file."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from collections.abc import Set as AbstractSet

from services.ingest.formats.contract import Contract
from services.ingest.formats.csv_escape import split
from services.shared.contract.formats import Csv
from services.shared.errors import PermanentError

_NEAR = 100
"""Lines among which a header is looked for."""
_DATUM = re.compile(r"\s*[-+]?[$€]?\s?\d[\d.,:/ TZ%+-]*")
"""A number, a date or a time, as no column is called."""


def header(text: str, is_whole: bool, options: Csv) -> list[str]:
    """The first record's fields. Raises PermanentError: wrong_header or malformed_file."""
    body = _after_skipped(text, is_whole, options)
    try:
        found = next(_records(body, options), None)
    except csv.Error as error:
        raise PermanentError("malformed_file", f"the header cannot be read: {error}") from error
    if found is None:
        raise PermanentError("wrong_header", "the file has no header")
    _refuse_endless(body, is_whole)
    return found


def refuse_odd_names(names: Sequence[str], known: Container[str]) -> None:
    """Raises PermanentError: wrong_header for a name with a line end that is not among the known ones, since whether a
    load job that skips the header skips its lines or the record is not documented; wrong_format for a NUL."""
    if any("\0" in name for name in names):
        raise PermanentError("wrong_format", "not text: the header has a NUL byte")
    for place, name in enumerate(names, 1):
        if ("\n" in name or "\r" in name) and name not in known:
            what = "a quoted line end, with which BigQuery may take a part of the header for a row"
            raise PermanentError(
                "wrong_header",
                f"the header's name {place} has {what}: have the sender leave it out, or give a column the whole name "
                "as its from",
            )


def first_records(text: str, is_whole: bool, options: Csv) -> list[list[str]]:
    """Of those that are at the file's beginning the ones that can be read, but blank lines.

    Raises PermanentError: wrong_header or malformed_file.
    """
    body = _after_skipped(text, is_whole, options)
    _refuse_endless(body, is_whole)
    found: list[list[str]] = []
    # The end of the head may have cut the last one.
    lines = body if is_whole else body[: body.rindex("\n") + 1]
    with contextlib.suppress(csv.Error):
        for record in itertools.islice(filter(None, _records(lines, options, passes_misquoted=True)), _NEAR):
            found.append(record)
    return found


def without_trailing(record: Sequence[str], options: Csv) -> list[str]:
    """Raises PermanentError("wrong_header") where the delimiter is not there that each record ends with."""
    if not options.trailing_delimiter:
        return list(record)
    if record[-1:] != [""]:
        raise PermanentError("wrong_header", "the header does not end with a delimiter, as trailing_delimiter says")
    return list(record[:-1])


def looks_like_data(record: Sequence[str], known: AbstractSet[str]) -> bool:
    """Whether no field is a known name, and one is a number, a date or a time."""
    return not known & set(record) and any(_DATUM.fullmatch(field) for field in record)


def better_header(text: str, options: Csv, known: AbstractSet[str]) -> int | None:
    """Which line of the file, from 1, has the known names, half of them or more, where the header has none."""
    lines = text.split("\n", _NEAR)[options.skip + 1 : _NEAR]
    for number, line in enumerate(lines, options.skip + 2):
        try:
            names = next(_records(line, options), [])
        except csv.Error:
            continue
        if len(known & set(names)) * 2 >= max(len(known), 2):
            return number
    return None


def nameless(records: Sequence[Sequence[str]], feed: Contract) -> list[str]:
    """A name that is none for each field of a file without a header, of which these are the first records.

    Raises PermanentError("wrong_header") where none of them is as wide as the contract says.
    """
    assert isinstance(feed.format, Csv)
    least, is_exact = max(feed.places), feed.unknown_columns == "reject"
    widths = Counter(len(record) - feed.format.trailing_delimiter for record in records)
    fit = [width for width in widths if width == least or (width > least and not is_exact)]
    if feed.format.short_lines == "fill":
        fit += [least for width in widths if width < least]
    if records and not fit:
        what = f"the first line has {len(records[0])} fields, but feed {feed.name} has {least} columns"
        end = " and a delimiter after the last" if feed.format.trailing_delimiter else ""
        raise PermanentError("wrong_header", what + end)
    first = dict(enumerate(records[0], 1)) if records else {}
    if records and all(first.get(place, "").strip().lower() == name.lower() for place, name in feed.places.items()):
        raise PermanentError(
            "wrong_header",
            f"the first line has the names of {feed.name}'s columns: if the file has a header, write header: true",
        )
    return [""] * max(fit, key=lambda width: widths[width], default=least)


def _after_skipped(text: str, is_whole: bool, options: Csv) -> str:
    at = 0
    for number in range(1, options.skip + 1):
        end = text.find("\n", at)
        if end < 0:
            _refuse_endless(text[at:], is_whole)
            raise PermanentError(
                "wrong_header", f"the file has fewer lines than the {options.skip} that the feed's format skips"
            )
        if options.quote == '"' and not options.is_of_lines and text.count('"', at, end) % 2:
            # A load job skips records, of which this line would be a part.
            raise PermanentError("malformed_file", f"line {number}, which is to be skipped, has a quote left open")
        at = end + 1
    return text[at:]


def _refuse_endless(body: str, is_whole: bool) -> None:
    if not is_whole and "\n" not in body:
        raise PermanentError("malformed_file", f"no line ends within the first {len(body)} characters")


def _records(text: str, options: Csv, passes_misquoted: bool = False) -> Iterator[list[str]]:
    """Of a blank line no fields; raises csv.Error."""
    if options.quote == '"' and not options.is_of_lines:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=options.delimiter, strict=True)
        return
    lines = text.split("\n")
    for line in lines if lines[-1] else lines[:-1]:
        line = line.removesuffix("\r")
        fields = split(line, options) if options.is_of_lines else line.split(options.delimiter)
        if fields is not None:
            yield fields if line else []
        elif not passes_misquoted:
            raise csv.Error("a quote is left open, or a backslash has nothing after it")
