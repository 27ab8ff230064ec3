"""What a column of a sample is: its type, and how its texts are written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dropmerge.operations.feeds.inference.moments import find_moment
from dropmerge.operations.feeds.inference.sample import Field
from services.shared.contract.types import TYPES

NULLS = (
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "<NA>",
    "NULL",
    "null",
    "Null",
    "\\N",
    "None",
    "nan",
    "NaN",
    "NAN",
    "-",
    "--",
    ".",
    "?",
)
"""Texts that people write where there is no value."""
_SURELY_NULL = ("#N/A", "<NA>", "NULL", "\\N")
"""Those that mean nothing else, whatever the column."""
_WORDS = (
    ("Yes", "No"),
    ("yes", "no"),
    ("YES", "NO"),
    ("Y", "N"),
    ("y", "n"),
    ("T", "F"),
    ("t", "f"),
    ("True", "False"),
    ("on", "off"),
    ("On", "Off"),
)
_CODE_NAMES = ("id", "key", "number", "code", "no", "uuid", "iban", "icao", "fips", "zip", "sku", "isbn", "ean")
_ZONE = "no offset: TIMESTAMP with zone: Europe/Berlin, if you know where"
_NEAR = 0.8
"""Share of a column's rows that make a type worth mentioning."""
_TRIMMED = " \t\u00a0"
_GROUPED = "[+-]?[0-9]{1,3}(?:%s[0-9]{3})+"
_PLAIN = "[+-]?[0-9]+"
_EPOCHS = {"epoch_s": (10, 1), "epoch_ms": (13, 10**3), "epoch_us": (16, 10**6)}
_YEARS = (946_684_800, 2_208_988_800)
"""Seconds of 2000 and 2040."""


@dataclass
class Column:
    """A column of the contract. `remarks` are for the person who edits it."""

    name: str
    source: Field
    type: str
    options: dict[str, object] = field(default_factory=dict)
    nulls: frozenset[str] = frozenset()
    """Texts that are no values, for the column to be of its type."""
    is_trimmed: bool = False
    """Whether it is of its type only without the spaces around its texts."""
    remarks: list[str] = field(default_factory=list)

    @property
    def looks_like_code(self) -> bool:
        """Whether its name is one of what tells things apart."""
        words = re.findall("[a-z0-9]+", re.sub("([a-z])([A-Z])", r"\1 \2", self.name).lower())
        return bool(words) and (words[-1] in _CODE_NAMES or self.name.lower().endswith("id"))


@dataclass(frozen=True)
class _Way:
    """A type, and what a contract must say for the texts to be read as it."""

    type: str
    options: Mapping[str, object] = field(default_factory=dict)
    remarks: Sequence[str] = ()


def infer_column(name: str, source: Field) -> Column:
    """By all texts of the sample."""
    if source.is_repeated:
        return _repeated(name, source)
    if source.type:
        return _declared(name, source, source.type)
    texts = source.texts
    if not texts:
        return Column(name, source, "STRING", remarks=["no values in the sample"])
    column = _without_nulls(name, source, texts) or Column(name, source, "STRING")
    _remark(column, texts)
    return column


def _declared(name: str, source: Field, kind: str) -> Column:
    known = kind if kind in TYPES else "STRING"
    return Column(name, source, known, remarks=[] if known == kind else [f"{kind} in the file"])


def _repeated(name: str, source: Field) -> Column:
    import json

    elements = {str(one) for text in source.texts for one in json.loads(text) if one is not None}
    way = _way(elements, name) if elements else _Way("STRING")
    return Column(name, source, way.type if way and not way.options else "STRING", {"mode": "REPEATED"})


def _without_nulls(name: str, source: Field, texts: Counter[str]) -> Column | None:
    """The first that is no text: as they are, without spaces around them, without what stands for no value."""
    words = frozenset(texts.keys() & {*NULLS})
    for is_trimmed in (False, True):
        bare = {text.strip(_TRIMMED) for text in texts} - {""} if is_trimmed else {*texts}
        if is_trimmed and bare == {*texts}:
            continue
        for nulls in (frozenset[str](), words) if words else (words,):
            left = bare - nulls
            if left and (way := _way(left, name)):
                return Column(name, source, way.type, dict(way.options), nulls, is_trimmed, list(way.remarks))
    return None


def _way(texts: Collection[str], name: str) -> _Way | None:
    """None where they are texts."""
    if any(re.match("[+-]?0[0-9]", text) for text in texts) and all(map(TYPES["NUMERIC"].accepts, texts)):
        return None
    kind = next(
        kind for kind in TYPES.values() if all(map(kind.accepts, texts)) and all(map(kind.is_guessed_from, texts))
    )
    if kind.name == "DATETIME":
        return _Way(kind.name, remarks=[_ZONE])
    if kind.name not in ("STRING", "INT64"):
        return _Way(kind.name)
    return _moment(texts, name) or (_Way("INT64") if kind.name == "INT64" else None) or _number(texts) or _flag(texts)


def _moment(texts: Collection[str], name: str) -> _Way | None:
    found = find_moment(texts, name)
    if found is None:
        return None
    remarks = []
    if found.swapped:
        remarks.append(f"day or month first? Both fit: {found.format[0]} or {found.swapped}")
    if found.type == "DATETIME":
        remarks.append(_ZONE)
    texts_of = found.format[0] if len(found.format) == 1 else list(found.format)
    return _Way(found.type, {"format": texts_of}, remarks)


