"""A value as a text, one text for each value: what people write in a file of expected rows, and are shown."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from services.shared.contract.types import type_named


def text_of(value: Any) -> str | None:
    """Of a value as the client library returns it; None is NULL."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=text_of)
    return repr(value)


def canonical(text: str | None, type_name: str) -> str | None:
    """The one text of what a person wrote for a value of this type: 650.00 is 650. NULL where it is empty; as it is
    where it is no value of the type."""
    if not text:
        return None
    try:
        return text_of(type_named(type_name).parse(text))
    except ValueError:
        return text


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short == "-0" else short


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
