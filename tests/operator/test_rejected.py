"""`dropmerge rejected` lists rows that were set aside and exports them, to be fixed and dropped again."""

import json
from pathlib import Path

from dropmerge.operations.rejected.selection import count_loads, mark_done, select
from tests.harness.commands import Commands
from tests.harness.pipeline import HEADER, Pipeline, row


def test_rejected_rows_are_exported_fixed_and_dropped_again(
    pipeline: Pipeline, commands: Commands, tmp_path: Path
) -> None:
    """Rows are chosen by feed, file and reason; the file has the feed's own header, and its fixed rows are merged."""
    bad = '"rej, ""1""",a,high,1.5,2025-01-01T00:00:00Z,U\nrej-2,a,700,1.5,yesterday,D\n'
    pipeline.drop("rej.csv", HEADER + row("rej-0") + bad, feed="tolerant")
    pipeline.wait_until_idle()
    narrow = ("rejected", "--feed", "tolerant", "--object", "*/rej.csv")
    found = commands.json(*narrow)
    assert [one["row"]["customer_id"] for one in found] == ['rej, "1"', "rej-2"]
    assert [one["reasons"] for one in found] == [["not_an_integer: credit_score"], ["not_a_timestamp: last_modified"]]
    assert len(commands.json(*narrow, "--reason", "not_a_timestamp")) == 1
    text = commands.run(*narrow).stdout
    assert "not_an_integer: credit_score" in text
    file = tmp_path / "fixed.csv"
    said = commands.run(*narrow, "--csv", file).stdout
    assert "row 2: not_an_integer: credit_score" in said
    assert file.read_text() == HEADER + bad, "as it was"
    assert "there already" in commands.run(*narrow, "--csv", file, code=2).stderr
    file.write_text(file.read_text().replace("high", "655").replace("yesterday", "2025-01-01T00:00:00Z"))
    commands.run("drop", file, "--feed", "tolerant")
    commands.run("wait", "--timeout", 60)
    (merged,) = pipeline.connection.rows(
        "SELECT credit_score FROM `main.tolerant_current` WHERE customer_id = @id", {"id": ("STRING", 'rej, "1"')}
    )
    assert merged["credit_score"] == 655


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
    events = pipeline.connection.rows("SELECT * FROM `ops.journal` WHERE event = 'rejected_rows_done' ORDER BY `at`")
    details = [json.loads(event["detail"]) for event in events]
    assert [
        (event["feed"], detail["rows"], detail["reason"]) for event, detail in zip(events, details, strict=True)
    ] == [*(("tolerant", 2, "not_an_integer"), ("accounts", 1, None))]
    assert all(detail["who"] for detail in details)
    assert pipeline.explain(dead)["load_id"] in details[1]["loads"]


def test_what_was_rejected_since_stays_on_the_list(pipeline: Pipeline, commands: Commands) -> None:
    """The operator has not seen it."""
    bad = "late,a,high,1.5,2025-01-01T00:00:00Z,U\n"
    pipeline.drop("late-1.csv", HEADER + bad, feed="tolerant")
    pipeline.wait_until_idle()
    wanted = select(pipeline.connection, "tolerant", "*/late-*.csv", None)
    assert wanted
    loads = count_loads(pipeline.connection, wanted)
    pipeline.drop("late-2.csv", HEADER + bad, feed="tolerant")
    pipeline.wait_until_idle()
    wider = select(pipeline.connection, "tolerant", "*/late-*.csv", None)
    assert wider
    mark_done(pipeline.connection, wider, loads, "somebody")
    (left,) = commands.json("rejected", "--feed", "tolerant", "--object", "*/late-*.csv")
    assert left["object"].endswith("late-2.csv")
