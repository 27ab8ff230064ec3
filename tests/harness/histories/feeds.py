"""Feeds that between them have every type as key, version and value.

The first column of each key is `run`: histories share the tables and differ in it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.harness.histories.oracle import Contract

_FEEDS = """
feed: readings
objects: incoming/readings/**
format: {type: csv}
table: main.readings
key: [run, sensor]
version: seq
delete: {column: op, equals: D}
columns:
  - {name: run, type: STRING}
  - {name: sensor, type: INT64}
  - {name: seq, type: INT64}
  - {name: value, type: FLOAT64}
  - {name: ok, type: BOOL}
  - {name: note, type: STRING}
bad_rows: {at_most: 2}
---
feed: prices
objects: incoming/prices/**
format: {type: csv, delimiter: ";"}
table: main.prices
key: [run, sku, day]
version: rev
columns:
  - {name: run, type: STRING}
  - {name: rev, type: NUMERIC}
  - {name: sku, type: STRING}
  - {name: amount, type: NUMERIC, check: amount BETWEEN 0 AND 1000}
  - {name: day, type: DATE}
bad_rows: {at_most: 50%}
---
feed: people
objects: incoming/people/**
format: {type: csv}
table: main.people
key: [run, id]
version: as_of
delete: {column: removed, equals: "1"}
columns:
  - {name: run, type: STRING}
  - {name: id, type: NUMERIC}
  - {name: name, type: STRING, mode: REQUIRED}
  - {name: as_of, type: DATE}
  - {name: born, type: DATE}
---
feed: events
objects: incoming/events/**
format: {type: csv}
table: main.events
key: [run, at, urgent]
version: seen
delete: {column: kind, equals: gone}
columns:
  - {name: run, type: STRING}
  - {name: n, type: INT64, check: n BETWEEN 1 AND 9}
  - {name: at, type: TIMESTAMP}
  - {name: urgent, type: BOOL}
  - {name: seen, type: TIMESTAMP}
  - {name: first, type: TIMESTAMP}
unknown_columns: ignore
bad_rows: {at_most: 1}
"""

YAML: Mapping[str, Mapping[str, Any]] = {one["feed"]: one for one in yaml.safe_load_all(_FEEDS)}
CONTRACTS: Mapping[str, Contract] = {name: Contract.of(one) for name, one in YAML.items()}


def header(feed: str) -> tuple[str, ...]:
    """A file's columns in contract order without `run`, the delete column last."""
    contract = CONTRACTS[feed]
    return (*(c.name for c in contract.columns if c.name != "run"), *(contract.marker or ())[:1])


def write_feeds(folder: Path) -> Path:
    folder.mkdir()
    for name, contract in YAML.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(dict(contract)), encoding="utf-8")
    return folder
