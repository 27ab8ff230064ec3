"""What a contract says of its table's layout and of what may be billed: taken, or refused with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy.topology import ROOT
from services.shared.contract.feed import Feed
from services.shared.contract.layout import notes
from services.shared.contract.order import bounded, clustering
from services.shared.contract.reader import check, read_feed
from services.shared.contract.sizes import as_bytes

_ACCOUNTS = ROOT / "deploy" / "feeds" / "accounts.yaml"
_FEED = """
feed: orders
objects: incoming/orders/*
format: {type: csv}
table: main.orders
key: [id, day]
version: v
columns:
  - {name: id, type: STRING}
  - {name: day, type: DATE}
  - {name: at, type: TIMESTAMP}
  - {name: noon, type: TIME}
  - {name: price, type: FLOAT64}
  - {name: tags, type: STRING, mode: REPEATED}
  - {name: v, type: INT64}
"""


def _problems(folder: Path, more: str) -> list[str]:
    path = folder / "orders.yaml"
    path.write_text(_FEED + more)
    return [one.what for one in check(path)[1]]


def _feed(folder: Path, more: str) -> Feed:
    path = folder / "orders.yaml"
    path.write_text(_FEED + more)
    return read_feed(path)


def test_today_s_contracts_keep_their_fingerprint() -> None:
    """Otherwise each waiting load of each feed would be read anew at the upgrade: who changes it says so there."""
    assert read_feed(_ACCOUNTS).fingerprint == "156fd1052ef6"


@pytest.mark.parametrize(
    ("more", "differs"),
    [("max_bytes_billed: 1 GiB", False), ("cluster_by: [id, day]", True), ("partition_by: {column: day}", True)],
)
def test_what_decides_the_table_is_in_the_fingerprint(tmp_path: Path, more: str, differs: bool) -> None:
    """What may be spent decides neither rows nor tables: a higher amount leaves waiting loads as they are."""
    assert (_feed(tmp_path, more).fingerprint != _feed(tmp_path, "").fingerprint) is differs


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("107374182400", 100 * 2**30), ("100 GiB", 100 * 2**30), ("2TiB", 2**41), ("10 MiB", 10 * 2**20)],
)
def test_a_size_is_bytes_or_has_a_unit(tmp_path: Path, text: str, size: int) -> None:
    assert _feed(tmp_path, f"max_bytes_billed: {text}").max_bytes_billed == size


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1.5 GiB", "100 GB", "lots", "true", "", "9999999 PiB", "'100'"])
def test_what_is_no_size_is_refused(tmp_path: Path, text: str) -> None:
    """A unit of 1,000 too: whether it means that is not to be seen."""
    (what,) = _problems(tmp_path, f"max_bytes_billed: {text}")
    assert "a number of bytes, or a size in KiB, MiB, GiB or TiB, such as 100 GiB" in what


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("cluster_by: [id, other]", "other is not one of the contract's columns"),
        ("cluster_by: [id, id]", "id is listed twice"),
        ("cluster_by: [price]", "price is FLOAT64, by which BigQuery clusters no table"),
        ("cluster_by: [tags]", "tags is ARRAY<STRING>"),
        ("cluster_by: []", "is empty; it is a list of one to four columns"),
        ("cluster_by: [id, day, at, v, noon]", "this is not a list of one to four columns"),
        ("cluster_by: id", "'id' is not a list of one to four columns"),
        ("partition_by: day", "'day' is not a mapping, such as {column: order_date, by: month}"),
        ("partition_by: {by: day}", "is missing; it is the name of a column that is DATE, DATETIME or TIMESTAMP"),
        ("partition_by: {column: other}", "other is not one of the contract's columns"),
        ("partition_by: {column: id}", "id is STRING, and a table is partitioned by a DATE or DATETIME or TIMESTAMP"),
        ("partition_by: {column: day, by: hour}", "a DATE has no hour: write one of day, month, year"),
        ("partition_by: {column: at, by: week}", "'week' is not hour, day, month or year"),
    ],
)
def test_a_layout_that_no_table_has_is_refused(tmp_path: Path, more: str, words: str) -> None:
    """One problem each, in words that say what to write."""
    (what,) = _problems(tmp_path, more)
    assert words in what


@pytest.mark.parametrize(
    ("more", "clustered", "names"),
    [
        ("", ["id", "day"], ["id"]),
        ("cluster_by: [day, id]", ["day", "id"], ["day"]),
        ("cluster_by: [v, id]", ["v", "id"], []),
        ("partition_by: {column: day, by: month}", ["id", "day"], ["id", "day"]),
        ("partition_by: {column: at, by: hour}", ["id", "day"], ["id"]),
        ("cluster_by: [day]\npartition_by: {column: day}", ["day"], ["day"]),
    ],
)
def test_g1_only_columns_of_the_key_bound_a_merge(
    tmp_path: Path, more: str, clustered: list[str], names: list[str]
) -> None:
    """A row's other columns change: a MERGE that did not see the row for it would write a second one."""
    feed = _feed(tmp_path, more)
    assert (clustering(feed), bounded(feed)) == (clustered, names)


@pytest.mark.parametrize(
    ("more", "places"),
    [
        ("partition_by: {column: day}", []),
        ("cluster_by: [id]", []),
        ("partition_by: {column: at}", [("partition_by", "column")]),
        ("cluster_by: [v]", [("cluster_by", 0)]),
    ],
)
def test_what_a_layout_costs_is_told(tmp_path: Path, more: str, places: list[Any]) -> None:
    """A contract may have it: `feeds check` prints a note, and ends 0."""
    assert [one.place for one in notes(_feed(tmp_path, more))] == places


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1, "1 bytes"),
        (1023, "1023 bytes"),
        (10 * 2**20, "10485760 bytes (10.0 MiB)"),
        (2**41, f"{2**41} bytes (2.0 TiB)"),
    ],
)
def test_a_size_is_shown_in_its_largest_unit(size: int, text: str) -> None:
    assert as_bytes(size) == text
