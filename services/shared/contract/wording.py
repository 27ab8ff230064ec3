"""What is wrong with a contract, in words of this project: those of pydantic speak of code."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from services.shared.contract import fault
from services.shared.contract.document import QUOTE
from services.shared.contract.encodings import CODECS
from services.shared.contract.formats import FORMATS
from services.shared.contract.meant import meant
from services.shared.contract.types import TYPES

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

IS: Mapping[str, str] = {
    "": "a mapping that begins with feed: NAME",
    "feed": "a name in lower-case letters, digits and single underscores, such as order_lines",
    "objects": "a pattern of objects' names, such as incoming/accounts/*",
    "format": 'a mapping, such as {type: csv, delimiter: ","}',
    "format.type": f"one of {', '.join(FORMATS)}",
    "format.delimiter": "one ASCII character, such as ';' or \"\\t\"",
    "format.header": "true or false",
    "format.skip": "a number of lines up to 1000, such as 2",
    "format.blank_lines": "skip, skip_empty or reject",
    "format.short_lines": "reject or fill",
    "format.trailing_delimiter": "true or false",
    "format.quote": "'\"' or none",
    "format.escape": "'\\'",
    "format.quoted_newlines": "true or false",
    "format.final_newline": "true or false",
    "format.encoding": f"one of {', '.join(CODECS)}",
    "format.nulls": "a list of texts that are NULL, such as ['NULL', NA]",
    "format.nulls.*": "a text that is NULL, such as NA",
    "format.decimal": "'.' or ','",
    "format.group": "',', '.', \"'\" or ' '",
    "format.trim": "true or false",
    "table": "a dataset and a table in letters, digits and underscores, such as main.accounts",
    "key": "a list of the columns that identify a row, such as [id]",
    "key.*": "the name of a column",
    "mode": "upsert, append or snapshot",
    "version": "the column that says which of two rows is newer, or _generation: the newest file wins",
    "twice": "keep or reject",
    "history": "true or false: whether every version of a key is kept",
    "snapshot": "a mapping, such as {at_least: 50%}",
    "snapshot.at_least": "a number of rows, such as 10, or a share of the table's up to 100%, such as 50%",
    "delete": "a mapping, such as {column: operation, equals: D}",
    "delete.column": "the name of the files' column that marks deletes, in letters, digits and underscores",
    "delete.from": "the column's name in the files' header, any text, or its place from 1",
    "delete.equals": "the text that marks a delete, such as D",
    "delete.others": "a list of the column's other texts, such as [I, U]",
    "delete.others.*": "a text, such as U, or an empty one",
    "columns": "a list of columns, such as {name: id, type: STRING}",
    "columns.*": "a mapping, such as {name: id, type: STRING}",
    "columns.*.name": "a letter, then letters, digits and underscores, 128 at most",
    "columns.*.from": "the column's name in the files' header, any text, or its place from 1",
    "columns.*.type": f"one of {', '.join(sorted(TYPES))}",
    "columns.*.mode": "NULLABLE, REQUIRED or REPEATED",
    "columns.*.description": "a text",
    "columns.*.check": "an SQL expression over the row's columns, such as score > 0",
    "columns.*.default": "the text of a value, or an empty one",
    "columns.*.nulls": "a list of texts that are NULL in this column, such as ['NULL', NA]",
    "columns.*.nulls.*": "a text that is NULL, such as NA",
    "columns.*.trim": "true or false",
    "columns.*.format": "a format or a list of formats, such as '%d/%m/%Y' or [iso, epoch_s]",
    "columns.*.format.*": "a format, such as iso, epoch_s or '%d/%m/%Y'",
    "columns.*.split": "the separator of an array's elements, such as ',': 1 to 10 characters, neither ' nor \\",
    "columns.*.zone": "an IANA name, such as Europe/Berlin",
    "columns.*.local_twice": "reject, earlier or later",
    "columns.*.local_never": "reject, earlier or later",
    "columns.*.words": 'a mapping of texts to true or false, such as {"Yes": true, "No": false}',
    "columns.*.decimal": "'.' or ','",
    "columns.*.group": "',', '.', \"'\" or ' '",
    "columns.*.max_length": "a number of characters, such as 20",
    "columns.*.one_of": "a list of the texts that it may have, such as [new, paid]",
    "columns.*.one_of.*": "a text, such as paid",
    "columns.*.pattern": "a regular expression for the whole text, such as '[A-Z]{2}[0-9]+'",
    "missing_columns": "null or reject",
    "unknown_columns": "reject, ignore, rescue or add",
    "bad_rows": "a mapping, such as {at_most: 0}",
    "merge_every": "a time up to 7 minutes, such as 5m, 90s, or 0 for at once",
    "bad_rows.at_most": "a number of rows, such as 10, or a share of them up to 100%, such as 0.5%",
    "cluster_by": "a list of one to four columns, such as [order_date, customer_id]",
    "cluster_by.*": "the name of a column",
    "partition_by": "a mapping, such as {column: order_date, by: month}",
    "partition_by.column": "the name of a column that is DATE, DATETIME or TIMESTAMP",
    "partition_by.by": "hour, day, month or year",
    "max_bytes_billed": "a number of bytes, or a size in KiB, MiB, GiB or TiB, such as 100 GiB",
}
"""Each part of a contract, for `X is …`."""
_OPTIONS: Mapping[str, Collection[str]] = {name: one.model_fields.keys() for name, one in FORMATS.items()}
"""By format, its keys."""


def words(error: ErrorDetails, text: str | None) -> str:
    """A sentence about one error. `text`: what the file has at its place, where that is a text."""
    place = _path(place_of(error))
    match error["type"]:
        case fault.TYPE:
            return str(error["ctx"]["what"])
        case "value_error":
            return str(error["ctx"]["error"])
        case "missing" | "union_tag_not_found" if not isinstance(error["input"], str):
            return f"is missing; it is {IS[place]}"
        case "extra_forbidden":
            return _unknown(error["loc"], place_of(error))
        case "too_short" | "string_too_short":
            return f"is empty; it is {IS[place]}"
        case kind:
            is_other_text = kind == "string_pattern_mismatch" and place == "columns.*.name"
            from_ = f"; write from: {text!r} for the name in a header" if is_other_text else ""
            return _unfit(kind, text, error["input"], IS.get(place, "text")) + from_ + _tab(place, text)


def place_of(error: ErrorDetails) -> fault.Place:
    """Where in the contract it is; pydantic names the model too, where several can be."""
    place: fault.Place = error["loc"]
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return (*place, "type") if isinstance(error["input"], dict) else place
    return place[:1] + place[2:] if place[:1] == ("format",) and place[1:2] and place[1] in FORMATS else place


def _unfit(kind: str, text: str | None, value: object, what: str) -> str:
    if text is None:
        return f"this is not {what}"
    if not text:
        return f"is empty; it is {what}"
    if kind == "string_type":
        return f"YAML reads {text} as {_kind(value)}, not as text: {QUOTE}"
    if isinstance(value, bool):
        return f"YAML reads {text} as {_kind(value)}, which is not {what}"
    return f"{text!r} is not {what}"


def _tab(place: str, text: str | None) -> str:
    return ': write "\\t" in double quotes for a tab' if place == "format.delimiter" and text in (r"\t", "tab") else ""


def _path(place: fault.Place) -> str:
    return ".".join("*" if isinstance(step, int) else step for step in place)


def _unknown(loc: fault.Place, place: fault.Place) -> str:
    parent, name = _path(place[:-1]), str(place[-1])
    if name == "null":
        return "is not an option of a contract: list texts that are NULL as nulls"
    if loc[0] == "format" and f"{parent}.{name}" in IS:
        return f"is not an option of {loc[1]}"
    known = [one for one in _keys(parent) if loc[0] != "format" or one in _OPTIONS[str(loc[1])]]
    return f"is not an option of a contract{meant(name, known) or '; there are ' + ', '.join(known)}"


def _keys(parent: str) -> Iterator[str]:
    for path in IS:
        above, _, name = path.rpartition(".")
        if name not in ("", "*") and above == parent:
            yield name


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "a number"
    return "a date" if isinstance(value, date) else "nothing"
