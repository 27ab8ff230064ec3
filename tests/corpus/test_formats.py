"""G1, G7: a format and a time zone mean one thing to Python, to Google's own engine and to the local warehouse."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.cloud import bigquery

from services.shared.contract.types import TYPES, ColumnType
from tests.corpus.readings import answers, statement
from tests.harness.googlesql import GoogleSql
from tests.harness.warehouse import local_warehouse

pytestmark = pytest.mark.slow

_DATES: Mapping[str, tuple[str, ...]] = {
    "%d/%m/%Y": ("31/12/2024", "1/2/2024", "29/02/2023", "29/02/2024", "13/13/2024", "00/01/2024", "01/01/0000", "31/12/9999"),
    "%m/%d/%Y": ("12/31/2024", "01/02/0001", "2/30/2024"),
    "%b %d %Y": ("Jan 1 2000", "jAN 01 2000", "\u017fep 01 2000", "Sept 1 2000", "January 1 2000", "Jan  1 2000"),
    "%b %e %Y": ("Jan  1 2000", "Jan 1 2000", "Jan 10 2000", "Jan   1 2000"),
    "%A, %d. %B %Y": ("Monday, 3. March 2025", "tuesday, 03. MAY 2025", "Mon, 3. March 2025"),
    "%a %d %b %y": ("Mon 3 Nov 23", "Mon 03 Nov 69", "Mon 03 Nov 68", "Mon 03 Nov 99", "Mon 03 Nov 00"),
    "%Y%m%d": ("20060502", "2006111", "20060230", "\u0662\u0660\u0660\u0666\u0660\u0665\u0660\u0662"),
    "%e-%b-%y": ("3-Nov-23", " 3-Nov-23", "03-nov-23", "30-Feb-23"),
    "%F": ("2005-10-3", "2005-10-03", "2005-1-3"),
    "%Y\u5e74%m\u6708%d\u65e5": ("2024\u5e741\u670805\u65e5", "2024\u5e7413\u670805\u65e5"),
    "100%% '%y.%m.%d\\\"": ("100% '24.1.5\\\"", "100% 24.1.5"),
}  # fmt: skip
_TIMES: Mapping[str, tuple[str, ...]] = {
    "iso": ("2024-01-01 00:00:00", "2024-01-01T00:00:00.123456", "2024-01-01T00:00:00+05:30", "2024-02-30 00:00:00", "2024-01-01"),
    "%F": ("2024-01-01", "0001-01-01", "9999-12-31", "2011-12-30", "2024-02-30"),
    "%m/%d/%Y %I:%M:%S %p": ("03/09/2024 01:30:00 PM", "3/9/2024 12:00:00 am", "3/9/2024 12:59:59 PM", "3/9/2024 13:00:00 PM", "3/9/2024 0:00:00 AM"),
    "%d.%m.%Y %R": ("31.12.2024 5:07", "31.12.2024 24:00", "01.01.2024 5:7"),
    "%Y%m%d%H%M%S": ("20240102030405", "2024010203040", "20240102030460"),
    "%F %T": ("2016-12-31 23:59:60", "2024-1-1 1:02:03"),
    "%FT%R%z": ("2024-01-01T00:00Z", "2024-01-01T00:00+0130", "2024-01-01T00:00-14:00", "2024-01-01T00:00+14:01", "2024-01-01T00:00+00:60"),
    "%a, %d %b %Y %H:%M:%E*S": ("Wed, 01 Jan 2025 12:00:00", "Wed, 1 Jan 2025 2:00:00.123456", "Wed, 1 Jan 2025 2:00:00.1234567", "Wed, 1 Jan 2025 2:00:00."),
    "%F %H h": ("2024-01-01 7 h",),
    "epoch_s": ("0", "-0.5", "+1704067200", "1704067200.123456", "253402300799.999999", "253402300800", "-62135596800", "-62135596801", "1e9", "1."),
    "epoch_ms": ("1704067200123", "1704067200123.5", "253402300799999.999", "253402300800000"),
    "epoch_us": ("1704067200123456", "-62135596800000000", "-62135596800000001", "1.0"),
}  # fmt: skip
_ZONES: Mapping[str, tuple[str, ...]] = {
    "Europe/Berlin": ("2025-03-30 02:00", "2025-10-26 02:00", "1893-04-01 00:00", "1945-05-24 02:00"),
    "America/New_York": ("2024-03-10 02:00", "2024-11-03 01:00", "1883-11-18 12:00"),
    "Australia/Lord_Howe": ("2025-10-05 02:00", "2025-04-06 01:30"),
    "Asia/Kolkata": ("1945-10-15 00:00", "2024-06-01 00:00"),
    "Pacific/Apia": ("2011-12-30 12:00", "2011-12-29 23:59", "1892-07-04 12:00"),
    "Africa/Casablanca": ("2025-02-23 03:00", "2025-04-06 02:00"),
    "Etc/GMT-1": ("0001-01-01 01:00", "9999-12-31 23:59"),
    "UTC": ("0001-01-01 00:00", "9999-12-31 23:59"),
}
"""With local times at which clocks were put forward or back, or years end."""
_EDITS = ["", *"0123456789+-./:, TZapmJ\u0663\n"]


def _edited(texts: Sequence[str], chance: random.Random, number: int) -> set[str]:
    """And others that are an edit away from them."""
    found = set(texts)
    for _ in range(number):
        text = chance.choice(texts)
        at = chance.randrange(len(text) + 1)
        found.add(text[:at] + chance.choice(_EDITS) + text[at + chance.randrange(2) :])
    return found - {""}


def _around(zone: str) -> list[str]:
    """Local times of the hours around a zone's shifts, by quarters of an hour, and a microsecond beside each."""
    found = []
    for text in _ZONES[zone]:
        for minutes in range(-150, 151, 15):
            for micros in (-1, 0, 1):
                try:
                    at = datetime.fromisoformat(text) + timedelta(minutes=minutes, microseconds=micros)
                except OverflowError:
                    continue
                found.append(at.isoformat(" ", "microseconds"))
    return found


