"""Contracts for the corpus: one that tolerates nothing, one that ignores unknown columns, one of every type."""

from __future__ import annotations

from pathlib import Path

_PLAIN = """
feed: {feed}
objects: incoming/{feed}/**
format: {{type: csv, delimiter: "{delimiter}"}}
table: main.{feed}
key: [id]
version: modified
delete: {{column: operation, equals: D}}
columns:
  - {{name: id, type: STRING, mode: REQUIRED}}
  - {{name: note, type: STRING}}
  - {{name: score, type: INT64}}
  - {{name: modified, type: TIMESTAMP, mode: REQUIRED}}
unknown_columns: {unknown}
"""

VALUES = """
feed: values
objects: incoming/values/**
format: {type: csv}
table: main.values
key: [id]
version: modified
delete: {column: operation, equals: D}
columns:
  - {name: id, type: STRING, mode: REQUIRED}
  - {name: label, type: STRING}
  - {name: text, type: STRING}
  - {name: whole, type: INT64}
  - {name: amount, type: NUMERIC}
  - {name: ratio, type: FLOAT64}
  - {name: flag, type: BOOL}
  - {name: day, type: DATE}
  - {name: instant, type: TIMESTAMP}
  - {name: modified, type: TIMESTAMP, mode: REQUIRED}
bad_rows: {at_most: 100%}
"""


def write_feeds(folder: Path) -> Path:
    folder.mkdir()
    for feed, delimiter, unknown in (
        ("strict", ",", "reject"),
        ("open", ",", "ignore"),
        ("semicolons", ";", "reject"),
    ):
        (folder / f"{feed}.yaml").write_text(_PLAIN.format(feed=feed, delimiter=delimiter, unknown=unknown))
    (folder / "values.yaml").write_text(VALUES)
    return folder
