"""What a format takes, to the letter. That Python and SQL read it alike is for `tests/corpus/test_formats.py`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.shared.contract.columns import Column
from services.shared.contract.types import TYPES
from services.shared.contract.types.local_time import zones


@pytest.mark.parametrize(
    ("formats", "text", "becomes"),
    [
        (["%d/%m/%Y"], "31/12/2024", date(2024, 12, 31)),
        (["%Y%m%d"], "20060502", date(2006, 5, 2)),
        # The eleventh of January, or the first of November.
        (["%Y%m%d"], "2006111", None),
        (["%d/%m/%Y", "%m/%d/%Y"], "02/01/2024", date(2024, 1, 2)),
        (["%d/%m/%Y", "%m/%d/%Y"], "02/13/2024", date(2024, 2, 13)),
        # The first format fits it, and it is no day.
        (["%d/%m/%Y", "%Y-%m-%d", "iso"], "31/02/2024", None),
        (["%d/%m/%Y"], "2024-12-31", None),
        (["%d/%m/%Y"], " 31/12/2024", None),
        (["%b %e %Y"], "Jan  1 2000", date(2000, 1, 1)),
        (["%d-%b-%y"], "3-Nov-69", date(1969, 11, 3)),
        (["%d-%b-%y"], "3-Nov-68", date(2068, 11, 3)),
        (["%d.%m.%Y"], "31x12x2024", None),
    ],
)
def test_a_day(formats: list[str], text: str, becomes: date | None) -> None:
    kind = TYPES["DATE"].with_options({"format": tuple(formats)})
    assert (kind.parse(text) if kind.accepts(text) else None) == becomes


@pytest.mark.parametrize(
    ("options", "text", "becomes"),
    [
        ({"format": ("%m/%d/%Y %I:%M:%S %p",)}, "03/09/2024 01:30:00 PM", "2024-03-09 12:30"),
        ({"format": ("%F",)}, "2024-07-01", "2024-06-30 22:00"),
        ({"format": ("epoch_ms",)}, "1704067200000", "2024-01-01 00:00"),
        ({}, "2024-07-01 00:00:00", "2024-06-30 22:00"),
        ({}, "2024-07-01 00:00:00-05:00", "2024-07-01 05:00"),
    ],
)
def test_an_instant(options: dict[str, object], text: str, becomes: str) -> None:
    """Of a text without an offset by the column's zone."""
    kind = TYPES["TIMESTAMP"].with_options({**options, "zone": "Europe/Berlin"})
    assert kind.parse(text) == datetime.fromisoformat(becomes).replace(tzinfo=UTC)


def test_a_column_without_options_has_the_type_of_the_registry() -> None:
    """So that its SQL is what it was."""
    column = Column.model_validate({"name": "v", "type": "TIMESTAMP"})
    assert column.kind == TYPES["TIMESTAMP"]
    assert column.kind.steps("`_raw_v`") == ()
    assert set(column.model_dump(exclude_defaults=True)) == {"name", "type"}


def test_one_format_is_a_list_of_one() -> None:
    """One contract, and one fingerprint, however it is written."""
    one, list_ = (Column.model_validate({"name": "v", "type": "DATE", "format": given}) for given in ("%F", ["%F"]))
    assert one == list_


def test_every_zone_can_be_read() -> None:
    for zone in zones():
        assert ZoneInfo(zone).key == zone
