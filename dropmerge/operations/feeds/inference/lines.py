"""A sample of newline-delimited JSON: the paths of its objects are columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dropmerge.operations.feeds.inference.errors import InferenceError
from dropmerge.operations.feeds.inference.sample import MAX_CELLS, Field, Sample

_MOST_COLUMNS = 1_000


class Number(str):
    """A number as it is written."""

    __slots__ = ()


def read_lines(text: str) -> Sample:
    """Raises InferenceError."""
    lines = [line for line in text.split("\n") if line.strip()]
    objects: list[dict[str, Any]] = []
    broken: list[int] = []
    cells = 0
    for number, line in enumerate(lines, 1):
        value = read_value(line)
        if isinstance(value, dict):
            objects.append(value)
            cells += len(value)
        else:
            broken.append(number)
        if cells > MAX_CELLS:
            break
    remarks = [f"{len(broken)} lines are not JSON objects, such as line {broken[0]}"] if broken else []
    fields = list(fields_of(objects))
    return Sample({"type": "ndjson"}, fields, len(objects), len(lines), len(broken), remarks)


def read_value(text: str) -> Any:
    """A JSON value whose numbers are as they are written; the text itself where it is none."""
    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
    except (ValueError, RecursionError):
        return text


def fields_of(objects: list[dict[str, Any]]) -> Iterator[Field]:
    """One column for each path that leads to a value; objects are taken apart. Raises InferenceError."""
    paths: dict[tuple[str, ...], None] = {}
    for one in objects:
        _collect(one, (), paths)
    # Where some rows have an object and others a value, the whole is one column.
    whole = {path for path in paths if any(path == other[: len(path)] and path != other for other in paths)}
    kept = [path for path in paths if not any(path[:n] in whole for n in range(1, len(path)))]
    if len(kept) > _MOST_COLUMNS:
        raise InferenceError(f"its objects have {len(kept)} names, too many for columns")
    for path in kept:
        values = [_at(one, path) for one in objects]
        yield _field(".".join(path), values)


def _collect(value: Mapping[str, Any], above: tuple[str, ...], paths: dict[tuple[str, ...], None]) -> None:
    for name, inner in value.items():
        path = (*above, name)
        if isinstance(inner, dict) and inner and not any("." in one for one in inner):
            _collect(inner, path, paths)
        elif inner is not None or path not in paths:
            paths.setdefault(path)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _field(header: str, values: list[Any]) -> Field:
    filled = [value for value in values if value is not None]
    if filled and all(isinstance(value, list) and not any(_has_parts(one) for one in value) for value in filled):
        return Field(header, [None if value is None else json.dumps(value) for value in values], is_repeated=True)
    has_parts = any(_has_parts(value) for value in filled)
    return Field(header, [_text(value) for value in values], type="JSON" if has_parts else None)


def _has_parts(value: Any) -> bool:
    return isinstance(value, dict | list)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str) or value is None:
        return value or None
    return json.dumps(value)
