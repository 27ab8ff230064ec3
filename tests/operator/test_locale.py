"""Names of any alphabet work in any locale, without a traceback."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.topology import ROOT
from tests.harness.commands import Commands
from tests.harness.pipeline import HEADER, Pipeline, row

_ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
_UTF_8 = {"LC_ALL": "C.UTF-8"}


def _run(line: list[str | bytes], locale: Mapping[str, str], commands: Commands) -> tuple[int, str]:
    environ = {**os.environ, **commands.variables, **locale}
    start: list[str | bytes] = [sys.executable, "-m", "dropmerge"]
    done = subprocess.run(
        [*start, *line], cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    said = (done.stdout + done.stderr).decode("utf-8")
    assert "Traceback" not in said
    return done.returncode, said


@pytest.mark.parametrize("locale", [_ASCII, _UTF_8], ids=["C", "UTF-8"])
def test_a_name_that_is_not_ascii(
    locale: Mapping[str, str], commands: Commands, pipeline: Pipeline, tmp_path: Path
) -> None:
    """The file is dropped, listed and explained under its own name, escaped where the terminal cannot show it."""
    file = tmp_path / "Müller.csv"
    file.write_text(HEADER + row("müller"), encoding="utf-8")
    uri = "gs://landing/incoming/accounts/Müller.csv"
    code, said = _run(["drop", os.fsencode(file), "--feed", "accounts", "--yes"], locale, commands)
    assert code == 0, said
    pipeline.wait_until_idle()
    assert pipeline.explain(uri)["state"] == "merged"
    code, said = _run(["explain", uri.encode()], locale, commands)
    assert code == 0
    assert re.search(r"gs://landing/incoming/accounts/M(ü|\\xfc)ller\.csv", said)
    code, said = _run(["status"], locale, commands)
    assert code == 0
    assert re.search(r"M(ü|\\xfc)ller\.csv", said)


@pytest.mark.parametrize("locale", [_ASCII, _UTF_8], ids=["C", "UTF-8"])
def test_a_file_whose_name_is_not_utf_8(locale: Mapping[str, str], commands: Commands, tmp_path: Path) -> None:
    """No object can have such a name: the error names the way out, and it works."""
    file = os.fsencode(tmp_path) + b"/M\xfcller.csv"
    with open(file, "wb") as target:
        target.write((HEADER + row("latin")).encode())
    code, said = _run(["drop", file, "--feed", "accounts"], locale, commands)
    assert code == 2
    assert "not UTF-8, as an object's name must be: use --to gs://BUCKET/NAME" in said
    code, said = _run(["drop", file, "--to", "gs://landing/incoming/accounts/latin.csv", "--yes"], locale, commands)
    assert code == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_fail(closed: str, commands: Commands) -> None:
    line = f"exec {shlex.quote(sys.executable)} -m dropmerge status {closed}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, env={**os.environ, **commands.variables}, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
