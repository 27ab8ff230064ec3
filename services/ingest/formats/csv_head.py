"""The beginning of a CSV file: its first record, and what that says of the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from services.ingest.formats.contract import Contract
from services.ingest.formats.csv_escape import split
from services.shared.contract.formats import Csv
from services.shared.errors import PermanentError

_NEAR = 100
"""Lines among which a header is looked for."""
_DATUM = re.compile(r"\s*[-+]?[$€]?\s?\d[\d.,:/ TZ%+-]*")
"""A number, a date or a time, as no column is called."""


def first_record(text: str, is_whole: bool, options: Csv) -> list[str] | None:
    """The fields of the header, or without one of the first record that is no blank line; None where there is none.

    Raises PermanentError: wrong_header or malformed_file.
    """
    body = text[_end_of_skipped(text, options) :]
    try:
        records = _records(body, options)
        found = next(records if options.header else filter(None, records), None)
    except csv.Error as error:
        what = "header" if options.header else "first line"
        raise PermanentError("malformed_file", f"the {what} cannot be read: {error}") from error
    if not is_whole and "\n" not in body:
        raise PermanentError("malformed_file", f"no line ends within the first {len(text)} characters")
    return found


def without_trailing(record: Sequence[str], options: Csv) -> list[str]:
    """Raises PermanentError("wrong_header") where the delimiter is not there that each record ends with."""
    if not options.trailing_delimiter:
        return list(record)
    if record[-1:] != [""]:
        what = "header" if options.header else "first line"
        raise PermanentError("wrong_header", f"the {what} does not end with a delimiter, as trailing_delimiter says")
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


def nameless(first: Sequence[str] | None, feed: Contract) -> list[str]:
    """A name that is none for each field of a file without a header. Raises PermanentError("wrong_header")."""
    width = max(feed.places)
    if first is None:
        return [""] * width
    if len(first) < width or (len(first) > width and feed.unknown_columns == "reject"):
        raise PermanentError(
            "wrong_header", f"the first line has {len(first)} fields, feed {feed.name} has {width} columns"
        )
    if all(first[place - 1].strip().lower() == name.lower() for place, name in feed.places.items()):
        raise PermanentError(
            "wrong_header",
            f"the first line has the names of feed {feed.name}'s columns: has the file a header? Write header: true",
        )
    return [""] * len(first)


def _end_of_skipped(text: str, options: Csv) -> int:
    at = 0
    for number in range(1, options.skip + 1):
        end = text.find("\n", at)
        if end < 0:
            raise PermanentError(
                "wrong_header", f"the file has fewer lines than the {options.skip} that the feed's format skips"
            )
        if options.quote == '"' and not options.is_of_lines and text.count('"', at, end) % 2:
            # A load job skips records, of which this line would be a part.
            raise PermanentError("malformed_file", f"line {number}, which is to be skipped, has a quote left open")
        at = end + 1
    return at


def _records(text: str, options: Csv) -> Iterator[list[str]]:
    """Of a blank line nothing; raises csv.Error."""
    if options.quote == '"' and not options.is_of_lines:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=options.delimiter, strict=True)
        return
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        if not line:
            yield []
        elif not options.is_of_lines:
            yield line.split(options.delimiter)
        elif (fields := split(line, options)) is None:
            raise csv.Error("a quote is left open, or a backslash has nothing after it")
        else:
            yield fields
