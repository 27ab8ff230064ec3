"""G2, G7: a file that is too large for BigQuery is refused before its load job, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from services.ingest.inspect_file import inspect_file
from services.ingest.size import LIMIT, check_size
from services.shared.contract.feed import Feed
from services.shared.contract.formats import Format
from services.shared.errors import PermanentError

_TEXT, _PACKED = b"id,note\n", b"\x1f\x8b\x08"
_FORMAT: TypeAdapter[Format] = TypeAdapter(Format)
_QUOTED = "if no field has line ends, write quoted_newlines: false"


@pytest.mark.parametrize(
    ("head", "form", "ways"),
    [
        (_TEXT, {"type": "csv"}, [_QUOTED, "split into several files"]),
        (_PACKED, {"type": "csv"}, ["sent unpacked", _QUOTED, "split into several files"]),
        (_PACKED, {"type": "csv", "quoted_newlines": False}, ["sent unpacked, or split"]),
        (_PACKED, {"type": "csv", "quote": "none"}, ["sent unpacked, or split"]),
        (_PACKED, {"type": "ndjson"}, ["sent unpacked, or split"]),
    ],
    ids=str,
)
def test_g7_the_error_has_the_size_the_limit_and_the_ways_out(
    head: bytes, form: dict[str, Any], ways: list[str]
) -> None:
    """One byte less, and it is BigQuery's to judge."""
    read = _FORMAT.validate_python(form)
    check_size(head, LIMIT, read)
    with pytest.raises(PermanentError) as refused:
        check_size(head, LIMIT + 1, read)
    assert refused.value.reason == "file_too_large"
    assert all(one in str(refused.value) for one in (*ways, "4,294,967,297 bytes", "at most 4,294,967,296 of"))


def test_g2_a_file_is_looked_at_before_it_is_loaded() -> None:
    """The size is the pinned object's."""
    columns = [{"name": "id", "type": "STRING"}]
    feed = {"feed": "f", "objects": "x", "format": {"type": "csv"}, "table": "main.f", "mode": "append"}
    with pytest.raises(PermanentError) as refused:
        inspect_file(LIMIT + 1, Feed.model_validate({**feed, "columns": columns}), lambda *_: b"id\nx\n")
    assert refused.value.reason == "file_too_large"


@pytest.mark.parametrize(
    "form",
    [
        {"type": "csv", "quoted_newlines": False},
        {"type": "csv", "quote": "none"},
        {"type": "csv", "escape": "\\"},
        *({"type": kind} for kind in ("ndjson", "parquet", "avro", "orc")),
    ],
    ids=str,
)
def test_a_file_that_can_be_split_may_be_larger(form: dict[str, Any]) -> None:
    check_size(_TEXT, 10 * LIMIT, _FORMAT.validate_python(form))
