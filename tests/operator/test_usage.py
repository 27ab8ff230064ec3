"""A mistyped command is answered in one line, with exit code 2 and nothing done; help and completion answer."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from deploy.topology import ROOT
from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import CODES, DONE, FAILED, INTERRUPTED, USAGE
from dropmerge.cli.main import app
from dropmerge.cli.options import DEFAULT_FEEDS_DIR
from dropmerge.cli.terminal import print_table, table
from tests.harness.commands import Commands, complete, completed

_WRONG: list[tuple[str, str]] = [
    ("dead-letters list --reason bad_luck", "'bad_luck' is not one of: malformed_message, no_feed"),
    ("dead-letters list --service both", "'both' is not one of: ingest, merge"),
    ("dead-letters list --object s3://x", "'s3://x' names no file"),
    ("dead-letters list --limit 0", "greater than or equal to 1"),
    ("dead-letters list --feed nobody", "no feed 'nobody'; there are: accounts"),
    ("dead-letters show 999999", "no dead letter 999999 is known"),
    ("dead-letters replay --id 999999 --yes", "no dead letter 999999 is known"),
    ("dead-letters replay --older-than soon", "'soon' is not a number and s, m, h or d, such as 12h"),
    ("dead-letters replay --rate -1", "'-1' is not a number of messages per second above zero"),
    ("dead-letters replay --rate nan", "'nan' is not a number of messages per second above zero"),
    ("dead-letters replay --all", "add --yes"),
    ("dead-letters replay --yes", "or --all for every waiting dead letter"),
    ("dead-letters replay --dry-run --limit 1", "or --all for every waiting dead letter"),
    ("dead-letters replay --all --feed accounts --dry-run", "--all and a filter exclude each other"),
    ("dead-letters discard --why x --all --service merge --yes", "--all and a filter exclude each other"),
    ("dead-letters discard --why x --yes", "or --all for every waiting dead letter"),
    ("dead-letters discard --why x --older-than 0s", "add --yes"),
    ("dead-letters discard --reason no_feed", "Missing option '--why'"),
    ("dead-letters discard --why _", "--why is empty"),
    ("dead-letters discard --why x --id 999999 --yes", "no dead letter 999999 is known"),
    ("explain no-such.csv", "no file is called 'no-such.csv'"),
    ("explain s3://landing/x.csv", "'s3://landing/x.csv' names no file"),
    ("explain", "name one file, such as gs://bucket/object"),
    ("explain --feed accounts --row x=1", "give each as name=value"),
    ("explain --feed numbers --row n=one", "the contract says NUMERIC"),
    ("explain --feed nobody --row n=1", "no feed 'nobody'"),
    ("explain --row n=1", "several feeds: name one with --feed"),
    ("rejected --reason bad_luck", "'bad_luck' is not one of: too_few_fields, too_many_fields"),
    ("rejected --feed nobody", "no feed 'nobody'"),
    ("rejected --csv rows.csv --json", "exclude each other"),
    ("rejected --csv rows.csv --done --feed accounts --yes", "--csv and --done exclude each other"),
    ("rejected --done --yes", "several feeds: name one with --feed"),
    ("rejected --done --feed accounts", "add --yes"),
    ("rejected --feed accounts --dry-run", "--yes and --dry-run are for --done"),
    ("rejected --csv rows.csv", "several feeds: name one with --feed"),
    ("rejected resubmit --feed accounts", "add --yes"),
    ("rejected resubmit --feed nobody --yes", "no feed 'nobody'"),
    ("rejected --feed accounts resubmit --yes", "options come after resubmit"),
    ("status --watch --json", "exclude each other"),
    ("status --watch --check", "exclude each other"),
    ("status --check --max-age soon", "is not a number and s, m, h or d"),
    ("wait --timeout forever", "'forever' is not a number of seconds"),
    ("wait --timeout nan", "'nan' is not a number of seconds"),
    ("wait --timeout -1", "'-1' is not a number of seconds"),
    ("backfill landing/incoming --dry-run", "no file is called 'landing/incoming'"),
    ("backfill gs:// --dry-run", "'gs://' is not gs://bucket/name"),
    ("backfill gs://landing/", "add --yes"),
    ("backfill gs://landing --rate 0", "'0' is not a number of messages per second above zero"),
    ("drop README.md", "several feeds: name one with --feed"),
    ("drop README.md --feed nobody", "no feed 'nobody'"),
    ("drop README.md --to s3://landing/x", "'s3://landing/x' is not gs://bucket/name"),
    ("drop README.md --to gs://landing", "--to has no name after the bucket"),
    ("drop README.md LICENSE --to gs://landing/x", "several files need a folder"),
    ("drop README.md --feed accounts --to gs://landing/x", "exclude each other"),
    ("drop no-such-file", "'no-such-file' does not exist"),
    ("purge-tombstones --older-than 99d", "add --yes"),
    ("purge-tombstones --older-than 30d --yes", "less than the 31 days for which a dead letter is kept"),
    ("purge-tombstones --older-than 1y", "'1y' is not a number and s, m, h or d"),
    ("purge-tombstones --older-than 99d --feed nobody --yes", "no feed 'nobody'"),
    ("rebuild numbers", "add --yes"),
    ("rebuild nobody --yes", "no feed 'nobody'"),
    ("rebuild numbers --as-of 2025-01-31 --yes", "some of the files do not make a main table"),
    ("rebuild numbers --into main.past --as-of yesterday --yes", "'yesterday' is not a time"),
    ("rebuild numbers --into staging.past --yes", "'staging.past' is not DATASET.TABLE"),
    ("verify nobody", "no feed 'nobody'"),
    ("adopt accounts", "add --yes"),
    ("adopt nobody --yes", "no feed 'nobody'"),
    ("feeds show nobody", "no feed 'nobody'; there are: accounts"),
    ("feeds test nobody", "no feed 'nobody'; there are: accounts"),
    ("feeds test no-such.yaml README.md", "no-such.yaml: no such contract"),
    ("feeds test accounts no-such-file", "'no-such-file' does not exist"),
    ("feeds test numbers", "no cases of numbers"),
    ("feeds test accounts README.md --junit x.xml", "--junit and --update are for cases"),
    ("feeds test --main-size 1GiB", "--main-size and --show are for files"),
    ("feeds test accounts README.md --main-size big", "'big' is not a size such as 500MiB or 100GiB"),
    ("feeds test --yes", "--yes and --dry-run are for --update"),
    ("feeds test --update", "add --yes"),
    ("preview landing/incoming/x.csv", "no file is called 'landing/incoming/x.csv'"),
    ("feeds init no-such-file", "'no-such-file' does not exist"),
    ("no-such-command", "No such command 'no-such-command'"),
]


@pytest.mark.parametrize(("line", "said"), _WRONG, ids=[line for line, _ in _WRONG])
def test_what_makes_no_sense_is_said_in_a_line(commands: Commands, line: str, said: str) -> None:
    words = [" " if word == "_" else word for word in line.split(" ")]
    done = commands.run(*words, code=USAGE)
    assert not done.stdout
    (error,) = [one for one in done.stderr.splitlines() if one.startswith("Error: ")]
    assert said in error


def _paths(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command and subcommand, with the words that call it."""
    real = command.load() if hasattr(command, "load") else command
    yield name, real
    for word, one in getattr(real, "commands", {}).items():
        yield from _paths(one, f"{name} {word}".strip())


