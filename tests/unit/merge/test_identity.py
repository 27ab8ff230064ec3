"""What a main table's rows are told apart and ordered by, in words that are kept beside it."""

from __future__ import annotations

import pytest

from services.merge.follow import definition, identity
from services.shared.contract.feed import Feed


def _feed(version: str) -> Feed:
    columns = [{"name": "id", "type": "STRING"}, {"name": "day", "type": "DATE"}, {"name": "at", "type": "TIMESTAMP"}]
    fields = {"objects": "x/*", "format": {"type": "csv"}, "table": "main.t", "key": ["id", "day"], "columns": columns}
    return Feed.model_validate({"feed": "t", "version": version, **fields})


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("at", "key id STRING, day DATE; version at TIMESTAMP"),
        ("_generation", "key id STRING, day DATE; version _generation"),
    ],
)
def test_the_words_of_an_identity(version: str, words: str) -> None:
    """They stay as they are from release to release: tables have them."""
    assert identity(_feed(version)) == words


def test_the_columns_that_every_row_has_are_required() -> None:
    """A tombstone has its key, and its version where a column is it."""
    required = {
        version: [one.name for one in definition(_feed(version)) if one.mode == "REQUIRED"]
        for version in ("at", "_generation")
    }
    own = ["_deleted", "_generation", "_object", "_load_id"]
    assert required == {"at": ["id", "day", "at", *own], "_generation": ["id", "day", *own]}
