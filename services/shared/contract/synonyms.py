"""Other words for what a contract says: BigQuery's, where they mean the same, and those of earlier releases.

https://cloud.google.com/bigquery/docs/reference/standard-sql/load-statements#load_option_list has a load's options,
https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema what `bq show --schema` prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.shared.contract.fault import Fault, Place
from services.shared.contract.formats import FORMATS

Part = Mapping[str, object]
"""A mapping of a contract, as YAML has it."""


def _same(value: object, _: Part) -> object:
    return value


def _list_of_one(value: object, _: Part) -> object:
    return [value]


def _word(words: Mapping[object, str], what: str) -> Callable[[object, Part], object]:
    def meaning(value: object, _: Part) -> object:
        # 1 == True, and YAML's 1 is no true.
        found = next((word for known, word in words.items() if type(known) is type(value) and known == value), None)
        if found is None:
            raise ValueError(f"{value!r} is not {what}")
        return found

    return meaning


def _delimiter(value: object, _: Part) -> object:
    return "\t" if value in ("tab", "\\t") else value


def _skip(value: object, format_: Part) -> object:
    """BigQuery's number counts the header in."""
    has_header = format_.get("header", True) is not False
    if not isinstance(value, int) or isinstance(value, bool) or value < has_header:
        least = (
            "1 or more, the header's line counted in (header: false if there is none)" if has_header else "0 or more"
        )
        raise ValueError(f"{value!r} is not a number of lines: it is {least}")
    return value - has_header


def _tolerance(value: object, _: Part) -> object:
    return {"at_most": value}


def _number(value: object, _: Part) -> object:
    """As the REST API writes 64-bit integers."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


@dataclass(frozen=True)
class Synonym:
    word: str
    target: str
    meaning: Callable[[object, Part], object] = _same
    """The target's value, given the synonym's and all that stands beside it. Raises ValueError."""


_YES_NO = "true or false"
_SOURCE_FORMATS = ("CSV", "NEWLINE_DELIMITED_JSON", "PARQUET", "AVRO", "ORC")
_TYPES: dict[object, str] = {name: "ndjson" if "JSON" in name else name.lower() for name in _SOURCE_FORMATS}
_FORMAT = (
    Synonym("null_markers", "nulls"),
    Synonym("null_marker", "nulls", _list_of_one),
    Synonym("field_delimiter", "delimiter", _delimiter),
    Synonym("source_format", "type", _word(_TYPES, f"one of {', '.join(_SOURCE_FORMATS)}")),
    Synonym("quote_character", "quote"),
    Synonym("skip_leading_rows", "skip", _skip),
    Synonym("allow_jagged_rows", "short_lines", _word({True: "fill", False: "reject"}, _YES_NO)),
    Synonym("allow_quoted_newlines", "quoted_newlines"),
)
_OPTIONS = {name for one in FORMATS.values() for name in one.model_fields}
# What no format has is no word of a contract, whatever it is called.
FORMAT = tuple(one for one in _FORMAT if one.target in _OPTIONS)
FEED = (
    Synonym("max_bad_records", "bad_rows", _tolerance),
    Synonym("ignore_unknown_values", "unknown_columns", _word({True: "ignore", False: "reject"}, _YES_NO)),
)
COLUMN = (
    Synonym("null_markers", "nulls"),
    Synonym("null_marker", "nulls", _list_of_one),
    Synonym("time_zone", "zone"),
    Synonym("maxLength", "max_length", _number),
)
_SQL_DEFAULT = "is SQL of BigQuery's; default: is the text of the value where a file has no such column"
_ROUNDS = "makes BigQuery round or refuse: write the type alone, and a check such as check: amount < 1000"
REFUSED: Mapping[str, str] = {
    "defaultValueExpression": _SQL_DEFAULT,
    "default_value_expression": _SQL_DEFAULT,
    "precision": _ROUNDS,
    "scale": _ROUNDS,
    "roundingMode": "is for numbers that are rounded, and none are here: leave it out",
    "collation": "would make two keys one: texts are compared exactly; leave it out",
    "policyTags": "does not belong in a contract: set it on the table, which keeps it, and leave it out",
    "fields": "is for a RECORD, which a column cannot be: write a column for each field, or one for its text",
}
"""What `bq show --schema` prints of a column and a contract has no word for, with the way out."""


def in_our_words(contract: object) -> tuple[object, list[Fault]]:
    """A contract as YAML has it without synonyms, and what is wrong with those that it has."""
    if not isinstance(contract, Mapping):
        return contract, []
    faults: list[Fault] = []
    part = _translated((), contract, FEED, faults)
    format_, columns = part.get("format"), part.get("columns")
    if isinstance(format_, Mapping):
        part["format"] = _translated(("format",), format_, FORMAT, faults)
    if isinstance(columns, list):
        part["columns"] = [
            _translated(("columns", n), column, COLUMN, faults) if isinstance(column, Mapping) else column
            for n, column in enumerate(columns)
        ]
    return part, faults


def as_written(place: Place, contract: object) -> Place:
    """A place in a contract by the words that its author wrote."""
    found: list[str | int] = []
    for step in place:
        if isinstance(contract, Mapping) and step not in contract:
            synonyms = {one.word for one in (*FORMAT, *FEED, *COLUMN) if one.target == step} & contract.keys()
            if synonyms:
                found.append(min(synonyms))
                contract = contract[found[-1]]
                if not isinstance(contract, list):
                    break
                continue
        found.append(step)
        contract = _part(contract, step)
    return tuple(found)


def _part(contract: object, step: str | int) -> object:
    if isinstance(contract, Mapping):
        return contract.get(step)
    if isinstance(contract, list) and isinstance(step, int) and step < len(contract):
        return contract[step]
    return None


def _translated(place: Place, part: Part, synonyms: Sequence[Synonym], faults: list[Fault]) -> dict[str, object]:
    made = dict(part)
    faults += _refused(place, part) if synonyms is COLUMN else ()
    for one in synonyms:
        if one.word not in part:
            continue
        value = made.pop(one.word)
        before = next((word for word in _words(one.target, synonyms) if word in part and word != one.word), None)
        if before is not None and one.target in made:
            faults.append(Fault((*place, one.word), f"{one.word} and {before} mean the same: leave one of them out"))
            continue
        try:
            made[one.target] = one.meaning(value, part)
        except ValueError as error:
            faults.append(Fault((*place, one.word), str(error)))
    return made


def _words(target: str, synonyms: Sequence[Synonym]) -> Iterator[str]:
    yield target
    yield from (one.word for one in synonyms if one.target == target)


def _refused(place: Place, part: Part) -> Iterator[Fault]:
    return (Fault((*place, word), f"{word} {what}") for word, what in REFUSED.items() if word in part)
