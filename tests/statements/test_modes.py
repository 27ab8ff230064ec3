"""What a main table is made of, by its mode, on Google's own engine, and what tells keys and versions apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from services.merge.entries import entries_table
from services.merge.ledger import ledger_table
from services.merge.main_table import MainTables
from services.merge.merge_group import merge_group
from services.merge.staged import find_staged
from services.merge.statement import staging_name
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import Texts, check, merge, stage

_FIRST = 1751328000000000
_DAY = 86_400_000_000


def _feed(**more: Any) -> Feed:
    columns = [
        {"name": "id", "type": "STRING"},
        {"name": "price", "type": "FLOAT64"},
        {"name": "day", "type": "DATE"},
        {"name": "rev", "type": "INT64"},
    ]
    form = {"type": "csv"}
    return Feed.model_validate(
        {"feed": "f", "objects": "x/*", "format": form, "table": "main.f", "columns": columns, **more}
    )


def _row(id_: str, price: str = "", day: str = "2025-06-30", rev: str = "1", **more: str) -> Texts:
    return {"id": id_, "price": price, "day": day, "rev": rev, **more}


def _load(number: int) -> Load:
    return Load("f", ObjectGeneration("landing", f"{number}.csv", _FIRST + number))


APPEND = _feed(mode="append")
SNAPSHOT = _feed(mode="snapshot", key=["id"], snapshot={"at_least": 0})


def _merged(feed: Feed, files: Sequence[list[Texts]], groups: Sequence[Sequence[int]]) -> GoogleSql:
    """A warehouse in which these groups of files, by their numbers, were merged one after the other."""
    warehouse = GoogleSql()
    for group in groups:
        for number in group:
            _stage(warehouse, feed, files, number)
        assert merge(warehouse, feed, _load(group[0])) in ("merged", "already_merged")
    return warehouse


def _stage(warehouse: GoogleSql, feed: Feed, files: Sequence[list[Texts]], number: int) -> None:
    if files[number]:
        stage(warehouse, feed, _load(number), files[number])
    else:
        # A header alone.
        one = feed.model_copy(update={"bad_rows": feed.bad_rows.model_copy(update={"at_most": "100%"})})
        one.__dict__["fingerprint"] = feed.fingerprint
        stage(warehouse, one, _load(number), [_row("", "x", "x", "x")])


def _rows(warehouse: GoogleSql, live: bool = True) -> list[dict[str, Any]]:
    found = warehouse.query("SELECT * FROM `local.main.f`")
    return [row for row in found if not (live and row["_deleted"])]


def _prices(warehouse: GoogleSql) -> dict[str, float | None]:
    return {row["id"]: row["price"] for row in _rows(warehouse)}


def _bag(warehouse: GoogleSql, live: bool = True) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(map(str, row.values())) for row in _rows(warehouse, live))


def test_g1_append_has_each_row_of_each_load_once_whatever_repeats() -> None:
    """Equal rows of one file, and of two, stay as many as they are; so do rows without any value."""
    files = [[_row("a", "1"), _row("a", "1"), _row("", "", "", "")], [_row("a", "1"), _row("b", "2.5")], []]
    histories = ([[0], [1], [2]], [[1], [0], [1], [1, 0]], [[1, 0, 2]])
    warehouses = [_merged(APPEND, files, groups) for groups in histories]
    assert _bag(warehouses[0]) == _bag(warehouses[1]) == _bag(warehouses[2])
    assert Counter(row["id"] for row in _rows(warehouses[0])) == {"a": 3, None: 1, "b": 1}


@pytest.mark.parametrize("feed", [APPEND, SNAPSHOT], ids=["append", "snapshot"])
def test_g1_a_transaction_that_was_torn_is_repaired_by_repeating_it(feed: Feed) -> None:
    """All but the ledger was written: it is a crash of the local warehouse only that leaves it so."""
    files = [[_row("a", "1"), _row("b", "1")], [_row("a", "2"), _row("c", "2")]]
    whole = _merged(feed, files, [[0], [1]])
    for torn in ([0], [1]):
        warehouse = _merged(feed, files, [[0]] if torn == [1] else [])
        for number in torn:
            _stage(warehouse, feed, files, number)
            before = list(warehouse.tables[ledger_table("local")].rows) if torn == [1] else []
            _apply(warehouse, feed, torn)
            warehouse.tables[ledger_table("local")].rows = before
        for number in range(2):
            _stage(warehouse, feed, files, number)
            merge(warehouse, feed, _load(number))
        assert _bag(warehouse, live=False) == _bag(whole, live=False)


def _apply(warehouse: GoogleSql, feed: Feed, numbers: Sequence[int]) -> None:
    ids = [_load(number).load_id for number in numbers]
    group = [find_staged(warehouse, feed, one, staging_name("local", feed, one)) for one in ids]
    merge_group(MainTables(warehouse, "local"), feed, group)


def test_g1_g3_a_snapshot_is_the_table_whatever_the_order() -> None:
    """Keys that the newest file lacks are deleted, and an older file that comes late brings none back, also none that
    was never there; alone, in groups, repeated. The tombstones are the same, too."""
    files = [
        [_row("a", "1"), _row("b", "1"), _row("z", "1")],
        [_row("a", "2"), _row("c", "2")],
        [_row("a", "3"), _row("b", "3"), _row("b", "2")],
    ]
    histories = ([[0], [1], [2]], [[2], [1], [0]], [[0, 1, 2]], [[2], [0, 1]], [[1], [0, 2]], [[0, 1], [2]])
    warehouses = [_merged(SNAPSHOT, files, one) for one in histories]
    assert [_prices(one) for one in warehouses] == [{"a": 3.0, "b": 3.0}] * len(warehouses)
    tables = [_bag(one, live=False) for one in warehouses]
    assert all(table == tables[0] for table in tables)
    gone = {row["id"]: (row["price"], row["_generation"] - _FIRST) for row in _rows(warehouses[0], live=False)}
    assert (gone["z"], gone["c"]) == ((None, 0), (None, 1))


def test_g3_an_empty_snapshot_deletes_all_and_is_remembered() -> None:
    files = [[_row("a", "1")], [_row("b", "1")], []]
    for groups in ([[0], [2], [1]], [[2], [0]], [[0, 1, 2]]):
        assert _prices(_merged(SNAPSHOT, files, groups)) == {}, groups


def test_g7_a_snapshot_that_is_too_small_is_refused_when_it_arrives() -> None:
    """By its own message only: others are merged."""
    feed = _feed(mode="snapshot", key=["id"])
    files = [[_row(one) for one in "abcd"], [_row("a")], [_row(one) for one in "ab"]]
    warehouse = _merged(feed, files, [[0]])
    _stage(warehouse, feed, files, 1)
    with pytest.raises(PermanentError, match="the file has 1 keys") as refused:
        merge(warehouse, feed, _load(1))
    assert refused.value.reason == "snapshot_too_small"
    _stage(warehouse, feed, files, 2)
    assert merge(warehouse, feed, _load(2)) == "merged"
    assert set(_prices(warehouse)) == {"a", "b"}
    # The newer file has the say by now: the older one is taken, and changes nothing.
    assert merge(warehouse, feed, _load(1)) == "merged"
    assert set(_prices(warehouse)) == {"a", "b"}
    assert set(_prices(_merged(feed, [files[1]], [[0]]))) == {"a"}


def test_g1_a_version_of_several_columns_is_compared_one_after_the_other() -> None:
    feed = _feed(key=["id"], version=["day", {"column": "rev", "ahead": "24h"}])
    files = [[_row("a", "1", "2025-06-29", "9")], [_row("a", "2", "2025-06-30", "2")], [_row("a", "3", rev="1")]]
    for groups in ([[0], [1], [2]], [[2], [1], [0]], [[0, 1, 2]]):
        assert _prices(_merged(feed, files, groups)) == {"a": 2.0}


@pytest.mark.parametrize(("ahead", "refused"), [("24h", 7), ("1d", 7), ("30m", 8), ("7d", 1), ("any", 0), ("0m", 8)])
def test_g7_how_far_ahead_a_version_may_be(ahead: str, refused: int) -> None:
    """Of files that were created on the first of July at midnight."""
    feed = _feed(key=["id"], version={"column": "day", "ahead": ahead}, bad_rows={"at_most": "100%"})
    found = check(GoogleSql(), feed, _load(0), [_row("a", day=f"2025-07-0{n}") for n in range(1, 10)])
    bad = [row["_reasons"] for row in found if row["_reasons"]]
    assert all(one == ["version_in_the_future: day"] for one in bad)
    assert len(bad) == refused


def test_g7_a_key_that_is_there_twice_is_a_reason_where_the_feed_wants_it() -> None:
    """All rows of the key, deletes and rows that are bad for another reason too, of each key but an empty one."""
    feed = _feed(
        key=["id"], version="day", twice="reject", delete={"column": "op", "equals": "D"}, bad_rows={"at_most": 9}
    )
    rows = [
        _row("a", op=""),
        _row("a", op="D", price="x"),
        _row("b", op=""),
        _row("c", "x", op=""),
        _row("c", op=""),
        _row("", op=""),
        _row("", op=""),
    ]
    twice, both, empty = ["key_twice"], ["not_a_number: price", "key_twice"], ["missing_value: id"]
    found = check(GoogleSql(), feed, _load(0), rows)
    assert sorted(row["_reasons"] for row in found) == sorted([twice, twice, [], both, twice, empty, empty])
    kept = check(GoogleSql(), feed.model_copy(update={"twice": "keep"}), _load(0), rows)
    assert sorted(row["_reasons"] for row in kept) == sorted([[], [], [], ["not_a_number: price"], [], empty, empty])


def test_another_mode_is_another_table() -> None:
    """What a table was made by is refused to go on by another mode, and the entry says which it is."""
    warehouse = _merged(APPEND, [[_row("a")]], [[0]])
    stage(warehouse, SNAPSHOT, _load(1), [_row("b")])
    with pytest.raises(PermanentError, match="each row of each file is one") as refused:
        merge(warehouse, SNAPSHOT, _load(1))
    assert refused.value.reason == "contract_changed"
    (entry,) = warehouse.query(f"SELECT identity FROM `{entries_table('local')}`")
    assert entry["identity"] == "no key: each row of each file is one (mode append)"
