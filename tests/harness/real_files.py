"""Files that other people wrote, each read by plain Python: what a table must have of them.

It shares nothing with the project's own readers. A letter for each column, in the file's order, says what it is.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "field" / "real"
Row = tuple[Any, ...]


def _day(format_: str) -> Callable[[str], date]:
    return lambda text: datetime.strptime(text, format_).date()


def _moment(*formats: str) -> Callable[[str], datetime]:
    def read(text: str) -> datetime:
        for one in formats:
            try:
                return datetime.strptime(text, one)
            except ValueError:
                continue
        raise ValueError(text)

    return read


def _whole(text: str) -> int:
    return int(text.strip().replace(",", ""))


KINDS: Mapping[str, Callable[[str], Any]] = {
    "t": str,
    "k": str,
    "i": _whole,
    "n": Decimal,
    "f": float,
    "d": date.fromisoformat,
    "d/": _day("%Y/%m/%d"),
    "h": lambda text: time.fromisoformat(text),
    "m/": _moment("%m/%d/%Y %H:%M:%S"),
    "y/": _moment("%Y/%m/%d %H:%M:%S"),
    "mez": lambda text: _moment("%d.%m.%Y %H:%M:%S", "%d.%m.%Y")(text).replace(tzinfo=timezone(timedelta(hours=1))),
    "b": {"Yes": True, "No": False, "Y": True, "N": False}.__getitem__,
}


@dataclass(frozen=True)
class Real:
    kinds: str = ""
    """One for each column of the file that the table has, in the file's order; none where the file has types."""
    encoding: str = "utf-8"
    dialect: Mapping[str, Any] = field(default_factory=dict)
    header: int = 1
    nulls: Sequence[str] = ("",)


_UNIT = " t t t"
FILES: Mapping[str, Real] = {
    "FY09_EDU_Recipients_by_State.csv": Real("t t t i i i i i i"),
    "determination.csv": Real("t t t t i k i i i i i i i t t t t t t t t"),
    "elements.csv": Real("i t t t t t n n t n n n t t i i f t t i i", nulls=("", "-")),
    "event-notification-rpt-lastmonth.txt": Real(
        "t i t t i t t t t b t i i i t t t m/ h m/ h t m/ t" + " t t" * 14 + (" t b i t i t" * 3) + " t",
        dialect={"delimiter": "|"},
    ),
    "github.csv": Real("y/ i"),
    "issue-1138.csv": Real("mez i t", dialect={"delimiter": ";"}),
    "issue-647.csv.txt": Real("t t t t t t t n n i t n t t t t d/", encoding="iso-8859-1", dialect={"delimiter": ";"}),
    "issue-811.csv": Real("t t t t t t t t i t t t i i t i i i i t" + _UNIT * 2, "cp1252", {"delimiter": ";"}),
    "ks_1033_data.csv": Real("t t i t t i t n n m/ i t i t"),
    "lincoln_weather.csv": Real("t t d i i"),
    "nyc-planes.csv": Real("t i t t t i i i t", nulls=("", "NA")),
    "penguins-raw.csv": Real("t i t t t t t b d n n i i t f f t", nulls=("", "NA")),
    "seattle-weather.csv": Real("d/ n n n n t"),
    "test_utf16_little.csv": Real("i i t", encoding="utf-16"),
    "unemployment.tsv": Real("t n", dialect={"delimiter": "\t"}),
    "unemployment09.csv.gz": Real("t t t t i i i i n", header=0),
    "vega-weather.csv": Real("t d n n n n t"),
    "flights-500.parquet": Real(),
    "derived/birdstrikes.ndjson": Real(),
    "derived/planes.avro": Real(),
    "derived/planes.orc": Real(),
}


def rows_of(name: str) -> list[Row]:
    """Each record's values, in the file's order of columns; a record of which every field is empty is none."""
    real, path = FILES[name], FOLDER / name
    if not real.kinds:
        return _typed(path)
    data = path.read_bytes()
    data = gzip.decompress(data) if name.endswith(".gz") else data
    text = data.decode("utf-8-sig" if real.encoding == "utf-8" else real.encoding)
    records = list(csv.reader(io.StringIO(text, newline=""), **real.dialect))[real.header :]
    return [
        tuple(
            None if text in real.nulls and kind != "k" else KINDS[kind](text)
            for text, kind in zip(record, real.kinds.split(), strict=False)
        )
        for record in records
        if any(record)
    ]


def _typed(path: Path) -> list[Row]:
    if path.suffix == ".ndjson":
        objects = [json.loads(line) for line in path.read_text().splitlines()]
        names = list(objects[0])
        return [tuple(_value(name, one.get(name)) for name in names) for one in objects]
    if path.suffix == ".avro":
        import fastavro

        with path.open("rb") as file:
            return [tuple(one.values()) for one in fastavro.reader(file) if isinstance(one, dict)]
    if path.suffix == ".orc":
        from pyarrow import orc  # type: ignore[import-untyped]

        return [tuple(one.values()) for one in orc.ORCFile(path).read().to_pylist()]
    from pyarrow import parquet

    return [tuple(map(_in_utc, one.values())) for one in parquet.read_table(path).to_pylist()]


def _value(name: str, value: Any) -> Any:
    return date.fromisoformat(value) if name.endswith("Date") else value


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
