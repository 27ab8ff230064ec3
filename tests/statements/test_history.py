"""Every version of a key: the table and the view of them, on Google's own engine."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
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
from tests.harness.googlesql import GoogleSql, Table
from tests.harness.modes import oracle
from tests.harness.staging import merge, stage

_FIRST = 1751328000000000
_STAGED: dict[tuple[str, Sequence[oracle.Texts]], Table] = {}
_NAMES = ("id", "day", "rev", "price", "op")


def _load(number: int) -> Load:
    return Load("f", ObjectGeneration("landing", f"{number}.csv", _FIRST + number))


def _feed(terms: oracle.Terms, **more: Any) -> Feed:
    return Feed.model_validate({**terms.yaml("f"), **more})


def _stage(warehouse: GoogleSql, feed: Feed, files: Sequence[Sequence[oracle.Texts]], number: int) -> None:
    """The staging table, made once for each contract."""
    name = staging_name("local", feed, _load(number).load_id)
    if (name, files[number]) not in _STAGED:
        one = GoogleSql()
        stage(one, feed, _load(number), [dict(zip(_NAMES, row, strict=True)) for row in files[number]])
        _STAGED[name, files[number]] = one.tables[name]
    warehouse.tables[name] = replace(_STAGED[name, files[number]])


def _merged(feed: Feed, files: Sequence[Sequence[oracle.Texts]], groups: Sequence[Sequence[int]]) -> GoogleSql:
    """A warehouse in which these groups of files, by their numbers, were merged one after the other."""
    warehouse = GoogleSql()
    for group in groups:
        for number in group:
            _stage(warehouse, feed, files, number)
        assert merge(warehouse, feed, _load(group[0])) in ("merged", "already_merged")
    return warehouse


def _history(warehouse: GoogleSql) -> list[dict[str, Any]]:
    return warehouse.query(warehouse.views["local.main.f_history"])


def _intervals(warehouse: GoogleSql) -> Counter[oracle.Value]:
    """As the oracle has them."""
    return Counter(
        (
            row["id"],
            _plain(row["day"]),
            row["rev"],
            row["price"],
            *(_plain(row[f"_valid_{end}"]) for end in ("from", "to")),
        )
        for row in _history(warehouse)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return str(value) if isinstance(value, date) else value


def _expected(terms: oracle.Terms, files: Sequence[Sequence[oracle.Texts]]) -> Counter[oracle.Value]:
    good = {_FIRST + number: oracle.read(terms, rows) for number, rows in enumerate(files)}
    return oracle.intervals(terms, {generation: rows for generation, rows in good.items() if rows is not None})


_FILES: Sequence[Sequence[oracle.Texts]] = (
    # A key that is deleted and comes back, one that stays, one of which a delete is all there is.
    (("a", "2020-01-01", "1", "1", "U"), ("b", "2020-01-01", "1", "1", "U"), ("a", "2020-01-03", "3", "", "D")),
    # Late rows in the middle, also a delete, and one of two equal ones: the versions around them are there.
    (("a", "2020-01-02", "2", "2", "U"), ("b", "2020-01-02", "2", "1", "U"), ("c", "2020-01-02", "2", "", "D")),
    # The same version anew, by a newer file; a day with several revisions, of which the last one counts.
    (("a", "2020-01-04", "4", "4", "U"), ("b", "2020-01-01", "1", "9", "U"), ("b", "2020-01-02", "5", "5", "D")),
    # What was said already.
    (("a", "2020-01-04", "4", "4", "U"), ("b", "2020-01-01", "1", "9", "U"), ("b", "2020-01-02", "6", "6", "U")),
)
_VERSIONS = [("day", "rev"), ()]


@pytest.mark.parametrize("version", _VERSIONS, ids=lambda one: "-".join(one) or "generation")
def test_g1_g3_the_history_is_a_function_of_the_files(version: tuple[str, ...]) -> None:
    """Late rows in the middle, deletes, revivals, equal versions and replays; in any order, alone and in groups."""
    terms = oracle.Terms(version=version, history=True)
    feed, expected = _feed(terms), _expected(terms, _FILES)
    histories = ([[3], [2], [1], [0]], [[0, 1, 2, 3]], [[2], [0, 3], [1, 2]])
    warehouses = [_merged(feed, _FILES, groups) for groups in histories]
    for warehouse in warehouses:
        assert _intervals(warehouse) == expected
        assert all(row["_is_current"] == (row["_valid_to"] is None) for row in _history(warehouse))
        current = [{**row} for row in warehouse.query(warehouse.views["local.main.f_current"])]
        shown = [{name: row[name] for name in current[0]} for row in _history(warehouse) if row["_is_current"]]
        assert sorted(shown, key=str) == sorted(current, key=str)


def test_what_a_history_looks_like() -> None:
    """Written by hand: of the type of the version, deletes end an interval and are none, no time is no interval."""
    feed = _feed(oracle.Terms(version=("day", "rev"), history=True))
    found = _intervals(_merged(feed, _FILES, [[3, 1], [0, 2]]))
    assert found == Counter(
        [
            ("a", "2020-01-01", 1, Decimal(1), "2020-01-01", "2020-01-02"),
            ("a", "2020-01-02", 2, Decimal(2), "2020-01-02", "2020-01-03"),
            ("a", "2020-01-04", 4, Decimal(4), "2020-01-04", None),
            ("b", "2020-01-01", 1, Decimal(9), "2020-01-01", "2020-01-02"),
            ("b", "2020-01-02", 6, Decimal(6), "2020-01-02", None),
        ]
    )


def test_a_row_that_newer_files_repeat_is_one_where_the_newest_file_wins() -> None:
    """Whatever its values: without a version nothing in the row says that it was written anew."""
    columns = [{"name": "id", "type": "STRING"}]
    texts = {"STRING": "é", "FLOAT64": "1e5", "BOOL": "true", "DATE": "2020-01-01", "NUMERIC": "1.50", "INT64": "-0"}
    texts |= {"TIMESTAMP": "2020-01-01T00:00:00Z"}
    columns += [{"name": f"a_{kind.lower()}", "type": kind} for kind in texts]
    feed = _feed(oracle.Terms(history=True), columns=columns, delete=None, unknown_columns="rescue")
    full = {"id": "a", **{f"a_{kind.lower()}": text for kind, text in texts.items()}}
    empty = {"id": "a", **{f"a_{kind.lower()}": "" for kind in texts}}
    warehouse = GoogleSql()
    for number, row in enumerate([empty, empty, full, full, empty]):
        stage(warehouse, feed, _load(number), [row])
        merge(warehouse, feed, _load(number))
    ends = [_plain(row["_valid_from"]) - _FIRST for row in _history(warehouse)]
    assert sorted(ends) == [0, 2, 4]


def test_g1_a_transaction_that_was_torn_between_the_two_tables_is_repaired() -> None:
    """A crash of the local warehouse only leaves one table without the other."""
    feed = _feed(oracle.Terms(version=("day",), history=True))
    names = ("local.main.f", "local.main.f_versions", ledger_table("local"))
    whole = _merged(feed, _FILES, [[0], [1, 2, 3]])
    for lost in itertools.chain.from_iterable(itertools.combinations(names[:2], size) for size in (1, 2)):
        warehouse = _merged(feed, _FILES, [[0]])
        before = {name: list(warehouse.tables[name].rows) for name in names}
        for number in (1, 2):
            _stage(warehouse, feed, _FILES, number)
        _apply(warehouse, feed, [1, 2])
        for name in (*lost, names[2]):
            warehouse.tables[name].rows = before[name]
        for number in (1, 2, 3):
            _stage(warehouse, feed, _FILES, number)
        merge(warehouse, feed, _load(1))
        for name in names[:2]:
            assert _bag(warehouse, name) == _bag(whole, name)


def _apply(warehouse: GoogleSql, feed: Feed, numbers: Sequence[int]) -> None:
    ids = [_load(number).load_id for number in numbers]
    group = [find_staged(warehouse, feed, one, staging_name("local", feed, one)) for one in ids]
    merge_group(MainTables(warehouse, "local"), feed, group)


def _bag(warehouse: GoogleSql, table: str) -> Counter[str]:
    return Counter(map(str, warehouse.tables[table].as_dicts()))


def test_g9_versions_are_kept_of_all_rows_or_of_none() -> None:
    """A table that has rows goes on by the same answer only, whichever it is: versions of a part are no history."""
    with_, without = (_feed(oracle.Terms(version=("day",), history=one)) for one in (True, False))
    for first, second in ((with_, without), (without, with_)):
        warehouse = _merged(first, _FILES, [[0]])
        _stage(warehouse, second, _FILES, 1)
        with pytest.raises(PermanentError, match=r"every version kept \(history\).*dropmerge rebuild f") as refused:
            merge(warehouse, second, _load(1))
        assert refused.value.reason == "contract_changed"
    (entry,) = _merged(with_, _FILES, [[0]]).query(f"SELECT identity FROM `{entries_table('local')}`")
    assert entry["identity"] == "key id STRING; version day DATE; every version kept (history)"


def test_g9_a_table_of_versions_that_is_gone_is_not_begun_anew() -> None:
    """Nor is one taken that is of another main table."""
    feed = _feed(oracle.Terms(version=("day",), history=True))
    warehouse = _merged(feed, _FILES, [[0]])
    kept = warehouse.tables.pop("local.main.f_versions")
    _stage(warehouse, feed, _FILES, 1)
    with pytest.raises(PermanentError, match=r"main\.f_versions is gone") as refused:
        merge(warehouse, feed, _load(1))
    assert refused.value.reason == "contract_changed"
    kept.labels["dropmerge_versions_of"] = "another"
    warehouse.tables["local.main.f_versions"] = kept
    with pytest.raises(
        PermanentError, match=r"main.f_versions exists, but does not belong to the current main.f.*drop main"
    ):
        merge(warehouse, feed, _load(1))


def test_the_table_of_versions_follows_the_contract() -> None:
    """A column that comes and one that goes, as in the main table."""
    terms = oracle.Terms(version=("day",), history=True)
    columns = list(terms.yaml("f")["columns"])
    warehouse = _merged(_feed(terms), _FILES, [[0]])
    later = _feed(terms, columns=[*columns[:2], {"name": "op", "type": "STRING"}], delete=None)
    _stage(warehouse, later, _FILES, 1)
    merge(warehouse, later, _load(1))
    names = [name for name, _ in warehouse.tables["local.main.f_versions"].columns]
    assert names == [name for name, _ in warehouse.tables["local.main.f"].columns]
    (row,) = [
        one
        for one in warehouse.tables["local.main.f_versions"].as_dicts()
        if str(one["day"]) == "2020-01-02" and one["id"] == "a"
    ]
    assert (row["op"], row["price"]) == ("U", None)
    assert set(_history(warehouse)[0]) == {"id", "day", "op", "_valid_from", "_valid_to", "_is_current"}
