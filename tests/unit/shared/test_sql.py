"""Identifiers and literals that could leave their quotes never reach a statement."""

from pathlib import Path

import pytest

from services.shared.sql import Templates, literal


@pytest.mark.parametrize("text", ["a`b", "a b", "", "a;b", "é'"])
def test_sql_refuses_what_could_leave_its_quotes(tmp_path: Path, text: str) -> None:
    """This is the last gate before a statement."""
    template = tmp_path / "t.sql"
    template.write_text("SELECT * FROM {{ name | identifier }}")
    with pytest.raises(ValueError, match="identifier"):
        Templates(tmp_path).render("t.sql", name=text)


@pytest.mark.parametrize("text", ["a'b", "1'", "é", "a\nb"])
def test_a_literal_that_could_leave_its_quotes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be a literal"):
        literal(text)
