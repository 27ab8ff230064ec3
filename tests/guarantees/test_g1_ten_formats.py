"""G1, G7: the same rows in any format are the same table, and are refused for the same reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from deploy.topology import ROOT
from dropmerge.operations.trial.files import Trial
from dropmerge.operations.trial.sandbox import Sandbox, sandbox
from generator.__main__ import app
from services.shared.contract.feed import Feed
from services.shared.contract.reader import read_feed
from tests.harness.forms import TEN, Form

_COLUMNS: list[dict[str, Any]] = [
    {"name": "id", "type": "STRING", "mode": "REQUIRED"},
    {"name": "changed", "type": "TIMESTAMP", "mode": "REQUIRED"},
    {"name": "text", "type": "STRING"},
    {"name": "amount", "type": "NUMERIC"},
    {"name": "count", "type": "INT64"},
    {"name": "share", "type": "FLOAT64", "check": "share <= 1"},
    {"name": "born", "type": "DATE"},
    {"name": "paid", "type": "BOOL"},
    {"name": "data", "type": "BYTES"},
]
_NAMES = [*(one["name"] for one in _COLUMNS), "op"]
_KINDS = [*(one["type"] for one in _COLUMNS), "STRING"]
_EMPTY = (None,) * 7

_EARLY, _LATE = "1969-12-31T23:59:58.999999Z", "2024-02-29T12:00:00.000001Z"
_ROWS = [
    (
        "Ä-1",
        _EARLY,
        "Müller & Söhne, 5 €",
        "-0.000000001",
        "-9223372036854775808",
        "0.1",
        "1899-12-31",
        "true",
        "AP8=",
    ),
    (
        "ß;2",
        _EARLY,
        'said "so",\nthen\tleft',
        "-12345678901234567890123456789.123456789",
        "9007199254740993",
        "-2.5e-07",
        "0001-01-01",
        "false",
        None,
    ),
    ("3", _LATE, "", None, "9223372036854775807", None, "2024-02-29", None, "eA=="),
    ("4", _EARLY, "goes", "1", "1", "1", "1970-01-01", "true", None),
    ("5", _EARLY, " blanks around ", "650", "0", "0.30000000000000004", "9999-12-31", "false", None),
    ("3", _EARLY, "late", "5", "5", "0.5", "2000-01-01", "true", None),
    ("5", _LATE, "ÄÖÜäöüß€", "-650.25", "-7", "0", "1582-10-15", None, None),
    ("6", _LATE, "too much", "1", "1", "1.5", "1900-01-01", "true", None),
    (None, _LATE, "whose?", "1", "1", "0.5", "1900-01-01", "true", None),
    ("7", None, None, None, "3", "17", None, None, None),
]
_DELETES = [("4", _LATE, *_EMPTY)]
_REJECTED = {
    ("6", ("check_failed: share",)),
    (None, ("missing_value: id",)),
    ("7", ("check_failed: share", "missing_value: changed")),
}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_EXPECTED = [
    ["3", _moment(_LATE), None, None, 2**63 - 1, None, date(2024, 2, 29), None, b"x"],
    ["5", _moment(_LATE), "ÄÖÜäöüß€", Decimal("-650.25"), -7, 0.0, date(1582, 10, 15), None, None],
    ["Ä-1", _moment(_EARLY), "Müller & Söhne, 5 €", Decimal("-1e-9"), -(2**63), 0.1, date(1899, 12, 31), True,
     b"\x00\xff"],
    ["ß;2", _moment(_EARLY), 'said "so",\nthen\tleft', Decimal("-12345678901234567890123456789.123456789"), 2**53 + 1,
     -2.5e-07, date(1, 1, 1), False, None],
]  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(lambda: False) as box:
        yield box


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_g1_g7_the_same_rows_in_ten_formats_are_the_same_table(box: Sandbox, tmp_path: Path) -> None:
    """Umlauts, quotes, ends of lines, 9 decimals, 64 bits, days long before 1970 and microseconds; a row that is late,
    a delete, and rows that are refused."""
    rows = [*((*row, "U") for row in _ROWS), *((*row, "D") for row in _DELETES)]
    for number, (name, form) in enumerate(TEN.items()):
        trial = Trial(box, _feed(form), f"ten-{number}")
        file = tmp_path / str(number)
        file.write_bytes(form.write(_NAMES, _KINDS, rows))
        (tried,) = trial.run([file])
        assert tried.read.fault is None, name
        rejected = [(row.row["id"], tuple(sorted(row.reasons))) for row in tried.read.rejected]
        assert Counter(rejected) == Counter(_REJECTED), name
        assert trial.rows()[1] == _EXPECTED, name


def _feed(form: Form) -> Feed:
    contract = {
        "feed": "people",
        "objects": "incoming/people/*",
        "format": form.yaml(),
        "table": "main.people",
        "key": ["id"],
        "version": "changed",
        "delete": {"column": "op", "equals": "D"},
        "columns": _COLUMNS,
        "bad_rows": {"at_most": 3},
    }
    return Feed.model_validate(contract)


_MADE = {
    "csv": {"type": "csv", "encoding": "utf-16"},
    "ndjson": {"type": "ndjson"},
    "parquet": {"type": "parquet"},
    "avro": {"type": "avro"},
    "orc": {"type": "orc"},
}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_g1_generated_files_of_any_format_make_the_expected_table(box: Sandbox, tmp_path: Path) -> None:
    """With deletes, repeated and late rows, by the contract of accounts."""
    contract = yaml.safe_load((ROOT / "deploy" / "feeds" / "accounts.yaml").read_text(encoding="utf-8"))
    for name, format_ in _MADE.items():
        path, file, answer = tmp_path / f"{name}.yaml", tmp_path / name, tmp_path / f"{name}.csv"
        path.write_text(yaml.safe_dump({**contract, "format": format_}), encoding="utf-8")
        shares = [text for one in ("delete", "late", "duplicate") for text in (f"--{one}-probability", "0.1")]
        words = ["initial", "--rows", "300", "--out", file, "--expect", answer, "--format", name, *shares]
        words += ["--encoding", "utf-16", "--gzip"] if name == "csv" else ["--gzip"] if name == "ndjson" else []
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        trial = Trial(box, read_feed(path), f"made-{name}")
        (tried,) = trial.run([file])
        assert tried.read.is_good, name
        expected = [line.split(",") for line in answer.read_text(encoding="utf-8").splitlines()[1:]]
        assert len(expected) > 100
        assert [[_text(value) for value in row] for row in trial.rows()[1]] == expected, name


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return "" if value is None else f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
