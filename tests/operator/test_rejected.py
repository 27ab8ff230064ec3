"""`dropmerge rejected` lists rows that were set aside, exports them to be fixed and dropped again, and sends them in
again."""

import csv
import json
from pathlib import Path
from typing import Any

from dropmerge.operations.file_name import FileName
from dropmerge.operations.rejected.selection import count_loads, mark_done, select
from tests.harness.commands import Commands
from tests.harness.feeds import AGAIN
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription
from tests.programs.rejected_million import check


def test_rejected_rows_are_exported_fixed_and_dropped_again(
    pipeline: Pipeline, commands: Commands, tmp_path: Path
) -> None:
    """Rows are chosen by feed, file and reason, with their numbers in the file and the values at fault; the file that
    is written has the feed's own header, and its fixed rows are merged."""
    bad = '"rej, ""1""",a,high,1.5,2025-01-01T00:00:00Z,U\nrej-2,a,700,1.5,yesterday,D\n'
    first, second = bad.splitlines(keepends=True)
    data = HEADER + second + row('"rej\r\n0"') + row("rej-3") + first
    pipeline.drop("rej.csv", data, feed="tolerant")
    pipeline.wait_until_idle()
    narrow = ("rejected", "--feed", "tolerant", "--object", "*/rej.csv")
    found = commands.json(*narrow)
    assert [one["row"]["customer_id"] for one in found] == ["rej-2", 'rej, "1"']
    assert [(one["record"], one["line"]) for one in found] == [(1, 2), (4, 6)]
    assert [one["reasons"] for one in found] == [["not_a_timestamp: last_modified"], ["not_an_integer: credit_score"]]
    assert found[1]["faults"] == [{"reason": "not_an_integer", "column": "credit_score", "value": "high"}]
    assert len(commands.json(*narrow, "--reason", "not_a_timestamp")) == len(commands.json(*narrow, "--limit", 1)) == 1
    assert '4\t6\tnot_an_integer: credit_score\t"high"' in commands.run(*narrow).stdout.splitlines()
    file = tmp_path / "fixed.csv"
    said = commands.run(*narrow, "--csv", file).stdout
    assert "2 bad rows" in said
    assert "--limit only limits what is shown" in commands.run(*narrow, "--csv", file, "--limit", 1, code=2).stderr
    assert file.read_text() == HEADER + second + first, "as they were"
    assert _reasons(file) == [
        ("1", "2", "not_a_timestamp", "last_modified", "yesterday", "1", "2"),
        ("2", "3", "not_an_integer", "credit_score", "high", "4", "6"),
    ]
    assert "there already" in commands.run(*narrow, "--csv", file, code=2).stderr
    file.write_text(file.read_text().replace("high", "655").replace("yesterday", "2025-01-01T00:00:00Z"))
    commands.run("drop", file, "--feed", "tolerant")
    commands.run("wait", "--timeout", 60)
    (merged,) = pipeline.connection.rows(
        "SELECT credit_score FROM `main.tolerant_current` WHERE customer_id = @id", {"id": ("STRING", 'rej, "1"')}
    )
    assert merged["credit_score"] == 655


def test_g7_no_good_row_of_a_dead_lettered_file_is_lost(
    pipeline: Pipeline, commands: Commands, tmp_path: Path
) -> None:
    """Nothing of it is merged, so the whole of it is written, and alone; equal bad rows have a number each."""
    bad = row("half-bad", "high")
    data = HEADER + row("half-1") + bad + row("half-2") + bad + row("half-3")
    dead = pipeline.drop("half.csv", data)
    pipeline.drop("half-merged.csv", HEADER + row("half-4") + bad, feed="tolerant")
    pipeline.drop("half-other.csv", HEADER + bad)
    pipeline.wait_until_idle()
    file = tmp_path / "half.csv"
    several = commands.run("rejected", "--feed", "accounts", "--object", "*/half*", "--csv", file, code=2).stderr
    assert "one file at a time: --object 'incoming/accounts/half" in several
    assert list(tmp_path.iterdir()) == []
    said = commands.run("rejected", "--feed", "accounts", "--object", "*/half.csv", "--csv", file).stdout
    assert f"nothing of {dead} is merged: {file} has all of its rows, 2 bad rows among them" in said
    assert file.read_text() == data
    assert [one[:2] for one in _reasons(file)] == [("2", "3"), ("4", "5")]
    file.write_text(data.replace("high", "655"))
    commands.run("drop", file, "--feed", "accounts", "--yes")
    commands.run("wait", "--timeout", 60)
    keys = ["half-1", "half-bad", "half-2", "half-3"]
    assert pipeline.scores(keys) == dict(zip(keys, (700, 655, 700, 700), strict=True))


