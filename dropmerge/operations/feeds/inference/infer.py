"""A first contract from a sample file, and how many of its rows it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dropmerge.operations.feeds.inference.columns import Column, infer_column, with_file_nulls
from dropmerge.operations.feeds.inference.deletes import Marker, find_marker
from dropmerge.operations.feeds.inference.errors import InferenceError
from dropmerge.operations.feeds.inference.keys import Identity, find_identity
from dropmerge.operations.feeds.inference.names import column_names
from dropmerge.operations.feeds.inference.read import read_sample
from dropmerge.operations.feeds.inference.sample import Field, Sample

_GUARD = "[0-9]+"


@dataclass(frozen=True)
class Contract:
    """What a contract for files like the sample says, and what is unsure of it."""

    sample: Sample
    format: dict[str, object]
    columns: Sequence[Column]
    identity: Identity
    delete: Marker | None
    delete_field: Field | None
    remarks: Sequence[str] = field(default=())

    @property
    def kept(self) -> int:
        """Rows of the sample that are in the table after it."""
        return self.identity.kept


def infer(path: Path) -> Contract:
    """Raises InferenceError, with the way out."""
    sample = read_sample(path)
    if not sample.fields:
        raise InferenceError(f"{path} has no columns: is it empty?")
    names = column_names([one.header for one in sample.fields])
    marker = find_marker(names, sample.fields)
    columns = [
        infer_column(name, one)
        for name, one in zip(names, sample.fields, strict=True)
        if marker is None or name != marker.column
    ]
    format_, columns = _of_file(sample, columns)
    identity = find_identity(columns, sample.rows)
    if not identity.key and marker:
        # Where every row counts there is nothing that a marker could delete.
        marker_field = sample.fields[names.index(marker.column)]
        columns = [*columns, infer_column(marker.column, marker_field)]
        marker = None
    for column in columns:
        if column.name in identity.key:
            _guard(column, sample.rows)
    delete_field = sample.fields[names.index(marker.column)] if marker else None
    return Contract(sample, format_, columns, identity, marker, delete_field, sample.remarks)


def _of_file(sample: Sample, columns: Sequence[Column]) -> tuple[dict[str, object], list[Column]]:
    """The format with what holds for all columns, and the columns with the rest."""
    nulls, columns = with_file_nulls(columns)
    found = dict(sample.format)
    if nulls:
        found["nulls"] = nulls
    if _is_padded(sample, columns):
        found["trim"] = True
        return found, list(columns)
    for column in columns:
        if column.is_trimmed:
            column.options["trim"] = True
    return found, list(columns)


def _is_padded(sample: Sample, columns: Sequence[Column]) -> bool:
    """Whether spaces stand around names and values alike, to be taken off in the whole file."""
    names = [one.header for one in sample.fields]
    return any(column.is_trimmed for column in columns) and any(name != name.strip() for name in names)


def _guard(column: Column, rows: int) -> None:
    """Take an empty text for one; and guard digits against what a spreadsheet makes of such a key: 4.01289E+15 of two
    that are alike in their first digits."""
    texts = column.source.texts
    values = texts.total() - sum(texts[word] for word in column.nulls)
    if column.type == "STRING" and values < rows:
        column.options["default"] = ""
        column.remarks.append("has empty values, which a key reads as an empty text")
    elif column.type == "STRING" and texts and all(text.isascii() and text.isdecimal() for text in texts):
        column.options["pattern"] = _GUARD
        column.remarks.append("its pattern rejects numbers that a spreadsheet rounded; are all values digits?")
