"""What `feeds check` passed in the field trials, and should not have; and what it refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dropmerge.cli.main import app

_CONTRACT = """\
feed: {feed}
objects: {objects}
format: {{type: csv}}
table: main.{feed}
key: [id]
version: v
columns:
  - {{name: id, type: STRING}}
  - {columns}
  - {{name: t, type: STRING}}
  - {{name: d, type: DATE}}
  - {{name: v, type: INT64}}
unknown_columns: reject
bad_rows: {{at_most: {at_most}}}
"""


def _write(path: Path, **more: str) -> Path:
    fields = {"feed": path.stem, "objects": f"'incoming/{path.stem}/*'", "columns": "{name: a, type: INT64}"}
    path.write_text(_CONTRACT.format(**{**fields, "at_most": "0", **more}))
    return path


def _run(*words: object) -> Any:
    return CliRunner().invoke(app, list(map(str, words)))


def _fault(path: Path) -> str:
    done = _run("feeds", "check", path)
    assert done.exit_code == 1, done.stdout
    (line,) = done.stderr.splitlines()
    return str(line).removeprefix(f"{path}:")


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("t > 5", "puts STRING and INT64 together"),
        ("LENGTH(a) > 2", "a is of type INT64, not STRING"),
        ("REGEXP_CONTAINS(t, '[')", "is not a pattern"),
        ("d > DATE '2024-02-30'", "is not the text of a DATE"),
        ("a = '5'", "puts INT64 and '5' together"),
    ],
)
def test_checks_not_typed(tmp_path: Path, check: str, words: str) -> None:
    """Each made a dead letter of every file."""
    said = _fault(_write(tmp_path / "chk.yaml", columns=f'{{name: a, type: INT64, check: "{check}"}}'))
    assert said.startswith("9:35: columns.1.check: ")
    assert words in said


def test_overlapping_feeds(tmp_path: Path) -> None:
    """A file dropped for ov_b was merged in ov_a's table."""
    _write(tmp_path / "ov_a.yaml", objects="incoming/ov/*")
    _write(tmp_path / "ov_b.yaml", objects="incoming/ov/*.csv")
    done = _run("feeds", "check", "--feeds", tmp_path)
    assert done.exit_code == 1
    assert done.stderr.startswith(
        f"{tmp_path}/ov_b.yaml:2:10: objects: an object such as incoming/ov/x.csv matches both"
    )
    assert "ov_a (incoming/ov/*) and ov_b (incoming/ov/*.csv)" in done.stderr


def test_contract_named_yml(tmp_path: Path) -> None:
    """It was passed over in silence."""
    _write(tmp_path / "one.yml")
    _write(tmp_path / "two.yaml")
    assert _run("feeds", "check", "--feeds", tmp_path).stdout == "2 contracts OK: one, two\n"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"at_most": "yes"}, "14:21: bad_rows.at_most: YAML reads yes as true, which is not a number of rows"),
        ({"at_most": "200%"}, "14:21: bad_rows.at_most: '200%' is not a number of rows"),
        ({"objects": "gs://landing/incoming/x/*.csv"}, "2:10: objects: begins with a bucket"),
        ({"objects": "/incoming/x/*.csv"}, "2:10: objects: begins with /"),
        ({"objects": "'incoming/x[0-9]/*.csv'"}, "2:10: objects: has [, which would be read literally"),
        ({"objects": "'incoming/x{a,b}/*.csv'"}, "2:10: objects: has {, which would be read literally"),
        ({"objects": "x/*.csv"}, "2:10: objects: no file under incoming/, where files are dropped, can match it"),
    ],
)
def test_nonsense_in_a_contract(tmp_path: Path, wrong: dict[str, str], expected: str) -> None:
    """Each said less than what it seemed to."""
    assert _fault(_write(tmp_path / "x.yaml", **wrong)).startswith(expected)


def test_bq_schema_types(tmp_path: Path) -> None:
    """As `bq show --schema` prints them."""
    columns = "{name: i, type: INTEGER}\n  - {name: f, type: FLOAT}\n  - {name: b, type: BOOLEAN}"
    _write(tmp_path / "pasted.yaml", columns=columns)
    shown = _run("feeds", "show", "pasted", "--json", "--feeds", tmp_path).stdout
    assert [f'"type": "{kind}"' in shown for kind in ("INT64", "FLOAT64", "BOOL", "INTEGER")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("name", ["null", "no", "true", "on", "2024", "NO", "1e5", "y"])
def test_init_of_null_csv(tmp_path: Path, name: str) -> None:
    """What `feeds init` proposes passes `feeds check`, whatever YAML makes of the file's name."""
    file, contract = tmp_path / f"{name}.csv", tmp_path / "made.yaml"
    file.write_text("id,no,updated_at\n1,5,2024-01-01T00:00:00Z\n")
    contract.write_text(_run("feeds", "init", file).stdout)
    checked = _run("feeds", "check", contract)
    assert (checked.exit_code, checked.stderr) == (0, "")


def test_delimiter_message(tmp_path: Path) -> None:
    """The message was a regular expression."""
    path = _write(tmp_path / "x.yaml")
    path.write_text(path.read_text().replace("{type: csv}", "{type: csv, delimiter: tab}"))
    what = "'tab' is not one ASCII character, such as ';' or \"\\t\": write \"\\t\" in double quotes for a tab"
    assert _fault(path) == f"3:32: format.delimiter: {what}"


def test_table_in_staging(tmp_path: Path) -> None:
    """Staging tables expire, and what begins as one is dropped."""
    path = _write(tmp_path / "x.yaml")
    path.write_text(path.read_text().replace("main.x", "staging.x"))
    assert _fault(path).startswith("4:8: table: dataset staging is the pipeline's own")