def test_g7_rejected_rows_are_sent_in_again(
    pipeline: Pipeline,
    commands: Commands,
) -> None:
    """By today's contract: what it takes is merged and leaves the list, what fails again is listed once, as a row of
    the new load. An interrupted run is finished by the next. A dead-lettered file is replayed instead."""
    dead = pipeline.drop("dead.csv", "n,v,w\nd,1,n/a\n", feed="again")
    old = pipeline.drop("again.csv", "n,v,w\na,1,1\nb,1,n/a\nc,1,x\nd,1,1\n", feed="again")
    pipeline.wait_until_idle()
    again = ("rejected", "resubmit", "--feed", "again")
    assert "2 rows of 1 file would be" in commands.run(*again, "--dry-run").stdout
    contract = pipeline.connection.feeds_folder / "again.yaml"
    contract.write_text(AGAIN.replace("type: csv", "type: csv, null_markers: [n/a]"))
    pipeline.deploy("ingest", "merge")
    with paused_subscription(pipeline, "ingest"):
        said = commands.run(*again, "--object", "*/again.csv", "--timeout", 0, "--yes", code=1).stderr
        assert "stay on the list" in said
        assert [one["row"]["n"] for one in _listed(commands) if one["object"].endswith("/again.csv")] == ["b", "c"]
    prefix = "incoming/again/resubmitted-"
    (first,) = pipeline.connection.storage.list_blobs("landing", prefix=prefix)
    pipeline.wait_until_idle()
    done = commands.run(*again, "--yes", code=1)
    assert "2 rows of gs://landing/incoming/again/again.csv" in done.stdout
    assert "and 1 are merged; 1 failed again" in done.stdout
    assert f"{dead} is dead_lettered, so none of its rows are merged: `dropmerge dead-letters replay" in done.stderr
    (sent,) = pipeline.connection.storage.list_blobs("landing", prefix=prefix)
    assert sent.generation == first.generation
    assert sent.download_as_bytes() == b"n,v,w\nb,1,n/a\nc,1,x\n"
    (event,) = [
        one for one in pipeline.explain(f"gs://landing/{sent.name}")["events"] if one["event"] == "resubmitted"
    ]
    assert (event["detail"]["of"], event["detail"]["rows"]) == (old, 2)
    current = "SELECT n, w FROM `main.again_current` ORDER BY n"
    assert [(one["n"], one["w"]) for one in pipeline.connection.rows(current)] == [("a", 1), ("b", None), ("d", 1)]
    listed = [(one["object"], one["row"]["n"], one["record"]) for one in _listed(commands)]
    assert listed == [("incoming/again/dead.csv", "d", 1), (sent.name, "c", 2)]
    # One row, which fails once more: all that its file has, and too many for the feed.
    (ended,) = commands.json(*again, "--object", sent.name, "--yes", code=1)
    assert (ended["state"], ended["reason"], ended["rejected_again"]) == ("dead_lettered", "too_many_bad_rows", 1)
    newest = ended["resubmitted_as"]["object"]
    assert [(one["object"], one["row"]["n"]) for one in _listed(commands)] == sorted(
        [("incoming/again/dead.csv", "d"), (newest, "c")]
    )
    assert commands.run(*again, "--object", "*/again.csv", "--yes").stdout == "no rejected rows\n"


def test_rows_are_not_sent_in_again_where_they_would_mean_something_else(commands: Commands) -> None:
    """Where the newest file wins they would win over later rows."""
    said = commands.run("rejected", "resubmit", "--feed", "newest", "--yes", code=2).stderr
    assert "`dropmerge rebuild newest` reads all files" in said


