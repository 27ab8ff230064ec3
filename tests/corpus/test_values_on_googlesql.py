"""G7: Google's own engine and the oracle make of every nasty value what the local warehouse does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.corpus.feeds import VALUES
from tests.corpus.values import Refused, Value, as_csv, values
from tests.harness.googlesql import GoogleSql
from tests.harness.histories import oracle
from tests.harness.staging import check

_GENERATION = 1735700000000000
_YAML = yaml.safe_load(VALUES)
_SHORT = [value for value in values() if len(value.text) < 2**20]
"""The reference implementation, unlike BigQuery, makes no STRUCT of a megabyte."""


@pytest.fixture(scope="module")
def checked() -> Mapping[str, dict[str, Any]]:
    """Each value's row after the statement that checks rows, by label."""
    load = Load("values", ObjectGeneration("landing", "values.csv", _GENERATION))
    found = check(GoogleSql(), Feed.model_validate(_YAML), load, [value.row() for value in _SHORT])
    return {value.label: row for value, row in zip(_SHORT, found, strict=True)}


@pytest.mark.parametrize("value", _SHORT, ids=lambda value: value.label)
def test_g7_a_value_is_kept_or_refused(checked: Mapping[str, dict[str, Any]], value: Value) -> None:
    row = checked[value.label]
    if isinstance(value.becomes, Refused):
        assert tuple(row["_reasons"]) == value.becomes.reasons
    else:
        kept = row["_deleted" if value.column == "operation" else value.column]
        assert (row["_reasons"], type(kept), kept) == ([], type(value.becomes), value.becomes)


def test_the_oracle_agrees() -> None:
    """On every value that is kept, and every reason."""
    data = as_csv([value.row() for value in values()])
    answer = oracle.answer([oracle.Arrived(oracle.Contract.of(_YAML), "landing", "v.csv", _GENERATION, data)])
    names = [column["name"] for column in _YAML["columns"]]
    kept = {row.values[1]: row for row in answer.tables["values"].values()}
    refused = {row.row[1]: row.reasons for row in answer.rejected}
    for value in values():
        if isinstance(value.becomes, Refused):
            assert refused[value.label] == set(value.becomes.reasons)
        elif value.column == "operation":
            assert value.becomes or not kept[value.label].deleted
        else:
            assert kept[value.label].values[names.index(value.column)] == value.becomes
