"""`dropmerge rejected` lists rows that were set aside and exports them, to be fixed and dropped again."""

from pathlib import Path

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
