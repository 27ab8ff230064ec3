"""Rejected rows of a feed that have a key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.rejected.reading import Reading
from dropmerge.operations.rejected.row import RejectedRow
from dropmerge.operations.row_story.key import Key
from services.ingest.formats import format_of
from services.ingest.match_header import Layout
from services.ingest.row_rules import checked_columns, steps
from services.shared.contract.feed import Column, Feed
from services.shared.contract.formats import FIELDS, LINE
from services.shared.errors import NotFoundError
from services.shared.sql import Templates
from services.shared.tables import table
from services.shared.warehouse import Parameters, Warehouse

_SQL = Templates(Path(__file__).parent)
_MOST = 50


@dataclass(frozen=True)
class RejectedWithKey:
    row: RejectedRow
    has_key: bool
    """Otherwise its record cannot be read, and holds the key's texts somewhere."""


def find_rejected(connection: Connection, key: Key) -> list[RejectedWithKey]:
    """Those of the newest files, with their places in them, which are looked for there."""
    try:
        rows = query_rejected(connection.warehouse, connection.project, key)
    except NotFoundError:
        return []
    certain = {(row["load_id"], row["row_text"]): row["has_key"] for row in rows if _is_likely(row, key)}
    wanted = [row for row in rows if (row["load_id"], row["row_text"]) in certain]
    placed = Reading(connection).placed(wanted)
    return [RejectedWithKey(one, certain[one.load.load_id, one.row_text]) for one in placed]


def query_rejected(warehouse: Warehouse, project: str, key: Key) -> list[Any]:
    """Rows of the table of rejected rows, and has_key. Raises NotFoundError where there is no table yet."""
    rejected = str(table(project, "rejected_rows").reference)
    found: list[Any] = []
    for feed in _readings(key.feed):
        columns = checked_columns(feed, Layout((), has_delete_column=False))
        sql = _SQL.render(
            "rejected_of_key.sql", rejected=rejected, columns=columns, steps=steps(columns), line=LINE, fields=FIELDS
        )
        own: Parameters = dict(one for column in feed.columns for one in column.kind.parameters())
        values = {**own, **key.parameters, "feed": ("STRING", feed.name), "most": ("INT64", _MOST)}
        known = {(row["load_id"], row["row_text"]) for row in found}
        found += [row for row in warehouse.query(sql, values) if (row["load_id"], row["row_text"]) not in known]
    return found


def _readings(feed: Feed) -> Iterator[Feed]:
    """The key's columns alone, as the contract reads their texts, and as they are in a file that has types."""
    columns = [column for name in feed.key for column in feed.columns if column.name == name]
    yield feed.model_copy(update={"columns": columns})
    if format_of(feed).NAMES_ARE_LOADED and any(column.options for column in columns):
        yield feed.model_copy(update={"columns": [Column(name=one.name, type=one.type) for one in columns]})


def _is_likely(row: Mapping[str, Any], key: Key) -> bool:
    """The key's texts stand for themselves, and are no part of longer words."""
    if row["has_key"]:
        return True
    kept = json.loads(row["row_text"])
    whole = f"{kept.get(LINE) or ''} {kept.get(FIELDS) or ''}"
    return all(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", whole) for text in key.texts.values())
