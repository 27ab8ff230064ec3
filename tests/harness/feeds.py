"""Contracts for tests: the project's own accounts, and small ones beside it."""

from __future__ import annotations

import re
from pathlib import Path

from deploy.topology import ROOT

# The file of the `airportsdata` package has no date; where keys are unique, any number serves as a version.
_AIRPORTS = """
feed: airports
objects: incoming/airports/*
format: {type: csv}
table: main.airports
key: [icao]
version: elevation
columns:
  - {name: icao, type: STRING}
  - {name: iata, type: STRING}
  - {name: name, type: STRING}
  - {name: city, type: STRING}
  - {name: subd, type: STRING}
  - {name: country, type: STRING}
  - {name: elevation, type: NUMERIC}
  - {name: lat, type: NUMERIC, check: lat BETWEEN -90 AND 90}
  - {name: lon, type: NUMERIC, check: lon BETWEEN -180 AND 180}
  - {name: tz, type: STRING}
  - {name: lid, type: STRING}
"""

NUMBERS = """
feed: numbers
objects: incoming/numbers/*
format: {type: csv}
table: main.numbers
key: [n]
version: v
columns:
  - {name: n, type: NUMERIC}
  - {name: v, type: INT64}
"""

AGAIN = """
feed: again
objects: incoming/again/*
format: {type: csv}
table: main.again
key: [n]
version: v
columns:
  - {name: n, type: STRING}
  - {name: v, type: INT64}
  - {name: w, type: NUMERIC}
bad_rows: {at_most: 50%}
"""

REJECTS = AGAIN.replace("again", "rejects").replace("50%", "100%")

STORY = {
    "nested": """
feed: nested
objects: incoming/nested/*
format: {type: ndjson}
table: main.nested
key: [id, on_day]
version: v
columns:
  - {name: id, from: k.id, type: INT64}
  - {name: on_day, from: "on", type: DATE, format: ["%d.%m.%Y"]}
  - {name: v, type: INT64}
bad_rows: {at_most: 100%}
""",
    "typed": """
feed: typed
objects: incoming/typed/*
format: {type: parquet}
table: main.typed
key: [id]
version: v
columns:
  - {name: id, type: INT64}
  - {name: v, type: INT64}
""",
    "kept": NUMBERS.replace("numbers", "kept") + "history: true\n",
    "tolerates": AGAIN.replace("again", "tolerates"),
    "log": NUMBERS.replace("numbers", "log").replace("key: [n]\nversion: v", "mode: append"),
}
"""By name, feeds for looking a key up: of each format, with history, without a key."""


def write_feeds(folder: Path) -> Path:
    """The accounts feed, one like it that tolerates two bad rows, and airports."""
    folder.mkdir()
    accounts = (ROOT / "deploy" / "feeds" / "accounts.yaml").read_text()
    (folder / "accounts.yaml").write_text(accounts)
    tolerant = accounts.replace("feed: accounts", "feed: tolerant").replace("/accounts/", "/tolerant/")
    tolerant = tolerant.replace("main.accounts", "main.tolerant").replace("at_most: 0", "at_most: 2")
    (folder / "tolerant.yaml").write_text(tolerant)
    (folder / "airports.yaml").write_text(_AIRPORTS)
    return folder


def write_feeds_of_folders(folder: Path) -> Path:
    """As `write_feeds`; each feed takes files of all folders in its own."""
    feeds = write_feeds(folder)
    for path in feeds.glob("*.yaml"):
        path.write_text(re.sub(r"^(objects: .*/)\*$", r"\1**", path.read_text(), flags=re.MULTILINE))
    return feeds
