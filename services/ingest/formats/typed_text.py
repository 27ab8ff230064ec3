"""The text of a typed value that `canonical` has in SQL, in Python."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from services.ingest.formats.raw_field import loaded_name
from services.ingest.formats.typed_node import Node

_PLAIN_IN_JSON = (int, Decimal)


def text(value: Any, node: Node) -> str | None:
    """None for NULL."""
    if node.is_map:
        return _of_map(value, node)
    if not node.is_repeated:
        return None if value is None else _single(value, node)
    element = replace(node, is_repeated=False)
    return "[" + ",".join(_json(one, element) for one in value or ()) + "]"


def _of_map(value: Any, node: Node) -> str | None:
    if value is None and not node.is_repeated:
        return None
    key, item = node.inner
    pairs = value.items() if isinstance(value, Mapping) else value or ()
    listed = ",".join(f'{{"key":{_json(one, key)},"value":{_json(other, item)}}}' for one, other in pairs)
    return f"[{listed}]" if node.is_repeated else f'{{"key_value":[{listed}]}}'


def _json(value: Any, node: Node) -> str:
    found = text(value, node)
    if found is None:
        return "null"
    is_plain = node.is_repeated or node.kind == "RECORD" or isinstance(value, _PLAIN_IN_JSON)
    if is_plain or (isinstance(value, float) and math.isfinite(value)):
        return found
    return json.dumps(found, ensure_ascii=False)


def _single(value: Any, node: Node) -> str | None:
    match value:
        case str():
            return value
        case bool():
            return json.dumps(value)
        case bytes():
            return base64.b64encode(value).decode()
        case float():
            return _float(value)
        case Decimal():
            return _decimal(value)
        case datetime():
            return _moment(value, node)
        case time():
            return value.isoformat(timespec="microseconds")
        case Mapping() if node.inner:
            parts = (f'"{loaded_name(one.name)}":{_json(value[one.name], one)}' for one in node.inner)
            return "{" + ",".join(parts) + "}"
    return None if node.kind == "RECORD" else str(value)


def _float(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    return next((text for digits in (15, 16) if float(text := f"{value:.{digits}g}") == value), f"{value:.17g}")


def _decimal(value: Decimal) -> str:
    text = f"{value:f}" if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(value: datetime, node: Node) -> str:
    utc = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    text = utc.isoformat(timespec="microseconds")
    return text if node.kind == "DATETIME" else f"{text}Z"
