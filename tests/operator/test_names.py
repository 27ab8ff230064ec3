"""Every command takes every name of a file."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.harness.commands import Commands, completed
from tests.harness.pipeline import HEADER, Pipeline, row


@pytest.fixture(scope="module")
def half(pipeline: Pipeline) -> str:
    """A file that is a dead letter, in two generations; its newer one."""
    bad = HEADER + row("half") + row("half-2", "high")
    pipeline.drop("named-half.csv", bad)
    pipeline.wait_until_idle()
    uri = pipeline.drop("named-half.csv", bad + row("half-3"))
    pipeline.drop("named-other.csv", HEADER + row("named-other"))
    pipeline.wait_until_idle()
    return uri


def test_explain_takes_every_name(pipeline: Pipeline, commands: Commands, half: str) -> None:
    """Each finds the same object generation, the latest where none is named."""
    one = commands.json("explain", half)
    letter, load_id = one["dead_letter"], one["load_id"]
    uri = half.partition("#")[0]
    names = [uri, "accounts/named-half.csv", "named-half.csv", "d-half.csv", "named-h*.csv", load_id, letter]
    for name in [*names, f"gs://archive/accounts/{load_id}.csv", f"named-half.csv#{one['generation']}"]:
        assert commands.json("explain", name)["load_id"] == load_id, name
    (older,) = one["other_generations"]
    assert older["last"] == "dead_lettered"
    assert commands.json("explain", f"named-half.csv#{older['generation']}")["load_id"] != load_id


def test_an_ambiguous_name_lists_what_it_fits(commands: Commands, half: str) -> None:
    error = commands.run("explain", "named-*.csv", code=2).stderr
    assert "fits 2 files: name one of them" in error
    assert {"  gs://landing/incoming/accounts/named-half.csv", "  gs://landing/incoming/accounts/named-other.csv"} <= {
        *error.splitlines()
    }


def test_filters_take_every_name(commands: Commands, half: str) -> None:
    """A filter by a name means each generation of it; by a generation, a load or a letter only that one."""
    one = commands.json("explain", half)
    for name, count in (("named-half.csv", 2), (half, 1), (one["load_id"], 1), ("named-h*", 2), ("alf.csv", 0)):
        assert len(commands.json("rejected", name)) == count, name
        assert len(commands.json("rejected", "--feed", "accounts", "--object", name)) == count, name
        assert len(commands.json("dead-letters", "list", "--object", name)) == count, name
    assert len(commands.json("dead-letters", "list", "--object", one["dead_letter"])) == 1
    assert commands.json("rejected", half, "--limit", "1") == commands.json("rejected", "--limit", "1", half)


def test_other_commands_take_a_name(commands: Commands, half: str) -> None:
    assert len(commands.json("backfill", "named-half.csv", "--dead-letters", "--dry-run")) == 1
    assert commands.json("preview", "d-half.csv", code=1)["generation"] == int(half.rpartition("#")[2])
    assert commands.json("rejected", "resubmit", "named-half.csv", "--dry-run", code=1) == []


def test_the_next_commands_are_such_as_can_be_typed(commands: Commands, half: str) -> None:
    """Those that only read are run as they are printed."""
    lines = [line.strip() for line in commands.run("explain", "named-half.csv").stdout.splitlines()]
    typed = [line.partition("  #")[0] for line in lines if line.startswith("dropmerge ")]
    assert f"dropmerge dead-letters replay --id {commands.json('explain', half)['dead_letter']}" in typed
    read = [line for line in typed if "replay" not in line and "--csv" not in line and "discard" not in line]
    assert len(read) > 1
    for line in read:
        commands.run(*shlex.split(line)[1:])


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("dropmerge explain named-h", "named-half.csv"),
        ("dropmerge explain incoming/accounts/named-h", "incoming/accounts/named-half.csv"),
        ("dropmerge explain gs://landing/incoming/accounts/named-h", "gs://landing/incoming/accounts/named-half.csv"),
        ("dropmerge dead-letters list --object named-h", "named-half.csv"),
        ("dropmerge rejected named-h", "named-half.csv"),
    ],
)
def test_the_shell_completes_files(commands: Commands, half: str, typed: str, offered: str) -> None:
    assert completed(typed, **commands.variables) == [offered]


def test_the_shell_completes_dead_letters(commands: Commands, half: str) -> None:
    """Those that are waiting for what acts on them, those that are not for `undo`."""
    letter = commands.json("explain", half)["dead_letter"]
    for typed in ("dead-letters show", "dead-letters replay --id"):
        assert letter in completed(f"dropmerge {typed} {letter[0]}", **commands.variables)
    assert letter not in completed(f"dropmerge dead-letters undo {letter[0]}", **commands.variables)


def test_without_a_pipeline_the_shell_offers_no_files(tmp_path: Path) -> None:
    assert completed("dropmerge explain named-h", DROPMERGE_STATE=str(tmp_path)) == []
