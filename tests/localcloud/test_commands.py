"""Every command works as it is typed, on a local cloud that commands start and stop."""

import contextlib
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.topology import ROOT

_HEADER = "customer_id,account_number,credit_score,account_balance,last_modified,operation\n"
_GOOD = _HEADER + "c1,a1,700,1.50,2025-01-01T00:00:00Z,U\nc2,a2,701,2.50,2025-01-01T00:00:00Z,D\n"


@dataclass
class Terminal:
    """Types commands: `dropmerge …` and others, in a folder of its own."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words: object, code: int = 0) -> str:
        """Standard output, or standard error where a failure was expected."""
        line = [sys.executable, "-m", "dropmerge", *map(str, words)]
        return self._done(line, code)

    def sh(self, line: str, code: int = 0) -> str:
        return self._done(["bash", "-euo", "pipefail", "-c", line], code)

    def _done(self, line: list[str], code: int) -> str:
        done = subprocess.run(
            line, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=200, check=False
        )
        assert done.returncode == code, f"{line} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stderr if code else done.stdout


def _terminal(folder: Path) -> Terminal:
    shims = folder / "bin"
    shims.mkdir()
    for name, what in {"dropmerge": "-m dropmerge", "python": ""}.items():
        shim = shims / name
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" {what} "$@"\n')
        shim.chmod(0o755)
    stripped = ("DROPMERGE_", "PUBSUB_", "STORAGE_", "BIGQUERY_", "GOOGLE_CLOUD_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(stripped)}
    path = f"{shims}{os.pathsep}{kept['PATH']}"
    return Terminal(folder, {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "DROPMERGE_STATE": str(folder / "state")})


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    terminal = _terminal(tmp_path_factory.mktemp("commands"))
    terminal.run("up", "--detach", "--port-base", 0)
    yield terminal
    terminal.run("down")
    assert "no local cloud is running" in terminal.run("down")


def test_a_file_from_drop_to_main_table(terminal: Terminal) -> None:
    (terminal.folder / "good.csv").write_text(_GOOD)
    assert "would go to gs://landing/incoming/accounts/good.csv" in terminal.run("drop", "good.csv", "--dry-run")
    (dropped,) = json.loads(terminal.run("drop", "good.csv", "--json"))
    assert (dropped["bucket"], dropped["object"]) == ("landing", "incoming/accounts/good.csv")
    assert terminal.run("wait", "--strict", "--timeout", 120).splitlines() == ["1 merged", "nothing is in flight"]
    (feed,) = json.loads(terminal.run("status", "--json"))["feeds"].values()
    assert feed["merged"] >= 1
    assert feed["in_flight"] == feed["staged"] == 0
    uri = f"gs://{dropped['bucket']}/{dropped['object']}#{dropped['generation']}"
    told = json.loads(terminal.run("explain", uri, "--json"))
    assert told["state"] == "merged"
    names = [event["event"] for event in told["events"]]
    assert names[0] == "arrived"
    assert set(names) >= {"arrived", "pinned", "loaded", "checked", "staged", "merged"}
    row = json.loads(terminal.run("explain", "--row", "customer_id=c1", "--row", "account_number=a1", "--json"))
    assert row["load_id"] == told["load_id"]
    assert row["row"]["credit_score"] == "700"
    assert json.loads(terminal.run("explain", "--row", "customer_id=c2", "account_number=a2", "--json"))["deleted"]


def test_dead_letters_listed_shown_replayed_and_discarded(terminal: Terminal) -> None:
    for name in ("bad-1.csv", "bad-2.csv"):
        (terminal.folder / name).write_text("customer,account\n1,2\n")
    terminal.run("drop", "bad-1.csv", "bad-2.csv")
    terminal.run("wait")
    terminal.run("wait", "--strict", code=1)
    dead_letters = json.loads(terminal.run("dead-letters", "list", "--object", "*/bad-*", "--json"))
    assert [one["reason"] for one in dead_letters] == ["wrong_header"] * 2
    shown = json.loads(terminal.run("dead-letters", "show", dead_letters[0]["id"], "--json"))
    assert shown["object"] == dead_letters[0]["object"]
    ids = json.loads(terminal.run("dead-letters", "replay", "--id", shown["id"], "--dry-run", "--json"))
    assert ids == [shown["id"]]
    terminal.run("dead-letters", "replay", "--id", shown["id"], "--yes")
    terminal.run("wait")
    again = json.loads(terminal.run("dead-letters", "list", "--reason", "wrong_header", "--json"))
    assert sorted(one["replay_count"] for one in again) == [0, 1]
    terminal.run("dead-letters", "discard", "--reason", "wrong_header", "--why", "sent by mistake", "--yes")
    assert json.loads(terminal.run("dead-letters", "list", "--json")) == []
    assert "2 discarded (wrong_header)" in terminal.run("wait", "--strict")


def test_rejected_rows_are_shown_with_every_reason(terminal: Terminal) -> None:
    (terminal.folder / "rows.csv").write_text(_HEADER + "c3,,1000,x,yesterday,U\n")
    terminal.run("drop", "rows.csv")
    terminal.run("wait")
    (row,) = json.loads(terminal.run("rejected", "--feed", "accounts", "--json"))
    assert row["row"]["customer_id"] == "c3"
    assert {reason.split(":")[0] for reason in row["reasons"]} == {
        "missing_value",
        "check_failed",
        "not_a_number",
        "not_a_timestamp",
    }
    terminal.run("dead-letters", "discard", "--object", "*/rows.csv", "--why", "a test", "--yes")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["drop", "absent.csv"], 2, "does not exist"),
        (["drop", "good.csv", "--feed", "nobody"], 2, "no feed 'nobody'; there are: accounts"),
        (["drop", "good.csv", "--to", "somewhere"], 2, "gs://bucket/name"),
        (["drop", "good.csv", "--to", "gs://no-such-bucket/x"], 1, "no-such-bucket"),
        (["explain", "somewhere"], 2, "no file is called 'somewhere'"),
        (["explain", "--row", "customer_id=c1"], 2, "account_number"),
        (["dead-letters", "show", "0"], 2, "dead-letters list"),
        (["dead-letters", "replay", "--reason", "bad luck"], 2, "wrong_header"),
        (["dead-letters", "list", "--older-than", "soon"], 2, "s, m, h or d"),
        (["dead-letters", "discard", "--why", " "], 2, "--why"),
        (["up", "--detach", "--port-base", "3"], 1, "--port-base"),
        (["up", "--detach", "--feeds", "other"], 1, "dropmerge down"),
        (["status", "--state", "elsewhere"], 1, "dropmerge up"),
        (["status", "--feeds", "other"], 1, "no feeds"),
    ],
)
def test_a_wrong_argument_is_named_with_the_way_out(
    terminal: Terminal, words: list[str], code: int, says: str
) -> None:
    (terminal.folder / "good.csv").write_text(_GOOD)
    (terminal.folder / "other").mkdir(exist_ok=True)
    assert says in re.sub(r"[\s│]+", " ", terminal.run(*words, code=code))


def test_explain_of_an_object_nobody_knows(terminal: Terminal) -> None:
    terminal.run("explain", "gs://landing/incoming/accounts/never.csv", "--json", code=1)


def test_what_the_readme_says_to_type(terminal: Terminal) -> None:
    """Each line of the README's blocks works as it stands, but those of `make` and the virtual environment, which
    other tests run. FILE, ID and a key stand for what is there."""
    lines = [
        line for title in ("See the rows", "When something goes wrong", "Your own feed") for line in _typed(title)
    ]
    assert len(lines) > 25
    shutil.copytree(ROOT / "deploy" / "feeds", terminal.folder / "feeds")
    (terminal.folder / "sample.csv").write_text(_GOOD)
    (terminal.folder / "poison.csv").write_text("wrong\n1\n")
    terminal.sh("dropmerge drop poison.csv --wait", code=1)
    for line in lines:
        terminal.sh(_as_typed(terminal, line), code=1 if "status --check" in line or "replay" in line else 0)


def _typed(title: str) -> list[str]:
    (section,) = re.findall(rf"^## {title}\n(.*?)^## ", _readme(), re.M | re.S)
    return [line.partition("  #")[0] for line in re.findall(r"^    ((?:dropmerge|python) .+)$", section, re.M)]


def _as_typed(terminal: Terminal, line: str) -> str:
    with contextlib.suppress(FileNotFoundError), (terminal.folder / "dummy_data.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
        line = line.replace("=C ", f"={first['customer_id']} ").replace("=A", f"={first['account_number']}")
    line = re.sub(r"\bFILE\b", "dummy_data.csv", line)
    if re.search(r"\bID\b", line):
        ended = " --ended" if "undo" in line else ""
        letters = json.loads(terminal.sh(f"dropmerge dead-letters list{ended} --json"))
        discarded = [one for one in letters if one["state"] == ("discarded" if ended else "waiting")]
        line = re.sub(r"\bID\b", discarded[-1]["id"], line)
    # The reader has a terminal, and is asked; and drafts contracts in the folder of the repository.
    line = re.sub(r" (replay|discard|undo|backfill|rebuild|resubmit) ", r" \1 --yes ", line)
    return f"DROPMERGE_FEEDS=feeds {line}" if " feeds " in line else line


def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")
