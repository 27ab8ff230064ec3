"""A table with more columns than a terminal has room for is shown row by row."""

import pytest

from dropmerge.cli import terminal


@pytest.mark.parametrize(("width", "is_table"), [(29, False), (30, True)])
def test_where_a_column_would_be_narrower_than_a_value_each_row_has_lines_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, is_table: bool
) -> None:
    monkeypatch.setattr(terminal, "is_interactive", lambda stream: True)
    monkeypatch.setenv("COLUMNS", str(width))
    lines = terminal.table("feed", "key", "bad rows")
    lines.add_row("accounts", "id", "0")
    lines.add_row("orders", "number\x1b[2J", "1%")
    terminal.print_records(lines)
    shown = capsys.readouterr().out
    records = "feed: accounts\nkey: id\nbad rows: 0\n\nfeed: orders\nkey: number\\x1b[2J\nbad rows: 1%\n\n"
    assert (shown == records) is not is_table


def test_in_a_pipe_it_is_tab_separated_whatever_the_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    lines = terminal.table("feed", "key")
    lines.add_row("accounts", "id")
    terminal.print_records(lines)
    assert capsys.readouterr().out == "feed\tkey\naccounts\tid\n"
