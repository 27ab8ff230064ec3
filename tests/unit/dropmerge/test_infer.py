"""Whatever a sample holds, `feeds init` writes a contract that is one, and that takes the sample's texts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from pyarrow import orc, parquet

from dropmerge.operations.feeds.inference.errors import InferenceError
from dropmerge.operations.feeds.inference.infer import infer
from dropmerge.operations.feeds.inference.write import contract_yaml
from services.shared.contract.columns import Column
from services.shared.contract.formats import Csv
from services.shared.contract.reader import read_feed
from services.shared.contract.shape import titles

_POOLS = (
    ("1", "0", "-7", "+3", "12", "007", "9223372036854775808", "4.5E+15"),
    ("200.000.000", "1.234", "1,7", "-1.234,5", ",5"),
    ("200,000,000", "1,234", "1.7", "-1,234.5", ".5"),
    ("1 234", "12 345,6", "7"),
    ("1'234", "12'345.6", "1\u00a0234", "1\u202f234"),
    ("0.1", "1e5", "NaN", "inf", "-0", "1.", "99999999999999999999999999999.5"),
    ("2024-01-31", "2024-1-3", "31/01/2024", "01/31/2024", "20240131", "Jan 1 2000", "31.01.2024"),
    ("2024-01-31T10:00:00Z", "2024-01-31 10:00", "2024-01-31 10:00:00 UTC", "1706691600", "1706691600000"),
    ("10:00", "23:59:59.5", "24:10:00"),
    ("Yes", "No", "Y", "N", "true", "FALSE", "0", "1", "t", "f"),
    ("NA", "\\N", "NULL", "-", "n/a", ""),
    ("a", " b ", "ä", 'q"q', "x,y", "x;y", "I", "U", "D"),
    ("[1,2]", '{"a": 1}', "POINT(1 2)", "AP8="),
)
_NAMES = ("id", "name", "Größe", "", "updated_at", "op", "Date", "unit price", "2024", "No", "Action", "version")


@pytest.mark.parametrize(("form", "write"), [("parquet", parquet.write_table), ("orc", orc.write_table)])
def test_moments_finer_than_a_microsecond_are_read(tmp_path: Path, form: str, write: Callable[..., None]) -> None:
    """As ingest reads them; what pandas writes has nanoseconds."""
    sample = tmp_path / f"sample.{form}"
    write(pa.table({"id": [1, 2], "at": pa.array([-1, 1_999], pa.timestamp("ns"))}), sample)
    found = infer(sample)
    assert [column.type for column in found.columns] == ["INT64", "TIMESTAMP"]
    assert found.sample.fields[1].values == ["1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00.000001Z"]


def _accepts(column: Column, text: str, nulls: tuple[str, ...]) -> bool:
    bare = text.strip() if column.trim else text
    return bare in ("", *nulls) or column.kind.accepts(bare)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_sample_of_any_texts_has_a_contract(tmp_path: Path, data: DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=5, unique=True))
    pools = data.draw(st.lists(st.sampled_from(_POOLS), min_size=1, max_size=2))
    texts = st.sampled_from([text for pool in pools for text in pool])
    columns = [data.draw(st.lists(texts, min_size=4, max_size=4)) for _ in names]
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=data.draw(st.sampled_from(",;\t|"))).writerows([names, *zip(*columns, strict=True)])
    sample, contract = tmp_path / "sample.csv", tmp_path / "sample.yaml"
    sample.write_text(written.getvalue(), encoding="utf-8", newline="")
    try:
        found = infer(sample)
    except InferenceError:
        return  # the file says too little
    contract.write_text(contract_yaml("sample", found), encoding="utf-8")
    feed = read_feed(contract)
    assert isinstance(feed.format, Csv)
    values: dict[str | int, Any] = {
        key: one.values for n, one in enumerate(found.sample.fields, 1) for key in (n, one.header)
    }
    if not feed.format.header:
        values = dict(zip(titles(feed), (one.values for one in found.sample.fields), strict=True))
    for column in feed.columns:
        nulls = tuple(feed.format.nulls if column.nulls is None else column.nulls)
        refused = [text for text in values[column.in_file] if not _accepts(column, text or "", nulls)]
        assert not refused, (column, refused)
