"""`feeds init` has a column's name for whatever a header says."""

from __future__ import annotations

import pytest

from dropmerge.operations.feeds.inference.names import column_names


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (["id", "updatedAt", "A_1"], ["id", "updatedAt", "A_1"]),
        (
            ["_id", "__deleted", "Customer ID", "first-name", "a.b"],
            ["id", "deleted", "customer_id", "first_name", "a_b"],
        ),
        (["Größe", "Straße", "naïve "], ["grosse", "strasse", "naive"]),
        (["", "客户", "%", "2024", " "], ["column_1", "column_2", "column_3", "column_2024", "column_5"]),
        (["a", "A", "a ", "A_2"], ["a", "a_3", "a_4", "A_2"]),
        (["Customer ID", "customer_id"], ["customer_id_2", "customer_id"]),
        (["x y" * 99], ["x_y" + "x_y" * 32 + "x"]),
        (["x" * 129], ["x" * 100]),
    ],
)
def test_names_of_columns(header: list[str], names: list[str]) -> None:
    """A name that can be one is kept; no two are alike to BigQuery, which ignores case."""
    assert column_names(header) == names
