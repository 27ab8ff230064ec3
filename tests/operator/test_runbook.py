"""The runbook tells what the commands tell, and knows every reason."""

from deploy.topology import ROOT
from dropmerge.operations.dead_letters.remedies import REMEDIES, row_table, table
from services.shared.reasons import REASONS


def test_every_reason_has_its_advice() -> None:
    """And no advice is for a reason that is gone."""
    assert set(REMEDIES) == set(REASONS)


def test_the_runbooks_tables_are_made_from_the_code() -> None:
    """`python -m dropmerge.operations.dead_letters.remedies` prints them anew."""
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert "\n".join(table()) in page
    assert "\n".join(row_table()) in page