def _number(texts: Collection[str]) -> _Way | None:
    """With thousands apart, a decimal comma, or no digit before the decimal point."""
    for decimal, group in (
        (".", ","),
        (".", " "),
        (".", "'"),
        (".", "\u00a0"),
        (".", "\u202f"),
        (",", "."),
        (",", " "),
        (",", ""),
    ):
        if way := _as_number(texts, decimal, group):
            return way
    return None


def _as_number(texts: Collection[str], decimal: str, group: str) -> _Way | None:
    whole = f"(?:{_PLAIN}|{_GROUPED % re.escape(group)})" if group else _PLAIN
    fraction = f"{re.escape(decimal)}[0-9]+"
    has_fraction = f"{whole}(?:{fraction})?|[+-]?{fraction}"
    if not all(re.fullmatch(has_fraction, text) for text in texts):
        return None
    plain = [re.sub("^([+-]?)[.]", r"\g<1>0.", _plain(text, decimal, group)) for text in texts]
    kind = next((one for one in ("INT64", "NUMERIC", "FLOAT64") if all(map(TYPES[one].accepts, plain))), None)
    if kind is None or any(re.match("[+-]?0[0-9]", text) for text in plain):
        return None
    # Said, no digit need stand before it.
    is_said = decimal != "." or any(re.match("[+-]?[.]", text) for text in texts)
    options: dict[str, object] = {"decimal": decimal} if is_said and "decimal" in TYPES[kind].takes else {}
    if group and any(group in text for text in texts):
        # A contract's space is one of any kind.
        options["group"] = " " if group.isspace() else group
    return _Way(kind, options)


def _plain(text: str, decimal: str, group: str) -> str:
    return (text.replace(group, "") if group else text).replace(decimal, ".")


def _flag(texts: Collection[str]) -> _Way | None:
    found = next(((yes, no) for yes, no in _WORDS if {*texts} == {yes, no}), None)
    return _Way("BOOL", {"words": {found[0]: True, found[1]: False}}) if found else None


def _remark(column: Column, texts: Counter[str]) -> None:
    if column.type == "STRING":
        _remark_on_text(column, texts)
    elif column.type == "INT64" and not column.options:
        _remark_on_digits(column, texts)
    elif column.type == "FLOAT64":
        column.remarks.append("has more decimals than NUMERIC keeps, or exponents")
        if column.looks_like_code:
            column.remarks.append("did a spreadsheet round long numbers? If so, export the file again")


def _remark_on_digits(column: Column, texts: Counter[str]) -> None:
    if column.looks_like_code:
        column.remarks.append("digits only: STRING if it is a code, not a count")
    if {*texts} == {"0", "1"}:
        column.remarks.append('0 and 1 only: BOOL with words: {"1": true, "0": false} if it is a flag')
    for word, (digits, unit) in _EPOCHS.items():
        values = texts.keys() - column.nulls
        if all(len(text) == digits and _YEARS[0] <= int(text) // unit <= _YEARS[1] for text in values):
            column.remarks.append(f"TIMESTAMP with format: {word} if it is a time")


def _remark_on_text(column: Column, texts: Counter[str]) -> None:
    if all(map(TYPES["NUMERIC"].accepts, texts)):
        column.remarks.append("digits with leading zeros, which a number would lose")
        return
    rows = texts.total()
    for kind in ("INT64", "NUMERIC", "FLOAT64", "DATE", "TIMESTAMP"):
        unfit = Counter({text: n for text, n in texts.items() if not TYPES[kind].accepts(text)})
        if unfit and rows - unfit.total() >= _NEAR * rows:
            column.remarks.append(f"{kind} but for {unfit.total()} of {rows}, such as {_example(unfit)}")
            return


def _example(texts: Counter[str]) -> str:
    (text, _), *_ = texts.most_common(1)
    return repr(text if len(text) <= 40 else text[:40] + "…")


def with_file_nulls(columns: Sequence[Column]) -> tuple[list[str], list[Column]]:
    """What stands for no value in the whole file, and the columns in which it is a value."""
    seen = {word for column in columns for word in column.nulls}
    seen |= {word for column in columns for word in _SURELY_NULL if column.source.texts.get(word)}
    nulls = [word for word in NULLS if word in seen]
    return nulls, [_aside(column, nulls) for column in columns]


def _aside(column: Column, nulls: Sequence[str]) -> Column:
    texts = column.source.texts
    own = [word for word in nulls if word in texts]
    if column.type != "STRING" or not own:
        return replace(column, nulls=frozenset(own) | column.nulls)
    others = texts.keys() - {*own}
    are_codes = bool(others) and all(re.fullmatch("[A-Z]{2,3}", text) for text in others)
    if not are_codes:
        return replace(column, nulls=frozenset(own))
    remark = f"{', '.join(own)} among codes: read as a value here (Namibia?), and as NULL elsewhere"
    return replace(
        column, nulls=frozenset(), options={**column.options, "nulls": []}, remarks=[*column.remarks, remark]
    )
