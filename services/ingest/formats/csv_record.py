"""What a record of CSV is, in Python as `csv_records.sql` and `csv_lines.sql` have it: one that is read, one that is
refused as a whole, or none."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.ingest.formats import csv_escape, lines
from services.shared.contract.formats import FIELDS, LINE, Csv

_FILLER = "?"
"""The last field of what is written to be refused again."""


@dataclass(frozen=True, slots=True)
class Split:
    line: int
    """From 1, of those that are split."""
    fields: Sequence[str] | None
    """None where the line cannot be split."""
    whole: str = ""
    """The line, of a format of lines."""


def split(file_lines: Iterable[str], options: Csv) -> Iterator[Split]:
    """Each record, blank lines too. Raises ValueError where a record has no end."""
    if options.is_of_lines or options.quote == "none":
        for line, text in enumerate(file_lines, 1):
            bare = text.removesuffix("\n").removesuffix("\r")
            yield (
                _of_a_line(line, bare, options)
                if options.is_of_lines
                else Split(line, bare.split(options.delimiter), bare)
            )
        return
    reader = csv.reader(file_lines, delimiter=options.delimiter, strict=True)
    line = 1
    try:
        for fields in reader:
            if reader.line_num > line and not options.spans_lines:
                raise ValueError(
                    f"line {line}: a field goes on past its line, and the contract says quoted_newlines: false"
                )
            yield Split(line, fields)
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error


def _of_a_line(line: int, text: str, options: Csv) -> Split:
    separator = lines.separator(options.delimiter)
    fields = None if separator in text else csv_escape.split(text, options)
    return Split(line, fields, lines.as_loaded(text, separator))


def is_skipped(one: Split, options: Csv) -> bool:
    """Whether it is no record, but blank."""
    if options.blank_lines == "reject":
        return False
    if options.is_of_lines:
        blank = options.delimiter if options.blank_lines == "skip_empty" else ""
        return not one.whole.replace(blank, "") if blank else not one.whole
    fields = one.fields or ()
    return not "".join(fields) and (len(fields) <= 1 or options.blank_lines == "skip_empty")


def is_broken(one: Split, width: int, options: Csv) -> bool:
    """Whether the record is refused as a whole; `width`: how many columns the file has."""
    if one.fields is None:
        return True
    if options.blank_lines == "reject" and (not one.whole if options.is_of_lines else _is_blank(one.fields)):
        return True
    full, count = width + options.trailing_delimiter, len(one.fields)
    is_too_wide = count > full or (options.trailing_delimiter and count == full and one.fields[-1] != "")
    return is_too_wide or (count < full and options.short_lines != "fill")


def kept(one: Split, width: int, options: Csv) -> Mapping[str, str]:
    """What a refused row keeps of a broken record: the line, or as many fields as a load job leaves it."""
    if options.is_of_lines:
        return {LINE: one.whole}
    full = width + options.trailing_delimiter + 1
    fields: list[str | None] = [*(one.fields or ()), *[None] * full]
    return {FIELDS: json.dumps(fields[:full])}


def written(columns: Sequence[str], record: Mapping[str, str | None], options: Csv) -> str:
    """A record's line, or lines: one of these columns, and refused again where it was refused as a whole.

    Raises ValueError for a line end in a field of a format that has no room for one.
    """
    texts = [record.get(name) or "" for name in columns]
    line, fields = record.get(LINE), record.get(FIELDS)
    if line is not None:
        return _refused(_of_line(line, options), len(columns), options)
    if fields:
        return _refused(_as_broken(texts, json.loads(fields), options), len(columns), options)
    whole = row(texts, options)
    is_lost = is_skipped(_read(whole, options), options)
    return _refused(texts, len(columns), options) if is_lost else whole


def row(fields: Sequence[str], options: Csv) -> str:
    """A line, or lines, with these fields; raises ValueError as `written`."""
    return _joined([*fields, ""] if options.trailing_delimiter else fields, options)


def _of_line(line: str, options: Csv) -> str | Sequence[str]:
    # Of a contract that was another: quotes that were left open would go on through what comes after.
    return line if options.is_of_lines or options.quote == "none" else [line]


def _as_broken(texts: Sequence[str], fields: Sequence[str | None], options: Csv) -> Sequence[str]:
    """With too few or too many fields where it had them; a text is left out of none."""
    beyond = [field for field in fields[len(fields) - 1 - options.trailing_delimiter :] if field is not None]
    if beyond:
        return [*texts, *beyond]
    # In another order than the file had them the last one may be there, and one before it not.
    last = max((place for place, text in enumerate(texts, 1) if text), default=0)
    return texts[: max(last, sum(field is not None for field in fields))]


def _refused(record: str | Sequence[str], width: int, options: Csv) -> str:
    """As it is where that is refused; else with too many fields."""
    whole = f"{record}\n" if isinstance(record, str) else _joined(record, options)
    one = _read(whole, options)
    if is_broken(one, width, options) and not is_skipped(one, options):
        return whole
    fields = one.fields or ()
    missing = max(width + options.trailing_delimiter - len(fields), 0)
    if isinstance(record, str):
        return options.delimiter.join([record, *[""] * missing, _FILLER]) + "\n"
    return _joined([*record, *[""] * (width + options.trailing_delimiter - len(record)), _FILLER], options)


def _read(whole: str, options: Csv) -> Split:
    return next(split(io.StringIO(whole, newline=""), options))


def _is_blank(fields: Sequence[str]) -> bool:
    return len(fields) <= 1 and not "".join(fields)


def _joined(fields: Sequence[str], options: Csv) -> str:
    if not options.spans_lines and any(end in field for field in fields for end in "\r\n"):
        raise ValueError("a text has a line end, which no field of this format has")
    if options.is_of_lines or options.quote == "none":
        if options.is_of_lines:
            fields = [csv_escape.escaped(field, options) for field in fields]
        return options.delimiter.join(fields) + "\n"
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=options.delimiter, lineterminator="\n").writerow(fields)
    return buffer.getvalue()
