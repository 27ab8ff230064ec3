"""A sample, whatever ingest reads: what it is, by its first bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dropmerge.operations.feeds.inference.delimited import read_delimited
from dropmerge.operations.feeds.inference.errors import InferenceError
from dropmerge.operations.feeds.inference.lines import read_lines, read_value
from dropmerge.operations.feeds.inference.sample import Sample
from dropmerge.operations.feeds.inference.text import decode, read_bytes
from dropmerge.operations.feeds.inference.typed import read_typed
from services.ingest.kinds import kind_of
from services.shared.contract.encodings import UTF_8

_TYPED = ("parquet", "orc", "avro")
_HEAD = 64 * 1024
"""Bytes by which a file's kind is told."""


def read_sample(path: Path) -> Sample:
    """Raises InferenceError, which says what the file is and how to make one that can be read."""
    try:
        data, is_whole = read_bytes(path)
    except OSError as error:
        raise InferenceError(f"{path} cannot be read: {error.strerror}") from error
    if not data:
        raise InferenceError(f"{path} is empty")
    kind = kind_of(data[:_HEAD])
    if kind and kind.format in _TYPED:
        return read_typed(kind.format, path)
    if kind and kind.format is None:
        raise InferenceError(f"{path} is {kind.name}: {kind.way_out}")
    encoding, text = decode(data, is_whole)
    if not is_whole:
        text = text[: text.rfind("\n") + 1]
    form = _json_kind(text)
    if form == "document":
        raise InferenceError(f"{path} is a JSON document: write one object per line, `jq -c '.[]' {path.name}`")
    sample = read_lines(text) if form == "lines" else read_delimited(text)
    return sample if encoding == UTF_8 else replace(sample, format={**sample.format, "encoding": encoding})


def _json_kind(text: str) -> str | None:
    first = next((line for line in text.splitlines() if line.strip()), "").strip()
    if first[:1] not in ("{", "["):
        return None
    value = read_value(first)
    if isinstance(value, dict):
        return "lines"
    if isinstance(value, list) or first in ("[", "{") or isinstance(read_value(text), dict | list):
        return "document"
    return None