def test_many_rejected_rows_have_each_its_own_number(pipeline: Pipeline, commands: Commands, tmp_path: Path) -> None:
    """A million of them, in flat memory: rejected_million.py."""

    def run(output: Path, code: int, words: tuple[str, ...]) -> None:
        output.write_text(commands.run(*words, code=code).stdout)

    check(pipeline, run, tmp_path, 500)


def _listed(commands: Commands) -> list[Any]:
    found: list[Any] = commands.json("rejected", "--feed", "again")
    return found


def _reasons(file: Path) -> list[tuple[str, ...]]:
    """Record, line, reason, column, value, and record and line in the file that they came in."""
    with file.with_name(f"{file.name}.reasons.csv").open(newline="") as lines:
        names = ("record", "line", "reason", "column", "value", "source_record", "source_line")
        return [tuple(one[name] for name in names) for one in csv.DictReader(lines)]


def test_what_is_done_leaves_the_list(pipeline: Pipeline, commands: Commands) -> None:
    """Rows that are fixed, or not wanted; the journal has who did it, and the states of their files stay."""
    bad = "done-{},a,high,1.5,2025-01-01T00:00:00Z,U\n"
    pipeline.drop("done-1.csv", HEADER + bad.format(1) + row("done-3", day=1).replace("2025", "x025"), feed="tolerant")
    pipeline.drop("done-2.csv", HEADER + row("done-0") + bad.format(2), feed="tolerant")
    dead = pipeline.drop("done-4.csv", HEADER + bad.format(4))
    pipeline.wait_until_idle()
    narrow = ("rejected", "--feed", "tolerant", "--object", "*/done-?.csv")
    before = commands.json("status")["feeds"]["tolerant"]["rejected_rows"]
    took = ("--done", "--reason", "not_an_integer")
    assert "2 rejected rows of 2 files would be" in commands.run(*narrow, *took, "--dry-run").stdout
    assert len(commands.json(*narrow)) == 3
    assert commands.run(*narrow, *took, "--yes").stdout == "2 rejected rows of 2 files taken off the list\n"
    assert [one["reasons"] for one in commands.json(*narrow)] == [["not_a_timestamp: last_modified"]]
    assert commands.json("status")["feeds"]["tolerant"]["rejected_rows"] == before - 2
    assert commands.run(*narrow, *took, "--yes").stdout == "no rejected rows\n"
    commands.run("rejected", "--feed", "accounts", "--object", "*/done-4.csv", "--done", "--yes")
    assert pipeline.explain(dead)["state"] == "dead_lettered"
    events = pipeline.connection.rows(
        "SELECT * FROM `ops.journal` WHERE event = 'rejected_rows_done'"
        " AND feed IN ('tolerant', 'accounts') ORDER BY happened_at"
    )
    details = [json.loads(event["detail"]) for event in events]
    assert [
        (event["feed"], detail["rows"], detail["reason"]) for event, detail in zip(events, details, strict=True)
    ] == [*(("tolerant", 2, "not_an_integer"), ("accounts", 1, None))]
    assert all(event["who"] and event["operation_id"] for event in events)
    assert pipeline.explain(dead)["load_id"] in details[1]["loads"]


def test_what_was_rejected_since_stays_on_the_list(pipeline: Pipeline, commands: Commands) -> None:
    """The operator has not seen it."""
    bad = "late,a,high,1.5,2025-01-01T00:00:00Z,U\n"
    pipeline.drop("late-1.csv", HEADER + bad, feed="tolerant")
    pipeline.wait_until_idle()
    wanted = select(pipeline.connection, "tolerant", [FileName.parse("late-*.csv")], None)
    assert wanted
    loads = count_loads(pipeline.connection, wanted)
    pipeline.drop("late-2.csv", HEADER + bad, feed="tolerant")
    pipeline.wait_until_idle()
    wider = select(pipeline.connection, "tolerant", [FileName.parse("late-*.csv")], None)
    assert wider
    mark_done(pipeline.connection, wider, loads)
    (left,) = commands.json("rejected", "--feed", "tolerant", "--object", "*/late-*.csv")
    assert left["object"].endswith("late-2.csv")
