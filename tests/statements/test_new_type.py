"""A type costs one class and a row of examples: no other part of the project has to know its name.

TIME stands for it, as if there were none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from dropmerge.operations.feeds.inference.infer import infer
from services.shared.contract.feed import Feed
from services.shared.contract.types import TYPES, table
from services.shared.contract.types.base import Whole
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.statements.analyser import type_of
from tests.harness.statements.feeds import GOOD
from tests.harness.statements.statements import PROJECT, send_all


class Time(Whole):
    name = "TIME"
    texts = "`HH:MM:SS`"
    pattern = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    malformed = "not_a_timestamp"

    def parse(self, text: str) -> time:
        return time.fromisoformat(self.matched(text))

    def cast(self, text: str) -> str:
        return f"IF({self.matches(text)}, SAFE_CAST({text} AS TIME), NULL)"

    def literal(self, value: Any) -> str:
        return f"TIME '{value.isoformat()}'"


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    others = {name: kind for name, kind in TYPES.items() if name != "TIME"}
    with patch.dict(TYPES, {"TIME": Time(), **others}, clear=True), patch.dict(GOOD, {"TIME": "09:30:00"}):
        yield


def _feed(**more: object) -> Feed:
    columns = [
        {"name": "opens", "type": "TIME"},
        {"name": "closes", "type": "TIME", "check": "closes > opens"},
        {"name": "version", "type": "INT64"},
    ]
    fields: dict[str, Any] = {
        "feed": "shops", "objects": "incoming/shops/*", "format": {"type": "csv"}, "table": "main.shops",
        "key": ["opens"], "version": "version", "columns": columns, **more,
    }  # fmt: skip
    return Feed.model_validate(fields)


def test_a_new_type_is_checked_merged_and_pruned_by() -> None:
    """Google's front end accepts each statement; the columns keep the type; the key's constants bound the MERGE."""
    feed = _feed()
    warehouse = send_all(feed)
    staging = f"staging.{Load(feed.name, ObjectGeneration('landing', '0.csv', 0)).staging_table(feed.fingerprint)}"
    for name in (staging, "main.shops", "main.shops_current"):
        kinds = {column: kind.type_kind for column, kind in warehouse.analyser.columns(f"{PROJECT}.{name}").items()}
        assert {kinds["opens"], kinds["closes"]} == {type_of("TIME").type_kind}
    (merge,) = [sql for sql, _ in warehouse.sent if sql.startswith("BEGIN TRANSACTION")]
    assert "_t.`opens` >= TIME '09:30:00'" in merge
    assert any("not_a_timestamp: closes" in sql for sql, _ in warehouse.sent)


def test_a_new_type_says_where_it_may_stand() -> None:
    """In a contract, by its own members."""
    with pytest.raises(
        ValueError, match="a version is one of BIGNUMERIC, DATE, DATETIME, INT64, NUMERIC, TIMESTAMP; TIME is not"
    ):
        _feed(version="closes")


def test_a_new_type_is_inferred(tmp_path: Path) -> None:
    """From a sample each of whose texts it takes."""
    sample = tmp_path / "shops.csv"
    sample.write_text("id,opens,noted,version\na,09:30:00,24:00:00,1\nb,23:59:59,12:00:00,2\n")
    assert {column.name: column.type for column in infer(sample).columns} == {
        "id": "STRING", "opens": "TIME", "noted": "STRING", "version": "INT64",
    }  # fmt: skip


def test_a_new_type_is_documented() -> None:
    """In the table that the documentation is made from."""
    assert "| TIME | `HH:MM:SS` | yes | no |" in table()
