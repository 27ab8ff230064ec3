"""A contract in the words of the Open Data Contract Standard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from dropmerge.operations.feeds.odcs import API_VERSION, COUNT_FAILED, CUSTOM, LOGICAL_TYPES, OPTIONS
from services.shared.contract.feed import Column, Feed

Said = dict[str, Any]
"""A mapping, as YAML has it."""


def export_yaml(feed: Feed, project: str, landing: str) -> str:
    """`landing`: the bucket that files are dropped in."""
    return yaml.safe_dump(export(feed, project, landing), sort_keys=False, allow_unicode=True, width=110)


def export(feed: Feed, project: str, landing: str) -> Said:
    """The whole document; its version is the identity of the contract."""
    dataset, _, _ = feed.table.partition(".")
    said = _said(feed)
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": feed.name,
        "name": feed.name,
        "version": feed.fingerprint,
        "status": "active",
        "servers": [
            {"server": "table", "type": "bigquery", "project": project, "dataset": dataset},
            {
                "server": "landing",
                "type": "custom",
                "description": "Where files are dropped.",
                "location": f"gs://{landing}/{feed.objects}",
                "format": feed.format.type,
            },
        ],
        "schema": [
            {
                "name": feed.name,
                "physicalName": feed.table,
                "physicalType": "table",
                "logicalType": "object",
                "properties": [_property(feed, column) for column in feed.columns],
                **_unique(feed),
                **_custom({name: value for name, value in said.items() if name not in ("feed", "table", "key")}),
            }
        ],
    }


def _said(feed: Feed) -> Said:
    """What the contract says, but its columns; what is as by default is left out."""
    return {
        name: value for name, value in feed.model_dump(mode="json", exclude_defaults=True).items() if name != "columns"
    }


def _unique(feed: Feed) -> Said:
    if not feed.key:
        return {}
    what = "One row for each key."
    rule = {"description": what, "metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": list(feed.key)}}
    return {"quality": [{"type": "library", "dimension": "uniqueness", **rule}]}


def _property(feed: Feed, column: Column) -> Said:
    said = column.model_dump(mode="json", exclude_defaults=True)
    required = column.name in feed.required
    # The key and the version are REQUIRED whether their columns say so or not.
    mode = {} if column.mode == ("REQUIRED" if required else "NULLABLE") else {"mode": column.mode}
    options = {OPTIONS[name]: said.pop(name) for name in OPTIONS if name in said}
    for name in ("name", "type", "mode", "description", "check"):
        said.pop(name, None)
    return {
        "name": column.name,
        "logicalType": LOGICAL_TYPES[column.type],
        "physicalType": column.type,
        **({"description": column.description} if column.description else {}),
        **({"required": True} if required else {}),
        **_key(feed, column),
        **({"logicalTypeOptions": options} if options else {}),
        **({"quality": [_rule(column.check)]} if column.check is not None else {}),
        **_custom({**mode, **said}),
    }


def _key(feed: Feed, column: Column) -> Said:
    if column.name not in feed.key:
        return {}
    alone = {"unique": True} if len(feed.key) == 1 else {}
    return {**alone, "primaryKey": True, "primaryKeyPosition": feed.key.index(column.name) + 1}


def _rule(check: str) -> Said:
    """Of the rows of a table that is merged by the contract none fails it: they were refused."""
    query = f"{COUNT_FAILED}{check})"
    return {"type": "sql", "dimension": "conformity", "description": check, "query": query, "mustBe": 0}


def _custom(said: Mapping[str, Any]) -> Said:
    return {"customProperties": [{"property": CUSTOM, "value": dict(said)}]} if said else {}
