"""The runbook has a remedy for every reason, and its tables are made from the code."""

from deploy.topology import ROOT
from dropmerge.operations.dead_letters.remedies import REMEDIES, row_table, table
from dropmerge.operations.status.states import FeedState, ServiceState
from services.shared.reasons import REASONS


def test_every_reason_has_its_remedy() -> None:
    """No remedy is left for a reason that no longer exists."""
    assert set(REMEDIES) == set(REASONS)


def test_the_runbooks_tables_are_made_from_the_code() -> None:
    """`python -m dropmerge.operations.dead_letters.remedies` prints them anew."""
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert "\n".join(table()) in page
    assert "\n".join(row_table()) in page


def test_the_runbook_says_what_each_state_means() -> None:
    """In the order in which they are looked at."""
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    for states in (FeedState, ServiceState):
        assert "\n".join(f"| {state} | {state.sentence} |" for state in states) in page
