"""The demo compares the main table with the generator's own answer."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from deploy.topology import ROOT
from dropmerge.demo import expected_rows
from services.shared.contract.reader import read_feed


def test_the_expected_rows_are_read_by_the_contracts_types(tmp_path: Path) -> None:
    """All of them, an empty field as None."""
    file = tmp_path / "expected.csv"
    file.write_text(
        "customer_id,account_number,credit_score,account_balance,last_modified\n"
        "c1,001,700,12.50,2026-01-01T00:00:00Z\n"
        "c2,002,,,2026-01-01T00:00:00.5Z\n"
    )
    assert expected_rows(file, read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml")) == [
        ("c1", "001", 700, Decimal("12.5"), datetime(2026, 1, 1, tzinfo=UTC)),
        ("c2", "002", None, None, datetime(2026, 1, 1, 0, 0, 0, 500_000, UTC)),
    ]
