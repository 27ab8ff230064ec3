"""What DuckDB does for each value of a function in Python."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import duckdb
import pytest

from localcloud.warehouse.patches import know_missing


class _Asked(MetaPathFinder):
    """Finds nothing, and remembers what was looked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        self.names.append(fullname)


def test_the_path_is_not_searched_for_pandas_at_each_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not installed, and known to be missing."""
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    know_missing("pandas")
    asked = _Asked()
    sys.meta_path.insert(1, asked)
    connection = duckdb.connect()
    connection.create_function("same", lambda text: text, ["VARCHAR"], "VARCHAR")
    assert connection.execute("SELECT COUNT(same(i::VARCHAR)) FROM range(10) t(i)").fetchall() == [(10,)]
    assert "pandas" not in asked.names