_HELP = dict(_paths(get_command(app)))


@pytest.mark.parametrize("path", _HELP)
def test_help_reads_well_at_80_columns(path: str) -> None:
    """No sentence is cut, no word of Python's shows, and each option and argument has a sentence."""
    shown = CliRunner().invoke(app, [*path.split(), "--help"], env={"COLUMNS": "80"}).stdout
    lines = shown.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert re.search(r"[{}<>]|\.\.\.$|…|default: \(|\[default: [^]]*\]\s+\[", "\n".join(lines[1:])) is None
    assert re.search(r"[{}…]|\[\[", lines[0]) is None
    described = [one for one in _HELP[path].params if not one.hidden]
    texts = {one.name: one.help or "" for one in described}
    assert {name: text for name, text in texts.items() if not re.fullmatch(r"[A-Z].*[.\]]", text, re.DOTALL)} == {}


@pytest.mark.parametrize("module", ["generator", "deploy.google", "deploy.costs"])
def test_other_programs_answer_for_help(module: str) -> None:
    line = [sys.executable, "-m", module, "--help"]
    done = subprocess.run(
        line, cwd=ROOT, env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True, check=True
    )
    assert "sage: python -m " + module in done.stdout
    assert not set("│{…") & set(done.stdout)


def test_a_table_in_a_pipe_is_tab_separated(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each row, whatever is in a name, and no brackets are taken for markup."""
    shown = table("feed", "last file")
    shown.add_row("[red]parts", "a\tb\n" + "x" * 300)
    print_table(shown)
    assert capsys.readouterr().out == f"feed\tlast file\n[red]parts\ta\\tb\\n{'x' * 300}\n"


def test_without_a_local_cloud_commands_say_how_to_start_one(commands: Commands, tmp_path: Path) -> None:
    assert "dropmerge up" in commands.run("status", "--state", tmp_path, code=FAILED).stderr


def test_what_google_refuses_is_said_in_words(commands: Commands) -> None:
    assert "404" in commands.run("backfill", "gs://no-such-bucket/x", "--yes", code=FAILED).stderr


def test_the_runbook_has_the_exit_codes() -> None:
    """The runbook lists the exit codes of the code."""
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert (DONE, FAILED, USAGE, INTERRUPTED) == (0, 1, 2, 130)
    assert "\n".join(f"| {code} | {what} |" for code, what in CODES.items()) in text


def test_a_projects_buckets_have_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Buckets are named as the foundation's Terraform names them; the environment overrides."""
    for name in ("DROPMERGE_LANDING_BUCKET", "DROPMERGE_ARCHIVE_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    connection = connect(tmp_path, "acme", DEFAULT_FEEDS_DIR)
    assert (connection.landing, connection.archive) == ("acme-landing", "acme-archive")
    terraform = "".join(path.read_text() for path in (ROOT / "deploy" / "google" / "foundation").glob("*.tf"))
    for bucket in ("landing", "archive"):
        assert f'"${{var.project}}-{bucket}"' in terraform
    monkeypatch.setenv("DROPMERGE_LANDING_BUCKET", "elsewhere")
    assert connection.landing == "elsewhere"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("dropmerge dead-l", "dead-letters"),
        ("dropmerge dead-letters replay --reason wrong_h", "wrong_header"),
        ("dropmerge dead-letters list --feed acc", "accounts"),
        ("dropmerge rejected --reason not_a_n", "not_a_number"),
        ("dropmerge adopt acc", "accounts"),
        ("dropmerge feeds show acc", "accounts"),
        ("dropmerge feeds test acc", "accounts"),
        ("dropmerge feeds export --odcs acc", "accounts"),
    ],
)
def test_the_shell_completes(typed: str, offered: str) -> None:
    """The shell completes commands, reasons and feeds."""
    assert offered in completed(typed)


@pytest.mark.parametrize("typed", ["rejected --feed acc", "feeds show acc", "feeds test acc", "verify acc"])
def test_completion_loads_little(typed: str) -> None:
    """It has to answer at once: what reads contracts and Google's clients take longer to load than a person waits."""
    program = "import sys\nfrom dropmerge.__main__ import app\n"
    program += "try: app(prog_name='dropmerge')\nfinally: print(*sys.modules, file=sys.stderr)"
    done = complete(f"dropmerge {typed}", program)
    assert done.stdout.split() == ["accounts"]
    assert {"services.shared.contract.feed", "google.cloud.bigquery", "grpc", "pandas", "duckdb"} & set(
        done.stderr.split()
    ) == set()


def test_a_broken_contract_does_not_keep_the_shell_from_completing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("feed: [never closed")
    (tmp_path / "b.yaml").write_bytes(b"feed: \xff")
    (tmp_path / "c.yaml").write_text("feed: orders\nkey: nonsense\n")
    assert completed("dropmerge rejected --feed ", DROPMERGE_FEEDS=str(tmp_path)) == ["orders"]
