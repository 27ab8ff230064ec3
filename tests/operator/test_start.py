"""A command imports little before it does anything: that is what a person waits for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.topology import ROOT

_HEAVY = [
    *("google.api_core", "google.auth", "google.cloud.bigquery", "google.cloud.storage", "google.pubsub_v1"),
    *("grpc", "numpy", "pyarrow", "requests", "rich", "structlog"),
]
_CONTRACT = """\
feed: plain
objects: incoming/plain/*
format: {type: csv}
table: main.plain
key: [n]
version: v
columns:
  - {name: n, type: STRING}
  - {name: v, type: INT64}
"""


def _imported(words: list[str], folder: Path) -> tuple[int, set[str]]:
    """The exit code of a command and the names of all modules that it imported."""
    report = folder / "modules.json"
    code = (
        "import json, pathlib, sys\n"
        "from dropmerge.__main__ import main\n"
        f"sys.argv = ['dropmerge', *{words!r}]\n"
        "code = 0\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    code = end.code or 0\n"
        f"pathlib.Path({str(report)!r}).write_text(json.dumps([code, sorted(sys.modules)]))\n"
    )
    environ = {**os.environ, "DROPMERGE_STATE": str(folder / "state"), "DROPMERGE_FEEDS": str(folder / "feeds")}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, check=True)
    code_, modules = json.loads(report.read_text())
    return code_, set(modules)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("--help", 0),
        ("--version", 0),
        ("statu", 2),
        ("status --help", 0),
        ("status --bogus", 2),
        ("explain --help", 0),
        ("up --help", 0),
        ("backfill landing/x", 2),
        ("dead-letters --help", 0),
        ("dead-letters list --reason bad_luck", 2),
        ("dead-letters replay --help", 0),
        ("feeds --help", 0),
        ("env", 1),
        ("feeds check", 0),
    ],
)
def test_what_asks_nobody_imports_no_client(line: str, code: int, tmp_path: Path) -> None:
    """Help, mistyped lines, `env` and `feeds check` do without Google's clients and all that is slow to import."""
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "plain.yaml").write_text(_CONTRACT)
    ended, modules = _imported(line.split(" "), tmp_path)
    assert ended == code
    assert [name for name in _HEAVY if name in modules] == []
    assert "sqlglot" not in modules  # no check in the contract


def test_a_command_is_imported_when_it_is_chosen(tmp_path: Path) -> None:
    """The list of commands imports none of them, and `status` imports none of the others."""
    _, modules = _imported(["--help"], tmp_path)
    assert {name for name in modules if name.partition(".")[0] == "dropmerge"} == {
        "dropmerge",
        "dropmerge.__main__",
        "dropmerge.cli",
        "dropmerge.cli.main",
        "dropmerge.cli.plain_help",
    }
    _, modules = _imported(["status", "--help"], tmp_path)
    assert "dropmerge.cli.status" in modules
    assert not {"dropmerge.cli.backfill", "dropmerge.cli.drop", "dropmerge.operations.feeds"} & modules


def test_a_command_that_asks_imports_no_reader_of_arrow(tmp_path: Path) -> None:
    """Commands read rows as JSON; the client for BigQuery would import pyarrow and numpy where they are installed."""
    code = (
        "import sys, pathlib\n"
        "from dropmerge.operations.connection import Connection\n"
        "Connection('local', pathlib.Path('feeds')).warehouse\n"
        "sys.exit(','.join(name for name in ('pyarrow', 'numpy', 'pandas') if sys.modules.get(name)) or 0)\n"
    )
    environ = {**os.environ, "BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:1", "DROPMERGE_LOCATION": "US"}
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
