"""G2, G7: a file that BigQuery refuses for its size, or for a line end in a field, ends with that reason; the local
warehouse refuses it in BigQuery's words."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.warehouse import sizes
from services.ingest.inspect_file import inspect_file
from services.ingest.load_raw import load_raw
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError
from services.shared.warehouse import Warehouse
from tests.harness.warehouse import local_warehouse

_MOST = 1_000
_SMALL, _LARGE = b"id\nx\n", b"id\n" + b"x\n" * _MOST
_LINES = b'{"id":"x"}\n' * _MOST
_TWO_LINES = b'id\n"x\ny"\n'


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Path]]:
    """A warehouse with a small limit, and a bucket."""
    folder = tmp_path_factory.mktemp("sizes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(sizes.VARIABLE, str(_MOST))
        with local_warehouse(folder) as client:
            client.create_dataset("staging")
            (folder / "bucket" / "b").mkdir(parents=True)
            yield Warehouse(client, 60.0), folder / "bucket" / "b"


def _load(local: tuple[Warehouse, Path], data: bytes, form: dict[str, Any]) -> int:
    """How many rows the raw table has."""
    warehouse, bucket = local
    columns = [{"name": "id", "type": "STRING"}]
    feed = Feed.model_validate(
        {"feed": "f", "objects": "x", "format": form, "table": "main.f", "mode": "append", "columns": columns}
    )
    name = f"{len(list(bucket.iterdir()))}.txt"
    (bucket / name).write_bytes(data)
    layout = inspect_file(len(data), feed, lambda begin, end: data[begin:end])
    load_raw(warehouse, f"gs://b/{name}", "local.staging.raw", name, layout, feed)
    return int(warehouse.query("SELECT COUNT(*) AS n FROM `local.staging.raw`")[0]["n"])


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (_LARGE, {"type": "csv"}),
        (gzip.compress(_LARGE * 500, 0), {"type": "csv", "quoted_newlines": False}),
        (gzip.compress(_LINES, 0), {"type": "ndjson"}),
    ],
    ids=["quoted newlines", "packed", "packed lines"],
)
def test_g7_what_only_bigquery_refuses_for_its_size_ends_with_that_reason(
    local: tuple[Warehouse, Path], data: bytes, form: dict[str, Any]
) -> None:
    """The error keeps the figures, which are no values."""
    with pytest.raises(PermanentError) as refused:
        _load(local, data, form)
    assert refused.value.reason == "file_too_large"
    words = f"larger than the maximum allowed size. Size is: {len(data)}. Max allowed size is: {_MOST}."
    assert words in str(refused.value)


def test_a_file_that_can_be_split_loads(local: tuple[Warehouse, Path]) -> None:
    """And any of no more than the limit."""
    assert _load(local, _LARGE, {"type": "csv", "quoted_newlines": False}) == _MOST
    assert _load(local, _LARGE, {"type": "csv", "quote": "none"}) == _MOST
    assert _load(local, _LARGE, {"type": "csv", "escape": "\\"}) == _MOST
    assert _load(local, _LINES, {"type": "ndjson"}) == _MOST
    assert _load(local, gzip.compress(_LARGE), {"type": "csv"}) == _MOST
    assert _load(local, _SMALL, {"type": "csv"}) == 1


def test_g7_a_quoted_line_end_ends_the_file_where_the_contract_has_none(local: tuple[Warehouse, Path]) -> None:
    """Loudly: the rest of the field is no row."""
    assert _load(local, _TWO_LINES, {"type": "csv"}) == 1
    with pytest.raises(PermanentError, match=r"line 2, field 1: .*not closed on its line") as refused:
        _load(local, _TWO_LINES, {"type": "csv", "quoted_newlines": False})
    assert refused.value.reason == "malformed_file"


def test_the_limit_is_a_number_of_bytes() -> None:
    assert sizes.limit(None) == sizes.limit("") == 4_294_967_296
    for text in ("4 GiB", "-1", "0", "1.5", "٣"):
        with pytest.raises(ValueError, match=f"{sizes.VARIABLE} is '{text}', which is not a number of bytes"):
            sizes.limit(text)
