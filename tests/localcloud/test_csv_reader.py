"""A CSV file is read to the same records, or the same fault, whether or not its blocks are plain enough to be taken
whole."""

from __future__ import annotations

import io
from itertools import chain
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from localcloud.warehouse import csv_reader
from localcloud.warehouse.csv_dialect import CsvError, Dialect
from localcloud.warehouse.csv_reader import clean_records

_DIALECTS = st.builds(
    Dialect,
    width=st.integers(1, 3),
    quote=st.sampled_from([b'"', b""]),
    quoted_newlines=st.booleans(),
    skip=st.integers(0, 1),
    keeps_controls=st.booleans(),
    fills=st.booleans(),
    cuts=st.booleans(),
)
_RECORDS = st.builds(
    lambda fields, end: b",".join(fields) + end,
    st.lists(st.sampled_from([b"", b"a", b"\xc3\xa9"]), min_size=1, max_size=3),
    st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r\n", b"\r\n", b"\r", b""]),
)
_FILES = st.one_of(
    st.lists(_RECORDS, max_size=6).map(b"".join),
    st.lists(st.sampled_from(list(map(bytes, zip(b'a,\n\r"\0')))), max_size=14).map(b"".join),
)


def _read(data: bytes, dialect: Dialect) -> dict[int, bytes] | str:
    found: dict[int, bytes] = {}
    try:
        for width, records in clean_records(io.BytesIO(data), dialect):
            found[width] = found.get(width, b"") + records
    except CsvError as error:
        return str(error)
    return found


@given(data=_FILES, dialect=_DIALECTS, block=st.sampled_from([1, 3, 8, 64]))
@example(data=b",\ra\naa,a\r,a,", dialect=Dialect(width=2), block=64)
@example(data=b",\n\r", dialect=Dialect(width=2), block=64)  # no longer than a BOM: read at once with its end
def test_plain_blocks_are_read_as_others(data: bytes, dialect: Dialect, block: int) -> None:
    with patch.object(csv_reader, "_BLOCK", block):
        found = _read(data, dialect)
        with patch.object(Dialect, "plain_width", lambda *_: None):
            assert found == _read(data, dialect)


@pytest.mark.parametrize(
    ("records", "width"),
    [
        (b"1,2\n3,4\n", 2),
        (b"1,2\r\n3,4\r\n", 2),
        (b",\n,\n", 2),
        (b"1,2,3\n", 3),
        # Each of these is read record by record.
        (b"1\n2\n", None),
        (b"1,2\n3\n", None),
        (b"1,2\n3,4\r\n", None),
        (b'1,"2"\n', None),
        (b"1,2\n\n", None),
        (b"1,2,3,4\n", None),
        (b"1,\r2\n", None),
    ],
)
def test_a_plain_block_has_as_many_fields_in_each_record(records: bytes, width: int | None) -> None:
    assert Dialect(width=3, fills=True).plain_width(records) == width


def test_long_and_short_records_of_both_kinds_are_one_file() -> None:
    """Longer than a block, in quotes and not, between plain ones."""
    size = csv_reader._BLOCK
    plain = [b"%d,x\n" % number for number in range(size // 4)]
    longer = [b"1,%s\n" % (b"y" * (size + 5)), b'2,"%s"\n' % (b"z,\n" * size)]
    records = list(chain(plain, longer, plain))
    found = _read(b"".join(records), Dialect(width=2, quoted_newlines=True))
    assert isinstance(found, dict)
    assert found.keys() == {2}
    assert found[2] == b"".join(records)