_Case = tuple[str, dict[str, Any], Sequence[str]]
"""Type, options, texts."""


def _cases() -> list[tuple[str, dict[str, Any], list[str]]]:
    chance = random.Random("formats")
    of_dates: list[_Case] = [("DATE", {"format": (one,)}, texts) for one, texts in _DATES.items()]
    of_times: list[_Case] = [
        ("TIMESTAMP", {"format": (one,), "zone": "America/New_York"}, texts) for one, texts in _TIMES.items()
    ]
    every = tuple(text for texts in _TIMES.values() for text in texts)
    mixed: list[_Case] = [
        ("TIMESTAMP", {"format": tuple(_TIMES), "zone": "Europe/Berlin"}, every),
        ("TIMESTAMP", {"format": ("epoch_ms", "%FT%R%z")}, every),
        (
            "DATE",
            {"format": ("%d/%m/%Y", "%m/%d/%Y", "iso")},
            (*_DATES["%d/%m/%Y"], *_DATES["%m/%d/%Y"], "2024-01-01"),
        ),
    ]
    edited = [
        (kind, options, sorted(_edited(texts, chance, 60))) for kind, options, texts in (*of_dates, *of_times, *mixed)
    ]
    return [*edited, *(("TIMESTAMP", {"zone": zone}, _around(zone)) for zone in _ZONES)]


def _by_python(kind: ColumnType, text: str) -> datetime | date | None:
    return kind.parse(text) if kind.accepts(text) else None


def test_g1_g7_python_google_and_the_local_warehouse_read_a_format_alike(tmp_path: Any) -> None:
    """The same texts, the same values, one reason for each text that is refused."""
    with local_warehouse(tmp_path) as client:
        for name, options, texts in _cases():
            kind = TYPES[name].with_options(options)
            assert list(kind.option_faults()) == []
            google = GoogleSql("America/Los_Angeles")
            google.load("texts", ["_text"], [[text] for text in texts])
            found = answers(google.query(statement(kind, "`texts`")))
            config = bigquery.QueryJobConfig(query_parameters=[bigquery.ArrayQueryParameter("texts", "STRING", texts)])
            sql = statement(kind, "(SELECT _text FROM UNNEST(@texts) AS _text)")
            local = answers(client.query(sql, config).result())
            differing = {text: (found[text], local[text]) for text in texts if found[text] != local[text]}
            assert differing == {}, options
            for text, (value, reason) in found.items():
                assert value == _by_python(kind, text), (options, text)
                assert (reason == "") == (value is not None), (options, text)


@pytest.mark.parametrize("zone", _ZONES)
def test_g7_a_local_time_is_an_instant_or_has_a_reason(zone: str) -> None:
    """As Python's own zones have it: none, one or two instants at which clocks showed it."""
    kind, texts = TYPES["TIMESTAMP"].with_options({"zone": zone}), _around(zone)
    google = GoogleSql("America/Los_Angeles")
    google.load("texts", ["_text"], [[text] for text in texts])
    for text, (value, reason) in answers(google.query(statement(kind, "`texts`"))).items():
        local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
        try:
            both = {local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
        except OverflowError:
            assert reason == "not_a_timestamp"
            continue
        shown = {
            one for one in both if one.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local.replace(tzinfo=None)
        }
        expected = {0: "local_time_never", 1: "", 2: "local_time_twice"}[len(shown)]
        assert (reason, value) == (expected, *(shown if len(shown) == 1 else [None])), text


_GOOGLES = ("31/12/2024|%d/%m/%Y", "Jan 1 2000|%b %d %Y", "20060502|%Y%m%d", "3-Nov-23|%e-%b-%y", "3-Nov-69|%e-%b-%y",
    "3-Nov-68|%e-%b-%y", "Monday, 3. MARCH 2025|%A, %d. %B %Y", "2005-10-3|%Y-%m-%d")  # fmt: skip


@pytest.mark.parametrize("case", _GOOGLES)
def test_an_element_means_what_it_means_to_google(case: str) -> None:
    """PARSE_DATE reads what a format takes, and reads the same."""
    text, _, pattern = case.partition("|")
    (found,) = GoogleSql().query(f"SELECT PARSE_DATE('{pattern}', '{text}') AS day")
    assert TYPES["DATE"].with_options({"format": (pattern,)}).parse(text) == found["day"]
