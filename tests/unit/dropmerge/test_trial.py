"""Expected rows are held against those that came, and what differs is named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from deploy import bundle
from deploy.topology import ROOT, SERVICES
from dropmerge.cli import trial_words
from dropmerge.operations.trial.cases import Case, Outcome, find_cases
from dropmerge.operations.trial.comparison import Table, UnreadableError, differences, read_table
from dropmerge.operations.trial.effect import Effect
from dropmerge.operations.trial.files import _created
from dropmerge.operations.trial.junit import junit_xml
from dropmerge.operations.trial.preview import _price
from dropmerge.operations.trial.price import price_of_merge
from dropmerge.operations.trial.reading import Fault, Header, Read, RejectedRow
from dropmerge.operations.trial.texts import canonical, text_of
from services.ingest.check_rows import Counts
from services.merge.follow import definition
from services.merge.staged import Staged
from services.shared.contract.reader import read_feed
from tests.harness.main_table import CREATED, described

_FEED = read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml")
_FOUND = Table(["id", "n", "note"], [("a", "1", None), ("b", "2", "x"), ("b", "2", "x")])


def _differences(expected: Table, key: tuple[str, ...] = ("id",)) -> list[str]:
    return list(differences(expected, _FOUND, key))


def test_the_order_of_rows_and_of_columns_does_not_matter() -> None:
    assert _differences(Table(["note", "id"], [("x", "b"), (None, "a"), ("x", "b")])) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", "1"), ("b", "3"), ("b", "2")], ["id='b': n is '2', expected '3'"]),
        ([("a", None), ("b", "2"), ("b", "2")], ["id='a': n is '1', expected NULL"]),
        ([("a", "1"), ("b", "2")], ["not expected: id='b', n='2'"]),
        ([("a", "1"), ("b", "2"), ("b", "2"), ("c", "1")], ["missing: id='c', n='1'"]),
        ([], ["not expected: id='a', n='1'", *["not expected: id='b', n='2'"] * 2]),
    ],
)
def test_each_row_that_differs_is_named(rows: list[tuple[str | None, ...]], said: list[str]) -> None:
    """How often a row is there counts too."""
    assert _differences(Table(["id", "n"], rows)) == said


def test_without_the_key_a_changed_row_is_one_missing_and_one_not_expected() -> None:
    assert _differences(Table(["n"], [("1",), ("2",), ("3",)])) == ["missing: n='3'", "not expected: n='2'"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no header"),
        ("id,id\n1,2\n", "a name twice"),
        ("id,n\n1\n", "line 2: 1 fields, the header has 2"),
        ('id\n"1', "unexpected end of data"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "expected.csv").write_text(text)
    with pytest.raises(UnreadableError, match=words):
        read_table(tmp_path / "expected.csv", lambda _, text: text)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(UnreadableError, match="no column nmae here; the columns are: id, n, note"):
        _differences(Table(["nmae"], []))


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("NUMERIC", "650.00", Decimal("650.000000000")),
        ("NUMERIC", "-0.0", Decimal(0)),
        ("INT64", "+7", 7),
        ("BOOL", "TRUE", True),
        ("DATE", "2025-01-31", date(2025, 1, 31)),
        ("FLOAT64", "1e3", 1000.0),
        ("TIMESTAMP", "2025-01-01 01:00:00+01:00", datetime(2025, 1, 1, tzinfo=UTC)),
        ("TIMESTAMP", "2025-01-01T00:00:00.5Z", datetime(2025, 1, 1, 0, 0, 0, 500_000, UTC)),
        ("STRING", " 007 ", " 007 "),
        ("STRING", "", None),
    ],
)
def test_values_are_compared_by_their_type(kind: str, written: str, value: object) -> None:
    assert canonical(written, kind) == text_of(value)


def test_what_is_no_value_of_the_type_equals_none() -> None:
    assert canonical("650.00 EUR", "NUMERIC") == "650.00 EUR"


def test_a_file_is_created_when_it_was_modified_and_after_the_one_before_it(tmp_path: Path) -> None:
    """A time that is to come is now: no object is created then."""
    import os

    old, older, late = (tmp_path / name for name in ("old", "older", "late"))
    for path, at in ((old, 1000), (older, 500), (late, 10**11)):
        path.touch()
        os.utime(path, (at, at))
    found = list(_created([old, older, late]))
    assert [(generation, by) for _, generation, by in found[:2]] == [
        (1000 * 10**6, "modification time"),
        (1000 * 10**6 + 1, "the file before"),
    ]
    assert found[2][2] == "now"
    assert abs(found[2][1] / 1e6 - datetime.now(UTC).timestamp()) < 60


def _outcome(name: str, *said: str) -> Outcome:
    files = {"expected.csv": "id\n", "rejected.csv": None}
    return Outcome(Case(_FEED, Path("tests/accounts") / name), 1.5, said, files)


def test_a_ci_system_reads_which_case_failed_and_why() -> None:
    """Characters that XML does not have are escaped."""
    root = fromstring(junit_xml([_outcome("good"), _outcome("bad", "missing: id='\x01'", "more & <more>")]))
    assert (root.attrib["tests"], root.attrib["failures"]) == ("2", "1")
    good, bad = root.iter("testcase")
    assert (good.attrib["classname"], good.attrib["name"], len(good)) == ("accounts", "good", 0)
    failure = bad.find("failure")
    assert failure is not None
    assert failure.text == "missing: id='\\x01'\nmore & <more>"


def test_only_a_failing_case_is_written_anew(tmp_path: Path) -> None:
    """And a file that is not needed is deleted where it is there."""
    assert _outcome("good").changes() == {}
    case = Case(_FEED, tmp_path)
    failing = Outcome(case, 0, ["x"], {"expected.csv": "id\n", "rejected.csv": None})
    assert failing.changes() == {tmp_path / "expected.csv": "id\n"}
    (tmp_path / "rejected.csv").touch()
    assert failing.changes() == {tmp_path / "expected.csv": "id\n", tmp_path / "rejected.csv": None}


def test_a_cases_files_are_dropped_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "accounts" / "one"
    folder.mkdir(parents=True)
    for name in ("b.csv", "a.csv.gz", "expected.csv", "rejected.csv", ".DS_Store"):
        (folder / name).touch()
    (case,) = find_cases([_FEED], tmp_path)
    assert (case.name, [path.name for path in case.files]) == ("accounts/one", ["a.csv.gz", "b.csv"])


@pytest.mark.parametrize("service", SERVICES)
def test_no_case_is_deployed(service: str) -> None:
    assert (ROOT / "deploy" / "feeds" / "tests" / "accounts").is_dir()
    assert not [name for name in bundle.contents(service) if "tests" in name]


def test_the_price_of_a_feed_that_keeps_versions_is_that_of_both_tables() -> None:
    """Of no versions yet it is no less than what BigQuery bills for a table."""
    size, file = 100 * 2**30, 50 * 2**20
    alone, none, both = (price_of_merge(size, file, versions) for versions in (None, 0, size))
    assert (none.bytes_read, both.bytes_read) == (alone.bytes_read + file, alone.bytes_read + file + size)
    assert (none.bytes_billed, both.bytes_billed) == (
        alone.bytes_billed + 10 * 2**20 + file,
        alone.bytes_billed + size + file,
    )
    feed = _FEED.model_copy(update={"history": True})
    (said,) = trial_words.lines(feed, Read(), None, both)
    assert said.startswith("its MERGE alone, with that of its versions: 200.")


def test_what_is_said_of_a_file() -> None:
    """To its owner, values and all."""
    header = Header(["customer_id"], ["account_balance"], ["branch"], [], [], False)
    rejected = RejectedRow(3, {"not_an_integer: credit_score": "high"}, {"customer_id": "c1"})
    found = Read(header, Counts(5, 1, 2, 1), {"not_an_integer: credit_score": 1}, [rejected], Fault("why", "how"))
    said = list(trial_words.lines(_FEED, found, Effect(1, 2, 0, 0, 3, 0), price_of_merge(100 * 2**30, 10)))
    assert said == [
        "header: 1 of 5 columns found; missing, so NULL or the default: account_balance; ignored: branch; "
        "no operation, so no row is a delete",
        "5 rows, 1 rejected",
        "warning: rows have the same key and version but differ, so only one is kept (1 time)",
        "  1 row: not_an_integer: credit_score",
        "  record 3, customer_id='c1': not_an_integer: credit_score, 'high'",
        "would be a dead letter: why: how",
        "main.accounts: 1 inserted, 2 updated, 3 ignored, because the table has newer ones",
        "its MERGE alone: 100.0 GiB read, 100.1 GiB billed, 0.6108 $ at the on-demand list price, "
        "by the model of docs/costs.md",
    ]


@pytest.mark.parametrize(("answer", "counted_by", "read"), [(5 * 2**30, "dry_run", 5 * 2**30), (0, "model", 20)])
def test_bigquery_is_asked_what_a_merge_would_read(
    monkeypatch: pytest.MonkeyPatch, answer: int, counted_by: str, read: int
) -> None:
    """Without running it; where it does not say, the model counts."""
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    asked = []

    def query(sql: str, job_config: Any) -> Any:
        asked.append((sql, job_config.dry_run))
        return SimpleNamespace(total_bytes_processed=answer)

    connection: Any = SimpleNamespace(project="local", warehouse=SimpleNamespace(client=SimpleNamespace(query=query)))
    table, entry = described("local.main.accounts", definition(_FEED)), SimpleNamespace(table_id="a" * 32)
    assert table.created == CREATED
    entries: Any = [entry]
    price = _price(connection, _FEED, Staged("l", "local.staging.s"), table, entries, 10, can_be_asked=True)
    assert (price.counted_by, price.bytes_read) == (counted_by, read)
    ((sql, is_dry_run),) = asked
    assert is_dry_run
    assert "MERGE `local.main.accounts`" in sql
